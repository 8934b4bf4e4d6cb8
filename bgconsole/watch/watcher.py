"""Everything that is watched of one service: a poller a source, and the tail of its logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from random import Random
from threading import Event
from typing import Any

from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Part, Snapshot, Source
from bgconsole.gateway.port import Gateway
from bgconsole.watch import schedule
from bgconsole.watch.batch import LogBatch
from bgconsole.watch.picture import Picture
from bgconsole.watch.poller import Poller, Waiting
from bgconsole.watch.sources import FEEDS, SOURCES, ask
from bgconsole.watch.tail import Tail


class Watcher:
    """Keeps one picture current until it is stopped. Callbacks come on the pollers' threads."""

    def __init__(
        self,
        gateway: Gateway,
        ref: ServiceRef,
        *,
        clock: Callable[[], datetime],
        random: Random,
        on_snapshot: Callable[[Snapshot], None],
        on_lines: Callable[[LogBatch], None] | None = None,
        wait: Waiting = Event.wait,
    ) -> None:
        self._gateway = gateway
        self._random = random
        self._need = schedule.Need()
        self._stopped = False
        self._on_snapshot = on_snapshot
        self._picture = Picture(Snapshot(ref, gateway.place), self._hand_on)
        self._pollers = {
            source: Poller(
                source,
                ask=partial(self._ask, source),
                part=partial(self._part, source),
                put=partial(self._put, source),
                interval=partial(self._interval, source),
                backoff=self._backoff,
                clock=clock,
                wait=wait,
            )
            for source in SOURCES
        }
        self._tail = (
            Tail(
                gateway,
                snapshot=lambda: self._picture.snapshot,
                clock=clock,
                random=random,
                on_lines=on_lines,
                on_words=self._picture.put_words,
                wait=wait,
            )
            if on_lines
            else None
        )

    @property
    def snapshot(self) -> Snapshot:
        """The latest whole frame."""
        return self._picture.snapshot

    def start(self) -> None:
        """Begin; the first frames come within the first answers' time."""
        for poller in self._pollers.values():
            poller.start()
        if self._tail:
            self._tail.start()

    def stop(self) -> None:
        """End without waiting. Nothing is handed on afterwards."""
        self._stopped = True
        for poller in self._pollers.values():
            poller.stop()
        if self._tail:
            self._tail.stop()

    def refresh(self) -> None:
        """Ask every source now."""
        for poller in self._pollers.values():
            poller.wake()
        if self._tail:
            self._tail.wake()

    def older_lines(self) -> None:
        """Hand on the log lines before the oldest that was handed on, as a batch of their own."""
        if self._tail:
            self._tail.older()

    def reread(self, gap: int) -> None:
        """Read a gap of the logs, by its number."""
        if self._tail:
            self._tail.reread(gap)

    def set_focused(self, focused: bool) -> None:
        """Tell whether the terminal has the focus."""
        self._need = replace(self._need, focused=focused)

    def set_operating(self, operating: bool) -> None:
        """Tell whether an operation runs or is asked about."""
        if operating != self._need.operating:
            self._need = replace(self._need, operating=operating)
            self.refresh()

    def _hand_on(self, snapshot: Snapshot) -> None:
        if not self._stopped:
            self._on_snapshot(snapshot)

    def _ask(self, source: Source) -> Any:
        return ask(source, self._gateway, self._picture.snapshot)

    def _part(self, source: Source) -> Part[Any]:
        return self._picture.snapshot.part(source)

    def _put(self, source: Source, part: Part[Any]) -> Snapshot:
        before = self._picture.snapshot
        after = self._picture.put(
            source,
            part,
            calls_per_minute=self._gateway.meter.per_minute(),
            interval=self._interval("service"),
        )
        first = before.part(source).fetched_at is None
        for fed in FEEDS.get(source, ()):
            if first and part.fetched_at is not None:
                self._pollers[fed].wake()
        if after.deploying and not before.deploying:
            self.refresh()
        return after

    def _interval(self, source: Source) -> float:
        snapshot = self._picture.snapshot
        moving = any(stack.moving for stack in snapshot.stacks.value or ())
        need = replace(self._need, deploying=snapshot.deploying, stacks_moving=moving)
        return schedule.interval(source, need)

    def _backoff(self, attempts: int, base: float) -> float:
        return schedule.backoff(attempts, min(base, 10.0), self._random)
