"""The pollers and the tail over a scripted world: one source failing never blanks another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from threading import Condition, Event
from typing import Any

import pytest

from bgconsole.domain.errors import AccessDenied, Throttled
from bgconsole.domain.logs import to_milliseconds
from bgconsole.domain.snapshot import Part, Snapshot
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.batch import LogBatch
from bgconsole.watch.poller import Poller
from bgconsole.watch.sources import SOURCES, Nothing, ask
from bgconsole.watch.tail import HISTORY, Tail
from bgconsole.watch.watcher import Watcher
from tests import worlds
from tests.worlds import NOW, REF

PATIENCE = 10.0
"""Seconds that a condition may take before a test fails."""


class Seen:
    """Collects what a watcher hands on, and lets a test wait for a state of it."""

    def __init__(self) -> None:
        self._changed = Condition()
        self.snapshots: list[Snapshot] = []
        self.batches: list[LogBatch] = []

    def snapshot(self, snapshot: Snapshot) -> None:
        with self._changed:
            self.snapshots.append(snapshot)
            self._changed.notify_all()

    def lines(self, batch: LogBatch) -> None:
        with self._changed:
            self.batches.append(batch)
            self._changed.notify_all()

    def until(self, true: Callable[[Seen], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: true(self), PATIENCE), self.snapshots[-1:]

    @property
    def latest(self) -> Snapshot:
        return max(self.snapshots, key=lambda snapshot: snapshot.generation)


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def watch(seen: Seen) -> Iterator[Callable[[ScriptedWorld], Watcher]]:
    started: list[Watcher] = []

    def start(world: ScriptedWorld) -> Watcher:
        watcher = Watcher(
            scripted_gateway(world),
            REF,
            clock=lambda: world.now,
            random=Random(0),
            on_snapshot=seen.snapshot,
            on_lines=seen.lines,
        )
        started.append(watcher)
        watcher.start()
        return watcher

    yield start
    for watcher in started:
        watcher.stop()


Start = Callable[[ScriptedWorld], Watcher]


def whole(seen: Seen) -> bool:
    return bool(seen.snapshots) and all(seen.latest.part(source).fresh for source in SOURCES)


def test_every_source_fills_its_part(seen: Seen, watch: Start) -> None:
    watch(worlds.steady())
    seen.until(whole)
    assert seen.latest.calls_per_minute == 9
    assert seen.latest.interval == 10.0
    seen.until(lambda s: sum(len(batch.lines) for batch in s.batches) == 40)
    assert seen.batches[-1].state.group == worlds.LOG_GROUP


def test_a_failing_source_keeps_its_rows_and_blanks_no_other(seen: Seen, watch: Start) -> None:
    world = worlds.steady()
    watcher = watch(world)
    seen.until(whole)
    before = seen.latest
    world.fail("targets.balancing", AccessDenied("access denied", action="x:Y"))
    watcher.refresh()
    seen.until(lambda s: s.latest.targets.failure is not None)
    after = seen.latest
    assert after.targets.value == before.targets.value
    assert after.targets.failure is not None
    assert after.targets.failure.since == NOW
    assert all(after.part(source).fresh for source in SOURCES if source != "targets")
    world.heal()
    watcher.refresh()
    seen.until(lambda s: s.latest.targets.fresh)


def test_a_bug_of_ours_fails_one_source_in_words_and_ends_no_poll(seen: Seen, watch: Start) -> None:
    world = worlds.steady()
    bug: Any = KeyError("password=hunter2")
    world.fail("stacks.stacks", bug)
    watcher = watch(world)
    seen.until(lambda s: s.latest.stacks.failure is not None and s.latest.service.fresh)
    failure = seen.latest.stacks.failure
    assert failure is not None
    assert "A bug of bgconsole: KeyError" in str(failure.error)
    assert "hunter2" not in str(failure.error)
    world.heal()
    watcher.refresh()
    seen.until(lambda s: s.latest.stacks.fresh)


def test_a_hanging_source_holds_up_no_other(seen: Seen, watch: Start) -> None:
    world = worlds.steady()
    with world.held("stacks.stacks") as held:
        watch(world)
        assert held.arrived.wait(PATIENCE)
        seen.until(lambda s: s.latest.service.fresh and s.latest.targets.fresh)
        assert seen.latest.stacks.waiting


def test_a_deployment_quickens_the_pace(seen: Seen, watch: Start) -> None:
    watch(worlds.deploying())
    seen.until(whole)
    assert seen.latest.interval == 2.0


def test_nothing_is_handed_on_after_the_end(seen: Seen, watch: Start) -> None:
    world = worlds.steady()
    with world.held("services.tasks") as held:
        watcher = watch(world)
        assert held.arrived.wait(PATIENCE)
        watcher.stop()
        count = len(seen.snapshots)
    assert len(seen.snapshots) == count


def test_failures_back_off_and_count_from_the_first() -> None:
    now = NOW
    parts: list[Part[object]] = [Part()]
    world = worlds.steady()
    gateway = scripted_gateway(world)
    snapshot = Snapshot(REF, world.place)
    world.fail("stacks.stacks", Throttled("throttled"))

    def put(part: Part[object]) -> Snapshot:
        parts.append(part)
        return snapshot

    poller = Poller(
        "stacks",
        ask=lambda: ask("stacks", gateway, snapshot),
        part=lambda: parts[-1],
        put=put,
        interval=lambda: 30.0,
        backoff=lambda attempts, base: base * attempts,
        clock=lambda: now,
    )
    assert poller.poll() == 30.0
    now += timedelta(seconds=30)
    assert poller.poll() == 60.0
    failure = parts[-1].failure
    assert failure is not None
    assert (failure.since, failure.attempts) == (NOW, 2)
    assert failure.next_try == now + timedelta(seconds=60)
    world.heal()
    assert poller.poll() == 30.0
    assert parts[-1].fresh


class Tailed:
    """A tail driven by hand, on a clock of its own."""

    def __init__(self, world: ScriptedWorld) -> None:
        self.world = world
        self.now = NOW
        self.batches: list[LogBatch] = []
        self.words: dict[str, str] = {}
        gateway = scripted_gateway(world)
        picture = Snapshot(REF, world.place)
        for source in SOURCES:
            told, part = ask(source, gateway, picture), picture.part(source)
            known = (
                part.nothing(told.why, NOW) if isinstance(told, Nothing) else part.good(told, NOW)
            )
            picture = replace(picture, **{source: known})
        self.tail = Tail(
            gateway,
            snapshot=lambda: picture,
            clock=lambda: self.now,
            random=Random(0),
            on_lines=self.batches.append,
            on_words=self.words.update,
            wait=lambda event, _: isinstance(event, Event),
        )

    def poll(self, seconds: float = 2.0) -> list[str]:
        """Go on in time, poll, and give the messages of the new lines."""
        count = len(self.batches)
        self.now += timedelta(seconds=seconds)
        self.tail.poll()
        return [line.message for batch in self.batches[count:] for line in batch.lines]

    def log(self, message: str, *, late: float = 0.0, event: str = "") -> None:
        """Let CloudWatch have a line dated `late` seconds ago."""
        lines = self.world.logs[worlds.LOG_GROUP]
        at = ms(self.now) - int(late * 1000)
        made = replace(
            lines[0],
            timestamp=at,
            ingestion=ms(self.now),
            event_id=event or f"new-{len(lines)}",
            message=message,
        )
        lines.append(made)


def ms(at: datetime) -> int:
    """Epoch milliseconds."""
    return to_milliseconds(at)


def test_the_tail_hands_on_each_line_once_late_ones_too() -> None:
    tailed = Tailed(worlds.steady())
    assert len(tailed.poll()) == 40
    assert tailed.poll() == []
    tailed.log("now")
    tailed.log("same millisecond")
    tailed.log("10 s late", late=10)
    assert tailed.poll() == ["10 s late", "now", "same millisecond"]
    tailed.log("4 min late", late=240)
    found = [message for _ in range(30) for message in tailed.poll()]
    assert found == ["4 min late"]


def test_a_line_dated_ahead_does_not_blind_the_tail() -> None:
    tailed = Tailed(worlds.steady())
    tailed.poll()
    tailed.log("from the future", late=-3_600)
    assert tailed.poll() == [], "a young line waits one poll for older ones of other streams"
    assert tailed.poll() == ["from the future"]
    tailed.log("after it")
    assert tailed.poll() == ["after it"]
    assert not tailed.batches[-1].late, "it is not late for one that is dated ahead"


def test_throttling_slows_the_tail_and_loses_nothing() -> None:
    tailed = Tailed(worlds.steady())
    tailed.poll()
    tailed.world.fail("logs.page", Throttled("throttled"))
    tailed.log("meanwhile")
    assert tailed.poll() == []
    failure = tailed.batches[-1].state.failure
    assert failure is not None
    assert failure.next_try > tailed.now
    tailed.now += timedelta(minutes=4)
    tailed.world.heal()
    assert tailed.poll() == ["meanwhile"]
    assert tailed.batches[-1].state.failure is None


def test_the_tail_keeps_the_last_words_of_a_task() -> None:
    tailed = Tailed(worlds.steady())
    tailed.poll()
    tailed.log("ActiveRecord::StatementInvalid (PG::UndefinedColumn: no column)")
    tailed.log("\tfrom /app/models/post.rb:3:in `load'")
    tailed.poll()
    assert list(tailed.words.values()) == ["PG::UndefinedColumn: no column"]


def test_history_is_bounded() -> None:
    tailed = Tailed(worlds.steady())
    tailed.log("yesterday", late=HISTORY / 1000 + 60)
    assert "yesterday" not in tailed.poll()
