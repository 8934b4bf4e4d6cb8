"""Roll back while the owning stack is in the middle of an update: leave it alone, or cancel it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bgconsole.domain.errors import Refused, Rejected, Unreachable
from bgconsole.gateway.port import Submitted
from bgconsole.gateway.scripted import Call, ScriptedWorld
from bgconsole.gateway.scripted_stack_changes import settle
from tests import worlds
from tests.unit.operations.conftest import Desk, MakeDesk, states
from tests.unit.operations.test_plans import commands, facts
from tests.values import MEOW, POSTS, REF

R = "service.rollback"
CLUSTER = "democluster"
CANCEL = "stack_changes.cancel_update"


def updating(world: ScriptedWorld, status: str = "UPDATE_IN_PROGRESS") -> ScriptedWorld:
    """The owning stack is in the middle of a change."""
    world.stacks[CLUSTER] = replace(world.stacks[CLUSTER], status=status)
    return world


def failing() -> ScriptedWorld:
    """A bad deployment of the stack's; once it is cancelled the stack goes back."""

    def begun(world: ScriptedWorld, call: Call) -> Submitted | None:
        del call
        updating(world, "UPDATE_ROLLBACK_IN_PROGRESS")
        return None

    world = updating(worlds.crash_looping())
    world.effects[CANCEL] = begun
    return world


def ended(world: ScriptedWorld, status: str = "UPDATE_ROLLBACK_COMPLETE") -> None:
    """The service is as it was, and so is the stack."""
    if world.stacks[CLUSTER].status == "UPDATE_ROLLBACK_IN_PROGRESS":
        worlds.settle(world, well=False)
        settle(world, CLUSTER, status)


def at_work(desk: MakeDesk, status: str = "UPDATE_ROLLBACK_COMPLETE") -> Desk:
    """It takes two looks to come to rest."""
    somebody = desk(failing())
    somebody.waits = [lambda _: None, lambda world: ended(world, status)]
    return somebody


def test_it_is_offered_beside_stopping_the_deployment(desk: MakeDesk) -> None:
    plan = desk(updating(worlds.crash_looping())).proposed(R).plan
    assert commands(plan)[0] == "aws ecs stop-service-deployment"
    assert plan.otherwise is not None
    assert plan.otherwise.words == (
        "cancel the update of democluster: CloudFormation puts all of it back"
    )
    back = desk(updating(worlds.crash_looping())).proposed(R, **plan.otherwise.params).plan
    assert back.otherwise is not None
    assert back.otherwise.params == {"through": "service"}


def test_a_stack_at_rest_offers_nothing_of_it(desk: MakeDesk) -> None:
    assert desk(worlds.crash_looping()).proposed(R).plan.otherwise is None
    assert desk(updating(worlds.steady(), "CREATE_IN_PROGRESS")).proposed(R).plan.otherwise is None
    plan = desk(worlds.crash_looping()).proposed(R, through="stack").plan
    assert commands(plan)[0] == "aws ecs stop-service-deployment"


def test_the_plan_shows_each_step_and_what_the_stack_will_do(desk: MakeDesk) -> None:
    proposal = at_work(desk).proposed(R, through="stack")
    plan = proposal.plan
    assert commands(plan) == ["aws cloudformation cancel-update-stack", "", ""]
    assert [step.words for step in plan.steps] == [
        "cancel the update of democluster",
        "follow democluster until it is as it was before",
        "read back what the tasks of democluster-service run then",
    ]
    assert facts(plan)["by"] == "cancelling the update of the stack democluster"
    assert plan.confirm == str(MEOW.revision)
    (words,) = (w for w, state in states(plan).items() if "UPDATE_IN_PROGRESS" in w)
    assert "deploys its old revision once more, and puts all else that the update" in words
    assert states(plan)[words] == "warning"


