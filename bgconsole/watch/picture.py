"""The one current snapshot: each source replaces its own part, under one lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock
from types import MappingProxyType
from typing import Any

from bgconsole.domain.snapshot import Part, Snapshot, Source


class Picture:
    """Holds the latest snapshot and hands each new one on."""

    def __init__(self, first: Snapshot, on_snapshot: Callable[[Snapshot], None]) -> None:
        self._lock = Lock()
        self._snapshot = first
        self._on_snapshot = on_snapshot

    @property
    def snapshot(self) -> Snapshot:
        """The latest."""
        return self._snapshot

    def put(self, source: Source, part: Part[Any], **about: Any) -> Snapshot:
        """Replace one part (and what is told `about` the polling itself)."""
        return self._replace({source: part, **about})

    def put_words(self, words: Mapping[str, str]) -> Snapshot:
        """Replace what the log tail knows of the ends of tasks."""
        return self._replace({"last_words": MappingProxyType(dict(words))})

    def _replace(self, changes: Mapping[str, Any]) -> Snapshot:
        with self._lock:
            after = replace(self._snapshot, generation=self._snapshot.generation + 1, **changes)
            self._snapshot = after
        # Outside the lock: a receiver that blocks must not hold the other sources up. Two threads
        # may hand on in the wrong order; receivers drop the older generation.
        self._on_snapshot(after)
        return after
