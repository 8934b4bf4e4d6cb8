"""A Docker engine through Docker's own SDK: the only module that knows it, and it loads it late."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgconsole.domain.builds import (
    BuildTold,
    Built,
    Engine,
    Order,
    Pushed,
    PushTold,
    RegistryLogin,
    Sent,
    Source,
)
from bgconsole.domain.dockerfile import buildkit_reason, declared_arguments
from bgconsole.domain.errors import GatewayError, NotThere, Rejected, Unreachable
from bgconsole.gateway import buildx, git
from bgconsole.gateway.build_context import BuildContext, listed
from bgconsole.gateway.docker_events import Event, build_told, push_told
from bgconsole.gateway.docker_failures import DISK_FULL, build_failure, disk_full

if TYPE_CHECKING:
    from bgconsole.gateway.docker_sdk import APIClient

_ANY = "1.24"
"""The oldest version that the SDK takes; what needs none is asked without."""
_NEGOTIATED = "auto"
"""The SDK asks the engine which version of the API to speak."""
_QUICK = 10
"""Seconds for a question that an engine answers at once."""
_POLL = 0.1
"""Seconds between two looks whether a stream is to stop."""
_WAITING = 2000
"""Events that wait to be told at most."""
_NO_ENGINE_HINT = "Start Docker, or name an engine with docker_host or DOCKER_HOST"


@dataclass(frozen=True, slots=True)
class DockerEngine:
    """The `Docker` port."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    host: str = ""
    """As the configuration names it; else DOCKER_HOST, else the current context of the CLI."""
    _api: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    """The version of the API to speak, by host, as the engine told last."""

    def engine(self) -> Engine:
        """The engine that answers."""
        with self._client(version=_ANY) as client:
            told = client.version(api_version=False)
        host = self._host()
        self._api[host] = str(told.get("ApiVersion") or _NEGOTIATED)
        return Engine(version=str(told.get("Version", "")), host=host or "the local socket")

    def buildx(self) -> bool:
        """Whether `docker buildx` answers on this machine."""
        return buildx.available(self._for_cli())

    def source(self, folder: str, dockerfile: str) -> Source:
        """What a build of a folder would send; see the port."""
        root = Path(folder).expanduser().absolute()
        if not root.is_dir():
            raise NotThere(
                "No build context",
                f"there is no folder {root}",
                "Name it with --context or build_context; a path is from where you are",
            )
        file = (root / dockerfile).resolve() if dockerfile else root / "Dockerfile"
        try:
            text = file.read_text(errors="replace")
            sizes = [
                path.lstat().st_size
                for name in listed(root, file)
                if not (path := root / name).is_dir()
            ]
        except OSError as error:
            raise NotThere(
                "The build context cannot be read",
                f"{error.filename or file}: {error.strerror}",
                "Name another with --context and --dockerfile",
            ) from error
        revision, dirty = git.revision(root)
        return Source(
            folder=str(root),
            dockerfile=str(file),
            files=len(sizes),
            size=sum(sizes),
            revision=revision,
            dirty=dirty,
            buildkit=buildkit_reason(text),
            arguments=declared_arguments(text),
        )

    def build(self, order: Order, stop: threading.Event) -> Iterator[BuildTold]:
        """Build an image; see the port."""
        if order.buildkit:
            yield from buildx.build(order, self._for_cli(), stop)
            return
        root, file = Path(order.folder), Path(order.dockerfile)
        context = BuildContext(root, file)
        with self._client(streaming=True) as client:
            upload = _Upload(context, stop)

            def begin() -> Iterator[Event]:
                stream: Iterator[Event] = client.build(
                    fileobj=upload,  # type: ignore[arg-type]
                    custom_context=True,
                    dockerfile=context.dockerfile,
                    tag=order.names[0],
                    buildargs=dict(order.arguments),
                    rm=True,
                    forcerm=True,
                    decode=True,
                )
                return stream

            for told in build_told(_pumped(client, begin, stop, upload)):
                if isinstance(told, Built):
                    if stop.is_set():  # the stream ended with it
                        return
                    for name_too in order.names[1:]:
                        repository, _, tag = name_too.rpartition(":")
                        client.tag(order.names[0], repository, tag)
                yield told

    def push(self, name: str, login: RegistryLogin, stop: threading.Event) -> Iterator[PushTold]:
        """Push an image; see the port."""
        repository, _, tag = name.rpartition(":")
        with self._client(streaming=True) as client:

            def begin() -> Iterator[Event]:
                stream: Iterator[Event] = client.push(
                    repository,
                    tag=tag,
                    stream=True,
                    decode=True,
                    auth_config={"username": login.user, "password": login.password},
                )
                return stream

            short = repository.partition("/")[2] or repository
            for told in push_told(_pumped(client, begin, stop), short):
                if isinstance(told, Pushed) and stop.is_set():  # the stream ended with it
                    return
                yield told

    def _host(self) -> str:
        found = self.host or self.environ.get("DOCKER_HOST", "")
        if found or self.environ is not os.environ:
            return found
        from bgconsole.gateway.docker_sdk import ContextAPI

        try:
            context = ContextAPI.get_current_context()
        except Exception:  # noqa: BLE001 - whatever is wrong with the CLI's files, the socket is left
            return ""
        return str(getattr(context, "Host", "") or "")

    def _for_cli(self) -> dict[str, str]:
        host = {"DOCKER_HOST": found} if (found := self._host()) else {}
        return {**self.environ, **host}

    @contextmanager
    def _client(self, *, streaming: bool = False, version: str = "") -> Iterator[APIClient]:
        """A client, closed at the end; with `streaming`, one that waits for a silent engine.

        It speaks a version of the API that the engine told, where no other is given.

        Raises:
            GatewayError: whatever goes wrong inside.
        """
        with _translated(self._host()):
            from bgconsole.gateway.docker_sdk import APIClient, kwargs_from_env

            settings: dict[str, Any] = dict(kwargs_from_env(environment=self._for_cli()))
            settings.setdefault("base_url", None)
            if str(settings["base_url"] or "").startswith("ssh://"):
                settings["use_ssh_client"] = True
            _need_socket(str(settings["base_url"] or "unix:///var/run/docker.sock"))
            version = version or self._api.get(self._host(), _NEGOTIATED)
            client = APIClient(version=version, timeout=_QUICK, **settings)
            if streaming:
                client.timeout = None  # type: ignore[assignment]
            try:
                yield client
            finally:
                client.close()


