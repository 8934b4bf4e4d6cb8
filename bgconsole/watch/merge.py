"""Exactly once and in order: re-read windows, Live Tail and several groups made one. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from bgconsole.domain.logs import LogLine

MOST_IDS = 200_000
"""Event ids that are remembered: some 40 MB."""
HOLD = 2_000
"""Milliseconds that a very young line waits for older ones that are still on their way."""
LATE = 5_000
"""Milliseconds that a line must come behind its place to be marked. Streams are ingested with a
few seconds between them all the time; a mark on every second line would say nothing."""


class Overlap:
    """Remembers the event ids of one group for as long as a window may bring them again.

    Ids are forgotten by time, never by count: CloudWatch may deliver an event late, and the same
    event comes back with every window that covers its timestamp. Lines from before the time that
    is remembered are not taken: they may have been taken before.
    """

    def __init__(self, most: int = MOST_IDS) -> None:
        self._most = most
        self._seen: dict[str, int] = {}
        self._lags: deque[int] = deque(maxlen=2_000)
        self.newest = 0
        """The largest timestamp seen, in epoch milliseconds; 0 before the first line."""
        self.floor = 0
        """Ids of lines before this are forgotten."""

    def take(self, lines: Iterable[LogLine]) -> tuple[LogLine, ...]:
        """The lines not taken before, in FilterLogEvents' order."""
        fresh = []
        seen, floor = self._seen, self.floor
        for line in lines:
            if line.event_id in seen or line.timestamp < floor:
                continue
            seen[line.event_id] = line.timestamp
            self._lags.append(max(0, line.ingestion - line.timestamp))
            self.newest = max(self.newest, line.timestamp)
            fresh.append(line)
        return tuple(sorted(fresh, key=lambda line: line.order))

    def forget(self, older_than: int) -> bool:
        """Drop the ids of events that no later window will cover (epoch milliseconds).

        Where there are still too many, the oldest half goes as well: then True, and no window may
        begin before `floor` any more.
        """
        self._drop(older_than)
        if len(self._seen) <= self._most:
            return False
        self._drop(sorted(self._seen.values())[len(self._seen) // 2])
        return True

    def known_between(self, start: int, end: int) -> frozenset[str]:
        """The remembered ids of a stretch of time, both ends included."""
        return frozenset(event for event, at in self._seen.items() if start <= at <= end)

    def _drop(self, older_than: int) -> None:
        if older_than > self.floor:
            self.floor = older_than
            self._seen = {event: at for event, at in self._seen.items() if at >= older_than}

    def lag_seconds(self, share: float = 0.99) -> float | None:
        """A percentile of ingestion minus timestamp, None before the first line."""
        if not self._lags:
            return None
        ordered = sorted(self._lags)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000


Key = tuple[str, str, str, int, int, str]


class Twins:
    """Takes each line once from two sources of which one gives no event ids.

    Live Tail only brings a line earlier; the reads bring every line in the end. So a line that
    Live Tail gave is taken out of the reads once, and the other way round: a multiset, as two
    equal lines may be written in one millisecond.
    """

    def __init__(self) -> None:
        self._ahead: Counter[Key] = Counter()
        """How often Live Tail gave a line that no read has brought yet; below zero: the reads
        were first."""
        self._number = 0

    def from_live(self, lines: Iterable[LogLine]) -> tuple[LogLine, ...]:
        """The lines that no read has brought yet, with ids of our own."""
        fresh = []
        for line in lines:
            key = _key(line)
            self._ahead[key] += 1
            if self._ahead[key] > 0:
                self._number += 1
                fresh.append(_named(line, f"live-{self._number:012d}"))
        return tuple(fresh)

    def from_read(self, lines: Iterable[LogLine]) -> tuple[LogLine, ...]:
        """The lines that Live Tail has not given before."""
        fresh = []
        for line in lines:
            key = _key(line)
            self._ahead[key] -= 1
            if self._ahead[key] < 0:
                fresh.append(line)
        return tuple(fresh)

    def forget(self, older_than: int) -> None:
        """Drop what no read will bring any more (a timestamp)."""
        for key in [key for key, left in self._ahead.items() if not left or key[3] < older_than]:
            del self._ahead[key]


def _key(line: LogLine) -> Key:
    return (line.region, line.group, line.stream, line.timestamp, line.ingestion, line.message)


def _named(line: LogLine, event_id: str) -> LogLine:
    return LogLine(
        line.timestamp,
        line.ingestion,
        event_id,
        line.group,
        line.stream,
        line.message,
        line.region,
    )


@dataclass(frozen=True, slots=True)
class Released:
    """Lines to be shown now, sorted."""

    lines: tuple[LogLine, ...]
    late: frozenset[str] = frozenset()
    """Ids of those that belong well before lines that were released earlier."""


class Reorder:
    """Holds young lines until the next turn, so that those of several streams come in order."""

    def __init__(self, hold: int = HOLD) -> None:
        self._hold = hold
        self._waited: list[LogLine] = []
        self._new: list[LogLine] = []
        self._edge = 0
        """The newest timestamp released."""

    def put(self, lines: Iterable[LogLine]) -> None:
        """Take lines that have just arrived."""
        self._new.extend(lines)

    def release(self, now: int, *, turn: bool = True) -> Released:
        """What need not wait any longer: lines of a certain age, and with each turn what waited.

        Args:
            now: epoch milliseconds.
            turn: whether every stream was read since the last turn.
        """
        ready = now - self._hold
        old = [line for line in self._new if line.timestamp <= ready]
        young = [line for line in self._new if line.timestamp > ready]
        if turn:
            out, self._waited = [*self._waited, *old], young
        else:
            out, self._waited = old, [*self._waited, *young]
        self._new = []
        if not out:
            return Released(())
        out.sort(key=lambda line: line.order)
        late = frozenset(line.event_id for line in out if line.timestamp < self._edge - LATE)
        # A line dated ahead of the clock makes no later one late.
        self._edge = max([self._edge, *(line.timestamp for line in out if line.timestamp <= now)])
        return Released(tuple(out), late)
