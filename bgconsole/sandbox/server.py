"""The server's process: engine, worlds and front on one loop, until its lifeline ends.

Started by `launch.py` as `python -m bgconsole.sandbox.server SETTINGS FD`. FD is one end of a
socket pair: what happens is told over it, one JSON object a line, and its end of file means that
the other side is gone, however it went, and with it everything here.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, cast

from .environment import clean, exports
from .lifeline import Lifeline
from .scope import DEMO_SCOPE
from .settings import PROVISIONER, Settings

if TYPE_CHECKING:
    from hypercorn.typing import Framework

    from .asgi import App
    from .assembly import Assembly
    from .runtime.docker import DockerSettings

log = logging.getLogger(__name__)

_CLOSE_SECONDS = 1.8
"""All that was started is to be gone 2 s after the end."""
_CLOSE_DOCKER_SECONDS = 9.5
"""As above, where an engine has to remove containers."""
_BACKLOG = 128


class CannotStart(Exception):
    """The sandbox could not come up; the text is for its user."""


async def serve(settings: Settings, lifeline: Lifeline) -> None:
    """Run the sandbox until the lifeline ends.

    Raises:
        CannotStart: what `Settings` asks for cannot be had, or provisioning failed.
    """
    lifeline.watch()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, lifeline.ended.set)
    listener = listen(settings.port)
    docker = listen(0)
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    docker_host = settings.docker_host or f"tcp://127.0.0.1:{docker.getsockname()[1]}"
    lifeline.tell(listening=f"http://{address}", docker=docker_host)
    provisioner = await _start_provisioner(f"http://{address}", settings)
    try:
        # Only now what takes a second to load: the provisioner loads beside it, in its process.
        from .assembly import assemble

        first = PROVISIONER if settings.hold else ""
        assembly = assemble(
            address,
            remap_ports=settings.remap_ports,
            first=first,
            log_delay=settings.log_delay,
            simulated=settings.runtime == "simulated",
            containers=_containers(settings),
        )
        http = asyncio.create_task(_serve_all(assembly, listener, docker, lifeline))
        try:
            await _until_provisioned(provisioner, lifeline, http)
            if not lifeline.ended.is_set():
                await _go(settings, assembly, address, lifeline)
            await _first(lifeline, http)
        finally:
            lifeline.ended.set()
            await _close(assembly, http, settings)
    finally:
        if provisioner.returncode is None:
            provisioner.kill()


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
            f"port {port} on 127.0.0.1 cannot be used ({reason}): "
            "end what listens there, or choose another with --port (0 takes a free one)"
        ) from None
    listener.listen(_BACKLOG)
    return listener


def _containers(settings: Settings) -> DockerSettings | None:
    if not settings.on_docker:
        return None
    from .launch import log_file
    from .runtime.docker import DockerSettings

    return DockerSettings(
        host=settings.docker_host,
        database_image=settings.database_image,
        registry_token=DEMO_SCOPE.registry_token,
        locks=log_file(dict(os.environ)).parent,
    )


async def _serve_all(
    assembly: Assembly, listener: socket.socket, docker: socket.socket, lifeline: Lifeline
) -> None:
    await asyncio.gather(
        _serve_http(assembly.app, listener, lifeline),
        _serve_http(assembly.docker, docker, lifeline),
    )


async def _serve_http(served: App, listener: socket.socket, lifeline: Lifeline) -> None:
    from hypercorn.asyncio import serve as serve_http
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = logging.getLogger("hypercorn.error")
    config.graceful_timeout = 0.1
    config.shutdown_timeout = 0.5
    config.include_server_header = False
    app = cast("Framework", served)
    await serve_http(app, config, shutdown_trigger=lifeline.ended.wait)


async def _start_provisioner(endpoint: str, settings: Settings) -> asyncio.subprocess.Process:
    workshop = ["--docker-host", settings.docker_host, "--base-image", settings.base_image]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "bgconsole.sandbox.provision",
        endpoint,
        *(workshop if settings.on_docker else ()),
        *(["--empty"] if settings.empty else ()),
        env=clean(os.environ) | exports(endpoint),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )


async def _until_provisioned(
    provisioner: asyncio.subprocess.Process, lifeline: Lifeline, http: asyncio.Task[None]
) -> None:
    assert provisioner.stdout is not None  # noqa: S101 - a pipe, see `_start_provisioner`
    while True:
        answer = asyncio.create_task(provisioner.stdout.readline())
        await _first(lifeline, http, answer)
        if not answer.done():
            answer.cancel()
            if http.done():
                raise CannotStart("the server ended while the stacks were made")
            return
        if not answer.result():
            raise CannotStart("the stacks of the demo could not be made")
        told = json.loads(answer.result())
        if "failed" in told:
            raise CannotStart(f"the demo could not be made: {told['failed']}")
        lifeline.tell(**told)
        if "outputs" in told:
            return


async def _first(lifeline: Lifeline, *tasks: asyncio.Task[None] | asyncio.Task[bytes]) -> None:
    """Wait until the lifeline ends or one of the tasks does."""
    ended = asyncio.create_task(lifeline.ended.wait())
    await asyncio.wait({ended, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()


async def _go(settings: Settings, assembly: Assembly, address: str, lifeline: Lifeline) -> None:
    """Provisioned and steady: from here on time passes and others look."""
    from .bad_deploy import bad_deploy_after_first_look
    from .clock import CONTAINER_SPEED, DEFAULT_SPEED
    from .images import BROKEN
    from .scenarios import BadScenario, begin

    default = CONTAINER_SPEED if settings.on_docker else DEFAULT_SPEED
    assembly.set_speed(settings.speed or default)
    world = await assembly.worlds.at(DEMO_SCOPE)
    world.first_look.arm()
    if settings.scenario == "bad-deploy":
        bad_deploy_after_first_look(
            world,
            cluster="democluster-cluster",
            service="democluster-service",
            image=f"{address}/demorepo:{BROKEN.tag}",
        )
    elif settings.scenario is not None:
        try:
            begin(await assembly.stage(), settings.scenario)
        except BadScenario as reason:
            raise CannotStart(f"--scenario {settings.scenario}: {reason}") from None
    notes = [
        f"port {asked} could not be bound: its listener is on port {bound}"
        for asked, bound in world.remapped_ports.items()
    ]
    gc.freeze()
    gc.enable()
    assembly.front.open.set()
    lifeline.tell(ready=True, notes=notes)


async def _close(assembly: Assembly, http: asyncio.Task[None], settings: Settings) -> None:
    seconds = _CLOSE_DOCKER_SECONDS if settings.on_docker else _CLOSE_SECONDS
    assembly.logs.close()
    closing = asyncio.gather(assembly.worlds.close(), http, return_exceptions=True)
    done, _ = await asyncio.wait({closing}, timeout=seconds)
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
        # The starter gets a sentence and the log's place, the log gets the rest.
        log.exception("the sandbox failed")
        lifeline.tell(failed="the sandbox failed while it started")
        return 1
    return 0


def main() -> None:
    """Run one sandbox with the settings and the lifeline of the command line."""
    gc.disable()  # until it is steady: nothing that is loaded meanwhile is garbage
    # No TLS leaves this process, and aiohttp would read every authority's certificate on import.
    os.environ.update(SSL_CERT_FILE=os.devnull, SSL_CERT_DIR=os.devnull)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    settings, fd = Settings.from_json(sys.argv[1]), int(sys.argv[2])
    code = asyncio.run(_run(settings, fd))
    logging.shutdown()
    # Not sys.exit: a thread of the engine that still waits would hold the process back.
    os._exit(code)


if __name__ == "__main__":
    main()
