"""Which side a log line is on: by its task, and remembered when ECS has forgotten the task."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bgconsole.domain.join import Side, sides
from bgconsole.domain.snapshot import Snapshot

MOST_TASKS = 10_000
"""Tasks that are remembered; those learned longest ago go first."""


class LogSides:
    """The side of every task seen, by its id. ECS lists a stopped task for about an hour only.

    When a deployment has ended, the tasks that are gone keep the side that they had in it: the
    lines of those that failed stay new. With the next deployment they are on no side any more.
    """

    def __init__(self) -> None:
        self._known: dict[str, Side] = {}
        self._deployment = ""
        """The number of the newest deployment of which two sides were seen."""

    def learn(self, snapshot: Snapshot) -> bool:
        """Take what a snapshot says; whether the side of any task is now another."""
        both = sides(snapshot)
        before = dict(self._known)
        if both.old and both.new and both.new.number != self._deployment:
            self._deployment = both.new.number
            for task, was_on in self._known.items():
                self._known[task] = Side.OLD if was_on is Side.SOLE else Side.UNKNOWN
        for side in (both.old, both.new):
            if side is None:
                continue
            for row in (*side.stopped, *side.rows):
                was = self._known.pop(row.id, None)
                ended = side.side is Side.SOLE and row.stopped
                self._known[row.id] = was if ended and was else side.side
        while len(self._known) > MOST_TASKS:
            del self._known[next(iter(self._known))]
        return self._known != before

    def of(self, task_id: str) -> Side:
        """The side of a task; `UNKNOWN` for one that was never seen, and for no task at all."""
        return self._known.get(task_id, Side.UNKNOWN)

    @property
    def known(self) -> Mapping[str, Side]:
        """By task id; what is learned later is in it too."""
        return MappingProxyType(self._known)
