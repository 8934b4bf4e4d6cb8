"""What is kept of the logs of one account in one region, in order and within bounds."""

from __future__ import annotations

import heapq
from bisect import insort
from collections import Counter
from collections.abc import Callable, Sequence

from .events import Event, first_at

MOST_EVENTS = 200_000
"""Of one log group; the oldest go first."""
MOST_BYTES = 128 * 1024 * 1024
"""Of one log group's events, as AWS counts bytes."""
_SLACK = 10
"""A tenth more is let in before the oldest go, so that most writes remove nothing."""
_FEW = 32
"""Events out of order that are quicker put in one by one than sorted in."""

Line = tuple[int, str]
"""A timestamp in milliseconds and a text."""
Arrived = Callable[[str, Sequence[Event]], None]
"""Told the group and its new events, when they become readable."""


class Stream:
    """One log stream."""

    def __init__(self, name: str, created: int) -> None:
        self.name = name
        self.created = created
        self.events: list[Event] = []
        self.first_event: int | None = None
        self.last_event: int | None = None
        self.last_ingestion: int | None = None
        self.last_line = 0
        """The time of the newest line that a task wrote."""


class Group:
    """The streams of one log group and their events, sorted across streams."""

    def __init__(self, store: Store, name: str, created: int) -> None:
        self.name = name
        self.created = created
        """As the engine says: a group of the same name made again is another one."""
        self.streams: dict[str, Stream] = {}
        self.events: list[Event] = []
        self._store = store
        self._bytes = 0
        self._waiting: list[tuple[int, int, Stream, Sequence[Line]]] = []
        self._batches = 0

    def put(self, stream: Stream, lines: Sequence[Line], now: int) -> None:
        """Take lines in the order of their timestamps, readable after the ingestion delay."""
        self._batches += 1
        visible = now + self._store.delay
        heapq.heappush(self._waiting, (visible, self._batches, stream, lines))
        self.settle(now)

    def settle(self, now: int) -> None:
        """Let in what has waited long enough."""
        while self._waiting and self._waiting[0][0] <= now:
            visible, _, stream, lines = heapq.heappop(self._waiting)
            if lines and self.streams.get(stream.name) is stream:
                self._let_in(visible, stream, lines)

    def delete(self, stream: Stream) -> None:
        """Remove a stream and its events."""
        del self.streams[stream.name]
        self._bytes -= sum(event.size for event in stream.events)
        self.events = [event for event in self.events if event.stream != stream.name]

    def expire(self, before: int) -> None:
        """Remove the events with a timestamp before that many milliseconds."""
        self._remove_oldest(first_at(self.events, before))

    def _let_in(self, visible: int, stream: Stream, lines: Sequence[Line]) -> None:
        first = self._store.take_numbers(len(lines))
        batch = [
            Event(timestamp, visible, first + i, stream.name, message)
            for i, (timestamp, message) in enumerate(lines)
        ]
        _merge(self.events, batch)
        _merge(stream.events, batch)
        oldest, newest = batch[0].timestamp, batch[-1].timestamp
        known_first, known_last = stream.first_event, stream.last_event
        stream.first_event = oldest if known_first is None else min(known_first, oldest)
        stream.last_event = newest if known_last is None else max(known_last, newest)
        stream.last_ingestion = visible
        self._bytes += sum(event.size for event in batch)
        self._keep_bounds()
        self._store.arrived(self.name, batch)

    def _keep_bounds(self) -> None:
        over = 0
        if len(self.events) > MOST_EVENTS + MOST_EVENTS // _SLACK:
            over = len(self.events) - MOST_EVENTS
        if self._bytes > MOST_BYTES + MOST_BYTES // _SLACK:
            left = self._bytes - sum(event.size for event in self.events[:over])
            while left > MOST_BYTES:
                left -= self.events[over].size
                over += 1
        self._remove_oldest(over)

    def _remove_oldest(self, count: int) -> None:
        if count == 0:
            return
        removed = self.events[:count]
        del self.events[:count]
        self._bytes -= sum(event.size for event in removed)
        for name, events in Counter(event.stream for event in removed).items():
            del self.streams[name].events[:events]


class Store:
    """The log groups that have streams here."""

    def __init__(self) -> None:
        self.delay = 0
        """Milliseconds from a write until it can be read."""
        self.listeners: set[Arrived] = set()
        """Who is told of events when they become readable."""
        self.last_number = 0
        """The sequence number given last."""
        self._groups: dict[str, Group] = {}

    def group(self, name: str, created: int, now: int) -> Group:
        """The group of this name that was made at `created`, with all that is readable by now."""
        found = self._groups.get(name)
        if found is None or found.created != created:
            found = self._groups[name] = Group(self, name, created)
        found.settle(now)
        return found

    def settle(self, names: Sequence[str], now: int) -> None:
        """Let in what has waited long enough, of these groups."""
        for name in names:
            if name in self._groups:
                self._groups[name].settle(now)

    def forget(self, name: str) -> None:
        """The group is gone."""
        self._groups.pop(name, None)

    def take_numbers(self, count: int) -> int:
        """The first of so many sequence numbers."""
        first = self.last_number + 1
        self.last_number += count
        return first

    def arrived(self, group: str, events: Sequence[Event]) -> None:
        """Tell those who listen."""
        for listener in tuple(self.listeners):
            listener(group, events)


def _merge(events: list[Event], batch: Sequence[Event]) -> None:
    if not events or events[-1] < batch[0]:
        events.extend(batch)
    elif len(batch) < _FEW:
        for event in batch:
            insort(events, event)
    else:
        events.extend(batch)
        events.sort()