def test_it_is_cancelled_followed_and_proved_by_the_tasks(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    outcome = somebody.run(somebody.proposed(R, through="stack"))
    assert outcome.ok, outcome
    assert [call.name for call in somebody.world.writes] == [CANCEL]
    assert somebody.world.stacks[CLUSTER].status == "UPDATE_ROLLBACK_COMPLETE"
    assert "as read back from all 4 running tasks" in "\n".join(outcome.receipt)
    assert somebody.world.services[REF].task_definition == MEOW.definition_arn
    told = [each.text for each in somebody.told]
    assert any("update rollback complete" in text for text in told), told


def test_a_stack_that_goes_back_to_something_else_is_found_by_the_tasks(desk: MakeDesk) -> None:
    """Somebody had deployed past the stack before: its template names another version."""
    somebody = at_work(desk)
    proposal = somebody.proposed(R, through="stack")
    back = worlds.settle

    def elsewhere(world: ScriptedWorld) -> None:
        if world.stacks[CLUSTER].moving:
            newest, *older = world.history[REF]
            sources = (replace(newest.sources[0], arn=POSTS.revision_arn),)
            world.history[REF] = (replace(newest, sources=sources), *older)
            back(world, well=False)
            settle(world, CLUSTER, "UPDATE_ROLLBACK_COMPLETE")

    somebody.waits = [elsewhere]
    outcome = somebody.run(proposal)
    assert (outcome.ok, outcome.title) == (False, "Not what was wanted")
    assert f"run revision {POSTS.revision}" in outcome.sentence


def test_a_way_back_that_gets_stuck_is_a_failure(desk: MakeDesk) -> None:
    somebody = at_work(desk, "UPDATE_ROLLBACK_FAILED")
    outcome = somebody.run(somebody.proposed(R, through="stack"))
    assert (outcome.ok, outcome.exit_code, outcome.title) == (False, 1, "Failed")
    assert "democluster is UPDATE_ROLLBACK_FAILED" in outcome.sentence


def test_an_update_that_ended_meanwhile_is_not_cancelled(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    proposal = somebody.proposed(R, through="stack")
    somebody.world.fail(CANCEL, lambda: Rejected("CancelUpdateStack cannot be called", "now"))
    outcome = somebody.run(proposal)
    assert (outcome.ok, outcome.exit_code) == (False, 1)
    assert "What serves was not changed." in outcome.sentence


def test_a_cancel_without_an_answer_is_looked_for_not_sent_again(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    proposal = somebody.proposed(R, through="stack")

    def lost(world: ScriptedWorld, call: Call) -> Submitted | None:
        del call
        updating(world, "UPDATE_ROLLBACK_IN_PROGRESS")
        raise Unreachable("AWS cannot be reached", "timed out")

    somebody.world.effects[CANCEL] = lost
    outcome = somebody.run(proposal)
    assert outcome.ok, outcome
    assert somebody.world.count(CANCEL) == 1


def test_without_a_deployment_under_way_it_is_cancelled_first(desk: MakeDesk) -> None:
    """The stack may not have reached the service yet, or be long past it: both end the same."""
    somebody = desk(updating(worlds.steady()))
    proposal = somebody.proposed(R, through="stack")
    assert commands(proposal.plan) == [
        "aws cloudformation cancel-update-stack",
        "",
        "aws ecs update-service",
        "",
    ]
    assert facts(proposal.plan)["by"].startswith("cancelling the update of the stack democluster,")
    outcome = somebody.run(proposal)
    assert outcome.ok, outcome
    assert [call.name for call in somebody.world.writes] == [CANCEL, "changes.update"]


def test_a_stack_outside_operate_is_not_cancelled(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    somebody.settings["no_stacks"] = lambda names: f"stack:{names[0]} is outside `operate`"
    assert somebody.refused(R, through="stack").reason == "stack:democluster is outside `operate`"
    assert somebody.proposed(R).plan.otherwise is not None


def test_a_nested_stack_is_cancelled_by_its_root(desk: MakeDesk) -> None:
    world = updating(worlds.crash_looping())
    root = replace(world.stacks[CLUSTER], name="main", arn="arn:aws:cloudformation:::stack/main/1")
    world.stacks["main"] = root
    world.stacks[CLUSTER] = replace(world.stacks[CLUSTER], parent=root.arn)
    somebody = desk(world)
    assert facts(somebody.proposed(R, through="stack").plan)["by"].endswith("the stack main")


def test_once_the_update_has_ended_nothing_is_cancelled(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    proposal = somebody.proposed(R, through="stack")
    updating(somebody.world, "UPDATE_COMPLETE")
    with pytest.raises(Refused):
        somebody.run(proposal)
    assert somebody.world.writes == []
