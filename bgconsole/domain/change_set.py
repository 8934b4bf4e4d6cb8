"""What a change set would do to a stack, resource by resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verb = Literal["add", "change", "replace", "may replace", "remove", "import"]

GLYPHS: dict[Verb, str] = {
    "add": "+",
    "change": "~",
    "replace": "±",
    "may replace": "±",
    "remove": "-",
    "import": "<",
}


_REVISIONED = frozenset({"AWS::ECS::TaskDefinition", "AWS::Lambda::Version"})
"""Every change of these is a replacement; what serves moves to the new one by its own rules."""


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that would change."""

    verb: Verb
    logical_id: str
    kind: str
    physical_id: str = ""
    what: tuple[str, ...] = ()
    """The properties that differ, where AWS tells them."""
    protected: bool = False
    """Whether what is replaced or removed stays (DeletionPolicy Retain or Snapshot)."""
    tasks: int | None = None
    """The DesiredCount that an ECS service's template gives; None where it gives none."""
    untold: bool = False
    """Whether AWS does not say what comes of the resource: its DesiredCount is not known then."""
    follows: frozenset[str] | None = None
    """Of a nested stack: what must change for this to change, nothing where AWS names it only
    because its template might be another one; None where something of its own differs."""

    @property
    def destroys(self) -> bool:
        """Whether something that is there goes, or may go."""
        return self.verb in ("replace", "may replace", "remove")

    @property
    def loses(self) -> bool:
        """Whether what goes, or may go, held something: more than an older revision."""
        return self.destroys and self.kind not in _REVISIONED

    @property
    def words(self) -> str:
        """`± REPLACE Service  AWS::ECS::Service  (ServiceName)`."""
        verb = self.verb.upper() if self.destroys else self.verb
        what = f"  ({', '.join(self.what)})" if self.what else ""
        return f"{GLYPHS[self.verb]} {verb} {self.logical_id}  {self.kind}{what}"


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """DescribeChangeSet, every page."""

    id: str
    name: str
    stack: str
    """The stack's ARN."""
    status: str
    """CREATE_PENDING, CREATE_IN_PROGRESS, CREATE_COMPLETE, FAILED …"""
    execution: str = ""
    """AVAILABLE, UNAVAILABLE, OBSOLETE …"""
    reason: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether AWS still works it out."""
        return self.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS")

    @property
    def empty(self) -> bool:
        """Whether it failed because there is nothing to change."""
        return self.status == "FAILED" and any(
            words in self.reason
            for words in ("didn't contain changes", "No updates are to be performed")
        )

    @property
    def ready(self) -> bool:
        """Whether it can be carried out."""
        return self.status == "CREATE_COMPLETE" and self.execution == "AVAILABLE"


def without_idle(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Those that come about where no nested template is another one than before.

    CloudFormation names every nested stack in a change set, and what follows from it, because a
    template at the same address might have changed (ResourceChangeDetail, `Automatic`).
    """
    idle = {change.logical_id: change.follows for change in changes if change.follows is not None}
    while moving := [name for name, follows in idle.items() if follows - idle.keys()]:
        for name in moving:
            del idle[name]
    return tuple(change for change in changes if change.logical_id not in idle)
