"""How long to wait before the next poll: pure, so that it can be read as a table."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from bgconsole.domain.snapshot import Source

CAP = 60.0
"""Seconds; no back-off waits longer, so that a source that heals is seen to heal."""


@dataclass(frozen=True, slots=True)
class Need:
    """What the pace depends on."""

    deploying: bool = False
    stacks_moving: bool = False
    focused: bool = True
    """Whether the terminal has the focus; only a steady picture slows without it."""
    operating: bool = False
    """Whether an operation runs: polls leave most of the budget to it."""


def interval(source: Source, need: Need) -> float:
    """Seconds until the next poll of a source that answered well."""
    match source:
        case "identity":
            return 300.0
        case "images" | "secrets" | "metrics" | "activity":
            return 60.0
        case "stacks":
            return 5.0 if need.stacks_moving else 30.0
        case "service" | "deployments" | "tasks" | "targets" | "codedeploy":
            if need.operating:
                return 4.0
            if need.deploying:
                return 2.0
            return 10.0 if need.focused else 30.0


def backoff(attempts: int, base: float, random: Random) -> float:
    """Seconds until the next try after `attempts` failures in a row.

    Doubles from the interval, is capped, and is jittered by a quarter so that the sources of one
    console (and the consoles of one team) do not come back in step.
    """
    doubled = min(CAP, base * 2.0 ** min(attempts - 1, 10))
    return doubled * random.uniform(0.75, 1.0)
