"""Which events make one page: of a whole group filtered, or of one stream."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .events import Event, first_at, first_numbered, number_of
from .tokens import invalid

MOST_BYTES = 1_048_576
"""Of a page, 26 bytes for each event included."""
MOST_EVENTS = 10_000
MOST_LOOKED_AT = 20_000
"""Events held against a pattern for one page: a rare pattern gives short and empty pages, as on
AWS, and no page takes long."""

_TOKEN = re.compile(r"([fb])/(\d{56})/s")

Position = tuple[int, int, int]
"""Timestamp, ingestion and sequence number of the event that was looked at last."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What FilterLogEvents asks for; times in milliseconds, both included."""

    start: int
    end: int | None
    streams: Callable[[str], bool] | None
    matches: Callable[[str], bool] | None
    limit: int
    newest_first: bool


def filtered(
    events: Sequence[Event], wanted: Filter, after: Position | None, as_of: int
) -> tuple[list[Event], Position | None]:
    """One page and where the next begins, `None` at the end.

    Args:
        events: of the group, sorted.
        wanted: which of them.
        after: where the page before ended.
        as_of: the highest sequence number to give; what arrived later stays unseen, so that the
            same arguments give the same page.
    """
    found: list[Event] = []
    size = looked_at = 0
    for event in _range(events, wanted, after):
        if event.sequence > as_of or (wanted.streams and not wanted.streams(event.stream)):
            continue
        if len(found) == wanted.limit or looked_at == MOST_LOOKED_AT:
            return found, after
        if wanted.matches is None or wanted.matches(event.message):
            size += event.size
            if size > MOST_BYTES and found:
                return found, after
            found.append(event)
        looked_at += 1
        after = event[:3]
    return found, None


def _range(events: Sequence[Event], wanted: Filter, after: Position | None) -> Iterable[Event]:
    low = first_at(events, wanted.start)
    high = len(events) if wanted.end is None else first_at(events, wanted.end + 1)
    if after is not None:
        timestamp, ingestion, sequence = after
        if wanted.newest_first:
            high = min(high, first_at(events, timestamp, ingestion, sequence))
        else:
            low = max(low, first_at(events, timestamp, ingestion, sequence + 1))
    if wanted.newest_first:
        return (events[i] for i in range(high - 1, low - 1, -1))
    return (events[i] for i in range(low, high))


@dataclass(frozen=True, slots=True)
class StreamPage:
    """A page of one stream, oldest first, and the tokens of its neighbours."""

    events: list[Event]
    forward: str
    backward: str


def of_stream(
    events: Sequence[Event],
    *,
    start: int,
    end: int | None,
    limit: int,
    from_head: bool,
    token: str | None,
) -> StreamPage:
    """One page of a stream: `start` in milliseconds is included, `end` is not.

    The token decides the direction; without one `from_head` does. At either end the page is empty
    and its token in that direction is the one that was given.

    Raises:
        ApiError: the token is none of these.
    """
    low = first_at(events, start)
    high = len(events) if end is None else first_at(events, end)
    edge = 0
    if token is not None:
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise invalid()
        from_head, edge = match[1] == "f", int(match[2])
        if from_head:
            low = max(low, first_numbered(events, edge + 1))
        else:
            high = min(high, first_numbered(events, edge))
    found = _fill(events, low, high, limit, from_head=from_head)
    if found:
        return StreamPage(found, _forward(number_of(found[-1])), _backward(number_of(found[0])))
    if from_head:
        return StreamPage([], _forward(edge), _backward(edge + 1))
    return StreamPage([], _forward(max(edge - 1, 0)), _backward(edge))


def _fill(
    events: Sequence[Event], low: int, high: int, limit: int, *, from_head: bool
) -> list[Event]:
    size = 0
    found: list[Event] = []
    for i in range(low, high) if from_head else range(high - 1, low - 1, -1):
        size += events[i].size
        if len(found) == limit or (size > MOST_BYTES and found):
            break
        found.append(events[i])
    return found if from_head else found[::-1]


def _forward(number: int) -> str:
    return f"f/{number:056d}/s"


def _backward(number: int) -> str:
    return f"b/{number:056d}/s"
