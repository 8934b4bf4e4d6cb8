"""The tail of the service's log group: re-read overlap windows, so that late lines are not lost.

No token is carried from one poll to the next: each poll reads again from a little before the newest
line seen, and every so often from further back, and hands on what is new. (A spent token is served
stale, and a cursor that only moves on misses whatever CloudWatch ingests late.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from threading import Event, Thread

from bgconsole.domain.errors import GatewayError, NotThere
from bgconsole.domain.join import main_container
from bgconsole.domain.last_words import telling
from bgconsole.domain.logs import LogLine
from bgconsole.domain.services import LogTarget
from bgconsole.domain.snapshot import Failure, Snapshot
from bgconsole.gateway.port import Gateway
from bgconsole.watch.batch import LogBatch, TailState
from bgconsole.watch.merge import Overlap
from bgconsole.watch.poller import Waiting
from bgconsole.watch.schedule import backoff

POLL = 2.0
"""Seconds between two polls."""
HEAD = 15_000
"""Milliseconds that each poll reads again."""
SWEEP_EVERY = 45.0
"""Seconds between two sweeps."""
SWEEP = 300_000
"""Milliseconds that a sweep reads again."""
HISTORY = 15 * 60_000
"""Milliseconds that the first poll looks back."""
PAGES = 8
"""Pages of one poll; what is left comes with the next."""
WORDS = 200
"""Tasks whose last words are kept."""


class Tail(Thread):
    """A daemon thread that hands on every line once. A failure is told, and never ends it."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        snapshot: Callable[[], Snapshot],
        clock: Callable[[], datetime],
        random: Random,
        on_lines: Callable[[LogBatch], None],
        on_words: Callable[[Mapping[str, str]], object],
        wait: Waiting = Event.wait,
    ) -> None:
        super().__init__(name="tail", daemon=True)
        self._logs = gateway.logs
        self._snapshot = snapshot
        self._clock = clock
        self._random = random
        self._on_lines = on_lines
        self._on_words = on_words
        self._wait = wait
        self._woken = Event()
        self._stopped = False
        self._group = ""
        self._overlap = Overlap()
        self._swept_at: datetime | None = None
        self._words: dict[str, str] = {}
        self._state = TailState(note="looking for the log group")

    def wake(self) -> None:
        """Poll now."""
        self._woken.set()

    def stop(self) -> None:
        """End after the call under way; nothing is handed on afterwards."""
        self._stopped = True
        self._woken.set()

    def run(self) -> None:
        """Poll until stopped."""
        while not self._stopped:
            self._woken.clear()
            pause = self.poll()
            self._wait(self._woken, pause)

    def poll(self) -> float:
        """One poll; the seconds until the next."""
        target, note = log_target(self._snapshot())
        if target is None:
            self._tell(TailState(note=note))
            return 0.5 if self._snapshot().tasks.waiting else POLL
        if target.group != self._group:
            self._group, self._overlap, self._swept_at = target.group, Overlap(), None
        now = self._clock()
        try:
            lines = self._read(now)
        except NotThere:
            self._tell(TailState(self._group, note="no output yet: the log group is not there"))
            return POLL
        except GatewayError as error:
            return self._failed(error, now)
        lag = self._overlap.lag_seconds()
        self._tell(TailState(self._group, read_at=now, lag_seconds=lag), lines)
        self._listen(lines)
        return POLL

    def _read(self, now: datetime) -> tuple[LogLine, ...]:
        here = int(now.timestamp() * 1000)
        sweep = self._swept_at is None or now - self._swept_at >= timedelta(seconds=SWEEP_EVERY)
        if not self._overlap.newest:
            start = here - HISTORY
        elif sweep:
            start = here - SWEEP
        else:
            # A line dated ahead of the clock must not blind the tail to those before it.
            start = min(self._overlap.newest, here) - HEAD
        fresh: list[LogLine] = []
        token: str | None = None
        for _ in range(PAGES):
            page = self._logs.page(self._group, start=start, token=token)
            fresh.extend(self._overlap.take(page.lines))
            token = page.token
            if token is None:
                break
        if sweep and token is None:
            self._swept_at = now
        self._overlap.forget(here - max(SWEEP, HISTORY) - HEAD)
        return tuple(sorted(fresh, key=lambda line: line.order))

    def _failed(self, error: GatewayError, now: datetime) -> float:
        before = self._state.failure
        attempts = before.attempts + 1 if before else 1
        pause = backoff(attempts, POLL, self._random)
        since = before.since if before else now
        failure = Failure(error, since, now + timedelta(seconds=pause), attempts)
        # After a gap the next good poll sweeps, so that what came meanwhile is read.
        self._swept_at = None
        self._tell(TailState(self._group, read_at=self._state.read_at, failure=failure))
        return pause

    def _tell(self, state: TailState, lines: tuple[LogLine, ...] = ()) -> None:
        changed = state != self._state
        self._state = state
        if (lines or changed) and not self._stopped:
            self._on_lines(LogBatch(lines, state))

    def _listen(self, lines: tuple[LogLine, ...]) -> None:
        heard = dict(last_words(lines))
        if heard.items() <= self._words.items():
            return
        self._words = dict([*self._words.items(), *heard.items()][-WORDS:])
        self._on_words(self._words)


def last_words(lines: tuple[LogLine, ...]) -> Mapping[str, str]:
    """By task id, the latest telling line."""
    return {
        line.task_id: words for line in lines if line.task_id and (words := telling(line.message))
    }


def log_target(snapshot: Snapshot) -> tuple[LogTarget | None, str]:
    """Where the service's main container logs to; else None and the reason in words."""
    tasks = snapshot.tasks.value
    if tasks is None:
        return None, snapshot.tasks.absent or "looking for the log group"
    service = snapshot.service.value
    name = main_container(service)
    newest = sorted(tasks.definitions.values(), key=lambda definition: -definition.revision)
    for definition in newest:
        containers = [c for c in definition.containers if not name or c.name == name]
        for container in containers:
            if container.log and container.log.driver == "awslogs" and container.log.group:
                return container.log, ""
    drivers = {c.log.driver for d in newest for c in d.containers if c.log}
    if drivers:
        return None, f"logs go to {', '.join(sorted(drivers))}, not to CloudWatch"
    return None, "no log configuration: the containers' output goes nowhere"
