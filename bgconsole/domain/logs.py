"""Log lines and the order they stand in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogLine:
    """One CloudWatch Logs event. Times are epoch milliseconds; `message` is as it came."""

    timestamp: int
    ingestion: int
    event_id: str
    group: str
    stream: str
    message: str

    @property
    def order(self) -> tuple[int, int, str]:
        """FilterLogEvents' own order."""
        return (self.timestamp, self.ingestion, self.event_id)

    @property
    def task_id(self) -> str:
        """The task's id where the stream is `<prefix>/<container>/<task id>`, else empty."""
        prefix, _, last = self.stream.rpartition("/")
        return last if "/" in prefix else ""


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of FilterLogEvents; an empty page with a token is not the end."""

    lines: tuple[LogLine, ...]
    token: str | None
