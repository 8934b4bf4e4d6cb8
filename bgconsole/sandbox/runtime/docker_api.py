"""The part of the Docker Engine API that running containers takes, over asyncio.

Not Docker's own SDK: that would need a thread for each container whose output is followed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp

_FRAME = 8
"""Bytes before each piece of output: stream, three of nothing, length."""


class DockerRefused(Exception):
    """The engine answered with an error, or did not answer; the text is its own."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status
        """Of HTTP; 0 without an answer."""


class DockerApi:
    """One engine."""

    def __init__(self, host: str) -> None:
        """Talk to `unix://PATH`, `tcp://HOST:PORT` or `http://HOST:PORT`.

        Raises:
            DockerRefused: the address is of another kind.
        """
        parts = urlsplit(host)
        connector: aiohttp.BaseConnector
        if parts.scheme == "unix":
            connector, self._base = aiohttp.UnixConnector(parts.path, limit=0), "http://docker"
        elif parts.scheme in ("tcp", "http") and parts.netloc:
            connector, self._base = aiohttp.TCPConnector(limit=0), f"http://{parts.netloc}"
        else:
            raise DockerRefused(f"{host}: only unix:// and tcp:// addresses can be used")
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections; nothing on the engine changes."""
        await self._session.close()

    async def ping(self) -> None:
        """Ask whether it is there.

        Raises:
            DockerRefused: it is not.
        """
        async with self._asking("GET", "/_ping") as answer:
            await answer.read()

    async def pull(self, image: str, token: str = "") -> None:
        """Pull `name:tag` or `name@digest`; `token` is ECR's, base64 of user and password.

        Raises:
            DockerRefused: it could not be pulled.
        """
        headers = {}
        if token:
            user, _, password = base64.b64decode(token).decode().partition(":")
            login = json.dumps({"username": user, "password": password}).encode()
            headers["X-Registry-Auth"] = base64.urlsafe_b64encode(login).decode()
        query = {"fromImage": image}
        if "@" not in image and ":" not in image.rpartition("/")[2]:
            query["tag"] = "latest"  # without it the engine pulls every tag
        async with self._asking("POST", "/images/create", query, headers=headers) as answer:
            # A failure after the first byte comes as the last of many JSON lines.
            async for line in answer.content:
                told = json.loads(line) if line.strip() else {}
                if "error" in told:
                    raise DockerRefused(told["error"])

    async def has_image(self, image: str) -> bool:
        """Whether the engine has it already."""
        try:
            await self._json("GET", f"/images/{image}/json")
        except DockerRefused as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    async def create(self, name: str, settings: Mapping[str, Any]) -> str:
        """Create a container; gives its id.

        Raises:
            DockerRefused: the engine does not take the settings.
        """
        made = await self._json("POST", "/containers/create", {"name": name}, settings)
        return str(made["Id"])

    async def start(self, container: str) -> None:
        """Start it.

        Raises:
            DockerRefused: its command cannot be run, or a port is taken.
        """
        await self._json("POST", f"/containers/{container}/start")

    async def inspect(self, container: str) -> dict[str, Any]:
        """All that the engine knows of it."""
        known: dict[str, Any] = await self._json("GET", f"/containers/{container}/json")
        return known

    async def kill(self, container: str, signal: str) -> None:
        """Send a signal, also to a container that is paused or just gone."""
        await self._leniently("POST", f"/containers/{container}/unpause")
        await self._leniently("POST", f"/containers/{container}/kill", {"signal": signal})

    async def pause(self, container: str) -> None:
        """Freeze it: what connects to it hangs."""
        await self._leniently("POST", f"/containers/{container}/pause")

    async def wait(self, container: str) -> int:
        """Wait for its end; gives the exit code."""
        ended = await self._json("POST", f"/containers/{container}/wait")
        return int(ended["StatusCode"])

    async def remove(self, container: str) -> None:
        """Remove it with its volumes, running or not; already gone is success."""
        query = {"force": "1", "v": "1"}
        await self._leniently("DELETE", f"/containers/{container}", query)

    async def labelled(self, label: str) -> list[dict[str, Any]]:
        """The containers, running or not, that carry a label."""
        query = {"all": "1", "filters": json.dumps({"label": [label]})}
        listed: list[dict[str, Any]] = await self._json("GET", "/containers/json", query)
        return listed

    async def succeeds_inside(self, container: str, command: Sequence[str]) -> bool:
        """Run a command in a running container; whether it ended with 0."""
        # Attached, so that the answer ends with the command.
        asked = {"Cmd": list(command), "AttachStdout": True, "AttachStderr": True}
        made = await self._json("POST", f"/containers/{container}/exec", None, asked)
        begun = {"Detach": False}
        async with self._asking("POST", f"/exec/{made['Id']}/start", None, begun) as answer:
            await answer.read()
        ended = await self._json("GET", f"/exec/{made['Id']}/json")
        return bool(ended["ExitCode"] == 0)

    async def output(self, container: str) -> AsyncGenerator[bytes, None]:
        """What it writes, from its first byte to its end, as pieces of any size."""
        query = {"follow": "1", "stdout": "1", "stderr": "1"}
        async with self._asking("GET", f"/containers/{container}/logs", query) as answer:
            try:
                while True:
                    head = await answer.content.readexactly(_FRAME)
                    yield await answer.content.readexactly(int.from_bytes(head[4:]))
            except EOFError:
                return

    async def _leniently(
        self, method: str, path: str, query: Mapping[str, str] | None = None
    ) -> None:
        """Ask; that the container is gone, or is so already, is success."""
        try:
            await self._json(method, path, query)
        except DockerRefused as refusal:
            if refusal.status not in (
                HTTPStatus.NOT_MODIFIED,
                HTTPStatus.NOT_FOUND,
                HTTPStatus.CONFLICT,
                HTTPStatus.INTERNAL_SERVER_ERROR,
            ):
                raise

    async def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        async with self._asking(method, path, query, body) as answer:
            text = await answer.read()
        return json.loads(text) if text else None

    def _asking(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> _Asking:
        asked = self._session.request(
            method, self._base + path, params=query, json=body, headers=headers
        )
        return _Asking(asked)


class _Asking:
    """A request as a context: inside is its good answer, every other end is `DockerRefused`."""

    def __init__(self, asked: Any) -> None:
        self._asked = asked

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            answer: aiohttp.ClientResponse = await self._asked.__aenter__()
        except (aiohttp.ClientError, OSError) as error:
            raise DockerRefused(getattr(error, "strerror", None) or str(error)) from error
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            text = await answer.text()
            await self._asked.__aexit__(None, None, None)
            raise DockerRefused(_words(text) or f"status {answer.status}", answer.status)
        return answer

    async def __aexit__(self, kind: Any, error: BaseException | None, where: Any) -> None:
        await self._asked.__aexit__(kind, error, where)
        if isinstance(error, aiohttp.ClientError):
            raise DockerRefused(str(error) or "the connection was lost") from error


def _words(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()
