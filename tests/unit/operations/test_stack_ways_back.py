"""Deleting stacks, and the ways back of one: what is planned, what is refused, how it ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.images import Image
from bgconsole.domain.stacks import Stack, StackEvent, StackResource
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.gateway.scripted_stack_changes import settle
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.operations.spec import No, Proposal, Risk
from bgconsole.watch.once import read_account
from tests.unit.operations.conftest import Desk, MakeDesk
from tests.unit.operations.stack_folder import written

DOWN, CANCEL, CONTINUE = "stacks.down", "stacks.cancel-update", "stacks.continue-rollback"


def stack(world: ScriptedWorld, name: str, status: str = "CREATE_COMPLETE", **more: object) -> None:
    arn = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/1"
    made = Stack(name, arn, status, created_at=world.now)
    world.stacks[name] = replace(made, **more)  # type: ignore[arg-type]


@pytest.fixture
def somebody(desk: MakeDesk, tmp_path: Path) -> Desk:
    world = ScriptedWorld()
    written(tmp_path / "cfn")
    stack(world, "demodb", outputs=(("Url", "the-url"),))
    stack(world, "democluster", parameters=(("DatabaseUrl", "the-url"),))
    return desk(world)


def asked(somebody: Desk, operation: str, *items: str, **params: str) -> Proposal | No:
    snapshot = read_account(somebody.gateway, lambda: somebody.world.now)
    given = {"templates": str(somebody.folder / "cfn"), "items": "\n".join(items), **params}
    first = somebody.runner.propose(OPERATIONS[operation], snapshot, given)
    return first if isinstance(first, No) else somebody.runner.gather(first)


def planned(somebody: Desk, operation: str, *items: str, **params: str) -> Proposal:
    proposal = asked(somebody, operation, *items, **params)
    assert isinstance(proposal, Proposal), proposal
    return proposal


def refused(somebody: Desk, operation: str, *items: str, **params: str) -> No:
    no = asked(somebody, operation, *items, **params)
    assert isinstance(no, No), no
    return no


def deleted(somebody: Desk) -> list[str]:
    calls = (c for c in somebody.world.writes if c.name == "stack_changes.delete")
    return [str(call.arguments["stack"]).split("/")[-2] for call in calls]


def test_users_go_before_what_they_use_and_nothing_is_left(somebody: Desk) -> None:
    proposal = planned(somebody, DOWN)
    assert proposal.risk is Risk.DANGEROUS
    assert proposal.plan.confirm == "123456789012"
    assert any("snapshot" in note for note in proposal.plan.notes)
    assert somebody.run(proposal).ok
    assert deleted(somebody) == ["democluster", "demodb"]
    assert somebody.world.stacks == {}
    assert planned(somebody, DOWN).plan.steps == ()


def test_what_keeps_a_stack_is_said_before(somebody: Desk) -> None:
    assert "democluster uses what it made" in refused(somebody, DOWN, "demodb").reason
    assert planned(somebody, DOWN, "democluster").plan.confirm == "democluster"
    assert "no stack nothing" in refused(somebody, DOWN, "nothing").reason
    stack(somebody.world, "democluster", protected=True)
    assert "termination protection" in refused(somebody, DOWN, "democluster").reason
    stack(somebody.world, "democluster", parameters=(("DeletionProtection", "true"),))
    said = refused(somebody, DOWN, "democluster").reason
    assert "bgconsole up democluster DeletionProtection=false" in said
    stack(somebody.world, "democluster", "UPDATE_IN_PROGRESS")
    assert "cancel the update" in refused(somebody, DOWN, "democluster").reason
    assert somebody.world.writes == []


def test_images_are_deleted_only_if_told(somebody: Desk) -> None:
    world = somebody.world
    stack(world, "demorepo")
    repository = StackResource("R", "AWS::ECR::Repository", "CREATE_COMPLETE", "demorepo")
    world.stack_resources["demorepo"] = (repository,)
    world.images["demorepo"] = (Image("demorepo", "sha256:1", ("a",), None, 1),)
    said = refused(somebody, DOWN, "demorepo").reason
    assert "holds 1 image; --empty deletes them" in said
    assert somebody.run(planned(somebody, DOWN, "demorepo", empty="yes")).ok
    assert world.images["demorepo"] == ()
    assert "demorepo" not in world.stacks


def test_objects_of_a_bucket_are_deleted_only_if_told(somebody: Desk) -> None:
    world = somebody.world
    stack(world, "demopipeline")
    bucket = StackResource("Artifacts", "AWS::S3::Bucket", "CREATE_COMPLETE", "sources-1")
    world.stack_resources["demopipeline"] = (bucket,)
    world.buckets["sources-1"] = {"a.zip": "", "b.zip": ""}
    said = refused(somebody, DOWN, "demopipeline").reason
    assert "bucket sources-1 holds 2 objects; --empty deletes them" in said
    proposal = planned(somebody, DOWN, "demopipeline", empty="yes")
    assert "delete the 2 objects in sources-1" in [step.words for step in proposal.plan.steps]
    assert somebody.run(proposal).ok
    assert world.buckets["sources-1"] == {}
    assert "demopipeline" not in world.stacks


def test_a_bucket_that_may_not_be_read_keeps_nothing_from_being_tried(somebody: Desk) -> None:
    world = somebody.world
    stack(world, "demopipeline")
    bucket = StackResource("Artifacts", "AWS::S3::Bucket", "CREATE_COMPLETE", "sources-1")
    world.stack_resources["demopipeline"] = (bucket,)
    world.fail("artifacts.look", AccessDenied("Denied", "s3:ListBucket"))
    proposal = planned(somebody, DOWN, "demopipeline")
    told = [check.words for check in proposal.plan.checks if check.state == "not checked"]
    assert any("bucket sources-1 is empty: not checked" in words for words in told), told


def test_a_deletion_that_fails_says_what_stays(somebody: Desk) -> None:
    def stuck(world: ScriptedWorld, call: object) -> None:
        event = StackEvent(
            "e", world.now, "Service", "AWS::ECS::Service", "DELETE_FAILED", "democluster", "busy"
        )
        settle(world, "democluster", "DELETE_FAILED", event)

    somebody.world.now = somebody.world.now.replace(minute=30)
    somebody.world.effects["stack_changes.delete"] = stuck
    outcome = somebody.run(planned(somebody, DOWN))
    assert outcome.exit_code == 1
    assert "Service (AWS::ECS::Service): busy" in outcome.sentence
    assert outcome.go_on == "bgconsole down democluster"
    assert deleted(somebody) == ["democluster"]


def test_only_an_update_under_way_is_cancelled(somebody: Desk) -> None:
    assert "no update to cancel" in refused(somebody, CANCEL, "democluster").reason
    assert "Name one stack" in refused(somebody, CANCEL).reason
    stack(somebody.world, "democluster", "UPDATE_IN_PROGRESS")
    outcome = somebody.run(planned(somebody, CANCEL, "democluster"))
    assert outcome.ok
    assert somebody.world.stacks["democluster"].status == "UPDATE_ROLLBACK_COMPLETE"


def stuck_in_rollback(world: ScriptedWorld) -> None:
    stack(world, "democluster", "UPDATE_ROLLBACK_FAILED")
    world.stack_resources["democluster"] = (
        StackResource("Service", "AWS::ECS::Service", "UPDATE_FAILED", reason="no capacity"),
        StackResource("Balancer", "AWS::X::Y", "UPDATE_COMPLETE"),
    )


def test_a_stuck_roll_back_goes_on_skipping_only_what_failed(somebody: Desk) -> None:
    stuck_in_rollback(somebody.world)
    no = refused(somebody, CONTINUE, "democluster", skip="Balancer")
    [(name, words)] = no.choices
    assert name == "Service"
    assert words == "AWS::ECS::Service: no capacity; on the revision that it runs now"
    assert planned(somebody, CONTINUE, "democluster").risk is Risk.DISRUPTIVE
    proposal = planned(somebody, CONTINUE, "democluster", skip="Service")
    assert proposal.risk is Risk.DANGEROUS
    assert "--resources-to-skip Service" in proposal.plan.steps[0].command
    assert somebody.run(proposal).ok
    (call,) = somebody.world.writes
    assert call.arguments["skip"] == ("Service",)
    assert "democluster is" in refused(somebody, CONTINUE, "democluster").reason


def test_what_to_skip_is_chosen_from_all_that_failed(somebody: Desk) -> None:
    stuck_in_rollback(somebody.world)
    somebody.world.stack_resources["democluster"] += (
        StackResource("Rule", "AWS::ElasticLoadBalancingV2::ListenerRule", "UPDATE_FAILED"),
    )
    plan = planned(somebody, CONTINUE, "democluster").plan
    assert plan.otherwise is not None and plan.otherwise.params == {"skip": "?"}
    no = refused(somebody, CONTINUE, "democluster", skip="?")
    assert [name for name, _ in no.choices] == ["Service", "Rule", "Service,Rule"]
    assert "sending traffic as it does now" in no.choices[1][1]
    both = planned(somebody, CONTINUE, "democluster", skip="Service,Rule").plan
    assert "--resources-to-skip Service Rule" in both.steps[0].command
    assert both.otherwise is not None and both.otherwise.params == {"skip": ""}
    assert "on the revision that it runs now" in both.left_to_do[0]


def test_reasons_that_may_not_be_read_do_not_keep_it(somebody: Desk) -> None:
    stuck_in_rollback(somebody.world)
    denied = AccessDenied("AccessDenied", "needs x", action="cloudformation:DescribeStackEvents")
    somebody.world.fail("stacks.events", denied, times=1)
    proposal = planned(somebody, CONTINUE, "democluster")
    assert any("DescribeStackEvents" in check.words for check in proposal.plan.checks)
