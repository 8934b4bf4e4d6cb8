"""Follow a stack to its true end, resource by resource, and say why it failed if it did."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bgconsole.domain.duration import spell
from bgconsole.domain.errors import NotThere
from bgconsole.domain.plain import plain
from bgconsole.domain.stack_cause import cause, reason_words
from bgconsole.domain.stacks import Stack, StackEvent
from bgconsole.gateway.port import Gateway
from bgconsole.watch.nested_events import NestedEvents
from bgconsole.watch.onlooker import Onlooker
from bgconsole.watch.paused_services import PausedServices
from bgconsole.watch.stopped_words import stopped_words
from bgconsole.watch.telling import End, Note, Story

GOOD = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "DELETE_COMPLETE"},
)


def follow_stack(
    gateway: Gateway,
    arn: str,
    since: datetime | None,
    onlooker: Onlooker,
    *,
    total: int = 0,
    good: frozenset[str] = GOOD,
) -> Story:
    """Tell each resource's events until the stack rests; the last thing told is the end.

    Those in nested stacks are told too, as `Cluster/Service`.

    Args:
        gateway: only read.
        arn: the stack's; by its ARN a deleted one is found too.
        since: the last event before what is followed; None where the stack is new.
        onlooker: who wants to know, and for how long.
        total: how many resources of the stack itself are to change; 0 where it is not known.
        good: the states that are wanted.

    Raises:
        CredentialsProblem: the credentials ended.
        AccessDenied: the stack may not be read.
        NotThere: the stack is gone, and nobody deleted it here.
    """
    events_told, nested = _EventsTold(total), NestedEvents(gateway, arn, since)
    paused = PausedServices(gateway, onlooker.clock)

    def look() -> tuple[Stack, tuple[StackEvent, ...]]:
        return gateway.stacks.stack(arn), nested.read()

    def tell(found: tuple[Stack, tuple[StackEvent, ...]]) -> Story:
        stack, events = found
        yield from events_told.tell(events)
        if not stack.moving and stack.status != "REVIEW_IN_PROGRESS":
            end = _end(stack, events, onlooker.clock(), good)
            if not end.ok and (words := stopped_words(gateway, stack.arn, events)):
                end = replace(end, sentence=f"{end.sentence} {words}.")
            yield end
            return
        yield from map(Note, paused.tell(events))

    try:
        yield from onlooker.look_on(look, tell)
    except NotThere:
        if "DELETE_COMPLETE" not in good:
            raise
        sentence = "It is gone."
        yield End("reached", sentence, onlooker.clock(), now=sentence)


class _EventsTold:
    """Tells each event once, with the time since the first and what is left."""

    def __init__(self, total: int) -> None:
        self._begun: datetime | None = None
        self._total = total
        self._told: set[str] = set()
        self._done: set[str] = set()

    def tell(self, events: tuple[StackEvent, ...]) -> Story:
        """Oldest first."""
        for event in reversed(events):
            if event.id in self._told:
                continue
            self._told.add(event.id)
            if event.status.endswith("_COMPLETE") and _own(event):
                self._done.add(event.logical_id)
            yield Note(self._words(event))

    def _words(self, event: StackEvent) -> str:
        name = f"the stack {event.stack}" if event.of_stack else event.logical_id
        parts = [f"{event.status.replace('_', ' ').lower():<20} {name}"]
        if reason := reason_words(event.reason):
            parts.append(reason)
        left = max(0, self._total - len(self._done))
        if self._total and _own(event):
            parts.append(f"{left} of {self._total} left")
        self._begun = self._begun or event.at
        parts.append(spell(event.at - self._begun))
        return plain(" · ".join(parts))


def _own(event: StackEvent) -> bool:
    """Whether it is of a resource of the stack that is followed, not of a nested one."""
    return not event.of_stack and "/" not in event.logical_id


def _end(stack: Stack, events: tuple[StackEvent, ...], at: datetime, good: frozenset[str]) -> End:
    now = f"{stack.name} is {stack.status}"
    if stack.status in good:
        return End("reached", f"{now}.", at, now=now)
    why = cause(events) or reason_words(stack.reason) or "no event says why"
    return End("failed", f"{now}: {why}.", at, now=now)
