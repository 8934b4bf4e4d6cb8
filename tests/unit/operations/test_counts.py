"""Scale and stop task: what they say before, what is sent, how they end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bgconsole.domain.errors import AccessDenied, ExpiredCredentials, Throttled, Unreachable
from bgconsole.domain.fargate import problem
from bgconsole.domain.services import Bounds
from bgconsole.gateway.scripted import Call, ScriptedWorld
from bgconsole.operations.spec import Risk
from tests import worlds
from tests.unit.operations.conftest import MakeDesk, states
from tests.unit.operations.test_plans import facts
from tests.values import CONTAINER, MEOW, REF

SCALE, STOP_TASK = "service.scale", "service.stop-task"


def first(world: ScriptedWorld) -> str:
    return world.tasks[REF][0].arn


def test_another_number_of_tasks(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    somebody.waits = [worlds.settle_count]
    proposal = somebody.proposed(SCALE, count="2")
    assert (facts(proposal.plan)["from"], facts(proposal.plan)["to"]) == ("4 tasks", "2 tasks")
    assert "--desired-count 2" in proposal.plan.steps[0].command
    assert states(proposal.plan) == {"no autoscaling acts on the service": "ok"}
    outcome = somebody.run(proposal)
    assert (outcome.ok, outcome.sentence) == (True, "2 tasks run.")
    assert "now   revision 2 · 8be01c9 · sha256:77ab10c2, as read back from all 2" in "\n".join(
        outcome.receipt
    )
    assert [call.name for call in world.writes] == ["changes.scale"]


@pytest.mark.parametrize(
    ("bounds", "count", "words", "state"),
    [
        (Bounds(2, 10), "6", "between 2 and 10 tasks: its policy may undo this", "warning"),
        (Bounds(2, 10), "1", "between 2 and 10 tasks: it will not stay at 1", "warning"),
        (Bounds(2, 10, suspended=True), "6", "suspended at present", "ok"),
    ],
)
def test_what_autoscaling_makes_of_it(
    desk: MakeDesk, bounds: Bounds, count: str, words: str, state: str
) -> None:
    world = worlds.steady()
    world.autoscaling[REF] = bounds
    ((told, found),) = states(desk(world).proposed(SCALE, count=count).plan).items()
    assert words in told
    assert found == state


def test_bounds_that_may_not_be_read_are_not_checked(desk: MakeDesk) -> None:
    world = worlds.steady()
    action = "application-autoscaling:DescribeScalableTargets"
    world.fail("services.autoscaling", AccessDenied("No", action=action))
    ((words, state),) = states(desk(world).proposed(SCALE, count="6").plan).items()
    assert action in words
    assert state == "not checked"


def test_scaling_to_nothing_wants_the_services_name(desk: MakeDesk) -> None:
    proposal = desk(worlds.steady()).proposed(SCALE, count="0")
    assert (proposal.risk, proposal.plan.confirm) == (Risk.DANGEROUS, REF.name)
    assert "Nothing serves" in proposal.plan.notes[0]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"count": "4"}, "wants 4 tasks already"),
        ({"count": "many"}, "'many' is no number of tasks"),
        ({"count": "1001"}, "is no number of tasks"),
        ({"count": "2", "cpu": "512"}, "one after the other"),
        ({"cpu": "300"}, "Fargate has no 300 CPU units; it has 256, 512"),
        ({"cpu": "256", "memory": "4096"}, "memory of 512, 1024, 2048 MiB, not 4096"),
        ({"cpu": "512"}, "1024 to 4096 in steps of 1024 MiB, not 768"),
        ({"memory": "768", "cpu": "256"}, "512, 1024, 2048 MiB, not 768"),
    ],
)
def test_what_cannot_be_scaled_to(desk: MakeDesk, params: dict[str, str], words: str) -> None:
    assert words in desk(worlds.steady()).refused(SCALE, **params).reason


def test_without_a_number_there_is_a_list(desk: MakeDesk) -> None:
    no = desk(worlds.steady()).refused(SCALE)
    assert (no.param, no.choices[:2]) == ("count", (("5", "5 tasks"), ("6", "6 tasks")))
    assert no.choices[-2:] == (("1", "1 task"), ("0", "0 tasks"))
    assert no.free
    assert "4" not in dict(no.choices)


def test_tasks_of_another_size_run_the_same_image(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    proposal = somebody.proposed(SCALE, cpu="512", memory="1024")
    assert facts(proposal.plan)["from"] == "256 CPU units and 768 MiB"
    outcome = somebody.run(proposal)
    assert outcome.ok, outcome
    register, update = world.writes
    assert (register.arguments["cpu"], register.arguments["memory"]) == ("512", "1024")
    assert dict(register.arguments["images"]) == {  # type: ignore[call-overload]
        CONTAINER: MEOW.image.image.rpartition(":")[0] + "@" + MEOW.digest
    }
    assert str(update.arguments["task_definition"]).endswith(":3")
    running = [c.digest for task in world.tasks[REF] for c in task.containers]
    assert running == [MEOW.digest] * 4


def test_credentials_that_end_between_registering_and_updating(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.fail("changes.update", ExpiredCredentials("The credentials have expired"))
    somebody = desk(world)
    outcome = somebody.run(somebody.proposed(SCALE, cpu="512", memory="1024"))
    assert outcome.exit_code == 4
    assert "What serves was not changed" in outcome.sentence
    assert "Made before it: arn:aws:ecs" in outcome.sentence


def test_a_number_that_somebody_else_sets_is_said_so(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())

    def autoscaling(world: ScriptedWorld) -> None:
        world.services[REF] = replace(world.services[REF], desired=3)

    somebody.waits = [autoscaling]
    outcome = somebody.run(somebody.proposed(SCALE, count="2"))
    assert (outcome.title, outcome.exit_code) == ("Superseded", 1)
    assert "wants 3 tasks now, not 2" in outcome.sentence


def test_one_task_is_stopped_and_another_takes_its_place(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    somebody.waits = [worlds.settle_count]
    task = first(world)
    proposal = somebody.proposed(STOP_TASK, task=task)
    assert proposal.risk is Risk.DISRUPTIVE
    assert states(proposal.plan) == {"3 other tasks run meanwhile": "ok"}
    outcome = somebody.run(proposal)
    assert (outcome.ok, outcome.sentence) == (True, "4 tasks run.")
    (call,) = world.writes
    assert call.arguments["task"] == task
    short = task.rpartition("/")[2][:6]
    assert desk(worlds.steady()).proposed(STOP_TASK, task=short).plan == proposal.plan


def test_the_only_task_wants_the_services_name(desk: MakeDesk) -> None:
    world = worlds.steady(tasks=1)
    proposal = desk(world).proposed(STOP_TASK, task=first(world))
    assert (proposal.risk, proposal.plan.confirm) == (Risk.DANGEROUS, REF.name)
    assert "nothing serves until" in next(iter(states(proposal.plan)))


@pytest.mark.parametrize("named", ["", "9", "ffffffffffff"])
def test_a_task_that_is_not_named_is_chosen_from_those_that_run(desk: MakeDesk, named: str) -> None:
    no = desk(worlds.steady()).refused(STOP_TASK, task=named)
    assert (no.param, len(no.choices)) == ("task", 4)
    for value, words in no.choices:
        assert words.startswith(f"{value[:6]} · "), "two tasks of one zone are told apart"


@pytest.mark.parametrize(
    ("operation", "params", "name"),
    [
        (SCALE, {"count": "2"}, "changes.scale"),
        (STOP_TASK, {}, "changes.stop_task"),
    ],
)
@pytest.mark.parametrize("fate", ["denied", "throttled", "lost", "arrived"])
def test_whatever_becomes_of_the_call_is_told(
    desk: MakeDesk, operation: str, params: dict[str, str], name: str, fate: str
) -> None:
    world = worlds.steady()
    if operation == STOP_TASK:
        params = {"task": first(world)}
    effect = world.effects[name]

    def arrives(changed: ScriptedWorld, call: Call) -> Any:
        effect(changed, call)
        raise Unreachable("No answer")

    match fate:
        case "denied":
            world.fail(name, AccessDenied("No", action="ecs:It"))
        case "throttled":
            world.fail(name, Throttled("AWS says: slow down"))
        case "lost":
            world.fail(name, Unreachable("No answer"))
        case "arrived":
            world.effects[name] = arrives
    somebody = desk(world)
    somebody.waits = [worlds.settle_count]
    outcome = somebody.run(somebody.proposed(operation, **params))
    codes = {"denied": 4, "throttled": 1, "lost": 1, "arrived": 0}
    assert outcome.exit_code == codes[fate], outcome
    assert len(world.writes) == 1, "never repeated"


@pytest.mark.parametrize(
    ("cpu", "memory", "legal"),
    [
        ("256", "2048", True),
        ("1024", "1024", False),
        ("16384", "122880", True),
        ("8192", "17408", False),
    ],
)
def test_sizes_that_fargate_has(cpu: str, memory: str, legal: bool) -> None:
    assert (problem(cpu, memory) == "") is legal
