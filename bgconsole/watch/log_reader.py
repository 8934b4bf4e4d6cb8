"""One log group, read again and again: its head at every poll, further back in sweeps.

No token is carried from one poll to the next: a spent token is served stale, and a cursor that only
moves on misses whatever CloudWatch ingests late. All times are epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from bgconsole.domain.logs import Gap, LogGroup, LogLine, LogPage
from bgconsole.gateway.port import Logs
from bgconsole.watch.batch import Older
from bgconsole.watch.merge import MOST_IDS, Overlap

HEAD = 15_000
"""What each poll reads again, at least; twice the lag that one line in a thousand has, if more."""
MOST_HEAD = 120_000
SWEEP_EVERY = 45_000
"""Between two sweeps."""
LATE_BY = 300_000
"""A line that comes so late is still found: a sweep goes back so far before the sweep before it."""
HISTORY = 15 * 60_000
"""What the first poll looks back."""
PAGES = 8
"""Pages of one poll's head; what is left comes with the next."""
SWEEP_PAGES = 4
"""Pages of one poll's share of a sweep."""
OLDER_PAGES = 6
"""Empty pages at most that are gone through for one wish for older lines."""
MOST_BEHIND = 120_000
"""Where the reads fall back further than this, the stretch is told as a gap and left out."""
AWAY = HISTORY
"""After a longer time without a read (a laptop that slept) the stretch is told, not read."""
OLDEST = 1_704_067_200_000
"""2024-01-01 UTC: AWS reads no further back with the newest first."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader has found since it was last asked."""

    lines: tuple[LogLine, ...] = ()
    gaps: tuple[Gap, ...] = ()
    closed: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Stretch:
    """A part of the past that is read piece by piece."""

    at: int
    """Where the next piece begins."""
    end: int
    began: int
    """When it was begun, by the clock."""


