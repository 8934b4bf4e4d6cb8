"""Which log lines are shown, as keys choose them: by task, level, side and time, and folded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bgconsole.domain.join import Side
from bgconsole.domain.logs import to_milliseconds
from bgconsole.ui.panes.log_entry import Level
from bgconsole.ui.panes.log_filter import SideOf, Test, at_least

RANGES: tuple[timedelta | None, ...] = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    None,
)
"""How far back lines are shown; None is all that are kept."""
_LEVELS: tuple[Level, ...] = ("", "INFO", "WARN", "ERROR")
_SIDES = (None, Side.OLD, Side.NEW)


@dataclass(frozen=True, slots=True)
class LogChoice:
    """As it is made, everything is shown."""

    tasks: frozenset[str] = frozenset()
    """The ids of those whose lines are shown alone; empty for all."""
    whose: str = ""
    """The same in words."""
    level: Level = ""
    side: Side | None = None
    back: timedelta | None = None
    """One of `RANGES`."""
    since: int | None = None
    """Epoch milliseconds: where that range began when it was chosen."""
    folding: bool = False
    """Whether a request is one row."""

    def with_next_level(self) -> LogChoice:
        """Only lines of the next level, or worse; after the last one all."""
        return replace(self, level=_LEVELS[(_LEVELS.index(self.level) + 1) % len(_LEVELS)])

    def with_next_side(self) -> LogChoice:
        """The lines of one side, of the other, of both."""
        return replace(self, side=_SIDES[(_SIDES.index(self.side) + 1) % len(_SIDES)])

    def with_range(self, step: int, at: datetime) -> LogChoice:
        """Lines of a shorter time until now, or of a longer one; the same beyond the last."""
        place = max(0, min(len(RANGES) - 1, RANGES.index(self.back) + step))
        back = RANGES[place]
        since = to_milliseconds(at - back) if back is not None else None
        return replace(self, back=back, since=since)

    def tests(self, side_of: SideOf) -> Iterator[Test]:
        """What a line must pass."""
        tasks, side, since = self.tasks, self.side, self.since
        if tasks:
            yield lambda entry: entry.task in tasks
        if self.level:
            yield at_least(self.level)
        if side is not None:
            yield lambda entry: side_of(entry) is side
        if since is not None:
            yield lambda entry: entry.order[0] >= since

    @property
    def words(self) -> str:
        """What is shown alone; empty where everything is."""
        told = []
        if self.tasks:
            told.append(f"only {self.whose}")
        if self.level:
            told.append(f"{self.level} and worse" if self.level != "ERROR" else "errors")
        if self.side is not None:
            told.append(f"only {self.side.value}")
        if self.back is not None:
            told.append(f"last {int(self.back.total_seconds()) // 60} min")
        if self.folding:
            told.append("requests folded")
        return " · ".join(told)
