"""Deploy and roll back through the stack that owns the service: draft, plan, run, refusals."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from bgconsole.domain.change_set import Change
from bgconsole.domain.errors import AccessDenied, Refused, Unreachable
from bgconsole.domain.services import Bounds
from bgconsole.domain.snapshot import Part
from bgconsole.gateway.port import Submitted
from bgconsole.gateway.scripted import Call, ScriptedWorld, scripted_gateway
from bgconsole.gateway.scripted_stack_changes import settle
from bgconsole.operations import stack_drafts
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.operations.outcome import PlanChanged
from bgconsole.operations.spec import No, Plan, Risk
from tests import values, worlds
from tests.unit.operations.conftest import Desk, MakeDesk, states
from tests.unit.operations.test_deploy import BUILT, NEW, through
from tests.unit.operations.test_plans import commands, facts, moved_tag
from tests.values import CONTAINER, MEOW, POSTS, REF, REGISTRY, REPOSITORY, SERVICE_ARN

U, R = "service.deploy", "service.rollback"
CLUSTER = "democluster"
STACK = {"through": "stack"}
IMAGE = f"{REGISTRY}/{REPOSITORY}@{NEW.digest}"
SHORT = NEW.digest[:15]
DRAFT, EXECUTE, DISCARD = (f"stack_changes.{each}" for each in ("draft", "execute", "discard"))

DEFINITION = Change("replace", "TaskDefinition", "AWS::ECS::TaskDefinition")
SERVICE = Change("change", "Service", "AWS::ECS::Service", SERVICE_ARN, ("TaskDefinition",))
RULE = Change("replace", "Rule", "AWS::ElasticLoadBalancingV2::ListenerRule")


def owned(*changes: Change) -> ScriptedWorld:
    """Revision 2 serves, a new image is in the registry, and a stack of parameters owns it all."""
    world = worlds.steady()
    world.images[REPOSITORY] = (values.image(NEW), *world.images[REPOSITORY])
    given = (
        ("DatabaseUrl", "****"),
        ("DockerImage", f"{REGISTRY}/{REPOSITORY}:{MEOW.tag}"),
        ("Other", "1"),
    )
    world.stacks[CLUSTER] = replace(world.stacks[CLUSTER], parameters=given)
    world.drafts[CLUSTER] = changes or (DEFINITION, SERVICE)
    world.effects[EXECUTE] = deploys
    return world


def deploys(world: ScriptedWorld, call: Call) -> Submitted | None:
    """The stack moves the service to the image that was drafted."""
    del call
    gateway, image = scripted_gateway(world), world.drafted[CLUSTER]["DockerImage"]
    made = gateway.changes.register_pinned(MEOW.definition_arn, {CONTAINER: image}).created
    gateway.changes.update(REF, task_definition=made)
    world.stacks[CLUSTER] = replace(world.stacks[CLUSTER], status="UPDATE_IN_PROGRESS")
    return None


def rests(world: ScriptedWorld) -> None:
    """The service is stable, and with it the stack."""
    if world.stacks[CLUSTER].moving:
        worlds.settle(world)
        settle(world, CLUSTER, "UPDATE_COMPLETE")


def at_work(desk: MakeDesk, *changes: Change) -> Desk:
    somebody = desk(owned(*changes))
    somebody.waits = [lambda _: None, rests]
    return somebody


def sent(somebody: Desk) -> list[str]:
    """What was written to stacks."""
    return [c.name for c in somebody.world.writes if c.name.startswith("stack_changes.")]


def left(somebody: Desk) -> list[str]:
    return [name for _, name in somebody.world.change_sets]


def loud(plan: Plan) -> dict[str, str]:
    return {fact.label: fact.value for fact in plan.facts if fact.loud}


def running(somebody: Desk) -> set[str]:
    return {c.digest for task in somebody.world.tasks[REF] for c in task.containers}


def test_without_the_setting_nothing_is_drafted_and_the_drift_is_told(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    plan = somebody.proposed(U, image=NEW.tag).plan
    assert commands(plan) == ["aws ecs register-task-definition", "aws ecs update-service", ""]
    (words,) = plan.left_to_do
    assert "will drift: its template still names another revision, and its next update" in words
    assert plan.otherwise is None
    assert sent(somebody) == []


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("service.force-redeploy", {"pinned": "yes"}),
        ("service.scale", {"cpu": "512", "memory": "1024"}),
        (R, {}),
    ],
)
def test_whatever_registers_a_revision_past_the_stack_tells_the_drift(
    desk: MakeDesk, operation: str, params: dict[str, str]
) -> None:
    somebody = at_work(desk)
    moved_tag(somebody.world, MEOW)
    told = somebody.proposed(operation, **params).plan.left_to_do
    assert any("the stack democluster will drift" in words for words in told)
    somebody.world.services[REF] = replace(somebody.world.services[REF], stack="")
    assert not any("drift" in w for w in somebody.proposed(operation, **params).plan.left_to_do)


def test_a_deploy_past_a_stack_that_is_at_work_says_what_that_will_do(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    stack = somebody.world.stacks[CLUSTER]
    somebody.world.stacks[CLUSTER] = replace(stack, status="UPDATE_IN_PROGRESS")
    told = states(somebody.proposed(U, image=NEW.tag).plan)
    (words,) = (w for w in told if "may still deploy its own revision over this one" in w)
    assert told[words] == "warning"


def test_the_command_that_goes_on_goes_the_same_way(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    given = somebody.world.stacks[CLUSTER].parameters
    renamed = tuple(("Web" if name == "DockerImage" else name, value) for name, value in given)
    somebody.world.stacks[CLUSTER] = replace(somebody.world.stacks[CLUSTER], parameters=renamed)
    for operation in (U, R):
        params = {"image": NEW.tag} if operation == U else {}
        way = {**STACK, "image-parameter": "Web"}
        step = somebody.proposed(operation, **params, **way).plan.steps[0]
        assert step.go_on is not None
        assert step.go_on({}).endswith("--through stack --image-parameter Web")


def test_the_plan_shows_the_draft_and_changes_the_image_alone(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    proposal = somebody.proposed(U, image=NEW.tag, **STACK)
    plan = proposal.plan
    (drafted,) = (c for c in somebody.world.writes if c.name == DRAFT)
    assert drafted.arguments["parameters"] == {"DockerImage": IMAGE}
    assert drafted.arguments["keep"] == ("DatabaseUrl", "Other")
    assert drafted.arguments["template"] == ""
    assert drafted.arguments["nested"] is False
    told = facts(plan)
    assert told["by"] == (
        f"a change set of the stack democluster: DockerImage is {NEW.tag} · {SHORT}, all else stays"
    )
    assert told["democluster"] == "update: 2 to change"
    assert told["  ± TaskDefinition"].startswith("REPLACE AWS::ECS::TaskDefinition")
    assert told["  ~ Service"] == "change AWS::ECS::Service (TaskDefinition)"
    assert loud(plan) == {}
    assert plan.confirm == NEW.tag
    assert [step.words for step in plan.steps] == [
        f"update the stack democluster by a change set: DockerImage = {IMAGE}, "
        "2 other parameters as before",
        "follow democluster until it is UPDATE_COMPLETE",
        "read back what the tasks of democluster-service run then",
    ]
    assert "****" not in plan.steps[0].command
    assert "execute-change-set" in plan.steps[0].command
    assert plan.left_to_do == ()
    assert "drafted" in somebody.events


def test_it_is_carried_out_followed_and_proved_by_the_tasks(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    outcome = somebody.run(somebody.proposed(U, image=NEW.tag, **STACK))
    assert outcome.ok, outcome
    assert sent(somebody) == [DRAFT, EXECUTE]
    assert running(somebody) == {NEW.digest}
    assert dict(somebody.world.stacks[CLUSTER].parameters)["DockerImage"] == IMAGE
    assert dict(somebody.world.stacks[CLUSTER].parameters)["DatabaseUrl"] == "****"
    assert "as read back from all 4 running tasks" in "\n".join(outcome.receipt)
    assert left(somebody) == []


def test_the_draft_is_taken_back_where_the_answer_is_no(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    proposal = somebody.proposed(U, image=NEW.tag, **STACK)
    assert len(left(somebody)) == 1
    somebody.runner.discard(proposal)
    assert left(somebody) == []


def test_an_image_that_is_built_is_held_against_what_was_shown(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    proposal = somebody.proposed(U, **STACK)
    assert "sha256:000" in str(somebody.world.writes[-1].arguments["parameters"])
    assert any("yet to be built" in note for note in proposal.plan.notes)
    outcome = somebody.run(proposal)
    assert outcome.ok, outcome
    assert running(somebody) == {BUILT}
    image = dict(somebody.world.stacks[CLUSTER].parameters)["DockerImage"]
    assert image == f"{REGISTRY}/{REPOSITORY}@{BUILT}"
    assert left(somebody) == []


@pytest.mark.parametrize(
    "more", [RULE, replace(SERVICE, tasks=1), replace(SERVICE, verb="replace")]
)
def test_more_than_was_shown_is_not_carried_out(desk: MakeDesk, more: Change) -> None:
    """Somebody changed the stack while the image was built."""
    somebody = at_work(desk)
    proposal = somebody.proposed(U, **STACK)
    somebody.world.after("docker.push", lambda world: world.drafts.update({CLUSTER: (more,)}))
    outcome = somebody.run(proposal)
    assert (outcome.ok, outcome.exit_code) == (False, 3)
    assert "would change more than was shown" in outcome.sentence
    assert "What serves was not changed." in outcome.sentence
    assert f"--image {REGISTRY}/{REPOSITORY}@{BUILT}" in outcome.go_on
    assert "--through stack" in outcome.go_on
    assert EXECUTE not in sent(somebody)
    assert left(somebody) == []


def test_fewer_tasks_than_autoscaling_runs_are_red_and_the_services_name_is_typed(
    desk: MakeDesk,
) -> None:
    somebody = at_work(desk, DEFINITION, replace(SERVICE, tasks=2))
    somebody.settings["risks"] = {U: Risk.DISRUPTIVE}
    somebody.world.autoscaling[REF] = Bounds(2, 20)
    proposal = somebody.proposed(U, image=NEW.tag, **STACK)
    assert loud(proposal.plan) == {"tasks": "4 → 2"}
    (fact,) = (f for f in proposal.plan.facts if f.label == "tasks")
    assert fact.aside == "autoscaling holds 2 to 20, the template gives DesiredCount 2"
    assert "tasks" in proposal.plan.in_view
    assert proposal.risk is Risk.DANGEROUS
    assert proposal.plan.confirm == REF.name


def test_as_many_tasks_as_run_are_no_matter(desk: MakeDesk) -> None:
    somebody = at_work(desk, DEFINITION, replace(SERVICE, tasks=4))
    somebody.settings["risks"] = {U: Risk.DISRUPTIVE}
    proposal = somebody.proposed(U, image=NEW.tag, **STACK)
    assert loud(proposal.plan) == {}
    assert proposal.risk is Risk.DISRUPTIVE


def test_what_would_be_lost_is_red_and_dangerous(desk: MakeDesk) -> None:
    somebody = at_work(desk, DEFINITION, SERVICE, RULE)
    somebody.settings["risks"] = {U: Risk.DISRUPTIVE}
    proposal = somebody.proposed(U, image=NEW.tag, **STACK)
    assert list(loud(proposal.plan)) == ["  ± Rule"]
    assert (proposal.risk, proposal.plan.confirm) == (Risk.DANGEROUS, REF.name)


def test_what_the_change_set_does_not_tell_is_not_checked(desk: MakeDesk) -> None:
    nested = Change("change", "Cluster", "AWS::CloudFormation::Stack", untold=True)
    for changes in ((nested,), (DEFINITION, replace(SERVICE, untold=True))):
        told = states(at_work(desk, *changes).proposed(U, image=NEW.tag, **STACK).plan)
        (words,) = (w for w, state in told.items() if "another number of tasks" in w)
        assert told[words] == "not checked"


def test_another_service_of_the_stack_is_named(desk: MakeDesk) -> None:
    worker = replace(SERVICE, logical_id="Worker", physical_id="arn:aws:ecs:::service/c/worker")
    plan = at_work(desk, DEFINITION, SERVICE, worker).proposed(U, image=NEW.tag, **STACK).plan
    assert states(plan)["it deploys Worker as well, which is not followed here"] == "warning"


@pytest.mark.parametrize(
    ("stack", "params", "words"),
    [
        ({"status": "UPDATE_IN_PROGRESS"}, {}, "democluster is UPDATE_IN_PROGRESS: cancel the"),
        ({"status": "UPDATE_ROLLBACK_FAILED"}, {}, "the way back got stuck"),
        ({"parent": "arn:elsewhere"}, {}, "is nested in one that cannot be seen"),
        ({}, {"image-parameter": "Image"}, "has no parameter Image: say which one"),
        ({}, {"through": "stak"}, "--through is service or stack, not 'stak'"),
    ],
)
def test_a_stack_that_cannot_be_gone_through_is_refused(
    desk: MakeDesk, stack: dict[str, Any], params: dict[str, str], words: str
) -> None:
    somebody = at_work(desk)
    somebody.world.stacks[CLUSTER] = replace(somebody.world.stacks[CLUSTER], **stack)
    no = somebody.refused(U, image=NEW.tag, **{**STACK, **params})
    assert words in no.reason
    assert no.choices == () or (no.param, no.choices[0][0]) == ("through", "service")
    assert sent(somebody) == []


def test_stacks_that_were_not_read_are_said_to_be(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    somebody.world.fail("stacks.stacks", AccessDenied("AWS refuses", "", action="cloudformation:X"))
    assert "which owns the service, was not read" in somebody.refused(U, **STACK).reason


def test_stacks_that_are_being_read_are_waited_for(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    early = replace(somebody.snapshot(), stacks=Part())
    no = somebody.runner.propose(OPERATIONS[R], early, STACK)
    assert isinstance(no, No)
    assert no.reason.endswith("is being read: again in a moment.")
    assert no.choices == (), "nobody is led past the stack for want of a second"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((), "names this image already, so its update would change nothing"),
        ((RULE,), "leaves the service as it is"),
    ],
)
def test_a_draft_that_does_not_deploy_is_refused_and_taken_back(
    desk: MakeDesk, changes: tuple[Change, ...], words: str
) -> None:
    somebody = at_work(desk)
    somebody.world.drafts[CLUSTER] = changes
    no = somebody.refused(U, image=NEW.tag, **STACK)
    assert words in no.reason
    assert left(somebody) == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("CREATE_IN_PROGRESS", "still working out what would change in democluster"),
        ("FAILED", "The change set of the stack democluster failed: Parameter Days is wrong."),
    ],
)
def test_a_draft_that_is_not_to_be_carried_out_is_refused(
    desk: MakeDesk, monkeypatch: pytest.MonkeyPatch, status: str, words: str
) -> None:
    monkeypatch.setattr(stack_drafts, "LOOKS", 0)
    somebody = at_work(desk)

    def drafted(world: ScriptedWorld, call: Call) -> Submitted | None:
        del call
        ((key, made),) = world.change_sets.items()
        reason = "Parameter Days is wrong."
        world.change_sets[key] = replace(made, status=status, execution="", reason=reason)
        return None

    somebody.world.effects[DRAFT] = drafted
    assert words in somebody.refused(U, image=NEW.tag, **STACK).reason
    assert left(somebody) == []


def test_a_draft_that_aws_refuses_is_told_with_the_way_past(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    denied = AccessDenied("AWS refuses", "", action="cloudformation:CreateChangeSet")
    somebody.world.fail(DRAFT, denied)
    no = somebody.refused(U, image=NEW.tag, **STACK)
    assert "cloudformation:CreateChangeSet" in no.reason
    assert no.choices[0][0] == "service"


def test_a_stack_that_began_to_move_meanwhile_is_left_alone(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    proposal = somebody.proposed(U, **STACK)

    def moves(world: ScriptedWorld) -> None:
        world.stacks[CLUSTER] = replace(world.stacks[CLUSTER], status="UPDATE_IN_PROGRESS")

    somebody.world.after("docker.push", moves)
    outcome = somebody.run(proposal)
    assert (outcome.ok, outcome.exit_code) == (False, 3)
    assert "democluster is UPDATE_IN_PROGRESS now" in outcome.sentence
    assert EXECUTE not in sent(somebody)


def test_a_stack_that_goes_back_is_a_failed_deploy(desk: MakeDesk) -> None:
    somebody = at_work(desk)

    def fails(world: ScriptedWorld) -> None:
        if world.stacks[CLUSTER].moving:
            worlds.settle(world, well=False)
            settle(world, CLUSTER, "UPDATE_ROLLBACK_COMPLETE")

    somebody.waits = [fails]
    outcome = somebody.run(somebody.proposed(U, image=NEW.tag, **STACK))
    assert (outcome.ok, outcome.exit_code, outcome.title) == (False, 1, "Failed")
    assert "democluster is UPDATE_ROLLBACK_COMPLETE" in outcome.sentence


def test_an_execution_without_an_answer_is_looked_for_not_sent_again(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    proposal = somebody.proposed(U, image=NEW.tag, **STACK)

    def lost(world: ScriptedWorld, call: Call) -> Submitted | None:
        deploys(world, call)
        raise Unreachable("AWS cannot be reached", "timed out")

    somebody.world.effects[EXECUTE] = lost
    outcome = somebody.run(proposal)
    assert outcome.ok, outcome
    assert somebody.world.count(EXECUTE) == 1


def test_stopped_before_it_is_sent_the_draft_goes(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    proposal = somebody.proposed(U, image=NEW.tag, **STACK)
    cancelled = threading.Event()
    cancelled.set()
    outcome = somebody.run(proposal, cancelled)
    assert (outcome.ok, outcome.exit_code) == (False, 130)
    assert EXECUTE not in sent(somebody)
    assert left(somebody) == []


def test_it_migrates_with_a_revision_of_its_own_first(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    ends = through(worlds.run_ends(0))

    def both(world: ScriptedWorld) -> None:
        if world.stacks[CLUSTER].moving:
            rests(world)
        else:
            ends(world)

    somebody.waits = [both]
    proposal = somebody.proposed(U, image=NEW.tag, migrate="yes", **STACK)
    outcome = somebody.run(proposal)
    assert outcome.ok, outcome
    names = [call.name for call in somebody.world.writes]
    assert names[:4] == [DRAFT, "changes.register_pinned", "changes.run_task", EXECUTE]
    (step,) = (s for s in proposal.plan.steps if s.words.startswith("update the stack"))
    assert step.go_on is not None
    assert "--no-migrate" in step.go_on({})


def test_a_migration_that_fails_leaves_stack_and_service_alone(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    somebody.waits = [through(worlds.run_ends(3))]
    proposal = somebody.proposed(U, image=NEW.tag, migrate="yes", **STACK)
    outcome = somebody.run(proposal)
    assert not outcome.ok
    assert EXECUTE not in sent(somebody)
    assert left(somebody) == []
    assert outcome.go_on.endswith("--through stack")


def test_a_roll_back_gives_the_stack_the_image_that_ran(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    proposal = somebody.proposed(R, **STACK)
    plan = proposal.plan
    image = f"{REGISTRY}/{REPOSITORY}@{POSTS.digest}"
    assert image in plan.steps[0].words
    assert f"DockerImage is {REPOSITORY}@{POSTS.digest[:15]}, all" in facts(plan)["by"]
    assert plan.confirm == str(POSTS.revision)
    assert not any("drift" in words for words in plan.left_to_do)
    assert plan.otherwise is not None
    assert plan.otherwise.params == {"through": "service"}
    outcome = somebody.run(proposal)
    assert outcome.ok, outcome
    assert sent(somebody) == [DRAFT, EXECUTE]
    assert running(somebody) == {POSTS.digest}


def test_a_roll_back_tells_what_the_image_alone_does_not_put_back(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    known = somebody.world.definitions
    for rollout, content in ((POSTS, "one"), (MEOW, "another")):
        known[rollout.definition_arn] = replace(known[rollout.definition_arn], content=content)
    told = states(somebody.proposed(R, **STACK).plan)
    (words,) = (w for w in told if "in more than its image" in w)
    assert told[words] == "warning"


def test_while_a_deployment_is_under_way_ecs_takes_it_back(desk: MakeDesk) -> None:
    somebody = desk(worlds.crash_looping())
    plan = somebody.proposed(R, **STACK).plan
    assert commands(plan)[0] == "aws ecs stop-service-deployment"
    assert sent(somebody) == []


def test_a_service_of_no_stack_is_changed_itself(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    somebody.world.services[REF] = replace(somebody.world.services[REF], stack="")
    plan = somebody.proposed(U, image=NEW.tag, **STACK).plan
    assert commands(plan)[-2] == "aws ecs update-service"
    assert plan.otherwise is None


def test_a_nested_stack_is_changed_through_its_root(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    world = somebody.world
    own = world.stacks[CLUSTER]
    root = replace(own, name="main", arn="arn:aws:cloudformation:::stack/main/1")
    world.stacks["main"] = root
    world.stacks[CLUSTER] = replace(own, parent=root.arn, parameters=())
    nested = replace(SERVICE, logical_id="Cluster/Service")
    world.drafts["main"] = (Change("change", "Cluster", "AWS::CloudFormation::Stack"), nested)
    plan = somebody.proposed(U, image=NEW.tag, **STACK).plan
    (drafted,) = (c for c in world.writes if c.name == DRAFT)
    assert (drafted.arguments["stack"], drafted.arguments["nested"]) == ("main", True)
    assert "--include-nested-stacks" in plan.steps[0].command
    assert facts(plan)["main"] == "update: 2 to change"


def test_a_stack_outside_operate_is_not_drafted(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    somebody.settings["no_stacks"] = lambda names: f"stack:{names[0]} is outside `operate`"
    for operation, params in ((U, {"image": NEW.tag}), (U, {}), (R, {})):
        no = somebody.refused(operation, **params, **STACK)
        assert no.reason == "stack:democluster is outside `operate`"
    assert sent(somebody) == []


def test_what_autoscaling_did_meanwhile_is_shown_before_it_is_done(desk: MakeDesk) -> None:
    somebody = at_work(desk, DEFINITION, replace(SERVICE, tasks=4))
    proposal = somebody.proposed(R, **STACK)
    somebody.world.services[REF] = replace(somebody.world.services[REF], desired=9)
    with pytest.raises(PlanChanged) as changed:
        somebody.run(proposal)
    assert loud(changed.value.proposal.plan) == {"tasks": "9 → 4"}
    assert EXECUTE not in sent(somebody)
    assert len(left(somebody)) == 1, "the draft is that of the plan that is shown now"


def test_the_draft_of_a_plan_that_changed_is_taken_back(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    proposal = somebody.proposed(U, image=NEW.tag, **STACK)
    (old,) = left(somebody)
    images = somebody.world.images[REPOSITORY]
    moved = replace(images[0], digest=BUILT)
    somebody.world.images[REPOSITORY] = (moved, *images[1:])
    with pytest.raises(PlanChanged):
        somebody.run(proposal)
    (new,) = left(somebody)
    assert new != old


def test_the_draft_of_a_plan_that_is_refused_meanwhile_is_taken_back(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    proposal = somebody.proposed(U, image=NEW.tag, **STACK)
    somebody.world.become(worlds.deploying())
    with pytest.raises(Refused):
        somebody.run(proposal)
    assert left(somebody) == []


def test_a_tag_that_moved_is_no_matter_for_what_is_put_back_by_digest(desk: MakeDesk) -> None:
    somebody = at_work(desk)
    moved_tag(somebody.world, POSTS)
    plan = somebody.proposed(R, **STACK).plan
    assert f"{REPOSITORY}@{POSTS.digest}" in plan.steps[0].words
    assert not any("may mean another image" in note for note in plan.notes)
