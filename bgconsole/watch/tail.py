"""The tail of all log groups of a service: every line once and in order, whatever AWS does.

A thread: readers (`log_reader`) find lines, `merge` puts them in order, and batches are handed on.
Throttling slows it and ended credentials pause it; neither ends it, and what could not be read is
handed on as a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from queue import SimpleQueue
from random import Random
from threading import Event, Thread

from bgconsole.domain.duration import spell
from bgconsole.domain.errors import CredentialsProblem, GatewayError, NotThere, Throttled
from bgconsole.domain.last_words import telling
from bgconsole.domain.logs import Gap, LogGroup, LogLine, to_milliseconds
from bgconsole.domain.snapshot import Failure, Snapshot
from bgconsole.gateway.port import Gateway
from bgconsole.watch.batch import Live, LogBatch, Mode, Older, TailState
from bgconsole.watch.live_feed import LiveFeed
from bgconsole.watch.log_groups import LogPlaces, log_places
from bgconsole.watch.log_reader import HEAD, HISTORY, LATE_BY, Reader
from bgconsole.watch.merge import MOST_IDS, Reorder, Twins
from bgconsole.watch.poller import Waiting
from bgconsole.watch.schedule import backoff

__all__ = ["HISTORY", "POLL", "Tail", "last_words"]

POLL = 2.0
"""Seconds between two polls."""
MOST_PAUSE = 30.0
"""Seconds; nothing makes the tail look more seldom."""
FOR_CREDENTIALS = 5.0
"""Seconds between two looks for new credentials."""
WORDS = 200
"""Tasks whose last words are kept."""
BEHIND = 10_000
"""Milliseconds from which on it is said how far the reads are behind."""


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
        on_words: Callable[[Mapping[str, str]], object] = lambda _: None,
        wait: Waiting = Event.wait,
        places: Callable[[Snapshot], LogPlaces] = log_places,
        since: datetime | None = None,
        pattern: str = "",
        interval: float = POLL,
        live: bool = False,
    ) -> None:
        """Begin at the newest page, or hand on everything from `since` on, oldest first.

        Args:
            gateway: to the region of the service; groups of other regions are read there.
            snapshot: what is known of the service, for its groups.
            clock: now, in UTC.
            random: for jitter.
            on_lines: called on this thread.
            on_words: gets the last telling line of each task, by its id.
            wait: waits for an event.
            places: where to read.
            since: see above.
            pattern: a CloudWatch Logs filter pattern; empty for every line.
            interval: seconds between two polls.
            live: listen by Live Tail as well.
        """
        super().__init__(name="tail", daemon=True)
        self._logs = gateway.logs
        self._snapshot = snapshot
        self._clock = clock
        self._random = random
        self._on_lines = on_lines
        self._on_words = on_words
        self._wait = wait
        self._places = places
        self._since = since
        self._pattern = pattern
        self._interval = interval
        self._twins = Twins() if live else None
        self._feeds: dict[str, LiveFeed] = {}
        self._woken = Event()
        self._stopped = False
        self._numbers = count(1)
        self._readers: dict[LogGroup, Reader] = {}
        self._reorder = Reorder()
        self._oldest: dict[LogGroup, int] = {}
        """When the oldest line of each group was written that was handed on."""
        self._unread: dict[LogGroup, Gap] = {}
        """Where one group's lines begin, while another's stand further back."""
        self._wanted: SimpleQueue[int | None] = SimpleQueue()
        """What was asked for by key: the number of a gap, or None for older lines."""
        self._deploying = False
        self._failure: Failure | None = None
        self._asked = False
        self._read_due = clock()
        self._words: dict[str, str] = {}
        self._state = TailState(note="looking for the log group")
        self._sent = self._state
        self._heard: Live | None = None

    def wake(self) -> None:
        """Poll now."""
        self._asked = True
        self._woken.set()

    def older(self) -> None:
        """Hand on the page before the oldest line; from any thread."""
        self._wanted.put(None)
        self._woken.set()

    def reread(self, gap: int) -> None:
        """Read a gap, by its number, with the next polls; from any thread."""
        self._wanted.put(gap)
        self.wake()

    def stop(self) -> None:
        """End after the call under way; nothing is handed on afterwards."""
        self._stopped = True
        for feed in self._feeds.values():
            feed.stop()
        self._woken.set()

    def run(self) -> None:
        """Poll until stopped."""
        due = True
        while not self._stopped:
            self._woken.clear()
            if due or self._asked:
                self._asked = False
                pause = self.poll()
                self._read_due = self._clock() + timedelta(seconds=pause)
            else:
                self.attend()
                pause = max(0.0, (self._read_due - self._clock()).total_seconds())
            due = not self._wait(self._woken, pause)

    def poll(self) -> float:
        """Read every group once; the seconds until the next poll."""
        snapshot = self._snapshot()
        places = self._places(snapshot)
        if not places.groups and not self._readers:
            self._tell(TailState(note=places.note, other_drivers=places.other_drivers))
            return 0.5 if snapshot.tasks.waiting else self._interval
        self._attach(places.groups, snapshot)
        if snapshot.deploying and not self._deploying:
            for reader in self._readers.values():
                reader.sweep_soon()
        self._deploying = snapshot.deploying
        self._answer()
        error, absent = self._read()
        now = self._clock()
        pause = self._judge(error, now)
        self._hand_on(now, places, absent, whole=error is None)
        return 0.0 if error is None and self._catching_up else pause

    def attend(self) -> None:
        """Between two polls: hand on what Live Tail sent, and older lines that were asked for."""
        self._answer()
        if self._feeds:
            self._listen_live()
            self._release(self._clock(), turn=False)

    def _attach(self, groups: tuple[LogGroup, ...], snapshot: Snapshot) -> None:
        """A reader for each group; one that no task definition names any more is read on."""
        home = snapshot.place.region
        for group in groups:
            if group not in self._readers:
                self._readers[group] = Reader(
                    self._logs,
                    group,
                    number=lambda: next(self._numbers),
                    since=to_milliseconds(self._since) if self._since else None,
                    pattern=self._pattern,
                    most_ids=MOST_IDS,
                )
        if self._twins is None or self._stopped:
            return
        for region in dict.fromkeys(group.region for group in self._readers):
            if region not in self._feeds:
                names = [group.name for group in self._readers if group.region == region]
                feed = LiveFeed(
                    self._logs.elsewhere(region or home),
                    names,
                    pattern=self._pattern,
                    clock=self._clock,
                    random=self._random,
                    on_news=self._woken.set,
                    wait=self._wait,
                )
                self._feeds[region] = feed
                feed.start()

    def _read(self) -> tuple[GatewayError | None, list[LogGroup]]:
        """The error that a group failed with, and the groups that are not there."""
        failed: GatewayError | None = None
        absent: list[LogGroup] = []
        for group, reader in self._readers.items():
            try:
                reader.poll(to_milliseconds(self._clock()))
            except NotThere:
                absent.append(group)
            except (Throttled, CredentialsProblem) as error:
                # It would be no better with the next group.
                failed = error
                break
            except GatewayError as error:
                failed = failed or error
        return failed, absent

    def _judge(self, error: GatewayError | None, now: datetime) -> float:
        if error is None:
            self._failure = None
            return self._interval
        attempts = self._failure.attempts + 1 if self._failure else 1
        pause = min(MOST_PAUSE, backoff(attempts, self._interval * 2, self._random))
        if isinstance(error, CredentialsProblem):
            pause = FOR_CREDENTIALS
        since = self._failure.since if self._failure else now
        self._failure = Failure(error, since, now + timedelta(seconds=pause), attempts)
        for reader in self._readers.values():
            # What came meanwhile, late, is found by the sweep with the next good poll.
            reader.sweep_soon()
        return pause

    def _hand_on(
        self, now: datetime, places: LogPlaces, absent: list[LogGroup], *, whole: bool
    ) -> None:
        self._listen_live()
        moment = to_milliseconds(now)
        found = [reader.drain() for reader in self._readers.values()]
        lines = tuple(line for read in found for line in read.lines)
        if self._twins is not None:
            lines = self._twins.from_read(lines)
            self._twins.forget(moment - 2 * LATE_BY - HEAD)
        self._reorder.put(lines)
        gaps = tuple(gap for read in found for gap in read.gaps)
        closed = frozenset(number for read in found for number in read.closed)
        begun, ended = self._begins(lines)
        gaps, closed = gaps + begun, closed | ended
        self._state = self._now(now, places, absent, whole=whole)
        self._release(now, gaps=gaps, closed=closed)

    def _release(
        self,
        now: datetime,
        *,
        gaps: tuple[Gap, ...] = (),
        closed: frozenset[int] = frozenset(),
        turn: bool = True,
    ) -> None:
        released = self._reorder.release(to_milliseconds(now), turn=turn)
        self._send(
            LogBatch(
                released.lines,
                self._state,
                late=released.late,
                gaps=gaps,
                closed=closed,
            )
        )

    def _begins(self, lines: tuple[LogLine, ...]) -> tuple[tuple[Gap, ...], frozenset[int]]:
        """What is new of where groups begin, now that these lines are handed on, and what is over.

        A busy group's newest page reaches back some seconds, a quiet one's a quarter of an hour:
        that nothing of the first stands among the lines of the second means nothing.
        """
        for line in lines:
            group = LogGroup(line.group, line.region)
            self._oldest[group] = min(line.timestamp, self._oldest.get(group, line.timestamp))
        begun, ended = [], set()
        for group, reader in self._readers.items():
            others = [at for other, at in self._oldest.items() if other != group]
            start = min(others, default=reader.begin)
            was = self._unread.get(group)
            if reader.older != "more" or start >= reader.begin:
                if was is not None:
                    ended.add(self._unread.pop(group).number)
            elif was is None or (was.start, was.end) != (start, reader.begin):
                number = was.number if was else next(self._numbers)
                gap = Gap(number, group, start, reader.begin, "not read yet", unread=True)
                self._unread[group] = gap
                begun.append(gap)
        return tuple(begun), frozenset(ended)

    def _now(
        self, now: datetime, places: LogPlaces, absent: list[LogGroup], *, whole: bool
    ) -> TailState:
        moment, readers = to_milliseconds(now), self._readers.values()
        groups = tuple(self._readers)
        behind = max(reader.behind(moment) for reader in readers)
        if not whole:
            behind = max(behind, *(reader.unread(moment) for reader in readers))
        note = ""
        if len(absent) == len(groups):
            note = "no output yet: the log group is not there"
        lags = [lag for r in readers if (lag := r.lags.lag_seconds()) is not None]
        return TailState(
            groups[0].name,
            note=note,
            read_at=now if whole else self._state.read_at,
            failure=self._failure,
            lag_seconds=max(lags, default=None),
            mode=self._mode(),
            groups=groups,
            differing=places.differing,
            behind_seconds=behind / 1000 if behind >= BEHIND else 0.0,
            words=self._out_of_the_ordinary(behind, absent if not note else []),
            live=self._heard,
            older=self._older(),
            other_drivers=places.other_drivers,
        )

    def _mode(self) -> Mode:
        match self._failure.error if self._failure else None:
            case None:
                return "following"
            case Throttled():
                return "throttled"
            case CredentialsProblem():
                return "paused"
            case _:
                return "failing"

    def _out_of_the_ordinary(self, behind: int, absent: list[LogGroup]) -> str:
        said = {
            "throttled": "throttled",
            "paused": "paused: the credentials ended; goes on with new ones",
        }.get(self._mode(), "")
        told = [said] if said else []
        if behind >= BEHIND:
            told.append(f"{spell(behind / 1000)} behind")
        shortest = min(reader.sweep_seconds for reader in self._readers.values())
        if shortest * 1000 < LATE_BY:
            told.append(f"finds late lines for {spell(shortest)} only")
        told += [f"{group} is not there" for group in absent]
        return ", ".join(told)

    def _listen_live(self) -> None:
        if self._twins is None:
            return
        for feed in self._feeds.values():
            lines, self._heard, lost = feed.take()
            self._reorder.put(self._twins.from_live(lines))
            if lost:
                for reader in self._readers.values():
                    reader.sweep_soon()

    def _answer(self) -> None:
        """Do what was asked for by key."""
        while not self._wanted.empty():
            wanted = self._wanted.get()
            history = [g for g, gap in self._unread.items() if gap.number == wanted]
            for group, reader in tuple(self._readers.items()):
                if wanted is not None and not history:
                    reader.reread(wanted, to_milliseconds(self._clock()))
                elif wanted is None or group in history:
                    self._send_older(reader)

    def _send_older(self, reader: Reader) -> None:
        lines: tuple[LogLine, ...] = ()
        unread = ""
        try:
            lines = reader.read_older()
        except GatewayError as error:
            unread = error.brief
        self._state = replace(self._state, older=self._older())
        self._send(LogBatch(lines, self._state, older=True, unread=unread))
        begun, ended = self._begins(lines)
        self._send(LogBatch((), self._state, gaps=begun, closed=ended))

    def _older(self) -> Older:
        told = {reader.older for reader in self._readers.values()}
        return "end" if told == {"end"} else "more" if "more" in told else "unknown"

    @property
    def _catching_up(self) -> bool:
        return any(reader.catching_up for reader in self._readers.values())

    def _tell(self, state: TailState) -> None:
        self._state = state
        self._send(LogBatch((), state))

    def _send(self, batch: LogBatch) -> None:
        news = batch.lines or batch.gaps or batch.closed or batch.older
        if self._stopped or not (news or batch.state != self._sent):
            return
        self._sent = batch.state
        self._on_lines(batch)
        if not batch.older:
            self._listen(batch.lines)

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
