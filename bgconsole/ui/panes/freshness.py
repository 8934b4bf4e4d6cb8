"""What a pane says of its own data: nothing when it is fresh, else how old and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bgconsole.domain.duration import spell
from bgconsole.domain.errors import (
    AccessDenied,
    ExpiredCredentials,
    GatewayError,
    NoCredentials,
    Throttled,
    Unreachable,
)
from bgconsole.domain.plain import plain
from bgconsole.domain.snapshot import Failure, Part
from bgconsole.ui.palette import Tone

_DENIED = "AccessDenied: "
OVERDUE = timedelta(seconds=90)
"""Without any answer for so long a source without a failure is called late: a call hangs, or the
machine slept. Longer than the slowest poll and its time-outs."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """`words` is empty when all is well; `dimmed` rows are old."""

    words: str = ""
    tone: Tone = Tone.QUIET
    dimmed: bool = False
    brief: str = ""
    """The same for a narrow border."""

    def __bool__(self) -> bool:
        return bool(self.words)


def freshness(part: Part[Any], now: datetime) -> Freshness:
    """How a source is doing, in words with ages as of `now`."""
    if part.failure is not None:
        return of_failure(part.failure, part.fetched_at, now)
    if part.fetched_at is None:
        return Freshness("waiting for the first answer")
    if now - part.fetched_at > OVERDUE:
        return Freshness(f"last answer {spell(now - part.fetched_at)} ago", Tone.WAITING, True)
    if part.value is None and part.absent:
        return Freshness(f"nothing there: {plain(part.absent)}")
    return Freshness()


def of_failure(failure: Failure, fetched_at: datetime | None, now: datetime) -> Freshness:
    """`stale 34 s: throttled, next try 8 s`, or without `stale` where nothing was ever read."""
    cause = cause_words(failure.error)
    if not isinstance(failure.error, AccessDenied):
        left = (failure.next_try - now).total_seconds()
        cause += f", next try {spell(left)}" if left >= 1 else ", trying now"
    tone = Tone.WAITING if isinstance(failure.error, Throttled) else Tone.BAD
    if fetched_at is None:
        return Freshness(cause, tone, brief=cause.removeprefix(_DENIED))
    old = f"stale {spell(now - fetched_at)}: "
    return Freshness(old + cause, tone, True, brief=old + cause.removeprefix(_DENIED))


def nothing(part: Part[Any], fresh: Freshness, otherwise: str) -> str:
    """What stands where rows would: why nothing could ever be read, in full, or `otherwise`."""
    if part.value is None and (part.failure is not None or part.absent):
        return fresh.words
    return "" if fresh else otherwise


def cause_words(error: GatewayError) -> str:
    """Why there is no answer, in a few words."""
    if isinstance(error, AccessDenied):
        return f"{_DENIED}needs {plain(error.action or error.detail or error.title)}"
    if isinstance(error, Throttled):
        return "throttled"
    if isinstance(error, Unreachable):
        return "no answer"
    if isinstance(error, ExpiredCredentials):
        return "credentials expired"
    if isinstance(error, NoCredentials):
        return "no credentials"
    return plain(error.title)
