"""Looks one after the other on the caller's own thread: each source is asked when it is due."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random

from bgconsole.domain.errors import GatewayError
from bgconsole.domain.join import sides
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot, Source
from bgconsole.gateway.port import Gateway
from bgconsole.watch import schedule
from bgconsole.watch.log_groups import log_target
from bgconsole.watch.picture import Picture
from bgconsole.watch.sources import DECIDING, Nothing, NotYet, ask, waves
from bgconsole.watch.tail import HISTORY, last_words

TRIES = 5
"""Looks into the logs for the last words of the same failed tasks: lines come late, or never."""


class Rounds:
    """Keeps one picture for a sub-command. A source that fails is a failed part, never an error."""

    def __init__(
        self,
        gateway: Gateway,
        ref: ServiceRef,
        clock: Callable[[], datetime],
        random: Random | None = None,
        sources: tuple[Source, ...] = DECIDING,
    ) -> None:
        self._sources = sources
        self._gateway = gateway
        self._clock = clock
        self._random = random or Random()  # noqa: S311 - jitter, not a secret
        self._picture = Picture(Snapshot(ref, gateway.place), lambda _: None)
        self._due: dict[Source, datetime] = {}
        self._asked: frozenset[str] = frozenset()
        self._tries = 0

    def look(self, *, operating: bool = False, everything: bool = False) -> Snapshot:
        """Ask what is due, side by side; those that wait for others after them.

        Args:
            operating: somebody else asks much at the same time: ask more slowly.
            everything: ask all sources, due or not.
        """
        now = self._clock()
        due = [s for s in self._sources if everything or self._due.get(s, now) <= now]
        with ThreadPoolExecutor(max_workers=len(self._sources)) as pool:
            for group in waves(due):
                list(pool.map(lambda source: self._fill(source, operating=operating), group))
        self._listen()
        return self._picture.snapshot

    def _fill(self, source: Source, *, operating: bool) -> None:
        part = self._picture.snapshot.part(source)
        try:
            value = ask(source, self._gateway, self._picture.snapshot)
        except GatewayError as error:
            now, attempts = self._clock(), part.failure.attempts + 1 if part.failure else 1
            base = min(self._interval(source, operating=operating), 10.0)
            pause = schedule.backoff(attempts, base, self._random)
            self._due[source] = now + timedelta(seconds=pause)
            self._picture.put(source, part.failed(error, now, self._due[source]))
            return
        if isinstance(value, NotYet):
            return
        now = self._clock()
        new = part.nothing(value.why, now) if isinstance(value, Nothing) else part.good(value, now)
        self._picture.put(source, new)
        self._due[source] = now + timedelta(seconds=self._interval(source, operating=operating))

    def _interval(self, source: Source, *, operating: bool) -> float:
        snapshot = self._picture.snapshot
        moving = any(stack.moving for stack in snapshot.stacks.value or ())
        need = schedule.Need(
            deploying=snapshot.deploying,
            stacks_moving=moving,
            # A stage may last for seconds only, and no record of it is left.
            operating=operating and source != "deployments",
        )
        return schedule.interval(source, need)

    def _listen(self) -> None:
        """Where tasks failed since the last look, find the reason in the newest log lines."""
        snapshot = self._picture.snapshot
        both = sides(snapshot)
        failed = frozenset(row.id for side in (both.old, both.new) if side for row in side.failed)
        target, _ = log_target(snapshot)
        if not failed <= self._asked:
            self._asked, self._tries = failed, TRIES
        if target is None or not self._tries or failed <= snapshot.last_words.keys():
            return
        self._tries -= 1
        start = int(self._clock().timestamp() * 1000) - HISTORY
        try:
            page = self._gateway.logs.page(target.group, start=start, newest_first=True)
        except GatewayError:
            # The verdict then names the exit code alone; the logs are only its best words.
            return
        ordered = tuple(sorted(page.lines, key=lambda line: line.order))
        self._picture.put_words({**snapshot.last_words, **last_words(ordered)})
