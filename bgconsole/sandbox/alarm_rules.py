"""The state of a metric alarm from its newest datapoints, as CloudWatch decides it. Pure.

Source: "Using Amazon CloudWatch alarms", evaluation and missing data; a few more datapoints than
the evaluation periods are looked at, so that late ones do not count as missing.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Datapoint = tuple[datetime, float]
"""The beginning of a period and the statistic of it."""

MORE = 2
"""Periods that are looked at beyond those that are evaluated."""

_COMPARED: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


@dataclass(frozen=True, slots=True)
class Judged:
    """What an alarm should show."""

    state: str
    """OK, ALARM or INSUFFICIENT_DATA."""
    reason: str


def judge(alarm: Mapping[str, Any], points: Sequence[Datapoint | None]) -> Judged | None:
    """The state of an alarm as DescribeAlarms gives it.

    Args:
        alarm: its members, as in the API.
        points: the newest period first, `None` where nothing was measured; `EvaluationPeriods` and
            `MORE` of them.

    Returns:
        `None` when its state stays as it is: missing data are ignored, or it compares with
        something else than a threshold.
    """
    compared = _COMPARED.get(alarm["ComparisonOperator"])
    if compared is None:
        return None
    periods = int(alarm["EvaluationPeriods"])
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    treat = alarm.get("TreatMissingData") or "missing"
    threshold = float(alarm["Threshold"])
    found = [point for point in points if point is not None][:periods]
    filled = periods - len(found)
    breaching = sum(compared[0](value, threshold) for _, value in found)
    if treat in _TREATED:
        rings = breaching + (filled if treat == "breaching" else 0) >= needed
    elif found:
        if treat == "ignore" and len(found) < needed:
            return None
        rings = breaching >= min(needed, len(found))
    else:
        words = f"Insufficient Data: {_counted(periods, 'datapoint')} {_was(periods)} unknown."
        return None if treat == "ignore" else Judged("INSUFFICIENT_DATA", words)
    state = "ALARM" if rings else "OK"
    reason = _crossed(found, needed, threshold, compared[1], rings=rings)
    if not found:
        reason = (
            f"Threshold Crossed: no datapoints were received for {_counted(periods, 'period')} and "
            f"{_counted(periods, 'missing datapoint')} {_was(periods)} treated as "
            f"[{_TREATED[treat]}]."
        )
    return Judged(state, reason)


def statistic(name: str, values: Iterable[Mapping[float, int]]) -> float | None:
    """Sum, Average, Minimum, Maximum, SampleCount or a percentile (`p99`); `None` for no values."""
    seen: Counter[float] = Counter()
    for each in values:
        seen.update(each)
    count = seen.total()
    if not count:
        return None
    if name[:1] == "p":
        return _percentile(seen, count, float(name[1:]))
    total = sum(value * times for value, times in seen.items())
    plain = {
        "Sum": total,
        "Average": total / count,
        "Minimum": min(seen),
        "Maximum": max(seen),
        "SampleCount": float(count),
    }
    return plain.get(name)


def _percentile(seen: Counter[float], count: int, percent: float) -> float:
    """Between the two nearest ranks, in proportion."""
    rank = (count - 1) * percent / 100
    low, high = (_at(seen, int(rank)), _at(seen, min(int(rank) + 1, count - 1)))
    return low + (high - low) * (rank - int(rank))


def _at(seen: Counter[float], rank: int) -> float:
    passed = 0
    for value in sorted(seen):
        passed += seen[value]
        if passed > rank:
            return value
    raise IndexError(rank)


def _crossed(
    found: Sequence[Datapoint], needed: int, threshold: float, words: str, *, rings: bool
) -> str:
    shown = ", ".join(f"{value} ({at:%d/%m/%y %H:%M:%S})" for at, value in found)
    verb = "was" if len(found) == 1 else "were"
    turn = "OK -> ALARM" if rings else "ALARM -> OK"
    return (
        f"Threshold Crossed: {len(found)} out of the last {_counted(len(found), 'datapoint')} "
        f"[{shown}] {verb} {'' if rings else 'not '}{words} the threshold ({threshold}) "
        f"(minimum {_counted(needed, 'datapoint')} for {turn} transition)."
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
