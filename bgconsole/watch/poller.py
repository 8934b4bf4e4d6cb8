"""One source, one daemon thread: ask, put, wait; for ever, and never twice at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

from bgconsole.domain.errors import GatewayError
from bgconsole.domain.snapshot import Part
from bgconsole.watch.sources import Nothing, NotYet

Waiting = Callable[[Event, float], bool]
"""Waits until the event is set or the seconds are over; whether it was set."""


class Poller:
    """Asks one source again and again. A failure keeps the last good value and polls on."""

    def __init__(
        self,
        source: str,
        *,
        ask: Callable[[], Any],
        part: Callable[[], Part[Any]],
        put: Callable[[Part[Any]], object],
        interval: Callable[[], float],
        backoff: Callable[[int, float], float],
        clock: Callable[[], datetime],
        wait: Waiting = Event.wait,
    ) -> None:
        self.source = source
        self._ask = ask
        self._part = part
        self._put = put
        self._interval = interval
        self._backoff = backoff
        self._clock = clock
        self._wait = wait
        self._woken = Event()
        self._stopped = False
        self._thread = Thread(target=self._run, name=f"poll {source}", daemon=True)

    def start(self) -> None:
        """Begin, with a poll at once."""
        self._thread.start()

    def wake(self) -> None:
        """Poll now; if a poll is under way, again right after it."""
        self._woken.set()

    def stop(self) -> None:
        """End after the poll under way. Does not wait: the thread is a daemon."""
        self._stopped = True
        self._woken.set()

    def poll(self) -> float:
        """One poll; the seconds until the next one is due."""
        pause = self._interval()
        try:
            value = self._ask()
        except GatewayError as error:
            before = self._part()
            attempts = before.failure.attempts + 1 if before.failure else 1
            pause = self._backoff(attempts, pause)
            now = self._clock()
            self._put(before.failed(error, now, now + timedelta(seconds=pause)))
            return pause
        if isinstance(value, NotYet):
            return pause
        now = self._clock()
        if isinstance(value, Nothing):
            self._put(self._part().nothing(value.why, now))
        else:
            self._put(self._part().good(value, now))
        # What was just learned may have changed the pace.
        return self._interval()

    def _run(self) -> None:
        while not self._stopped:
            self._woken.clear()
            pause = self.poll()
            self._wait(self._woken, pause)
