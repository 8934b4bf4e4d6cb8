"""The arithmetic of rolling deployments: how many tasks may start and stop, when a breaker acts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Counts:
    """The tasks of a service that are wanted (not being stopped)."""

    new: int
    """Of the primary deployment."""
    old: int
    """Of earlier deployments."""
    new_healthy: int
    old_healthy: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What a rolling deployment may do now."""

    start: int
    stop_old: int
    stop_new: int
    """Too many of the primary deployment: the desired count went down."""


def next_batch(desired: int, maximum_percent: int, minimum_percent: int, counts: Counts) -> Batch:
    """The next step; maximum rounds down, minimum rounds up.

    Old tasks that are not healthy may always go, for they serve nobody.
    """
    ceiling = desired * maximum_percent // 100
    least = math.ceil(desired * minimum_percent / 100)
    live = counts.new + counts.old
    start = max(0, min(desired - counts.new, ceiling - live))
    surplus_new = max(0, counts.new - desired)
    unhealthy_old = counts.old - counts.old_healthy
    spare = max(0, counts.new_healthy + counts.old_healthy - least)
    stop_old = unhealthy_old + min(spare, counts.old_healthy)
    return Batch(start, min(stop_old, counts.old), surplus_new)


def is_stuck(desired: int, maximum_percent: int, minimum_percent: int) -> bool:
    """Whether the percentages allow neither one more task nor one less."""
    ceiling = desired * maximum_percent // 100
    least = math.ceil(desired * minimum_percent / 100)
    return desired > 0 and ceiling <= desired and least >= desired


def breaker_threshold(breaker: Mapping[str, Any], desired: int) -> int:
    """Failed tasks in a row that trip a circuit breaker.

    Without a configuration it is half the desired count, at least 3 and at most 200.
    """
    threshold = breaker.get("thresholdConfiguration") or {}
    kind, value = threshold.get("type", "BOUNDED_PERCENT"), threshold.get("value", 50)
    if kind == "COUNT":
        return max(1, int(value))
    share = math.ceil(desired * int(value) / 100)
    if kind == "UNBOUNDED_PERCENT":
        return max(1, share)
    return min(200, max(3, share))
