"""Which events of a PutLogEvents batch are taken, and which batches are refused whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..api import ApiError
from .events import size_of
from .store import Line

HOUR = 3_600_000
"""Milliseconds."""
DAY = 24 * HOUR
OLDEST = 14 * DAY
NEWEST = 2 * HOUR
MOST_BYTES = 1_048_576
"""Of a batch, 26 bytes for each event included."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What of a batch is written, and what AWS tells of the rest."""

    lines: Sequence[Line]
    rejected: dict[str, int]
    """`rejectedLogEventsInfo`; empty when all was taken."""


def take(batch: Sequence[dict[str, Any]], now: int, retention: int | None) -> Taken:
    """Judge the `logEvents` of one request; `retention` in days, `None` for ever.

    Raises:
        ApiError: InvalidParameterException: not in chronological order, too large, or over a day.
    """
    lines = [(event["timestamp"], event["message"]) for event in batch]
    if any(one[0] > other[0] for one, other in pairwise(lines)):
        raise _refused(
            "Log events in a single PutLogEvents request must be in chronological order."
        )
    size = sum(size_of(message) for _, message in lines)
    if size > MOST_BYTES:
        raise _refused(f"Upload too large: {size} bytes exceeds limit of {MOST_BYTES}")
    rejected: dict[str, int] = {}
    expired = _before(lines, now - retention * DAY) if retention else 0
    too_old = _before(lines, now - OLDEST)
    begin, end = max(expired, too_old), _before(lines, now + NEWEST + 1)
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if expired > too_old:
        rejected["expiredLogEventEndIndex"] = expired
    if end < len(lines):
        rejected["tooNewLogEventStartIndex"] = end
    taken = lines[begin:end]
    if taken and taken[-1][0] - taken[0][0] > DAY:
        raise _refused(
            "The batch of log events in a single PutLogEvents request cannot span more than"
            " 24 hours."
        )
    return Taken(taken, rejected)


def _before(lines: Sequence[Line], moment: int) -> int:
    return sum(1 for timestamp, _ in lines if timestamp < moment)


def _refused(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
