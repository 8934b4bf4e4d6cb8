"""A loopback HTTP server that answers as AWS does: canned bodies, canned errors, broken lines.

Answers are given by operation (`DescribeServices`) as the members that botocore's model names; JSON
services get JSON, query services XML. An operation without an answer is an InvalidAction.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

REQUEST_ID = "5d7c1a2e-0000-4000-8000-00000000c0de"

PAGE = 2
"""Entries of a page: short, so that every list has several."""
Body = Mapping[str, Any]
Answering = Callable[[dict[str, Any]], Body]
"""From the request's members to the answer's. Query requests arrive flat: `Names.member.1`."""


@dataclass(frozen=True)
class AwsError(Exception):
    """An error in AWS's own shape."""

    code: str
    message: str = ""
    status: int = 400


class Reset(Exception):
    """The connection is reset after the request was read."""


class Garbage(Exception):
    """Something answers that is not AWS."""


@dataclass(frozen=True)
class Request:
    """What arrived."""

    operation: str
    members: dict[str, Any]
    headers: Mapping[str, str]


@dataclass
class Loopback:
    """The server's script and its memory."""

    url: str = ""
    answers: dict[str, Answering] = field(default_factory=dict)
    faults: dict[str, list[Exception | threading.Event]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    @property
    def address(self) -> str:
        """host:port."""
        return self.url.removeprefix("http://")

    def answer(self, operation: str, body: Body | Answering) -> None:
        """Answer an operation always so."""
        self.answers[operation] = body if callable(body) else lambda _: body

    def fail(self, operation: str, *faults: Exception | threading.Event, times: int = 1000) -> None:
        """Fail the next calls of an operation (`*`: of any); an event is waited for first."""
        self.faults.setdefault(operation, []).extend(list(faults) * times)

    def heal(self) -> None:
        """End every failing."""
        self.faults.clear()

    def count(self, operation: str) -> int:
        """How often an operation arrived, repeats included."""
        return sum(1 for request in self.requests if request.operation == operation)

    def respond(self, request: Request) -> Body:
        """The answer, or the fault whose turn it is."""
        self.requests.append(request)
        queue = self.faults.get(request.operation) or self.faults.get("*")
        while queue:
            fault = queue.pop(0)
            if isinstance(fault, Exception):
                raise fault
            fault.wait(20)
        if request.operation not in self.answers:
            raise AwsError("InvalidAction", f"no answer for {request.operation}")
        return self.answers[request.operation](request.members)


@contextmanager
def serving(loopback: Loopback | None = None, port: int = 0) -> Iterator[Loopback]:
    """Serve on 127.0.0.1 until the block ends."""
    script = loopback or Loopback()
    server = _Server(("127.0.0.1", port), _handler(script))
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield script
    finally:
        script.heal()
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port() -> str:
    """A URL where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the tests."""


def _handler(script: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = parsed(raw, self.headers)
            try:
                body = script.respond(request)
            except Reset:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                self.connection.close()
            except Garbage:
                self._send(200, b"<!doctype html><p>hello & welcome", "text/html")
            except AwsError as error:
                self._send(*rendered(request, error))
            else:
                self._send(*rendered(request, body))

        def _send(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-amzn-RequestId", REQUEST_ID)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


def parsed(raw: bytes, headers: Mapping[str, str]) -> Request:
    """A request as it arrived: JSON where it names a target, else a form."""
    target = headers.get("X-Amz-Target", "")
    if target:
        return Request(target.rpartition(".")[2], json.loads(raw or b"{}"), dict(headers))
    members = {k: v[0] for k, v in parse_qs(raw.decode()).items()}
    return Request(members.get("Action", ""), members, dict(headers))


def rendered(request: Request, body: Body | AwsError) -> tuple[int, bytes, str]:
    """An answer in the protocol of its request: status, body, content type."""
    status = body.status if isinstance(body, AwsError) else 200
    if "X-Amz-Target" in request.headers:
        if isinstance(body, AwsError):
            body = {"__type": f"com.amazonaws#{body.code}", "message": body.message}
        return status, json.dumps(body, default=_epoch).encode(), "application/x-amz-json-1.1"
    if isinstance(body, AwsError):
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{body.code}</Code>"
            f"<Message>{escape(body.message)}</Message></Error>"
            f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
        )
    else:
        name = request.operation
        text = (
            f"<{name}Response><{name}Result>{_elements(body)}</{name}Result>"
            f"<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata>"
            f"</{name}Response>"
        )
    return status, text.encode(), "text/xml"


def paged(
    name: str, entries: Sequence[object], members: dict[str, Any], token: str = "nextToken"
) -> dict[str, Any]:
    """One page of a list, with the token of the next."""
    first = int(members.get(token, 0))
    page = {name: list(entries[first : first + PAGE])}
    if first + PAGE < len(entries):
        return {**page, token: str(first + PAGE)}
    return page


def _epoch(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"not for JSON: {value!r}")


def _elements(value: object) -> str:
    """The query protocol: lists as <member>, times in ISO 8601, nothing for None."""
    if isinstance(value, Mapping):
        return "".join(f"<{k}>{_elements(v)}</{k}>" for k, v in value.items() if v is not None)
    if isinstance(value, list | tuple):
        return "".join(f"<member>{_elements(item)}</member>" for item in value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value))
