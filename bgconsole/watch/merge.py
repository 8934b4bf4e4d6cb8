"""Exactly once: what a re-read overlap window brings, less what was seen before. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from bgconsole.domain.logs import LogLine


class Overlap:
    """Remembers event ids for as long as a window may bring them again.

    Ids are forgotten by time, never by count: CloudWatch may deliver an event late, and the same
    event comes back with every window that covers its timestamp.
    """

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._lags: deque[int] = deque(maxlen=2_000)
        self.newest = 0
        """The largest timestamp seen, in epoch milliseconds; 0 before the first line."""

    def take(self, lines: Iterable[LogLine]) -> tuple[LogLine, ...]:
        """The lines not taken before, in FilterLogEvents' order."""
        fresh = []
        for line in lines:
            if line.event_id in self._seen:
                continue
            self._seen[line.event_id] = line.timestamp
            self._lags.append(max(0, line.ingestion - line.timestamp))
            self.newest = max(self.newest, line.timestamp)
            fresh.append(line)
        return tuple(sorted(fresh, key=lambda line: line.order))

    def forget(self, older_than: int) -> None:
        """Drop the ids of events that no later window will cover (epoch milliseconds)."""
        stale = [event for event, at in self._seen.items() if at < older_than]
        for event in stale:
            del self._seen[event]

    def lag_seconds(self) -> float | None:
        """The 99th percentile of ingestion minus timestamp, None before the first line."""
        if not self._lags:
            return None
        ordered = sorted(self._lags)
        return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] / 1000