def _need_socket(host: str) -> None:
    """Raises FileNotFoundError where an engine has no socket: the SDK would leak its own."""
    socket = Path("/" + host.removeprefix("unix:").lstrip("/"))
    if host.startswith("unix:") and not socket.exists():
        raise FileNotFoundError(2, "No such file", str(socket))


class _Upload:
    """A context on its way: counts what was read, and reads no further once it is to stop."""

    def __init__(self, context: BuildContext, stop: threading.Event) -> None:
        self._pieces = context.pieces()
        self._stop = stop
        self.total = context.size
        self.done = 0
        self.failure: GatewayError | None = None
        """Why the context could not be read to its end; what sends it tells only that it broke."""

    def __len__(self) -> int:
        return self.total

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read():
            yield piece

    def read(self, _: int = -1) -> bytes:
        """The next bytes, more than asked for: http.client asks for 16 kB, and each goes alone.

        Raises:
            InterruptedError: it is to stop, or it cannot be read.
        """
        if self._stop.is_set():
            raise InterruptedError
        try:
            piece = next(self._pieces, b"")
        except GatewayError as error:
            self.failure = error
            raise InterruptedError from error
        self.done += len(piece)
        return piece


def _pumped(
    client: APIClient,
    begin: Callable[[], Iterator[Event]],
    stop: threading.Event,
    upload: _Upload | None = None,
) -> Iterator[Event | Sent]:
    """The events of a stream, until it ends or `stop` is set; then the engine loses its client.

    A thread reads, because an engine may be silent for as long as a command runs.
    """
    told: queue.Queue[Event | Exception | None] = queue.Queue(_WAITING)
    left = threading.Event()
    responses: list[Any] = []
    client.hooks["response"].append(lambda response, **_: responses.append(response))

    def put(item: Event | Exception | None) -> bool:
        while not left.is_set():
            try:
                told.put(item, timeout=_POLL)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for event in begin():
                if not put(event):
                    return
        except Exception as error:  # noqa: BLE001 - told to the thread that waits
            put(error)
        else:
            put(None)

    reading = threading.Thread(target=read, name="docker-stream", daemon=True)
    reading.start()
    sent = -1
    try:
        while not stop.is_set():
            if upload is not None and upload.done != sent:
                sent = upload.done
                yield Sent(sent, upload.total)
            try:
                item = told.get(timeout=_POLL)
            except queue.Empty:
                continue
            if item is None:
                return
            if isinstance(item, Exception):
                raise upload.failure if upload is not None and upload.failure else item
            yield item
    finally:
        left.set()
        for response in responses:
            # Closing would wait for the thread that reads; this wakes it.
            if shutdown := getattr(response.raw, "shutdown", None):
                with suppress(OSError, ValueError, RuntimeError):
                    shutdown()  # RuntimeError: it was read to its end
        reading.join(_QUICK)
        if not reading.is_alive():
            for response in responses:
                response.close()


@contextmanager
def _translated(host: str) -> Iterator[None]:
    """Docker's and requests' errors as ours."""
    from bgconsole.gateway.docker_sdk import (
        APIError,
        DockerException,
        RequestException,
        StoreError,
    )

    where = host or "the local socket"
    try:
        yield
    except GatewayError:
        raise
    except APIError as error:
        raise build_failure(str(error.explanation or error)) from error
    except StoreError as error:
        raise Rejected(
            "Docker's credential store does not answer",
            str(error),
            "Mend credsStore in ~/.docker/config.json, or take it out",
        ) from error
    except (DockerException, RequestException, OSError) as error:
        raise _no_answer(where, error) from error


def _no_answer(where: str, error: Exception) -> GatewayError:
    words = str(error)
    if DISK_FULL.search(words):
        return disk_full("The disk", words)
    if "PermissionError" in words or "Permission denied" in words:
        return Rejected(
            "The Docker engine may not be used",
            f"permission denied on {where}",
            "Join the group docker, or name another engine with docker_host or DOCKER_HOST",
        )
    if any(sign in words for sign in ("FileNotFoundError", "No such file", "refused")):
        return Unreachable("No Docker engine", f"nothing answers at {where}", _NO_ENGINE_HINT)
    return Unreachable(
        "The Docker engine does not answer", f"{where}: {_shortly(words)}", _NO_ENGINE_HINT
    )


def _shortly(words: str) -> str:
    line = words.strip().splitlines()[-1] if words.strip() else "no words"
    return line if len(line) <= 200 else f"{line[:199]}…"
