"""One request to the site, as `curl` would make it, and what came of it in words."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

from bgconsole import __version__
from bgconsole.domain.plain import plain
from bgconsole.domain.probe import Answer
from bgconsole.domain.probe_version import VersionRule

if TYPE_CHECKING:
    import httpx

Method = Literal["GET", "HEAD"]

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
WHOLE_SECONDS = 10.0
"""After so long an answer that still trickles in is given up."""
BODY_LIMIT = 256 * 1024
"""Bytes of a body that are read; the version stands in them or is not found."""


class Asker:
    """Asks one site. Each request has a connection of its own and carries no cookie.

    So a balancer that keeps connections or sessions on one target, old or new, shows itself as it
    would to a user who comes now. Redirects are not followed. Proxies and certificate authorities
    are those of the environment, as for any client.
    """

    def __init__(
        self,
        rule: VersionRule,
        *,
        clock: Callable[[], datetime],
        method: Method = "GET",
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        whole_seconds: float = WHOLE_SECONDS,
    ) -> None:
        self._rule = rule
        self._clock = clock
        self._method = method
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._whole_seconds = whole_seconds
        self._client: httpx.Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what the client holds."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def ask(self, url: str) -> Answer:
        """Ask once; whatever goes wrong is an answer too. Blocks for `whole_seconds` at most,
        but for the resolver, which has time-outs of its own."""
        import httpx

        client = self._ready()
        at, begun = self._clock(), perf_counter()
        status, location, version = 0, "", ""
        error = ""
        try:
            with client.stream(self._method, url) as response:
                body = self._body(response.iter_bytes(), begun)
                status, location = response.status_code, _location(response)
                version = plain(self._rule.find(response.headers, _text(body, response)))
        except (httpx.HTTPError, httpx.InvalidURL, _TooLong) as problem:
            status, error = 0, words(problem)
        finally:
            client.cookies.clear()
        latency = (perf_counter() - begun) * 1000
        return Answer(at, latency, status, error, version, location)

    def _ready(self) -> httpx.Client:
        import httpx

        if self._client is None:
            self._client = httpx.Client(
                timeout=httpx.Timeout(self._read_seconds, connect=self._connect_seconds),
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=0),
                follow_redirects=False,
                headers={
                    "User-Agent": f"bgconsole-probe/{__version__}",
                    "Accept": "*/*",
                    "Accept-Encoding": "identity",
                    "Connection": "close",
                },
            )
        return self._client

    def _body(self, chunks: Iterator[bytes], begun: float) -> bytes:
        """The beginning of the body.

        Raises:
            _TooLong: it still trickles in.
        """
        body = b""
        for chunk in chunks:
            body += chunk
            if len(body) >= BODY_LIMIT:
                break
            if perf_counter() - begun > self._whole_seconds:
                raise _TooLong(f"not finished within {self._whole_seconds:g} s")
        return body[:BODY_LIMIT]


def words(problem: Exception) -> str:
    """Why there was no HTTP answer: the same few words for the same cause, whatever the client."""
    import httpx

    causes = list(_causes(problem))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "no such host (DNS)"
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS: {plain(cause.verify_message)}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {(cause.reason or 'no handshake').replace('_', ' ').lower()}"
    for kind, told in (
        (ConnectionRefusedError, "connection refused"),
        (ConnectionResetError, "connection reset"),
        (_TooLong, str(problem)),
        (httpx.ConnectTimeout, "connect timeout"),
        (httpx.TimeoutException, "no answer in time (read timeout)"),
        (httpx.ProxyError, "the proxy refuses"),
        (httpx.UnsupportedProtocol, "no http:// or https:// URL"),
        (httpx.InvalidURL, "no URL that can be asked"),
        (httpx.DecodingError, "an answer that cannot be decoded"),
    ):
        if any(isinstance(cause, kind) for cause in causes):
            return told
    if isinstance(problem, httpx.RemoteProtocolError):
        closed = "disconnected" in str(problem) or "peer closed" in str(problem)
        return "connection closed without an answer" if closed else "no HTTP answer"
    system = next((c.strerror for c in causes if isinstance(c, OSError) and c.strerror), "")
    return plain(system.lower() or str(problem) or type(problem).__name__, 80)


class _TooLong(Exception):
    """The answer does not end."""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _location(response: httpx.Response) -> str:
    """Where a redirect points, without what may be secret or new each time."""
    if not response.has_redirect_location:
        return ""
    given = response.headers["location"].partition("?")[0].partition("#")[0]
    try:
        parts = urlsplit(given)
        given = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    except ValueError:
        given = given.rpartition("@")[2]
    return plain(given, 80)


def _text(body: bytes, response: httpx.Response) -> str:
    try:
        return body.decode(response.charset_encoding or "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")
