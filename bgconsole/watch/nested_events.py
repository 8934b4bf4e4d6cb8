"""The events of a stack and of all that is nested in it, as one list."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from bgconsole.domain.errors import AccessDenied, NotThere
from bgconsole.domain.stacks import STACK, StackEvent
from bgconsole.gateway.port import Gateway


@dataclass(slots=True)
class NestedEvents:
    """Reads them again and again; what a nested stack tells after its end is not asked for."""

    gateway: Gateway
    root: str
    """The outermost stack's ARN."""
    since: datetime | None
    """The last event before those that are wanted."""
    _of: dict[str, tuple[StackEvent, ...]] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)

    def read(self) -> tuple[StackEvent, ...]:
        """Newest first. A resource of the nested stack `Cluster` is called `Cluster/Service`.

        A nested stack that may not be read is left out: the outer one tells that it failed.

        Raises:
            GatewayError: the outermost stack's events could not be read.
        """
        self._of[self.root] = self.gateway.stacks.events(self.root, self.since)
        found = [*self._of[self.root], *self._inside(self.root, "")]
        return tuple(sorted(found, key=lambda event: event.at, reverse=True))

    def _inside(self, outer: str, path: str) -> Iterator[StackEvent]:
        newest: dict[str, StackEvent] = {}
        for event in self._of.get(outer, ()):
            if event.kind == STACK and not event.of_stack and event.physical_id:
                newest.setdefault(event.physical_id, event)
        for arn, event in newest.items():
            self._read_one(arn, ended=not event.status.endswith("_IN_PROGRESS"))
            inner = f"{path}{event.logical_id}/"
            for own in self._of.get(arn, ()):
                if not own.of_stack:  # the outer stack tells that too
                    yield replace(own, logical_id=f"{inner}{own.logical_id}")
            yield from self._inside(arn, inner)

    def _read_one(self, arn: str, *, ended: bool) -> None:
        if ended and arn in self._ended:
            return
        with suppress(NotThere, AccessDenied):
            self._of[arn] = self.gateway.stacks.events(arn, self.since)
        if ended:
            self._ended.add(arn)
        else:
            self._ended.discard(arn)
