"""One log event as it is kept, and the id that AWS would give it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

_TIMESTAMP_SHIFT = 144
"""AWS's own ids are the timestamp times 2^144 and something below: 56 digits from 1984 on."""
_INGESTION_SHIFT = 96
_SEQUENCE_SHIFT = 48
_BITS_48 = (1 << 48) - 1
_OVERHEAD = 26
"""Bytes that AWS counts for an event beside its text."""


class Event(NamedTuple):
    """An event in the order of its members, which is AWS's order and that of the ids."""

    timestamp: int
    """Milliseconds since 1970, as the writer says."""
    ingestion: int
    """Milliseconds since 1970, when it could first be read."""
    sequence: int
    """Its number among all that arrived in its account and region; no two are the same."""
    stream: str
    message: str

    @property
    def id(self) -> str:
        """`eventId`: 56 digits."""
        return f"{number_of(self):056d}"

    @property
    def size(self) -> int:
        """Bytes, as AWS counts them for its limits."""
        return size_of(self.message)


def size_of(message: str) -> int:
    """The bytes of an event with this text, as AWS counts them."""
    return _OVERHEAD + (len(message) if message.isascii() else len(message.encode()))


def number_of(event: Event) -> int:
    """The event's id as a number."""
    timestamp, ingestion, sequence, _, _ = event
    return (
        (timestamp << _TIMESTAMP_SHIFT)
        + (ingestion << _INGESTION_SHIFT)
        + (sequence << _SEQUENCE_SHIFT)
    )


def first_at(events: Sequence[Event], *key: int) -> int:
    """The index of the first event that is not before (timestamp, ingestion, sequence).

    A key may be shorter: the members that it lacks are the lowest.
    """
    return bisect_left(cast("Sequence[Any]", events), key)


def first_numbered(events: Sequence[Event], number: int) -> int:
    """The index of the first event whose id is not below `number`."""
    rounded = -(-number // (1 << _SEQUENCE_SHIFT))
    ingestion = (rounded >> (_INGESTION_SHIFT - _SEQUENCE_SHIFT)) & _BITS_48
    timestamp = rounded >> (_TIMESTAMP_SHIFT - _SEQUENCE_SHIFT)
    return first_at(events, timestamp, ingestion, rounded & _BITS_48)
