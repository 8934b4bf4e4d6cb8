"""Trouble that a scenario makes for tasks that are started from now on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from ..runtime.port import ImageInfo
from . import texts

CRASH, SLOW, NO_IMAGE, NO_SECRET = "crash", "slow", "no-image", "no-secret"
ERRORS, NO_DATABASE = "errors", "no-database"
"""What can be wrong with the tasks of a new deployment."""


@dataclass(slots=True)
class Trouble:
    """What is wrong now; nothing to begin with. Times are the clock's."""

    no_capacity: bool = False
    no_addresses: bool = False
    ills: dict[str, datetime] = field(default_factory=dict)
    """What is wrong with tasks of revisions made since then."""
    boot_seconds: float = 120.0
    error_percent: float = 100.0
    burst: float = 0.0
    """How many of a hundred requests for a page every task answers with 500."""
    migration: str = ""
    """How every migration goes; empty as its image says."""

    def has(self, ill: str, revision_made: datetime) -> bool:
        """Whether tasks of a revision of that age have this ill."""
        since = self.ills.get(ill)
        return since is not None and revision_made >= since

    def placement_failure(self) -> str | None:
        """Why no task can be placed at all; `None` when it can."""
        return texts.CAPACITY if self.no_capacity else None

    def spoilt(self, info: ImageInfo, revision_made: datetime) -> ImageInfo:
        """The image as its containers behave now."""
        labels = dict(info.labels)
        if self.has(CRASH, revision_made):
            labels["bgconsole.behaviour"] = CRASH
        elif self.has(NO_DATABASE, revision_made):
            labels["bgconsole.behaviour"] = NO_DATABASE
        if self.has(ERRORS, revision_made):
            labels["bgconsole.failing"] = str(self.error_percent)
        elif self.burst:
            labels["bgconsole.failing"] = str(self.burst)
        if self.has(SLOW, revision_made):
            labels["bgconsole.boot_seconds"] = str(self.boot_seconds)
        if self.migration:
            labels["bgconsole.migration"] = self.migration
        return info if labels == dict(info.labels) else replace(info, labels=labels)

    def clear(self) -> None:
        """Nothing is wrong any more; what already runs stays as it is."""
        self.no_capacity = self.no_addresses = False
        self.ills.clear()
        self.burst = 0.0
        self.migration = ""
