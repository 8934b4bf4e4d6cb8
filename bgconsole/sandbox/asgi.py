"""Talking ASGI: the types, a bounded body, a reply, and a call to an app in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Connection = MutableMapping[str, Any]
"""What ASGI calls the scope; that word means account and region here."""
App = Callable[[Connection, Receive, Send], Awaitable[None]]


class BodyTooLarge(Exception):
    """The request's body passed the limit."""


class Disconnected(Exception):
    """The client went away before its request was whole."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer; header names in lower case."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: str) -> str:
        """One header's value, empty when it is not there."""
        wanted = name.lower().encode()
        return next((v.decode("latin-1") for n, v in self.headers if n.lower() == wanted), "")


def headers_of(connection: Connection) -> dict[str, str]:
    """The request's headers, names in lower case; of a repeated one the last counts."""
    return {n.decode("latin-1").lower(): v.decode("latin-1") for n, v in connection["headers"]}


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body of a request.

    Raises:
        BodyTooLarge: it is longer than `limit` bytes.
        Disconnected: the client left.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Disconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return b"".join(parts)


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body already read, then whatever comes after it."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


async def send_answer(send: Send, answer: Answer) -> None:
    """Send a whole answer with its length."""
    headers = [(n, v) for n, v in answer.headers if n.lower() != b"content-length"]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def collect(app: App, connection: Connection, receive: Receive) -> Answer:
    """Run one request through `app` and keep its answer whole."""
    status = 500
    headers: tuple[tuple[bytes, bytes], ...] = ()
    parts: list[bytes] = []

    async def keep(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = tuple((bytes(n), bytes(v)) for n, v in message.get("headers", ()))
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(connection, receive, keep)
    return Answer(status, headers, b"".join(parts))


async def call(
    app: App, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
) -> Answer:
    """Ask an app in this process as if over HTTP, in a context of its own."""

    async def nothing_more() -> Message:
        return {"type": "http.disconnect"}

    plain, _, query = path.partition("?")
    connection: Connection = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": plain,
        "raw_path": plain.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"content-length", str(len(body)).encode()),
            *((n.lower().encode(), v.encode("latin-1")) for n, v in headers.items()),
        ],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }
    # A task of its own, because the engine keeps the account and region in context variables.
    return await asyncio.create_task(collect(app, connection, replay(body, nothing_more)))
