"""The server's process: engine, worlds and front on one loop, until its lifeline ends.

Started by `launch.py` as `python -m bgconsole.sandbox.server SETTINGS FD`. FD is one end of a
socket pair: what happens is told over it, one JSON object a line, and its end of file means that
the other side is gone, however it went, and with it everything here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from .scope import DEMO_SCOPE, Scope
from .settings import Settings

if TYPE_CHECKING:
    from .worlds import World, Worlds

log = logging.getLogger(__name__)

_CLOSE_SECONDS = 1.8
"""All that was started is to be gone 2 s after the end."""
_BACKLOG = 128


class CannotStart(Exception):
    """The sandbox could not come up; the text is for its user."""


class Lifeline:
    """The other side: told what happens, and listened to for its end."""

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(False)
        self.ended = asyncio.Event()

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set `ended` at the end of file."""
        loop.add_reader(self._socket, self._read)

    def tell(self, **facts: Any) -> None:
        """Send one JSON object; if nobody is there any more, `ended` will say so."""
        with suppress(OSError):
            self._socket.sendall(json.dumps(facts).encode() + b"\n")

    def _read(self) -> None:
        try:
            gone = not self._socket.recv(1024)
        except BlockingIOError:
            return
        except OSError:
            gone = True
        if gone:
            asyncio.get_running_loop().remove_reader(self._socket)
            self.ended.set()


def listen(port: int) -> socket.socket:
    """The loopback socket of the endpoint, already queueing connections.

    Raises:
        CannotStart: the port is taken.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno or 0)
        raise CannotStart(
            f"port {port} on 127.0.0.1 cannot be used ({reason}); "
            "end what listens there, or choose another with --port (0 takes a free one)"
        ) from None
    listener.listen(_BACKLOG)
    return listener


async def serve(settings: Settings, lifeline: Lifeline) -> None:
    """Run the sandbox until the lifeline ends.

    Raises:
        CannotStart: what `Settings` asks for cannot be had, or provisioning failed.
    """
    loop = asyncio.get_running_loop()
    lifeline.watch(loop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lifeline.ended.set)
    listener = listen(settings.port)
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    provisioner = await _start_provisioner(f"http://{address}")
    try:
        # Only now what takes a second to load: the provisioner loads beside it, in its process.
        from hypercorn.asyncio import serve as serve_http
        from hypercorn.config import Config

        worlds, front = _assemble(settings, address)
        config = Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.errorlog = logging.getLogger("hypercorn.error")
        config.graceful_timeout = 0.1
        config.shutdown_timeout = 0.5
        config.include_server_header = False
        http = asyncio.create_task(serve_http(front, config, shutdown_trigger=lifeline.ended.wait))
        lifeline.tell(answering=f"http://{address}")
        try:
            await _until_provisioned(provisioner, lifeline, http)
            if not lifeline.ended.is_set():
                await _go(settings, worlds, lifeline)
            await lifeline.ended.wait()
        finally:
            lifeline.ended.set()
            await _close(worlds, http)
    finally:
        if provisioner.returncode is None:
            provisioner.kill()


def _assemble(settings: Settings, address: str) -> tuple[Worlds, Any]:
    from .engine import open_engine
    from .formation import resource_types
    from .formation.api import Aws
    from .front import Front
    from .log_writer import LogWriter
    from .registry import Registry
    from .worlds import Worlds

    engine = open_engine(int(address.rpartition(":")[2]))
    registry = Registry(engine.app, address)
    logs = LogWriter(engine.app)

    async def open_one(scope: Scope, speed: float) -> World:
        from .world import open_world

        return await open_world(
            account=scope.account,
            region=scope.region,
            speed=speed,
            put_logs=partial(logs.put, scope),
            image_lookup=partial(registry.find, scope),
        )

    worlds = Worlds(open_one, float("inf"))
    engine.adopt(resource_types(Aws(worlds.handle_from_thread)))

    def local(attributes: dict[str, Any]) -> dict[str, Any]:
        name = attributes["RepositoryUri"].partition("/")[2]
        return {**attributes, "RepositoryUri": f"{address}/{name}"}

    engine.amend("AWS::ECR::Repository", local)
    return worlds, Front(engine.app, worlds, address)


async def _start_provisioner(endpoint: str) -> asyncio.subprocess.Process:
    from .environment import clean, exports

    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bgconsole.sandbox.provision",
        endpoint,
        env=clean(os.environ) | exports(endpoint),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )


async def _until_provisioned(
    provisioner: asyncio.subprocess.Process, lifeline: Lifeline, http: asyncio.Task[None]
) -> None:
    done = asyncio.create_task(provisioner.communicate())
    ended = asyncio.create_task(lifeline.ended.wait())
    await asyncio.wait({done, ended, http}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if not done.done():
        done.cancel()
        if http.done():
            raise CannotStart("the server ended while the stacks were made")
        return
    written, _ = done.result()
    if provisioner.returncode != 0:
        raise CannotStart("the stacks of the demo could not be made")
    lifeline.tell(outputs=json.loads(written))


async def _go(settings: Settings, worlds: Worlds, lifeline: Lifeline) -> None:
    from .clock import DEFAULT_SPEED

    worlds.set_speed(settings.speed or DEFAULT_SPEED)
    await worlds.at(DEMO_SCOPE)
    lifeline.tell(ready=True)


async def _close(worlds: Worlds, http: asyncio.Task[None]) -> None:
    closing = asyncio.gather(worlds.close(), http, return_exceptions=True)
    done, _ = await asyncio.wait({closing}, timeout=_CLOSE_SECONDS)
    for failure in closing.result() if done else [TimeoutError("not closed in time")]:
        if isinstance(failure, BaseException):
            log.error("closing: %r", failure)


async def _run(settings: Settings, fd: int) -> int:
    lifeline = Lifeline(fd)
    try:
        await serve(settings, lifeline)
    except CannotStart as reason:
        lifeline.tell(failed=str(reason))
        return 1
    except Exception:
        log.exception("the sandbox failed")
        lifeline.tell(failed="the sandbox failed while it started")
        return 1
    return 0


def main() -> None:
    """Run one sandbox with the settings and the lifeline of the command line."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    settings, fd = Settings.from_json(sys.argv[1]), int(sys.argv[2])
    code = asyncio.run(_run(settings, fd))
    logging.shutdown()
    # Not sys.exit: a thread of the engine that still waits would hold the process back.
    os._exit(code)


if __name__ == "__main__":
    main()
