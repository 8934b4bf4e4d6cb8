"""Log lines, the order they stand in, and the stretches of time that were not read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


def to_milliseconds(at: datetime) -> int:
    """A moment as CloudWatch Logs writes it: milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def from_milliseconds(milliseconds: int) -> datetime:
    """The moment in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


@dataclass(frozen=True, slots=True, order=True)
class LogGroup:
    """A log group and the region it is in; an empty region is the one of the service."""

    name: str
    region: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.region})" if self.region else self.name


@dataclass(frozen=True, slots=True)
class LogLine:
    """One CloudWatch Logs event. Times are epoch milliseconds; `message` is as it came."""

    timestamp: int
    ingestion: int
    event_id: str
    group: str
    stream: str
    message: str
    region: str = ""
    """Empty for the region of the service."""

    @property
    def written_at(self) -> datetime:
        """When the program wrote it, in UTC."""
        return from_milliseconds(self.timestamp)

    @property
    def order(self) -> tuple[int, int, str]:
        """FilterLogEvents' own order."""
        return (self.timestamp, self.ingestion, self.event_id)

    @property
    def task_id(self) -> str:
        """The task's id where the stream is `<prefix>/<container>/<task id>`, else empty."""
        prefix, _, last = self.stream.rpartition("/")
        return last if "/" in prefix else ""

    @property
    def container(self) -> str:
        """The container's name where the stream is `<prefix>/<container>/<task id>`, else empty."""
        prefix, _, _ = self.stream.rpartition("/")
        return prefix.rpartition("/")[2] if "/" in prefix else ""


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of FilterLogEvents; an empty page with a token is not the end."""

    lines: tuple[LogLine, ...]
    token: str | None
    newest_first: bool = False
    """Whether it begins at the newest, as was asked; an old client cannot."""


@dataclass(frozen=True, slots=True)
class LiveUpdate:
    """What Live Tail sends once a second. Its lines have no event id: it is empty."""

    lines: tuple[LogLine, ...]
    sampled: bool = False
    """AWS left lines out: more than 500 came in that second."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time whose lines may be missing: shown as a row, never silent.

    Times are epoch milliseconds, both included. It sorts among lines by `order`.
    """

    number: int
    """Names it as long as its tail lives."""
    group: LogGroup
    start: int
    end: int
    words: str
    """Why, such as `AWS throttled the reads`."""
    unread: bool = False
    """Whether it is history of this group that comes with older lines, while lines of another group
    stand there already: it is told where the group's own lines begin."""

    @property
    def order(self) -> tuple[int, int, str]:
        """Before the first line of its stretch; of history, before the first line after it."""
        return (self.end if self.unread else self.start, -1, f"{self.number}")

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.start) / 1000
