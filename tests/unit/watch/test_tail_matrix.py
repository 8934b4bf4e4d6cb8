"""Nothing lost, nothing twice: the tail on a virtual clock against whatever CloudWatch does.

Late lines by backlog by trouble, as a whole; each case in its own world, without a thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from threading import Event

import pytest

from bgconsole.domain.errors import ExpiredCredentials, GatewayError, Throttled, Unreachable
from bgconsole.domain.logs import Gap, LiveUpdate, LogGroup, LogLine, to_milliseconds
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.batch import LogBatch
from bgconsole.watch.live_feed import LiveFeed
from bgconsole.watch.log_groups import LogPlaces
from bgconsole.watch.log_reader import HISTORY, OLDER_PAGES, SWEEP_EVERY
from bgconsole.watch.tail import MOST_PAUSE, POLL, Tail
from tests.values import LOG_GROUP, REF

START = datetime.fromisoformat("2026-03-01T14:00:00+00:00")
LATE = (0, 3, 20, 60, 150, 290)
BACKLOG = (0, 200, 12_000, 20_000)
TROUBLE = ("new stream", "same millisecond", "throttle burst", "two disconnects", "token expiry")
FOUND_WITHIN = SWEEP_EVERY / 1000 + 2 * POLL
"""A sweep may have begun just before; it takes a poll, and a young line waits for one more."""


class Following:
    """A tail that polls as its thread would, on a clock that only it moves."""

    def __init__(
        self, *groups: LogGroup, since: datetime | None = None, live: bool = False
    ) -> None:
        self.world = ScriptedWorld()
        self.now = START
        self.batches: list[LogBatch] = []
        self.shown_at: dict[str, datetime] = {}
        self.count: Counter[str] = Counter()
        self._made = 0
        groups = groups or (LogGroup(LOG_GROUP),)
        for group in groups:
            self.kept(group)
        self.tail = Tail(
            scripted_gateway(self.world),
            snapshot=lambda: Snapshot(REF, self.world.place),
            places=lambda _: LogPlaces(groups),
            clock=lambda: self.now,
            random=Random(0),
            on_lines=self._take,
            since=since,
            live=live,
            wait=lambda event, _: isinstance(event, Event),
        )

    def kept(self, group: LogGroup) -> list[LogLine]:
        """What CloudWatch has of a group."""
        if not group.region:
            return self.world.logs.setdefault(group.name, [])
        return self.world.logs_elsewhere.setdefault(group.region, {}).setdefault(group.name, [])

    def log(
        self,
        *,
        late: float = 0.0,
        stream: str = "ecs/web/one",
        group: LogGroup | None = None,
        at: int | None = None,
    ) -> str:
        """Let CloudWatch have a line now that is dated `late` seconds ago; its id."""
        self._made += 1
        group = group or LogGroup(LOG_GROUP)
        moment = ms(self.now)
        dated = at if at is not None else moment - int(late * 1000)
        event = f"{self._made:08d}"
        line = LogLine(dated, moment, event, group.name, stream, event, group.region)
        self.kept(group).append(line)
        return event

    def backlog(self, lines: int) -> None:
        """Lines of the last four minutes, before the tail begins."""
        for n in range(lines):
            self.log(late=240 - 240 * n / lines)

    def go(self, seconds: float) -> None:
        """Poll when it is due, for so long."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            pause = self.tail.poll()
            self.now += timedelta(seconds=max(pause, 0.001))

    @property
    def gaps(self) -> list[Gap]:
        return [gap for batch in self.batches for gap in batch.gaps]

    @property
    def shown(self) -> list[str]:
        return list(self.shown_at)

    def _take(self, batch: LogBatch) -> None:
        self.batches.append(batch)
        assert list(batch.lines) == sorted(batch.lines, key=lambda line: line.order)
        for line in batch.lines:
            self.count[line.message] += 1
            self.shown_at.setdefault(line.message, self.now)


def ms(at: datetime) -> int:
    """Epoch milliseconds."""
    return to_milliseconds(at)


