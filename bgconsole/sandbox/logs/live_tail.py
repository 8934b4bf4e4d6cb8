"""StartLiveTail: a session that sends what arrives, once a second, for three hours at most."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from . import event_stream
from .events import Event

if TYPE_CHECKING:
    from ..asgi import Receive, Send
    from ..clock import Clock, Timer
    from .store import Store

SESSION_SECONDS = 3 * 3600.0
SHORTEST_SESSION = 60.0
"""Real seconds, however fast the world runs."""
UPDATE_SECONDS = 1.0
"""Real seconds."""
MOST_EVENTS = 500
"""Of one update; what comes beyond is dropped and the update says `sampled`."""
MOST_BYTES = 4 * 1024 * 1024
"""Of one update, likewise."""
MOST_UPDATES = 10
"""That wait for a slow reader; then the oldest are dropped."""


class Session:
    """What one client listens to, gathered second by second."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        groups: Mapping[str, str],
        *,
        streams: Callable[[str], bool] | None = None,
        matches: Callable[[str], bool] | None = None,
    ) -> None:
        """Begin to listen; `groups` has the ARN, as it was asked for, of each group's name."""
        self._store = store
        self._clock = clock
        self._groups = groups
        self._streams = streams
        self._matches = matches
        self._gathered: list[dict[str, Any]] = []
        self._bytes = 0
        self._sampled = False
        self._updates: deque[dict[str, Any]] = deque(maxlen=MOST_UPDATES)
        self.ready = asyncio.Event()
        """Set while there is something to send."""
        self.over = False
        """Nothing more will come."""
        self.timed_out = False
        store.listeners.add(self._offer)
        self._timers: list[Timer] = [
            clock.call_later(0.0, self._tick, floor=UPDATE_SECONDS),
            clock.call_later(SESSION_SECONDS, self._time_out, floor=SHORTEST_SESSION),
        ]

    def end(self) -> None:
        """Listen no more, and let the client know; harmless when ended already."""
        self._store.listeners.discard(self._offer)
        for timer in self._timers:
            timer.cancel()
        self.over = True
        self.ready.set()

    def take(self) -> dict[str, Any] | None:
        """The next `sessionUpdate`, `None` when there is none yet."""
        self.ready.clear()
        return self._updates.popleft() if self._updates else None

    def _offer(self, group: str, events: Sequence[Event]) -> None:
        arn = self._groups.get(group)
        if arn is None:
            return
        for event in events:
            if self._streams is not None and not self._streams(event.stream):
                continue
            if self._matches is not None and not self._matches(event.message):
                continue
            self._bytes += event.size
            if len(self._gathered) == MOST_EVENTS or self._bytes > MOST_BYTES:
                self._sampled = True
                return
            self._gathered.append(
                {
                    "logStreamName": event.stream,
                    "logGroupIdentifier": arn,
                    "message": event.message,
                    "timestamp": event.timestamp,
                    "ingestionTime": event.ingestion,
                }
            )

    def _tick(self) -> None:
        # Events that waited for their ingestion delay come in when somebody looks.
        self._store.settle(tuple(self._groups), int(self._clock.now().timestamp() * 1000))
        metadata = {"sampled": self._sampled}
        self._updates.append({"sessionMetadata": metadata, "sessionResults": self._gathered})
        self._gathered, self._bytes, self._sampled = [], 0, False
        self._timers[0] = self._clock.call_later(0.0, self._tick, floor=UPDATE_SECONDS)
        self.ready.set()

    def _time_out(self) -> None:
        self.timed_out = True
        self.end()


class LiveTail:
    """The answer to StartLiveTail: a stream over HTTP until the client leaves or time is up."""

    def __init__(
        self, session: Session, start: Mapping[str, Any], ended: Callable[[], None]
    ) -> None:
        """`start` is what `sessionStart` carries; `ended` is called once, at the end."""
        self._session = session
        self._start = start
        self._ended = ended

    async def serve(self, receive: Receive, send: Send) -> None:
        """Send the session start, the updates, and the timeout at the end."""
        leaving = asyncio.create_task(_gone(receive))
        sending = asyncio.create_task(self._send(send))
        try:
            await asyncio.wait({leaving, sending}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            self._session.end()
            self._ended()
            for task in (leaving, sending):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _send(self, send: Send) -> None:
        headers = [(b"content-type", event_stream.CONTENT_TYPE.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

        async def out(message: bytes) -> None:
            await send({"type": "http.response.body", "body": message, "more_body": True})

        await out(event_stream.event("initial-response", {}))
        await out(event_stream.event("sessionStart", self._start))
        while True:
            await self._session.ready.wait()
            while (update := self._session.take()) is not None:
                await out(event_stream.event("sessionUpdate", update))
            if self._session.timed_out:
                words = "The Live Tail session has timed out after three hours."
                await out(event_stream.exception("SessionTimeoutException", words))
            if self._session.over:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