class Reader:
    """Reads one group. What it found stays in it until `drain`, whatever breaks in between."""

    def __init__(
        self,
        logs: Logs,
        group: LogGroup,
        *,
        number: Callable[[], int],
        since: int | None = None,
        pattern: str = "",
        most_ids: int = MOST_IDS,
    ) -> None:
        """`since`: hand on everything from there, oldest first; else begin at the newest page.

        `number` gives each gap one that no other has.
        """
        self.group = group
        self._logs = logs.elsewhere(group.region)
        self._number = number
        self._pattern = pattern
        self._overlap = Overlap(most_ids)
        self._since = since
        self._begun = False
        self._catching_up = since is not None
        self._begin = 0
        """Lines before this are history that was not asked for."""
        self._known_until = 0
        """The newest ingestion of the first page: what is dated before `_begin` and was ingested
        later is a late line, and no history."""
        self._below: set[str] = set()
        """Late lines before `_begin` that were handed on."""
        self._edge_ids: frozenset[str] = frozenset()
        """Those of the very millisecond of `_begin`."""
        self._complete = 0
        """When the last poll that read its head to the end began."""
        self._partial: int | None = None
        """The newest line of a head that was not read to its end."""
        self._swept = 0
        """When the last sweep that came to its end began."""
        self._sweep: _Stretch | None = None
        self._sweep_now = False
        self._sweep_floor = 0
        self._gaps: dict[int, Gap] = {}
        self._known_in_gap: dict[int, frozenset[str]] = {}
        """Ids of the lines of each gap that were handed on before it was left out."""
        self._rereading: dict[int, _Stretch] = {}
        self._fresh: list[LogLine] = []
        self._new_gaps: list[Gap] = []
        self._closed: set[int] = set()
        self.older: Older = "unknown"
        self._older_left: tuple[int, str | None] = (0, None)
        """Where the search for older lines stopped: its end, and the token of the next page."""
        self.sweep_seconds = LATE_BY / 1000
        """How far sweeps reach back; less than `LATE_BY` where too much is written."""

    @property
    def lags(self) -> Overlap:
        """For its percentiles."""
        return self._overlap

    @property
    def begin(self) -> int:
        """Where what was read begins; what lies before comes when it is asked for."""
        return self._begin

    @property
    def catching_up(self) -> bool:
        """Whether there is more to read at once, because `since` lies far back."""
        return self._catching_up and self._partial is not None

    def behind(self, now: int) -> int:
        """How far the reads are behind the clock; 0 while they keep up."""
        if self._partial is not None:
            return max(0, now - self._partial)
        return 0

    def unread(self, now: int) -> int:
        """How long ago the last complete read was; 0 before the first."""
        return max(0, now - self._complete) if self._complete else 0

    def sweep_soon(self) -> None:
        """Sweep with the next poll: after an error, and when a deployment begins."""
        self._sweep_now = True

    def drain(self) -> Read:
        """What was found since the last call."""
        found = Read(tuple(self._fresh), tuple(self._new_gaps), frozenset(self._closed))
        self._fresh, self._new_gaps, self._closed = [], [], set()
        return found

    def poll(self, now: int) -> None:
        """One poll.

        Raises:
            GatewayError: a page could not be read; the next poll goes on from there.
        """
        if not self._begun:
            self._first(now)
            return
        if not self._catching_up and now - self._complete > AWAY and self._partial is None:
            away = max(self._swept - LATE_BY, self._overlap.floor)
            self._leave_out(away, now - LATE_BY - 1, "not read: nothing was asked meanwhile")
            self._partial = now - LATE_BY
        start = self._head(now)
        if self._partial is None:
            self._sweep_on(now, start)
        self._reread(now)

    def reread(self, number: int, now: int) -> None:
        """Read a gap with the next polls."""
        gap = self._gaps.get(number)
        if gap is not None and number not in self._rereading:
            self._rereading[number] = _Stretch(gap.start, gap.end, now)

    def read_older(self) -> tuple[LogLine, ...]:
        """The page before the oldest line that was read; none at the beginning of the log.

        None either where that many pages were empty: the polls have to go on meanwhile, and the
        next call goes on where this one stopped.

        Raises:
            GatewayError: it could not be read.
        """
        if not self._begun or self.older == "end":
            return ()
        end, (ended, token) = self._begin, self._older_left
        token = token if ended == end else None
        self._older_left = (0, None)
        found: list[LogLine] = []
        for number in count(1):
            page = self._page(start=min(OLDEST, end), end=end, token=token, newest_first=True)
            fresh = self._before(page.lines)
            found.extend(fresh)
            token = page.token
            if token is None or (page.newest_first and (fresh or number == OLDER_PAGES)):
                break
        if not found:
            self._older_left = (end, token)  # pages of a quiet group are empty: go on from here
        if token is None:
            self.older, self._begin = "end", min(self._begin, OLDEST)
        elif found:
            self._move_begin(min(line.timestamp for line in found), found)
        return tuple(sorted(found, key=lambda line: line.order))

    def _before(self, lines: tuple[LogLine, ...]) -> list[LogLine]:
        floor, begin = self._overlap.floor, self._begin
        known = [
            line
            for line in lines
            if line.timestamp <= begin
            and line.event_id not in self._below
            and line.event_id not in self._edge_ids
        ]
        recent = self._overlap.take(line for line in known if line.timestamp >= floor)
        return [*(line for line in known if line.timestamp < floor), *recent]

    def _move_begin(self, begin: int, lines: list[LogLine]) -> None:
        kept = self._edge_ids if begin == self._begin else frozenset()
        self._begin = begin
        self._edge_ids = kept | {line.event_id for line in lines if line.timestamp == begin}

    def _first(self, now: int) -> None:
        if self._since is not None:
            self._begin = self._partial = self._since
            self._complete = self._swept = now
            self._begun = True
            self._head(now)
            return
        start, token = now - HISTORY, None
        pages = 0
        while True:
            page = self._page(start=start, token=token, newest_first=True)
            fresh = self._overlap.take(page.lines)
            self._fresh.extend(fresh)
            token, pages = page.token, pages + 1
            if token is None or (fresh and page.newest_first) or pages == PAGES:
                break
        self._begun, self._complete, self._swept = True, now, now
        self._known_until = max((line.ingestion for line in self._fresh), default=0)
        self.older = "more"
        self._begin = start
        if token is not None and page.newest_first and self._fresh:
            oldest = min(line.timestamp for line in self._fresh)
            self._move_begin(oldest, self._fresh)
        elif token is not None and self._fresh:
            # An old client reads oldest first: go on where this poll ended.
            self._partial = max(line.timestamp for line in self._fresh)
            self._catching_up = True

    def _head(self, now: int) -> int:
        """Read from a little before what is known to the end; where it began."""
        newest = self._overlap.newest or now
        if self._partial is not None:
            start = self._partial
        else:
            # A line dated ahead of the clock must not blind the tail to those before it; one from
            # long ago must not make it read all that time again.
            known = max(min(newest, now), now - LATE_BY)
            start = min(known, self._complete) - self._window()
            start = max(start, self._begin, self._overlap.floor)
        self._partial, edge = self._through(start, None, PAGES)
        if self._partial is None:
            self._complete = now
            self._catching_up = False
        elif self._catching_up:
            # What lies behind is not read again before it is swept.
            self._overlap.forget(min(edge, self._swept - LATE_BY))
        elif now - self._partial > MOST_BEHIND:
            self._leave_out(self._partial, now - HEAD - 1, "more is written than can be read")
            self._partial, self._complete = None, now
        return start

    def _sweep_on(self, now: int, head: int) -> None:
        if self._sweep is None:
            if now - self._swept < SWEEP_EVERY and not self._sweep_now:
                return
            start = max(self._swept - LATE_BY, self._overlap.floor, self._sweep_floor)
            self._sweep_now = False
            self._sweep = _Stretch(start, max(head, start), now)
        sweep = self._sweep
        left, edge = self._through(sweep.at, sweep.end, SWEEP_PAGES)
        if left is not None:
            sweep.at = edge
            return
        self._swept, self._sweep = sweep.began, None
        shortened = self._overlap.forget(self._swept - LATE_BY)
        reach = now - self._overlap.floor if shortened else LATE_BY
        self.sweep_seconds = min(LATE_BY, reach) / 1000
        if self.older == "end":
            self._below.clear()

    def _reread(self, now: int) -> None:
        del now
        for number, stretch in list(self._rereading.items()):
            found: list[LogLine] = []
            pages, token, edge = 0, None, stretch.at
            while True:
                page = self._page(start=stretch.at, end=stretch.end, token=token)
                found.extend(page.lines)
                token, pages = page.token, pages + 1
                edge = max([edge, *(line.timestamp for line in page.lines)])
                if token is None or (pages >= PAGES and edge > stretch.at):
                    break
            known = self._known_in_gap[number]
            # Nothing remembers what is taken here, so a piece ends between two milliseconds.
            self._fresh.extend(
                line
                for line in found
                if line.event_id not in known and (token is None or line.timestamp < edge)
            )
            if token is not None:
                stretch.at = edge
                continue
            del self._rereading[number], self._gaps[number], self._known_in_gap[number]
            self._closed.add(number)

    def _through(self, start: int, end: int | None, most: int) -> tuple[int | None, int]:
        """Read pages; the newest timestamp where there are more, and the newest read.

        Goes on beyond `most` pages as long as all of them are of one millisecond: only a later
        time can be where the next poll goes on.
        """
        token, pages, edge = None, 0, start
        while True:
            page = self._page(start=start, end=end, token=token)
            self._fresh.extend(self._taken(page.lines))
            token, pages = page.token, pages + 1
            edge = max([edge, *(line.timestamp for line in page.lines)])
            if token is None:
                return None, edge
            if pages >= most and edge > start:
                return edge, edge

    def _taken(self, lines: tuple[LogLine, ...]) -> tuple[LogLine, ...]:
        begin = self._begin
        if self.older == "unknown" or not lines or lines[0].timestamp > begin:
            return self._overlap.take(lines)
        wanted = [
            line
            for line in lines
            if line.timestamp > begin
            or (line.ingestion > self._known_until and line.event_id not in self._edge_ids)
        ]
        fresh = self._overlap.take(wanted)
        self._below.update(line.event_id for line in fresh if line.timestamp <= begin)
        return fresh

    def _leave_out(self, start: int, end: int, words: str) -> None:
        if end <= start:
            return
        gap = Gap(self._number(), self.group, start, end, words)
        self._gaps[gap.number] = gap
        self._known_in_gap[gap.number] = self._overlap.known_between(start, end)
        self._new_gaps.append(gap)
        self._sweep, self._sweep_floor = None, end + 1
        self._swept = max(self._swept, end + 1)

    def _window(self) -> int:
        lag = self._overlap.lag_seconds(0.999) or 0.0
        return min(MOST_HEAD, max(HEAD, int(2000 * lag)))

    def _page(
        self,
        *,
        start: int,
        end: int | None = None,
        token: str | None = None,
        newest_first: bool = False,
    ) -> LogPage:
        return self._logs.page(
            self.group.name,
            start=start,
            end=end,
            token=token,
            newest_first=newest_first,
            pattern=self._pattern,
            paced=not self._catching_up,
        )
