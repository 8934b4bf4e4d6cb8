"""Resource types that are remembered and nothing more: no gateway translates, no pipeline runs.

What a template gives is checked by `recorded_kinds.py` and kept, so that stacks deploy whole and
the console's reads have something to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from ..engine import Provisioned
from .recorded_kinds import KINDS, Kind, Made

if TYPE_CHECKING:
    from ..engine import Properties
    from ..scope import Scope


@dataclass(frozen=True, slots=True)
class Record:
    """One resource."""

    properties: Properties
    since: datetime
    """When it was made."""


@dataclass(slots=True)
class Records:
    """What was recorded in one process, by scope, type and physical id."""

    now: Callable[[], datetime]
    _kept: dict[tuple[Scope, str], dict[str, Record]] = field(default_factory=dict)

    def of(self, scope: Scope, kind: str) -> Iterator[tuple[str, Record]]:
        """Every resource of a type with its physical id, in the order in which they were made."""
        # A copy: stacks are worked on in threads of their own.
        yield from list(self._kept.get((scope, kind), {}).items())

    def put(self, scope: Scope, kind: str, physical_id: str, properties: Properties) -> None:
        """Remember one, in the place of what it was before."""
        kept = self._kept.setdefault((scope, kind), {})
        before = kept.get(physical_id)
        kept[physical_id] = Record(properties, before.since if before else self.now())

    def drop(self, scope: Scope, kind: str, physical_id: str) -> None:
        """Forget one; unknown is fine."""
        self._kept.get((scope, kind), {}).pop(physical_id, None)


class RecordedType:
    """One such type, for CloudFormation."""

    reverts = False

    def __init__(self, kind: Kind, records: Records) -> None:
        self._kind = kind
        self._records = records

    @property
    def name(self) -> str:
        """`AWS::…::…`."""
        return self._kind.name

    @property
    def create_only(self) -> tuple[str, ...]:
        """As CloudFormation's schema has it."""
        return self._kind.create_only

    def create(
        self, scope: Scope, stack: str, logical_id: str, properties: Properties
    ) -> Provisioned:
        """Check and remember.

        Raises:
            ResourceFailure: a property that the type does not have, or that it must have.
        """
        self._kind.check(properties)
        return self._keep(scope, self._kind.make(scope, stack, logical_id, properties), properties)

    def update(
        self, scope: Scope, physical_id: str, old: Properties, new: Properties
    ) -> Provisioned:
        """Remember the new properties under the old id.

        Raises:
            ResourceFailure: as `create`.
        """
        del old
        self._kind.check(new)
        return self._keep(scope, self._kind.again(scope, physical_id, new), new)

    def delete(self, scope: Scope, physical_id: str, properties: Properties) -> None:
        """Forget it."""
        del properties
        self._records.drop(scope, self.name, physical_id)

    def _keep(self, scope: Scope, made: Made, properties: Properties) -> Provisioned:
        physical_id, attributes = made
        self._records.put(scope, self.name, physical_id, properties)
        return Provisioned(physical_id, dict(attributes))


def recorded_types(records: Records) -> tuple[RecordedType, ...]:
    """Every type that is state only."""
    return tuple(RecordedType(kind, records) for kind in KINDS)
