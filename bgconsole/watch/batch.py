"""What the log tail hands on: lines in order, and how the tail itself is doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bgconsole.domain.logs import LogLine
from bgconsole.domain.snapshot import Failure


@dataclass(frozen=True, slots=True)
class TailState:
    """How one tail is doing."""

    group: str = ""
    """Empty while no log group is known."""
    note: str = ""
    """Why there is no tail, in words: another log driver, no such group yet."""
    read_at: datetime | None = None
    """When the last good poll ended."""
    failure: Failure | None = None
    lag_seconds: float | None = None
    """99th percentile of ingestion minus timestamp over the lines lately seen."""


@dataclass(frozen=True, slots=True)
class LogBatch:
    """New lines, each exactly once and sorted; some may be older than earlier batches."""

    lines: tuple[LogLine, ...]
    state: TailState
