"""The sandbox's Docker Engine on a loopback port, before a registry v2 in memory."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import Framework

from bgconsole.sandbox.asgi import Answer, Connection, Receive, Send, read_body, send_answer
from bgconsole.sandbox.docker.api import DockerEngine
from bgconsole.sandbox.images import digest
from bgconsole.sandbox.server import listen

PATH = re.compile(r"/v2/(?P<name>[^/]+)/(?P<kind>blobs/uploads|blobs|manifests)/(?P<rest>.*)")


@dataclass
class MemoryRegistry:
    """Knows one repository, `demorepo`."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    immutable: bool = False
    breaks_after: int = 1_000_000
    """Requests until every one fails."""
    refuses: str = ""
    """What every request is refused with, `code: message`."""

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        method, path = connection["method"], connection["path"]
        self.asked.append(f"{method} {path}")
        body = await read_body(receive, 1 << 30)
        headers = dict(connection["headers"])
        await send_answer(send, self._answer(method, path, connection, headers, body))

    def _answer(
        self,
        method: str,
        path: str,
        connection: Connection,
        headers: dict[bytes, bytes],
        body: bytes,
    ) -> Answer:
        if len(self.asked) > self.breaks_after:
            return refused(500, "UNKNOWN", "unknown error")
        if self.refuses:
            code, _, message = self.refuses.partition(": ")
            return refused(403, code.upper(), message)
        if b"authorization" not in headers:
            return refused(401, "UNAUTHORIZED", "authentication required")
        matched = PATH.fullmatch(path)
        assert matched, path
        kind, rest = matched["kind"], matched["rest"]
        if method == "HEAD":
            return Answer(200 if rest in self.blobs else 404, (), b"")
        if matched["name"] != "demorepo":
            return refused(404, "NAME_UNKNOWN", "repository name not known to registry")
        if kind == "manifests":
            if self.immutable and self.tags.get(rest, body) != body:
                return refused(400, "TAG_INVALID", f"tag '{rest}' is immutable", {"tag": rest})
            self.tags[rest] = body
            return Answer(201, (), b"")
        if method == "POST":
            place = f"/v2/demorepo/blobs/uploads/{len(self.asked)}"
            return Answer(202, ((b"location", place.encode()),), b"")
        if method == "PATCH":
            self.uploads[rest] = self.uploads.get(rest, b"") + body
            return Answer(202, (), b"")
        content = self.uploads.pop(rest)
        assert connection["query_string"] == f"digest={digest(content)}".encode()
        self.blobs[digest(content)] = content
        return Answer(201, (), b"")


def refused(status: int, code: str, message: str, detail: object = None) -> Answer:
    """An error as registries tell it."""
    told = {"errors": [{"code": code, "message": message, "detail": detail}]}
    return Answer(status, (), json.dumps(told).encode())


@contextmanager
def serving_engine(host: str) -> Iterator[tuple[MemoryRegistry, int]]:
    """An engine on a loop of a thread of its own, as the sandbox's process has it.

    Args:
        host: what the registry is called in image references.
    """
    registry = MemoryRegistry()
    listener = listen(0)
    port = listener.getsockname()[1]
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = 0.1
    app = cast("Framework", DockerEngine(registry, host))
    serving = threading.Thread(
        target=loop.run_until_complete, args=(serve(app, config, shutdown_trigger=ended.wait),)
    )
    serving.start()
    try:
        yield registry, port
    finally:
        loop.call_soon_threadsafe(ended.set)
        serving.join(10)
        loop.close()
