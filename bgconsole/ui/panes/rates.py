"""Lines a second and errors a minute for each task, by the times that the lines carry."""

from __future__ import annotations

from collections.abc import Callable

SPEED_WINDOW = 10
"""Seconds of log time over which lines are counted."""
ERROR_WINDOW = 60
"""Seconds of log time over which errors are counted."""

BARS = 10
"""Parts of a window in its picture."""


class Rates:
    """Counts by second and task, so that a flood costs no more than a trickle to add up.

    What was read from before the console began falls outside the windows by itself.
    """

    def __init__(self) -> None:
        self._lines: dict[int, dict[str, int]] = {}
        self._errors: dict[int, dict[str, int]] = {}

    def count(self, milliseconds: int, task: str, *, wrong: bool) -> None:
        """One event of a task, at epoch milliseconds."""
        second = milliseconds // 1000
        for counts in (self._lines, self._errors) if wrong else (self._lines,):
            by_task = counts.setdefault(second, {})
            by_task[task] = by_task.get(task, 0) + 1

    def forget_before(self, now: float) -> None:
        """Drop what no window at epoch seconds `now` holds."""
        for counts in (self._lines, self._errors):
            for second in [s for s in counts if s < now - ERROR_WINDOW]:
                del counts[second]

    def of(self, now: float, wanted: Callable[[str], bool]) -> tuple[float, int]:
        """Lines a second and errors in a minute, of the tasks that are wanted."""
        lines = _total(self._lines, now - SPEED_WINDOW, wanted)
        return lines / SPEED_WINDOW, _total(self._errors, now - ERROR_WINDOW, wanted)

    def history(self, now: float, wanted: Callable[[str], bool]) -> tuple[list[float], list[float]]:
        """Lines of each of the last ten seconds, and errors of each tenth of the last minute."""
        lines, errors = [0.0] * BARS, [0.0] * BARS
        for counts, into, window in (
            (self._lines, lines, SPEED_WINDOW),
            (self._errors, errors, ERROR_WINDOW),
        ):
            for second, by_task in counts.items():
                at = int((second - now + window) * BARS / window)
                if 0 <= at < BARS and second >= now - window:
                    into[at] += sum(n for task, n in by_task.items() if wanted(task))
        return lines, errors


def _total(counts: dict[int, dict[str, int]], since: float, wanted: Callable[[str], bool]) -> int:
    return sum(
        number
        for second, by_task in counts.items()
        if second >= since
        for task, number in by_task.items()
        if wanted(task)
    )