def errors(kind: str) -> Callable[[], GatewayError]:
    """What goes wrong."""
    return {
        "throttle burst": lambda: Throttled("AWS throttles"),
        "two disconnects": lambda: Unreachable("no answer"),
        "token expiry": lambda: ExpiredCredentials("expired"),
    }[kind]


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("backlog", BACKLOG)
@pytest.mark.parametrize("late", LATE)
def test_nothing_is_missed_and_nothing_comes_twice(late: int, backlog: int, trouble: str) -> None:
    following = Following()
    following.backlog(backlog)
    following.go(10)
    first = set(following.shown)
    assert len(first) == min(backlog, 10_000), "the newest page is there at once"
    stream, expected, slack = "ecs/web/one", [], FOUND_WITHIN
    if trouble == "new stream":
        stream = "ecs/web/another"
    elif trouble != "same millisecond":
        bursts = 2 if trouble == "two disconnects" else 1
        for _ in range(bursts):
            following.world.fail("logs.page", errors(trouble))
            # One in the middle of the trouble.
            expected.append(following.log(late=late))
            following.go(20)
            following.world.heal()
            if bursts == 2:
                following.go(4)
        slack += MOST_PAUSE
    logged = following.now
    expected.append(following.log(late=late, stream=stream))
    if trouble == "same millisecond":
        dated = ms(following.now) - late * 1000
        expected.append(following.log(at=dated))
    following.go(100)
    assert not [event for event in expected if event not in following.shown_at]
    assert following.count.total() == len(following.count), "a line came twice"
    shown = following.shown_at[expected[-1]]
    assert (shown - logged).total_seconds() <= slack
    assert not following.gaps
    marked = {event for batch in following.batches for event in batch.late}
    if backlog and late > 5 and trouble == "new stream":
        assert set(expected) == marked


def test_lines_that_come_late_again_and_again_are_all_found() -> None:
    following, random = Following(), Random(3)
    expected = []
    for _ in range(400):
        expected.append(following.log(late=random.choice([0, 1, 4, 20, 100, 290])))
        following.go(1.5)
    following.go(100)
    assert following.count == Counter(expected)


def test_a_million_lines_of_a_hundred_streams_come_once_each() -> None:
    """A tenth of it here; the whole in `make bench`."""
    following = Following(since=START - timedelta(hours=1))
    for n in range(100_000):
        following.log(late=3_600 - 3_600 * n / 100_000, stream=f"ecs/web/{n % 100:032d}")
    following.go(30)
    assert following.count.total() == len(following.count) == 100_000
    assert following.shown == sorted(following.shown)


def test_groups_of_several_regions_come_in_one_order() -> None:
    here, there = LogGroup(LOG_GROUP), LogGroup(LOG_GROUP, "eu-west-1")
    following = Following(here, there)
    expected = [following.log(late=30 - n, group=(here, there)[n % 2]) for n in range(20)]
    following.go(4)
    assert following.shown == expected
    assert following.batches[-1].state.groups == (here, there)


def test_history_comes_page_by_page_when_it_is_asked_for() -> None:
    following = Following()
    following.backlog(25_000)
    following.go(60)
    assert len(following.shown) == 10_000
    assert following.batches[-1].state.older == "more"
    late = following.log(late=239)
    following.go(60)
    assert late in following.shown_at, "it is no history: it came after the tail began"
    for _ in range(4):
        following.tail.older()
        following.tail.attend()
    assert following.count.total() == len(following.count) == 25_001
    assert following.batches[-1].state.older == "end"
    assert following.batches[-1].older
    following.go(100)
    assert following.count.total() == 25_001


def test_where_a_busy_group_begins_among_lines_of_a_quiet_one_is_told() -> None:
    busy, quiet = LogGroup(LOG_GROUP), LogGroup("proxy")
    following = Following(busy, quiet)
    old = [following.log(late=600 - n, group=quiet) for n in range(3)]
    following.backlog(25_000)
    following.go(4)
    (begins,) = following.gaps
    assert (begins.group, begins.unread) == (busy, True)
    assert begins.start == ms(START) - 600_000 < begins.end < ms(START) - 90_000
    assert begins.order[0] == begins.end, "it stands where the group's own lines begin"
    following.go(30)
    assert following.gaps == [begins], "told once"
    following.tail.reread(begins.number)
    following.tail.attend()
    assert following.count.total() > 20_000, "the key on it reads a page of this group"
    moved = following.gaps[-1]
    assert moved.number == begins.number and begins.start == moved.start < moved.end < begins.end
    for _ in range(3):
        following.tail.older()
        following.tail.attend()
    assert following.count.total() == len(following.count) == 25_003
    assert begins.number in {n for batch in following.batches for n in batch.closed}
    assert all(event in following.shown_at for event in old)


def test_groups_that_begin_alike_tell_nothing() -> None:
    one, other = LogGroup(LOG_GROUP), LogGroup("proxy")
    following = Following(one, other)
    for n in range(20):
        following.log(late=30 - n, group=(one, other)[n % 2])
    following.go(10)
    assert following.gaps == []


