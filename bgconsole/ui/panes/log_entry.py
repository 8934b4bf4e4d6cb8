"""A log event as lines of the screen: made plain, its level read, never wider than is safe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Literal

from bgconsole.domain.duration import rounded
from bgconsole.domain.logs import Gap, LogLine
from bgconsole.domain.plain import plain, plain_lines

Level = Literal["", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]

_PREFIX = re.compile(
    r"(?P<letter>[DIWEFA]), \[[^\]]*\]\s+(?P<word>DEBUG|INFO|WARN|ERROR|FATAL|ANY) -- [^:]*: ?"
)
"""How Ruby's Logger begins a line; its time and level are shown in columns of their own."""
_LETTERS: dict[str, Level] = {"D": "DEBUG", "I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL"}
_SHORT = re.compile(r"([DIWEF]), \[")
_WORD = re.compile(
    r"\b(?:(?P<fatal>FATAL|CRITICAL|PANIC|EMERG)|(?P<error>ERROR|ERR)|(?P<warn>WARN(?:ING)?)"
    r"|(?P<info>INFO|NOTICE)|(?P<debug>DEBUG|TRACE))\b",
    re.IGNORECASE,
)
_RAISED = re.compile(r"\b[A-Z]\w*(?:::\w+)*(?:Error|Exception)\b|\b[A-Z]\w*::[A-Z]\w+[:)]")
_STATUS = re.compile(r"\bCompleted 5\d\d\b")
LOOK_AT = 160
"""Characters in which the level is looked for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the pane. An event of several lines is several entries."""

    sequence: int
    order: tuple[int, int, int, int]
    """Timestamp, ingestion, the event id's rank, and which line of its event it is."""
    task: str
    """The task's id, empty where the stream does not name one."""
    stream: str
    level: Level
    text: str
    late: bool = False
    """It came after lines that it belongs before."""
    gap: bool = False
    """It is no line, and says where lines may be missing."""

    @property
    def at(self) -> int:
        """Epoch milliseconds."""
        return self.order[0]

    @property
    def first(self) -> bool:
        """Whether it begins its event."""
        return self.order[3] == 0

    @property
    def wrong(self) -> bool:
        """Whether `!` keeps it."""
        return self.level in ("ERROR", "FATAL")


@lru_cache(maxsize=4096)
def _names(stream: str) -> tuple[str, str]:
    """A stream and its task's id. Every event brings its own copy: one of each is kept."""
    return stream, LogLine(0, 0, "", "", stream, "").task_id


def entries_of(line: LogLine, numbers: count[int], *, late: bool = False) -> Iterator[Entry]:
    """The lines of one event, numbered as they come."""
    stream, task = _names(line.stream)
    rank = rank_of(line.event_id)
    level: Level = ""
    for n, text in enumerate(plain_lines(line.message.rstrip("\r\n"))):
        if n == 0:
            level = level_of(text)
            if match := _PREFIX.match(text):
                text = text[match.end() :]  # noqa: PLW2901
        order = (line.timestamp, line.ingestion, rank, n)
        yield Entry(next(numbers), order, task, stream, level, text, late)


def rank_of(event_id: str) -> int:
    """An event id as a number that sorts as the ids do, in half the memory of the text.

    CloudWatch's have 56 digits (observed); of any other the bytes are taken.
    """
    if event_id.isascii() and event_id.isdecimal():
        return int(event_id)
    return int.from_bytes(event_id.encode(), "big")


def gap_entry(gap: Gap, numbers: count[int]) -> Entry:
    """The row that stands where a stretch of time was not read."""
    words = f"≈ {gap.seconds:.0f} s not confirmed: {plain(gap.words)}"
    if gap.unread:
        before = f"{rounded(gap.seconds)} before it are not read yet"
        words = f"≈ {plain(str(gap.group))} begins here: {before} · enter reads"
    start, ingested, number = gap.order
    return Entry(
        next(numbers), (start, ingested, rank_of(number), 0), "", "", "WARN", words, gap=True
    )


def level_of(text: str) -> Level:
    """How bad a line is by its own words; empty where it does not say."""
    if short := _SHORT.match(text):
        return _LETTERS[short[1]]
    head = text[:LOOK_AT]
    found = _WORD.search(head)
    if found and found.lastgroup:
        level: Level = found.lastgroup.upper()  # type: ignore[assignment]
        if level in ("ERROR", "FATAL", "WARN"):
            return level
    else:
        level = ""
    if _RAISED.search(head) or _STATUS.search(head):
        return "ERROR"
    return level
