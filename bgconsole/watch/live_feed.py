"""Live Tail beside the reads: a thread that collects what a session sends and begins it again.

It only brings lines earlier. AWS leaves lines out of it (more than 500 a second), ends a session
after three hours, and bills it by the minute; what it does not bring, the reads do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from threading import Event, Lock, Thread

from bgconsole.domain.errors import GatewayError
from bgconsole.domain.logs import LogLine
from bgconsole.gateway.port import LiveSession, Logs
from bgconsole.watch.batch import Live
from bgconsole.watch.poller import Waiting
from bgconsole.watch.schedule import backoff

MOST_GROUPS = 10
"""Of one session."""
AGAIN = 2.0
"""Seconds until a session that ended is begun again."""
COST = (
    "Live Tail is billed by the minute (30 hours a month are free), leaves lines out beyond 500 a "
    "second, and ends after three hours; the usual reads go on beside it, so that no line is lost."
)


class LiveFeed(Thread):
    """One session after the other. `take` gives what came."""

    def __init__(
        self,
        logs: Logs,
        groups: Sequence[str],
        *,
        pattern: str = "",
        clock: Callable[[], datetime],
        random: Random,
        on_news: Callable[[], None],
        wait: Waiting = Event.wait,
    ) -> None:
        super().__init__(name="live tail", daemon=True)
        self._logs = logs
        self._groups = tuple(groups[:MOST_GROUPS])
        self._pattern = pattern
        self._clock = clock
        self._random = random
        self._on_news = on_news
        self._wait = wait
        self._lock = Lock()
        self._lines: list[LogLine] = []
        self._live = Live()
        self._sampled = False
        self._broke = False
        self._stopped = Event()
        self._session: LiveSession | None = None

    def take(self) -> tuple[tuple[LogLine, ...], Live, bool]:
        """The lines since the last call, the state, and whether lines were lost on the way."""
        with self._lock:
            taken, lost = tuple(self._lines), self._sampled or self._broke
            self._lines, self._sampled, self._broke = [], False, False
            return taken, self._live, lost

    def stop(self) -> None:
        """End the session."""
        self._stopped.set()
        session = self._session
        if session is not None:
            session.close()

    def run(self) -> None:
        """Listen until stopped."""
        attempts = 0
        while not self._stopped.is_set():
            try:
                self.listen()
                attempts, words = 0, "the session ended, as AWS ends it after three hours"
            except GatewayError as error:
                attempts, words = attempts + 1, str(error)
            with self._lock:
                self._live, self._broke = Live(words=words), True
            self._on_news()
            self._wait(self._stopped, backoff(max(1, attempts), AGAIN, self._random))

    def listen(self) -> None:
        """One session, to its end.

        Raises:
            GatewayError: it could not begin, or broke.
        """
        session = self._session = self._logs.live(self._groups, self._pattern)
        since = self._clock()
        if self._stopped.is_set():
            session.close()
        for update in session.updates():
            with self._lock:
                self._lines.extend(update.lines)
                self._sampled = self._sampled or update.sampled
                self._live = Live(update.sampled, since)
            if update.lines or update.sampled:
                self._on_news()
