"""The Docker Engine API, as far as building and pushing need it: an ASGI app on loopback."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import re
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from ..asgi import Answer, BodyTooLarge, Disconnected, headers_of, read_body, send_answer
from ..control import from_this_machine
from ..scope import registry_scope
from .build import Build, Wanted
from .dockerfile import BadDockerfile
from .files import normal, read_tar
from .push import Event, push
from .store import LocalImage, Store, with_tag

if TYPE_CHECKING:
    from ..asgi import App, Connection, Message, Receive, Send

log = logging.getLogger(__name__)

API_VERSION, MIN_API_VERSION, ENGINE_VERSION = "1.41", "1.24", "20.10.24"
"""Those of the engine that it is shaped after."""
_MAX_CONTEXT = 512 * 1024 * 1024
_PATH = re.compile(r"(?:/v\d+\.\d+)?(/.*)")
_IMAGE = re.compile(r"/images/(?P<name>.+?)(?:/(?P<verb>json|tag|push|history))?")


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, list[str]]
    body: bytes

    def one(self, name: str, default: str = "") -> str:
        """A parameter of the query."""
        return self.query.get(name, [default])[0]

    def yes(self, name: str) -> bool:
        """Whether a parameter is set."""
        return self.one(name).lower() in ("1", "true")

    def mapping(self, name: str) -> dict[str, str]:
        """A parameter that is a JSON object of texts."""
        try:
            found: dict[str, str | None] = json.loads(self.one(name) or "{}")
            return {key: value for key, value in found.items() if value is not None}
        except (ValueError, AttributeError):
            raise Refused(400, f"invalid {name}: not a JSON object of texts") from None


class DockerEngine:
    """Answers as Docker's engine does; its images are pushed to one registry, and nowhere else."""

    def __init__(
        self,
        registry: App,
        host: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Be an engine without images.

        Args:
            registry: what answers `/v2/` of this sandbox.
            host: its name in image references, `127.0.0.1:port`.
            now: for when images are created.
        """
        self._registry = registry
        self._host = host
        self._now = now
        self._store = Store()

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if connection["type"] != "http":
            return
        try:
            answer = await self._answer(connection, receive)
        except Refused as refusal:
            answer = _json({"message": str(refusal)}, refusal.status)
        except BodyTooLarge:
            answer = _json({"message": f"the context is larger than {_MAX_CONTEXT} bytes"}, 413)
        except Disconnected:
            return
        if isinstance(answer, Answer):
            await send_answer(send, answer)
        else:
            await _stream(answer, receive, send)

    async def _answer(  # noqa: PLR0911 - one of each path
        self, connection: Connection, receive: Receive
    ) -> Answer | AsyncIterator[Event]:
        headers = headers_of(connection)
        if not from_this_machine(headers):
            raise Refused(403, "for programs of this machine only")
        matched = _PATH.fullmatch(str(connection["path"]))
        request = _Request(
            str(connection["method"]),
            matched[1] if matched else "",
            headers,
            parse_qs(bytes(connection["query_string"]).decode("latin-1")),
            await read_body(receive, _MAX_CONTEXT),
        )
        match request.method, request.path:
            case (("GET" | "HEAD"), "/_ping"):
                return _ping()
            case "GET", "/version":
                return _json(_version())
            case "GET", "/info":
                return _json(self._info())
            case "POST", "/auth":
                return self._login(request)
            case "POST", "/build":
                return await self._build(request)
            case "GET", "/images/json":
                return _json([_summary(i, n) for i, n in self._listed()])
            case "GET", "/containers/json":
                return _json([])
        if found := _IMAGE.fullmatch(request.path):
            return self._image(request, unquote(found["name"]), found["verb"] or "")
        raise Refused(501, f"the sandbox's Docker Engine has no {request.method} {request.path}")

    def _info(self) -> dict[str, Any]:
        return {
            "ID": "SANDBOX",
            "Name": "bgconsole-sandbox",
            "ServerVersion": ENGINE_VERSION,
            "OperatingSystem": "the sandbox's built-in engine: builds and pushes, runs nothing",
            "OSType": "linux",
            "Architecture": "x86_64",
            "Images": len(self._store.named()),
            "Containers": 0,
            "Driver": "memory",
            "RegistryConfig": {"InsecureRegistryCIDRs": ["127.0.0.0/8"], "IndexConfigs": {}},
        }

    def _login(self, request: _Request) -> Answer:
        try:
            given = json.loads(request.body)
            address = str(given.get("serveraddress") or "")
            pair = f"{given['username']}:{given['password']}"
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused(400, "a user and a password are needed") from None
        if address.removeprefix("http://").removeprefix("https://").rstrip("/") != self._host:
            raise Refused(500, self._elsewhere(address))
        if registry_scope(f"Basic {base64.b64encode(pair.encode()).decode()}") is None:
            raise Refused(401, f"login attempt to http://{self._host}/v2/ failed: 401 Unauthorized")
        return _json({"IdentityToken": "", "Status": "Login Succeeded"})

    async def _build(self, request: _Request) -> AsyncIterator[Event]:
        if request.one("remote"):
            raise Refused(400, "the sandbox's Docker Engine fetches nothing: send a context")
        if request.one("version") == "2":
            raise Refused(400, "the sandbox's Docker Engine has the classic builder only")
        try:
            files = await asyncio.to_thread(read_tar, request.body)
        except (tarfile.TarError, EOFError, OSError) as error:
            raise Refused(400, f"the context is no tar: {error}") from None
        name = normal(request.one("dockerfile") or "Dockerfile")
        if name not in files:
            raise Refused(500, f"Cannot locate specified Dockerfile: {name}")
        wanted = Wanted(
            tags=tuple(request.query.get("t", ())),
            arguments=request.mapping("buildargs"),
            labels=request.mapping("labels"),
            target=request.one("target"),
            use_cache=not request.yes("nocache"),
        )
        text = files[name].content.decode("utf-8", "replace")
        try:
            return Build(self._store, files, text, wanted, self._now).events()
        except BadDockerfile as error:
            raise Refused(400, str(error)) from None

    def _image(self, request: _Request, name: str, verb: str) -> Answer | AsyncIterator[Event]:
        if (request.method, request.path) == ("POST", "/images/create"):
            raise Refused(501, "the sandbox's Docker Engine fetches no images")
        if (request.method, verb) == ("POST", "push"):
            return self._push(request, name)
        image = self._store.find(name)
        if image is None:
            raise Refused(404, f"No such image: {with_tag(name)}")
        match request.method, verb:
            case "GET", "json":
                return _json(_details(image, self._names(image)))
            case "GET", "history":
                return _json(list(reversed(json.loads(image.document)["history"])))
            case "POST", "tag":
                repository = request.one("repo")
                tag = request.one("tag") or "latest"
                self._store.names[f"{repository}:{tag}"] = image.id
                return Answer(201, (), b"")
            case "DELETE", "":
                return _json(self._store.remove(name))
        raise Refused(501, f"the sandbox's Docker Engine has no {request.method} {request.path}")

    async def _push(self, request: _Request, name: str) -> AsyncIterator[Event]:
        host, _, repository = name.partition("/")
        tag = request.one("tag") or "latest"
        image = self._store.find(f"{name}:{tag}")
        if host != self._host:
            yield _failed(self._elsewhere(host))
            return
        if image is None:
            yield {"status": f"The push refers to repository [{name}]"}
            yield _failed(f"tag does not exist: {name}:{tag}")
            return
        token = _token(request.headers.get("x-registry-auth", ""))
        events = push(self._registry, repository, tag, image, token, self._host)
        async with aclosing(events):  # type: ignore[type-var]
            async for event in events:
                if pushed := event.get("aux"):
                    self._store.pushed[f"{name}@{pushed['Digest']}"] = image.id
                yield event

    def _elsewhere(self, host: str) -> str:
        return (
            f"the sandbox's Docker Engine reaches the registry {self._host} only, "
            f"not {host or 'Docker Hub'}"
        )

    def _listed(self) -> list[tuple[LocalImage, dict[str, list[str]]]]:
        return [
            (self._store.images[key], self._names(self._store.images[key]))
            for key in self._store.named()
        ]

    def _names(self, image: LocalImage) -> dict[str, list[str]]:
        return {
            "RepoTags": self._store.named().get(image.id, []),
            "RepoDigests": [n for n, key in self._store.pushed.items() if key == image.id],
        }


async def _stream(events: AsyncIterator[Event], receive: Receive, send: Send) -> None:
    """Send events as they come; a client that goes away ends what makes them."""
    kind = ((b"content-type", b"application/json"),)
    await send({"type": "http.response.start", "status": 200, "headers": kind})

    async def pump() -> None:
        async with aclosing(events):  # type: ignore[type-var]
            try:
                async for event in events:
                    await send(_body(event))
            except Exception:  # the client gets a sentence, the log gets the rest
                log.exception("the built-in Docker Engine failed")
                await send(_body(_failed("the sandbox failed; its log tells more")))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = {asyncio.create_task(pump()), asyncio.create_task(gone())}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _body(event: Event) -> Message:
    content = json.dumps(event).encode() + b"\r\n"
    return {"type": "http.response.body", "body": content, "more_body": True}


def _failed(message: str) -> Event:
    return {"errorDetail": {"message": message}, "error": message}


def _json(document: object, status: int = 200) -> Answer:
    kind = ((b"content-type", b"application/json"), (b"api-version", API_VERSION.encode()))
    return Answer(status, kind, json.dumps(document).encode() + b"\n")


def _ping() -> Answer:
    told = (
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"api-version", API_VERSION.encode()),
        (b"builder-version", b"1"),
        (b"docker-experimental", b"false"),
        (b"ostype", b"linux"),
    )
    return Answer(200, told, b"OK")


def _version() -> dict[str, Any]:
    return {
        "Platform": {"Name": "bgconsole sandbox"},
        "Version": ENGINE_VERSION,
        "ApiVersion": API_VERSION,
        "MinAPIVersion": MIN_API_VERSION,
        "Os": "linux",
        "Arch": "amd64",
        "GitCommit": "sandbox",
        "GoVersion": "none",
        "KernelVersion": "none",
        "Components": [{"Name": "Engine", "Version": ENGINE_VERSION, "Details": {}}],
    }


def _summary(image: LocalImage, names: dict[str, list[str]]) -> dict[str, Any]:
    document = json.loads(image.document)
    size = sum(layer.size for layer in image.layers)
    return {
        "Id": image.id,
        "ParentId": "",
        **names,
        "Created": int(datetime.fromisoformat(document["created"]).timestamp()),
        "Size": size,
        "VirtualSize": size,
        "SharedSize": -1,
        "Labels": document["config"].get("Labels"),
        "Containers": -1,
    }


def _details(image: LocalImage, names: dict[str, list[str]]) -> dict[str, Any]:
    document = json.loads(image.document)
    return {
        "Id": image.id,
        **names,
        "Created": document["created"],
        "Architecture": document["architecture"],
        "Os": document["os"],
        "Size": sum(layer.size for layer in image.layers),
        "Config": document["config"],
        "RootFS": {"Type": "layers", "Layers": [layer.diff_id for layer in image.layers]},
    }


def _token(header: str) -> str:
    """The Basic token of an X-Registry-Auth header; empty where there is no password in it."""
    try:
        given = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
        pair = f"{given['username']}:{given['password']}"
    except (ValueError, KeyError, TypeError, binascii.Error):
        return ""
    return base64.b64encode(pair.encode()).decode()
