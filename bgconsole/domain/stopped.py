"""Stopped tasks by the way they ended: how many, with which exit code, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bgconsole.domain.join import TaskRow


@dataclass(frozen=True, slots=True)
class StoppedGroup:
    """Tasks of one revision that ended alike."""

    revision: str
    ending: str
    """As `join.ending` says it: the exit code first."""
    rows: tuple[TaskRow, ...]
    """Newest first."""
    failed: bool
    """Whether they ended badly, not because a deployment or scaling stopped them."""

    @property
    def key(self) -> str:
        """Its own among the groups of one service; reads as a sentence where it is copied."""
        return f"{GROUP}revision {self.revision}, {self.ending or 'no reason given'}"

    @property
    def exit_words(self) -> str:
        """`exit 1`, or that there is no exit code."""
        first = self.ending.partition(" · ")[0]
        return first if first.startswith("exit ") else "no exit code"

    @property
    def reason(self) -> str:
        """What is told beyond the exit code."""
        first, _, rest = self.ending.partition(" · ")
        return rest if first.startswith("exit ") else self.ending


GROUP = "stopped: "
"""What the key of a group begins with; a task's key is its ARN."""


def grouped(rows: Iterable[TaskRow]) -> tuple[StoppedGroup, ...]:
    """Those that failed before those that were stopped on purpose, the commonest first."""
    found: dict[tuple[str, str, bool], list[TaskRow]] = {}
    for row in rows:
        found.setdefault((row.revision, row.ending, row.failed), []).append(row)
    groups = [
        StoppedGroup(revision, ending, tuple(sorted(same, key=_ended, reverse=True)), failed)
        for (revision, ending, failed), same in found.items()
    ]
    return tuple(
        sorted(groups, key=lambda g: (not g.failed, -len(g.rows), -_ended(g.rows[0])[0], g.key))
    )


def _ended(row: TaskRow) -> tuple[float, str]:
    return (row.since.timestamp() if row.since else 0.0, row.id)
