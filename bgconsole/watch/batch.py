"""What the log tail hands on: lines in order, what may be missing, and how the tail is doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bgconsole.domain.logs import Gap, LogGroup, LogLine
from bgconsole.domain.snapshot import Failure

Mode = Literal["looking", "following", "throttled", "paused", "failing"]
"""`paused`: the credentials ended; it goes on by itself where it was when there are new ones."""
Older = Literal["unknown", "more", "reading", "end"]
"""Whether there is more before the oldest line that was read."""


@dataclass(frozen=True, slots=True)
class Live:
    """A Live Tail session beside the polls."""

    sampled: bool = False
    """AWS left lines out of the last update; the sweep brings them."""
    since: datetime | None = None
    """When the session began; AWS ends it after three hours. None while there is none."""
    words: str = ""
    """Why there is no session now, else empty."""


@dataclass(frozen=True, slots=True)
class TailState:
    """How one tail is doing."""

    group: str = ""
    """The first of `groups`; empty while no log group is known."""
    note: str = ""
    """Why there is no tail, in words: another log driver, no such group yet."""
    read_at: datetime | None = None
    """When the last good poll ended."""
    failure: Failure | None = None
    lag_seconds: float | None = None
    """99th percentile of ingestion minus timestamp over the lines lately seen."""
    mode: Mode = "looking"
    groups: tuple[LogGroup, ...] = ()
    """All that are read."""
    differing: tuple[LogGroup, ...] = ()
    """Those that only the old or only the new task definition logs to."""
    behind_seconds: float = 0.0
    """How far the reads are behind the clock; 0 while they keep up."""
    words: str = ""
    """What is out of the ordinary, for the title: `throttled, 12 s behind`; else empty."""
    live: Live | None = None
    """None where Live Tail was not asked for."""
    older: Older = "unknown"
    other_drivers: tuple[str, ...] = ()
    """Where containers log that do not log to CloudWatch: `web: awsfirelens (splunk)`."""


@dataclass(frozen=True, slots=True)
class LogBatch:
    """New lines, each exactly once and sorted; some may be older than earlier batches."""

    lines: tuple[LogLine, ...]
    state: TailState
    late: frozenset[str] = frozenset()
    """Ids of those of `lines` that belong before lines of earlier batches because CloudWatch
    delivered them late: put each in its place by `order`, and mark it."""
    older: bool = False
    """The lines are history that was asked for: all before those of earlier batches, not late."""
    unread: str = ""
    """Of `older` ones: why they could not be read, in a word or two; empty where they were."""
    gaps: tuple[Gap, ...] = ()
    """New ones; one with a known number replaces that one."""
    closed: frozenset[int] = frozenset()
    """Numbers of the gaps that were read to their end by now."""
