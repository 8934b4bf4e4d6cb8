"""Which side a log line is on: by its task, and remembered when ECS has forgotten the task."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bgconsole.domain.join import Side, sides
from bgconsole.domain.snapshot import Snapshot

MOST_TASKS = 10_000
"""Tasks that are remembered; those learned longest ago go first."""


class LogSides:
    """The side of every task seen, by its id. ECS lists a stopped task for about an hour only."""

    def __init__(self) -> None:
        self._known: dict[str, Side] = {}

    def learn(self, snapshot: Snapshot) -> bool:
        """Take what a snapshot says; whether the side of any task is now another."""
        both = sides(snapshot)
        said = {
            row.id: side.side
            for side in (both.old, both.new)
            if side
            for row in (*side.stopped, *side.rows)
        }
        changed = any(self._known.get(task) is not side for task, side in said.items())
        for task, side in said.items():
            self._known.pop(task, None)
            self._known[task] = side
        while len(self._known) > MOST_TASKS:
            del self._known[next(iter(self._known))]
        return changed

    def of(self, task_id: str) -> Side:
        """The side of a task; `UNKNOWN` for one that was never seen, and for no task at all."""
        return self._known.get(task_id, Side.UNKNOWN)

    @property
    def known(self) -> Mapping[str, Side]:
        """By task id."""
        return MappingProxyType(self._known)
