"""How often an overview may ask, so that it stays within its calls: pure, read it as a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CALLS_A_MINUTE = 55.0
"""What polling may take; five more are left for lists, and for what a new deployment brings."""
FOR_MOVING = 30.0
"""What of it those that deploy may take: who rests is never starved."""
SERVICES_A_CALL = 10
DEPLOYMENTS_A_CALL = 20
MOVING_SECONDS = 3.0
RESTING_SECONDS = 10.0
UNFOCUSED_SECONDS = 30.0
LIST_SECONDS = 60.0
"""Between two looks for services that are new or gone."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one cluster takes: its services, and those of them that deploy."""

    services: int
    moving: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two polls."""

    resting: float = RESTING_SECONDS
    """Of everything."""
    moving: float = MOVING_SECONDS
    """Of the services that deploy."""
    listing: float = LIST_SECONDS


def pace(loads: Iterable[Load], *, focused: bool = True) -> Pace:
    """The pace for these clusters together. Slower than wished where they are too many.

    Args:
        loads: one for each cluster.
        focused: whether somebody looks; without it only those that deploy stay quick.
    """
    each = tuple(loads)
    moving = sum(-(-load.moving // SERVICES_A_CALL) for load in each)
    quick = max(MOVING_SECONDS, moving * 60 / FOR_MOVING)
    left = CALLS_A_MINUTE - moving * 60 / quick
    wished = RESTING_SECONDS if focused or moving else UNFOCUSED_SECONDS
    resting = max(wished, sum(map(_calls, each)) * 60 / left)
    # A list is one call for a hundred services: five of them a minute are left.
    return Pace(resting, quick, max(LIST_SECONDS, len(each) * 60 / 5))


def _calls(load: Load) -> int:
    """Of one poll of everything: ten services a call, twenty deployments under way a call.

    A cluster that is empty, or not known yet, is asked once all the same.
    """
    stages = -(-load.moving // DEPLOYMENTS_A_CALL)
    return max(1, -(-load.services // SERVICES_A_CALL)) + stages