def test_an_old_client_reads_from_the_oldest_and_loses_nothing() -> None:
    following = Following()
    following.world.newest_first = False
    following.world.page_size = 1_000
    following.backlog(12_000)
    following.go(20)
    late = following.log(late=150)
    following.go(60)
    assert late in following.shown_at
    assert following.count.total() == len(following.count) == 12_001


def test_a_long_sleep_is_told_as_a_gap_and_read_on_request() -> None:
    following = Following()
    following.backlog(200)
    following.go(10)
    asleep = []
    for _ in range(100):
        following.now += timedelta(minutes=1)
        asleep.append(following.log())
    following.go(10)
    (gap,) = following.gaps
    assert "not read" in gap.words
    missing = [event for event in asleep if event not in following.shown_at]
    assert 90 < len(missing) < 100
    following.tail.reread(gap.number)
    following.go(10)
    assert gap.number in {n for batch in following.batches for n in batch.closed}
    following.go(100)
    assert following.count.total() == len(following.count) == 300


def test_more_than_can_be_read_is_told_as_a_gap() -> None:
    following = Following()
    following.world.page_size = 10
    following.go(4)
    for _ in range(200):
        for n in range(120):
            following.log(late=2 - n / 60)
        following.go(2)
    assert following.gaps
    assert "more is written" in following.gaps[0].words
    behind = max(batch.state.behind_seconds for batch in following.batches)
    assert 10 < behind <= 130
    assert any("behind" in batch.state.words for batch in following.batches)
    assert following.count.total() == len(following.count)


def test_too_many_lines_to_remember_shorten_the_sweep_and_it_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bgconsole.watch.tail.MOST_IDS", 500)
    following = Following()
    for _ in range(200):
        for _ in range(10):
            following.log()
        following.go(2)
    assert following.count.total() == len(following.count) >= 1_990
    assert any("finds late lines for" in batch.state.words for batch in following.batches)


def test_state_tells_throttling_and_a_pause_for_credentials() -> None:
    following = Following()
    following.go(4)
    following.world.fail("logs.page", Throttled("AWS throttles"))
    following.go(40)
    state = following.batches[-1].state
    assert state.mode == "throttled"
    assert state.words.startswith("throttled")
    assert "behind" in state.words
    following.world.fail("logs.page", ExpiredCredentials("expired"))
    following.go(40)
    assert following.batches[-1].state.mode == "paused"
    following.world.heal()
    following.go(10)
    assert following.batches[-1].state.mode == "following"
    assert following.batches[-1].state.words == ""


def test_lines_read_before_a_page_fails_are_not_lost() -> None:
    following = Following(since=START - timedelta(minutes=10))
    following.world.page_size = 50
    following.backlog(200)
    following.world.after(
        "logs.page", lambda world: world.fail("logs.page", Throttled("slow down"), 1)
    )
    following.go(60)
    assert following.count.total() == len(following.count) == 200


def test_live_tail_brings_lines_earlier_and_never_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveFeed, "start", lambda _: None)
    following = Following(live=True)
    following.go(2.5)
    event = following.log()
    line = following.kept(LogGroup(LOG_GROUP))[-1]
    twin = LogLine(line.timestamp, line.ingestion, "", line.group, line.stream, line.message)
    feed = next(iter(following.tail._feeds.values()))
    following.world.live = [LiveUpdate((twin,), sampled=True)]
    feed.listen()
    following.now += timedelta(seconds=3)
    following.tail.attend()
    assert following.shown == [event]
    dropped = following.log(late=1)
    following.go(10)
    assert following.count == Counter([event, dropped])
    assert following.batches[-1].state.live is not None


def test_the_first_poll_looks_back_a_quarter_of_an_hour() -> None:
    following = Following()
    following.log(late=HISTORY / 1000 + 60)
    recent = following.log(late=HISTORY / 1000 - 60)
    following.go(4)
    assert following.shown == [recent]
    following.tail.older()
    following.tail.attend()
    assert len(following.shown) == 2


def test_a_search_through_empty_pages_lets_the_polls_go_on_and_goes_on_where_it_stopped() -> None:
    following = Following()
    old = following.log(late=HISTORY / 1000 + 60)
    recent = following.log(late=60)
    following.go(4)
    assert following.shown == [recent]
    following.world.empty_pages = 2 * OLDER_PAGES + 1
    for _ in range(2):
        asked = following.world.count("logs.page")
        following.tail.older()
        following.tail.attend()
        assert following.world.count("logs.page") - asked == OLDER_PAGES
        assert following.batches[-1].older and following.batches[-1].state.older == "more"
        assert following.shown == [recent]
    following.tail.older()
    following.tail.attend()
    assert following.shown == [recent, old]
