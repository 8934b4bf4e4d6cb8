"""Looks one after the other on the caller's own thread: each source is asked when it is due."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from bgconsole.domain.errors import GatewayError
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot, Source
from bgconsole.gateway.port import Gateway
from bgconsole.watch import schedule
from bgconsole.watch.picture import Picture
from bgconsole.watch.sources import DECIDING, Nothing, NotYet, ask, waves

if TYPE_CHECKING:
    from bgconsole.watch.last_words import LastWords


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
        self._ending: LastWords | None = None
        if set(DECIDING) <= set(sources):  # a verdict tells why tasks failed
            from bgconsole.watch.last_words import LastWords

            self._ending = LastWords(gateway, clock)
        self._sources = sources
        self._gateway = gateway
        self._clock = clock
        self._random = random or Random()  # noqa: S311 - jitter, not a secret
        self._picture = Picture(Snapshot(ref, gateway.place), lambda _: None)
        self._due: dict[Source, datetime] = {}

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
        if self._ending is not None and (words := self._ending.look(self._picture.snapshot)):
            self._picture.put_words(words)
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
