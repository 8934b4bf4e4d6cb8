"""What happens in nested stacks, told with what happens in the one that nests them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.stacks import STACK, Stack, StackEvent
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.nested_events import NestedEvents
from bgconsole.watch.onlooker import Onlooker
from bgconsole.watch.stack_follow import follow_stack
from bgconsole.watch.telling import End, Note
from tests.values import NOW

ARN = "arn:aws:cloudformation:us-east-1:123456789012:stack/{}/1"
SERVICE = "AWS::ECS::Service"


def world() -> ScriptedWorld:
    """`demo` nests `Cluster`, which nests `Inner`."""
    made = ScriptedWorld(now=NOW)
    for name in ("demo", "demo-Cluster", "demo-Inner"):
        made.stacks[name] = Stack(name, ARN.format(name), "UPDATE_IN_PROGRESS", created_at=NOW)
    return made


def tell(world: ScriptedWorld, stack: str, what: str, status: str, reason: str = "") -> None:
    """One event more, a second after the last one."""
    world.now += timedelta(seconds=1)
    nested = {"Cluster": "demo-Cluster", "Inner": "demo-Inner", stack: stack}
    kind, arn = (STACK, ARN.format(nested[what])) if what in nested else (SERVICE, "it")
    event = StackEvent(str(world.now), world.now, what, kind, status, stack, reason, arn)
    world.stack_events[stack] = (event, *world.stack_events.get(stack, ()))


def told(world: ScriptedWorld, total: int = 0) -> tuple[list[str], End]:
    """The notes, and the end."""

    def wait(_: float) -> bool:
        return False

    arn = world.stacks["demo"].arn
    onlooker = Onlooker(lambda: world.now, wait)
    *notes, end = follow_stack(scripted_gateway(world), arn, NOW, onlooker, total=total)
    assert isinstance(end, End)
    return [note.text for note in notes if isinstance(note, Note)], end


def broken() -> ScriptedWorld:
    made = world()
    tell(made, "demo", "demo", "UPDATE_IN_PROGRESS")
    tell(made, "demo", "Cluster", "UPDATE_IN_PROGRESS")
    tell(made, "demo-Cluster", "demo-Cluster", "UPDATE_IN_PROGRESS")
    tell(made, "demo-Cluster", "Inner", "UPDATE_IN_PROGRESS")
    tell(made, "demo-Inner", "Service", "UPDATE_FAILED", "the image is not there")
    tell(made, "demo-Cluster", "Inner", "UPDATE_FAILED", "Embedded stack was not updated")
    tell(made, "demo", "Cluster", "UPDATE_FAILED", "Embedded stack was not updated")
    tell(made, "demo", "demo", "UPDATE_ROLLBACK_COMPLETE")
    made.stacks["demo"] = replace(made.stacks["demo"], status="UPDATE_ROLLBACK_COMPLETE")
    return made


def test_the_cause_is_that_of_the_innermost_stack_and_all_is_told_in_order() -> None:
    notes, end = told(broken(), total=1)
    assert end.sentence == (
        "demo is UPDATE_ROLLBACK_COMPLETE: Cluster/Inner/Service (AWS::ECS::Service): "
        "the image is not there."
    )
    lines = [" ".join(note.split(" · ")[0].split()) for note in notes]
    assert lines == [
        "update in progress the stack demo",
        "update in progress Cluster",
        "update in progress Cluster/Inner",
        "update failed Cluster/Inner/Service",
        "update failed Cluster/Inner",
        "update failed Cluster",
        "update rollback complete the stack demo",
    ]
    assert "left" in notes[1]
    assert "left" not in notes[3]


def test_a_nested_stack_is_read_until_its_end_and_again_when_it_moves_again() -> None:
    made = world()
    events = NestedEvents(scripted_gateway(made), made.stacks["demo"].arn, NOW)

    def reads() -> int:
        before = made.count("stacks.events")
        events.read()
        return made.count("stacks.events") - before

    tell(made, "demo", "Cluster", "UPDATE_IN_PROGRESS")
    assert [reads(), reads()] == [2, 2]
    tell(made, "demo", "Cluster", "UPDATE_COMPLETE")
    assert [reads(), reads()] == [2, 1]
    tell(made, "demo", "Cluster", "UPDATE_ROLLBACK_IN_PROGRESS")
    assert [reads(), reads()] == [2, 2]


def test_a_nested_stack_that_may_not_be_read_is_left_out() -> None:
    made = broken()
    gateway = scripted_gateway(made)
    events = NestedEvents(gateway, made.stacks["demo"].arn, NOW)
    made.after("stacks.events", lambda w: w.fail("stacks.events", AccessDenied("No")))
    assert [event.logical_id for event in events.read()] == ["demo", "Cluster", "Cluster", "demo"]
