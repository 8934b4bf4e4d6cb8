"""Approve and stop: what they say of a hook that waits, what is sent, and how it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bgconsole.domain.errors import AccessDenied, Refused, Throttled, Unreachable
from bgconsole.domain.services import Hook
from bgconsole.gateway.scripted import Call, ScriptedWorld
from bgconsole.operations.outcome import PlanChanged
from bgconsole.operations.spec import Risk
from tests import two_groups, worlds
from tests.unit.operations.conftest import MakeDesk, states
from tests.unit.operations.test_plans import commands, facts
from tests.values import MEOW, NOW, POSTS, REF

A, X = "service.approve", "service.stop"


def hooks(world: ScriptedWorld, *some: Hook) -> None:
    newest, *older = world.history[REF]
    world.history[REF] = (replace(newest, hooks=some), *older)


def stage(world: ScriptedWorld, name: str) -> None:
    newest, *older = world.history[REF]
    world.history[REF] = (replace(newest, lifecycle_stage=name), *older)


def words(rollout: Any) -> str:
    return f"revision {rollout.revision} · {rollout.tag} · {rollout.digest[:15]}"


def test_the_plan_of_an_approval_says_what_comes_next(desk: MakeDesk) -> None:
    proposal = desk(two_groups.paused()).proposed(A)
    told = facts(proposal.plan)
    assert told["stage"] == "POST_TEST_TRAFFIC_SHIFT"
    assert told["then"] == (
        "all production traffic moves to revision 2; both sides run for 5 min, "
        "then the old tasks stop"
    )
    assert told["else"].startswith("ECS rolls it back by itself at ")
    assert states(proposal.plan)["4 of 4 new tasks run"] == "ok"
    assert states(proposal.plan)["no alarm is triggered"] == "ok"
    assert (proposal.risk, proposal.plan.confirm) == (Risk.DANGEROUS, "2")
    assert "--hook-id ecs-pause-1 --action CONTINUE" in proposal.plan.steps[0].command


def test_once_production_is_shifted_yes_is_enough(desk: MakeDesk) -> None:
    world = two_groups.paused()
    stage(world, "POST_PRODUCTION_TRAFFIC_SHIFT")
    proposal = desk(world).proposed(A)
    assert proposal.risk is Risk.DISRUPTIVE
    assert "then the old tasks stop: going back is slower" in facts(proposal.plan)["then"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("PRE_SCALE_UP", "the tasks of the new side start, and production traffic moves to it"),
        ("POST_SCALE_UP", "the test traffic moves to revision 2, and production"),
        ("A_STAGE_OF_NEXT_YEAR", "the stage after a stage of next year begins, and production"),
    ],
)
def test_every_stage_has_words(desk: MakeDesk, name: str, words: str) -> None:
    world = two_groups.paused()
    stage(world, name)
    assert facts(desk(world).proposed(A).plan)["then"].startswith(words)


def test_an_approved_deployment_is_followed_to_its_end(desk: MakeDesk) -> None:
    world = two_groups.paused()
    somebody = desk(world)
    outcome = somebody.run(somebody.proposed(A))
    assert outcome.ok, outcome
    assert outcome.sentence == "Revision 2 is deployed."
    (call,) = world.writes
    assert (call.name, call.arguments["go_on"]) == ("changes.answer_hook", True)
    assert "now   revision 2 · 8be01c9 · sha256:77ab10c2, as read back from all 4" in "\n".join(
        outcome.receipt
    )


def test_an_approved_deployment_that_ecs_takes_back_is_a_failure(desk: MakeDesk) -> None:
    somebody = desk(two_groups.paused())
    somebody.waits = [lambda world: worlds.settle(world, well=False)]
    outcome = somebody.run(somebody.proposed(A))
    assert (outcome.ok, outcome.exit_code) == (False, 1)
    assert "rolled back" in outcome.sentence


def test_the_next_hook_that_waits_is_told_while_following(desk: MakeDesk) -> None:
    somebody = desk(two_groups.paused())

    def again(world: ScriptedWorld) -> None:
        hooks(world, Hook("ecs-pause-2", "PAUSE", "AWAITING_ACTION", "", None, "CONTINUE"))
        stage(world, "POST_PRODUCTION_TRAFFIC_SHIFT")

    somebody.waits = [again, worlds.settle]
    assert somebody.run(somebody.proposed(A)).ok
    told = [each.text for each in somebody.told]
    assert any("waits at POST_PRODUCTION_TRAFFIC_SHIFT for an approval" in each for each in told)


def test_of_several_hooks_one_is_named(desk: MakeDesk) -> None:
    world = two_groups.paused()
    hooks(
        world,
        Hook("ecs-pause-1", "PAUSE", "AWAITING_ACTION", "", NOW, "ROLLBACK"),
        Hook("ecs-pause-2", "PAUSE", "AWAITING_ACTION", "", None, "CONTINUE"),
    )
    no = desk(world).refused(A)
    assert no.param == "hook"
    assert [value for value, _ in no.choices] == ["ecs-pause-1", "ecs-pause-2"]
    plan = desk(world).proposed(A, hook="ecs-pause-2").plan
    assert "--hook-id ecs-pause-2" in plan.steps[0].command
    assert "No hook ecs-pause-9 waits" in desk(world).refused(A, hook="ecs-pause-9").reason
    assert (
        desk(world)
        .proposed(X)
        .plan.steps[0]
        .command.endswith("ROLLBACK --region us-east-1 --profile demo")
    )


def test_where_nothing_waits_nothing_is_approved(desk: MakeDesk) -> None:
    assert "No deployment is under way" in desk(worlds.steady()).refused(A).reason
    assert "It is at BAKE_TIME" in desk(two_groups.baking()).refused(A).reason
    assert "being rolled back" in desk(two_groups.going_back()).refused(A).reason


def test_a_paused_hook_is_rejected(desk: MakeDesk) -> None:
    world = two_groups.paused()
    somebody = desk(world)
    proposal = somebody.proposed(X)
    assert proposal.plan.summary == "Reject revision 2 of democluster-service, back to 1"
    assert "hook that waits at POST_TEST_TRAFFIC_SHIFT" in facts(proposal.plan)["by"]
    assert proposal.risk is Risk.DISRUPTIVE, "production traffic never moved"
    outcome = somebody.run(proposal)
    assert (outcome.ok, outcome.sentence) == (True, "Revision 1 is back.")
    (call,) = world.writes
    assert (call.name, call.arguments["go_on"]) == ("changes.answer_hook", False)


def test_a_deployment_without_a_hook_is_stopped(desk: MakeDesk) -> None:
    world = two_groups.baking()
    somebody = desk(world)
    proposal = somebody.proposed(X)
    assert (
        proposal.plan.summary
        == "Stop the deployment of revision 2 of democluster-service, back to 1"
    )
    assert (proposal.risk, proposal.plan.confirm) == (Risk.DANGEROUS, "1")
    assert commands(proposal.plan)[0] == "aws ecs stop-service-deployment"
    assert somebody.run(proposal).ok
    assert [call.name for call in world.writes] == ["changes.stop_deployment"]


def test_where_nothing_is_under_way_nothing_is_stopped(desk: MakeDesk) -> None:
    assert "nothing to stop" in desk(worlds.steady()).refused(X).reason
    assert "already" in desk(two_groups.going_back()).refused(X).reason


def test_a_hook_that_was_answered_meanwhile_changes_the_plan(desk: MakeDesk) -> None:
    world = two_groups.paused()
    somebody = desk(world)
    approval, rejection = somebody.proposed(A), somebody.proposed(X)
    hooks(world, Hook("ecs-pause-1", "PAUSE", "SUCCEEDED"))
    with pytest.raises(Refused, match="No hook waits"):
        somebody.run(approval)
    with pytest.raises(PlanChanged) as changed:
        somebody.run(rejection)
    assert changed.value.changed == ("by",)
    assert world.writes == []


@pytest.mark.parametrize("operation", [A, X])
def test_an_answer_that_is_lost_is_looked_for(desk: MakeDesk, operation: str) -> None:
    world = two_groups.paused()
    answered = world.effects["changes.answer_hook"]

    def arrives(changed: ScriptedWorld, call: Call) -> Any:
        answered(changed, call)
        raise Unreachable("No answer")

    world.effects["changes.answer_hook"] = arrives
    somebody = desk(world)
    assert somebody.run(somebody.proposed(operation)).ok
    assert any("it arrived" in each.text for each in somebody.told)
    assert len(world.writes) == 1


@pytest.mark.parametrize("operation", [A, X])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AccessDenied("No", action="ecs:ContinueServiceDeployment"), 4),
        (Throttled("AWS says: slow down"), 1),
        (Unreachable("No answer"), 1),
    ],
)
def test_an_answer_that_aws_does_not_take(
    desk: MakeDesk, operation: str, error: Exception, code: int
) -> None:
    world = two_groups.paused()
    world.fail("changes.answer_hook", error)  # type: ignore[arg-type]
    somebody = desk(world)
    somebody.waits = [lambda _: None]
    outcome = somebody.run(somebody.proposed(operation))
    assert (outcome.ok, outcome.exit_code) == (False, code)
    assert len(world.writes) == 1
    assert world.history[REF][0].hooks[0].awaits_action


def test_the_two_sides_of_an_approval(desk: MakeDesk) -> None:
    told = facts(desk(two_groups.paused()).proposed(A).plan)
    assert (told["from"], told["to"]) == (words(POSTS), words(MEOW))
