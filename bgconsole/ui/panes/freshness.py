"""What a pane says of its own data: nothing when it is fresh, else how old and why."""

from __future__ import annotations

from collections.abc import Mapping
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
from bgconsole.domain.snapshot import Failure, Part, Snapshot, Source
from bgconsole.ui.palette import Tone

DENIED = "AccessDenied: "
"""How the words of a missing permission begin; a narrow place leaves it out."""
SLOWLY: Mapping[Source, timedelta] = {
    "stacks": timedelta(seconds=63),
    "images": timedelta(seconds=123),
    "secrets": timedelta(seconds=123),
    "metrics": timedelta(seconds=123),
    "activity": timedelta(seconds=123),
}
"""After how long the sources are late that are asked at their own pace: twice that and a little."""
SLACK, LEAST = timedelta(seconds=3), timedelta(seconds=12)
"""What an answer takes; and an answer of the steady pace is that old when a deployment begins."""


def late_after(source: Source, snapshot: Snapshot) -> timedelta | None:
    """Without an answer for longer a source without a failure is late: a call hangs, or we slept.

    None for what does not change by itself, and where nothing is polled.
    """
    if source == "identity" or not snapshot.interval:
        return None
    return SLOWLY.get(source) or max(LEAST, 2 * timedelta(seconds=snapshot.interval) + SLACK)


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

    @property
    def stale(self) -> bool:
        """Whether what is shown is not as of now, or nothing could ever be read."""
        return self.dimmed or self.tone is Tone.WAITING


def freshness(part: Part[Any], now: datetime, limit: timedelta | None = None) -> Freshness:
    """How a source is doing, in words with ages as of `now`; late without an answer for `limit`."""
    if part.failure is not None:
        return of_failure(part.failure, part.fetched_at, now)
    if part.fetched_at is None:
        return Freshness("waiting for the first answer")
    if limit is not None and now - part.fetched_at > limit:
        return late(part.fetched_at, now)
    if part.value is None and part.absent:
        return Freshness(f"nothing there: {plain(part.absent)}")
    return Freshness()


def late(fetched_at: datetime, now: datetime) -> Freshness:
    """No failure is known, and no answer came either."""
    return Freshness(f"last answer {spell(now - fetched_at)} ago", Tone.WAITING, True)


def of_failure(failure: Failure, fetched_at: datetime | None, now: datetime) -> Freshness:
    """`stale 34 s: throttled, next try 8 s`, or without `stale` where nothing was ever read."""
    cause = cause_words(failure.error)
    if not isinstance(failure.error, AccessDenied):
        left = (failure.next_try - now).total_seconds()
        cause += f", next try {spell(left)}" if left >= 1 else ", trying now"
    tone = Tone.WAITING if isinstance(failure.error, Throttled) else Tone.BAD
    if fetched_at is None:
        return Freshness(cause, tone, True, brief=cause.removeprefix(DENIED))
    old = f"stale {spell(now - fetched_at)}: "
    return Freshness(old + cause, tone, True, brief=old + cause.removeprefix(DENIED))


def nothing(part: Part[Any], fresh: Freshness, otherwise: str) -> str:
    """What stands where rows would: why nothing could ever be read, in full, or `otherwise`."""
    if part.value is None and (part.failure is not None or part.absent):
        return fresh.words
    return "" if fresh else otherwise


def cause_words(error: GatewayError) -> str:
    """Why there is no answer, in a few words."""
    if isinstance(error, AccessDenied):
        return f"{DENIED}needs {plain(error.action or error.detail or error.title)}"
    if isinstance(error, Throttled):
        return "throttled"
    if isinstance(error, Unreachable):
        return "no answer"
    if isinstance(error, ExpiredCredentials):
        return "credentials expired"
    if isinstance(error, NoCredentials):
        return "no credentials"
    return plain(error.title)
