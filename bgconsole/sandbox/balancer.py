"""The data plane of the load balancer: a loopback port per listener, a reverse proxy behind it."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine, Mapping
from time import monotonic

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from .clock import INSTANT, AsyncioClock
from .elbv2.routing import Answer, Forward, Incoming, Route, error_page
from .request_meter import RequestMeter
from .runtime.port import Network, Probe, ProbeResult

_HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
CONNECT_TIMEOUT = 3.0
IDLE_TIMEOUT = 60.0
PROBE_FLOOR = 1.0
"""Real seconds a health check may take at least, however fast the world runs."""


class LoopbackDataPlane:
    """Serves every listener of a world on 127.0.0.1."""

    def __init__(self, network: Network, meter: RequestMeter, *, remap_ports: bool = False) -> None:
        self._network = network
        self._meter = meter
        self._remap = remap_ports
        self._runners: dict[str, web.ServerRunner] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=15.0),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_TIMEOUT, sock_read=IDLE_TIMEOUT
            ),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        self.mapped: dict[int, int] = {}
        """Ports that were asked for and could not be bound, to those bound instead."""

    def listen(self, listener_arn: str, port: int, route: Callable[[Incoming], Route]) -> int:
        """Bind the port and begin to serve; connections wait until the server is up."""
        bound = self._bind(port)
        actual: int = bound.getsockname()[1]

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            return await self._serve(request, route, listener_arn, actual)

        runner = web.ServerRunner(web.Server(handler), shutdown_timeout=1.0)
        self._runners[listener_arn] = runner
        self._spawn(_start(runner, bound))
        return actual

    def stop_listening(self, listener_arn: str) -> None:
        """Close the port; requests in flight get a second."""
        runner = self._runners.pop(listener_arn, None)
        if runner is not None:
            self._spawn(runner.cleanup())

    async def close(self) -> None:
        """Close every listener and the pooled connections."""
        for arn in list(self._runners):
            self.stop_listening(arn)
        await asyncio.gather(*self._tasks)
        await self._session.close()

    def _bind(self, port: int) -> socket.socket:
        try:
            return _listening(port)
        except OSError as error:
            if not self._remap or error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            bound = _listening(0)
            self.mapped[port] = bound.getsockname()[1]
            return bound

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self,
        request: web.BaseRequest,
        route: Callable[[Incoming], Route],
        listener_arn: str,
        port: int,
    ) -> web.StreamResponse:
        chosen = route(
            Incoming(
                request.method,
                request.host,
                request.path,
                request.query_string,
                request.headers,
                request.remote or "127.0.0.1",
            )
        )
        if isinstance(chosen, Answer):
            self._meter.refused(listener_arn, chosen.status)
            return _answer(chosen)
        return await self._forward(request, chosen, listener_arn, port)

    async def _forward(
        self, request: web.BaseRequest, chosen: Forward, listener_arn: str, port: int
    ) -> web.StreamResponse:
        def unanswered(status: int, words: str) -> web.Response:
            self._meter.forwarded(listener_arn, chosen.target_group)
            self._meter.refused(listener_arn, status)
            return _answer(error_page(status, words))

        endpoint = self._network.resolve(chosen.target)
        if endpoint is None:
            return unanswered(502, "Bad Gateway")
        url = f"http://{endpoint[0]}:{endpoint[1]}{request.raw_path}"
        headers = _end_to_end(request.headers)
        before = request.headers.get("X-Forwarded-For")
        source = request.remote or "127.0.0.1"
        headers["X-Forwarded-For"] = f"{before}, {source}" if before else source
        headers["X-Forwarded-Proto"] = "http"
        headers["X-Forwarded-Port"] = str(port)
        body = await request.read() if request.can_read_body else None
        response: web.StreamResponse | None = None
        began = monotonic()
        try:
            async with self._session.request(
                request.method, url, headers=headers, data=body, allow_redirects=False
            ) as answer:
                took = monotonic() - began
                self._meter.forwarded(listener_arn, chosen.target_group)
                self._meter.answered(listener_arn, chosen.target_group, answer.status, took)
                response = web.StreamResponse(status=answer.status, reason=answer.reason)
                response.headers.extend(_end_to_end(answer.headers))
                await response.prepare(request)
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
                return response
        except (aiohttp.ClientError, TimeoutError) as error:
            if response is not None and response.prepared:
                raise  # the answer was cut in the middle: so is the client's
            if isinstance(error, TimeoutError):
                return unanswered(504, "Gateway Time-out")
            return unanswered(502, "Bad Gateway")


class HttpProber:
    """The load balancer's health checks as real requests."""

    def __init__(
        self, network: Network, clock: AsyncioClock, *, floor: float = PROBE_FLOOR
    ) -> None:
        """`floor`: real seconds that a health check may take at least."""
        self._network = network
        self._clock = clock
        self._floor = floor
        self._tasks: set[asyncio.Task[None]] = set()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            headers={"User-Agent": "ELB-HealthChecker/2.0"},
            trust_env=False,
        )

    def probe(self, probe: Probe, done: Callable[[ProbeResult], None]) -> None:
        """Ask in the background and tell `done`."""
        task = asyncio.get_running_loop().create_task(self._ask(probe, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up every check under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    async def _ask(self, probe: Probe, done: Callable[[ProbeResult], None]) -> None:
        endpoint = self._network.resolve(probe.address)
        speed = self._clock.speed
        seconds = max(self._floor, 0.0 if speed == INSTANT else probe.timeout / speed)
        if endpoint is None:
            # A stopped container's address hangs instead of refusing.
            lost = ProbeResult(None, timed_out=True)
            self._clock.call_later(probe.timeout, lambda: done(lost), floor=0.05)
            return
        try:
            async with asyncio.timeout(seconds):
                status = await self._status(probe, endpoint)
            result = ProbeResult(status)
        except TimeoutError:
            result = ProbeResult(None, timed_out=True)
        except (aiohttp.ClientError, OSError):
            result = ProbeResult(None)
        done(result)

    async def _status(self, probe: Probe, endpoint: tuple[str, int]) -> int:
        if probe.protocol == "TCP":
            _, writer = await asyncio.open_connection(*endpoint)
            writer.close()
            return 200
        url = f"http://{endpoint[0]}:{endpoint[1]}{probe.path}"
        async with self._session.get(url, allow_redirects=False) as answer:
            return answer.status


async def _start(runner: web.ServerRunner, bound: socket.socket) -> None:
    await runner.setup()
    await web.SockSite(runner, bound, backlog=512).start()


def _listening(port: int) -> socket.socket:
    made = socket.socket()
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        made.listen(512)
    except OSError:
        made.close()
        raise
    made.setblocking(False)
    return made


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        if name.lower() not in _HOP_BY_HOP:
            kept.add(name, value)
    return kept


def _answer(answer: Answer) -> web.Response:
    headers = {"Server": "awselb/2.0"}
    if answer.location is not None:
        headers["Location"] = answer.location
    return web.Response(
        status=answer.status, text=answer.body, content_type=answer.content_type, headers=headers
    )
