"""What the plans say: the mechanism, the digests, the checks, and when there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bgconsole.domain.errors import AccessDenied, Unreachable
from bgconsole.domain.identity import Identity
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.operations.spec import Plan, Proposal, Risk
from tests import values, worlds
from tests.unit.operations.conftest import MakeDesk, states
from tests.values import BAD, CONTAINER, MEOW, NOW, POSTS, REF, REGISTRY, REPOSITORY, Rollout

F, R = "service.force-redeploy", "service.rollback"


def facts(plan: Plan) -> dict[str, str]:
    return {fact.label: fact.value for fact in plan.facts}


def commands(plan: Plan) -> list[str]:
    return [step.command.partition(" --")[0] for step in plan.steps]


def moved_tag(world: ScriptedWorld, rollout: Rollout) -> None:
    """Push another image under the tag of a rollout."""
    other = replace(values.image(BAD), tags=(rollout.tag,), pushed_at=NOW - timedelta(hours=1))
    without = tuple(
        replace(image, tags=()) if rollout.tag in image.tags else image
        for image in world.images[REPOSITORY]
    )
    world.images[REPOSITORY] = (other, *without)


def test_a_redeploy_of_the_same_image_is_disruptive(desk: MakeDesk) -> None:
    proposal = desk(worlds.steady()).proposed(F)
    assert proposal.risk is Risk.DISRUPTIVE
    assert proposal.plan.summary.endswith("revision 2, same image 8be01c9")
    assert states(proposal.plan) == {"same image: 8be01c9 still means sha256:77ab10c2": "ok"}
    assert commands(proposal.plan) == ["aws ecs update-service", ""]


def test_a_tag_that_moved_makes_it_the_deploy_of_a_new_image(desk: MakeDesk) -> None:
    world = worlds.steady()
    moved_tag(world, MEOW)
    proposal = desk(world).proposed(F)
    assert proposal.risk is Risk.DANGEROUS
    assert proposal.plan.confirm == "2"
    assert facts(proposal.plan)[f"image {CONTAINER}"] == "8be01c9 · sha256:0ff1ce00"
    (words,) = states(proposal.plan)
    assert "now means sha256:0ff1ce00, pushed 13:00, not sha256:77ab10c2" in words
    assert "NEW image" in words
    assert dict(proposal.plan.expect.digests if proposal.plan.expect else {}) == {
        CONTAINER: BAD.digest
    }


def test_what_runs_now_can_be_restarted_instead(desk: MakeDesk) -> None:
    world = worlds.steady()
    moved_tag(world, MEOW)
    somebody = desk(world)
    other = somebody.proposed(F).plan.otherwise
    assert other is not None
    proposal = somebody.proposed(F, **other.params)
    assert proposal.risk is Risk.DISRUPTIVE
    assert facts(proposal.plan)[f"image {CONTAINER}"].endswith(f"@{MEOW.digest}")
    assert somebody.run(proposal).ok
    assert [call.name for call in world.writes] == ["changes.register_pinned", "changes.update"]
    running = [c.digest for task in world.tasks[REF] for c in task.containers]
    assert running == [MEOW.digest] * 4
    assert desk(worlds.steady()).proposed(F).plan.otherwise is None


def test_an_index_and_its_platforms_manifests_are_one_image(desk: MakeDesk) -> None:
    """The tag means an index; ECS told the manifest that its tasks run."""
    world = worlds.steady()
    index = "sha256:" + "1d" * 32
    world.images[REPOSITORY] = tuple(
        replace(image, digest=index, parts=(MEOW.digest,)) if image.digest == MEOW.digest else image
        for image in world.images[REPOSITORY]
    )
    proposal = desk(world).proposed(F)
    assert proposal.plan.summary.endswith("same image 8be01c9")
    assert proposal.risk is Risk.DISRUPTIVE
    other = ScriptedWorld()
    other.become(world)
    other.images[REPOSITORY] = tuple(replace(i, parts=()) for i in world.images[REPOSITORY])
    assert "NEW image" in desk(other).proposed(F).plan.summary
    why = "AccessDenied: needs ecr:BatchGetImage"
    other.images[REPOSITORY] = tuple(replace(i, unread=why) for i in other.images[REPOSITORY])
    plan = desk(other).proposed(F).plan
    assert "NEW image" not in plan.summary
    assert any(f"not checked (its platforms: {why})" in check.words for check in plan.checks)
    assert plan.expect is not None
    wanted = replace(plan.expect, digests=dict.fromkeys(plan.expect.digests, index))
    assert not any(wanted.differs(task) for task in other.tasks[REF])
    assert all(replace(wanted, parts={}).differs(task) for task in other.tasks[REF])


def test_a_new_image_is_dangerous_whatever_the_configuration_says(desk: MakeDesk) -> None:
    world = worlds.steady()
    moved_tag(world, MEOW)
    somebody = desk(world)
    somebody.settings["risks"] = {F: Risk.SAFE}
    assert somebody.proposed(F).risk is Risk.DANGEROUS


def test_a_tag_that_is_gone_is_refused(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.images[REPOSITORY] = tuple(replace(i, tags=()) for i in world.images[REPOSITORY])
    assert "gone from demorepo: no task could start" in desk(world).refused(F).reason


def test_no_redeploy_while_deploying(desk: MakeDesk) -> None:
    assert "under way" in desk(worlds.deploying()).refused(F).reason


def test_a_check_that_could_not_be_made_never_reads_as_ok(desk: MakeDesk) -> None:
    for operation in (F, R):
        world = worlds.steady()
        world.fail("images.find", AccessDenied("No", action="ecr:DescribeImages"))
        plan = desk(world).proposed(operation).plan
        told = [words for words, state in states(plan).items() if state == "not checked"]
        assert any("not checked (AccessDenied: ecr:DescribeImages)" in words for words in told)
        assert not any("image" in words for words, state in states(plan).items() if state == "ok")


def test_a_task_definition_that_was_active_is_not_called_active_while_aws_is_silent(
    desk: MakeDesk,
) -> None:
    world = worlds.deploying()
    somebody = desk(world)
    first = somebody.runner.propose(OPERATIONS[R], somebody.snapshot(), {})
    assert isinstance(first, Proposal)
    name = POSTS.definition_arn.rpartition("/")[2]
    assert states(first.plan)[f"task definition {name}"] == "checking"
    world.fail("services.task_definition", Unreachable("No answer"))
    silent = somebody.runner.gather(first)
    assert isinstance(silent, Proposal)
    words = "not checked (No answer); it was ACTIVE when its tasks were read"
    assert states(silent.plan)[f"task definition {name}: {words}"] == "not checked"
    world.heal("services.task_definition")
    answered = somebody.runner.gather(first)
    assert isinstance(answered, Proposal)
    assert states(answered.plan)[f"task definition {name} is ACTIVE"] == "ok"


def test_before_the_look_ups_checks_say_so_and_the_facts_are_the_same(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    first = somebody.runner.propose(OPERATIONS[R], somebody.snapshot(), {})
    assert isinstance(first, Proposal)
    assert not first.gathered
    assert "checking" in states(first.plan).values()
    assert first.plan.decides() == somebody.proposed(R).plan.decides()


def test_a_roll_back_updates_to_the_task_definition_that_ran(desk: MakeDesk) -> None:
    plan = desk(worlds.steady()).proposed(R).plan
    assert plan.confirm == "1"
    assert facts(plan)["from"] == "revision 2 · 8be01c9 · sha256:77ab10c2"
    assert facts(plan)["to"] == "revision 1 · 1f3c2aa · sha256:9d1d599a"
    assert next(f.aside for f in plan.facts if f.label == "to").startswith("ran well 2 d 21 h")
    assert commands(plan) == ["aws ecs update-service", ""]
    assert "not known" in " ".join(states(plan)), "migrations are never 'none'"
    assert plan.left_to_do == (
        "CloudFormation: the stack democluster will drift: its template still names another "
        "revision, and its next update deploys that.",
    )


def test_while_deploying_ecs_is_asked_to_roll_back(desk: MakeDesk) -> None:
    plan = desk(worlds.crash_looping()).proposed(R).plan
    assert plan.confirm == "2"
    assert commands(plan) == ["aws ecs stop-service-deployment", ""]
    assert plan.steps[-1].words.endswith("are healthy and the new tasks are gone")
    assert plan.left_to_do == ()


def test_a_mutable_tag_that_means_something_else_is_pinned(desk: MakeDesk) -> None:
    world = worlds.steady()
    moved_tag(world, POSTS)
    plan = desk(world).proposed(R).plan
    assert commands(plan) == ["aws ecs register-task-definition", "aws ecs update-service", ""]
    assert f"{REGISTRY}/{REPOSITORY}@{POSTS.digest}" in plan.steps[0].words
    assert facts(plan)["by"] == "a new revision pinned to sha256:9d1d599a"
    assert plan.confirm == "1"


def test_an_inactive_definition_is_copied(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.definitions[POSTS.definition_arn] = replace(values.definition(POSTS), status="INACTIVE")
    plan = desk(world).proposed(R).plan
    assert commands(plan)[0] == "aws ecs register-task-definition"
    assert any("INACTIVE: a copy" in w and s == "warning" for w, s in states(plan).items())


def test_an_image_that_is_gone_is_refused_where_tasks_must_pull(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.images[REPOSITORY] = (values.image(MEOW),)
    assert "gone from the registry: no task could pull it" in desk(world).refused(R).reason
    world = worlds.deploying()
    world.images[REPOSITORY] = (values.image(MEOW),)
    assert "warning" in states(desk(world).proposed(R).plan).values(), "old tasks still run"


def test_no_guess_further_back_offers_the_record(desk: MakeDesk) -> None:
    no = desk(worlds.rolled_back()).refused(R)
    assert "not guessed" in no.reason
    assert [value for value, _ in no.choices] == ["1"], "what is live already is no choice"


def test_a_record_that_could_not_be_read_is_not_said_not_to_be_there(desk: MakeDesk) -> None:
    world = worlds.steady()
    action = "ecs:ListServiceDeployments"
    world.fail("services.service_deployments", AccessDenied("AccessDenied", action=action))
    reason = desk(world).refused(R).reason
    assert (
        f"record of earlier deployments could not be read (AccessDenied: needs {action})" in reason
    )
    assert "no record" not in reason


def test_two_images_of_one_revision_are_told_apart(desk: MakeDesk) -> None:
    world = worlds.steady()
    newest, older = world.history[REF][:2]
    revision = world.revisions[newest.target.arn]
    earlier = world.revisions[older.target.arn]
    images = tuple(replace(image, digest=POSTS.digest) for image in revision.images)
    world.revisions[older.target.arn] = replace(
        earlier, task_definition=revision.task_definition, images=images
    )
    plan = desk(world).proposed(R).plan
    assert plan.summary == (
        "Roll back democluster-service from revision 2 (sha256 77ab10c2) "
        "to revision 2 (sha256 9d1d599a)"
    )


def test_commands_name_where_they_go(desk: MakeDesk) -> None:
    place = replace(worlds.steady().place, profile="pro d", endpoint="127.0.0.1:4566")
    for operation, world in (
        (F, worlds.steady()),
        (R, worlds.steady()),
        (R, worlds.crash_looping()),
    ):
        world.place = place
        plan = desk(world).proposed(operation).plan
        assert plan.steps[0].command.endswith(
            " --region us-east-1 --profile 'pro d' --endpoint-url http://127.0.0.1:4566"
        )


def test_a_named_revision_is_planned(desk: MakeDesk) -> None:
    plan = desk(worlds.rolled_back()).proposed(R, to="1").plan
    assert plan.confirm == "1"
    assert commands(plan) == ["aws ecs update-service", ""]


def test_a_revision_without_a_record_is_planned_with_a_warning(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.history[REF] = ()
    assert "no record" in desk(world).refused(R).reason
    plan = desk(world).proposed(R, to="1").plan
    assert any("not on record" in w and s == "warning" for w, s in states(plan).items())


def test_codedeploy_is_left_alone(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.services[REF] = replace(world.services[REF], controller="CODE_DEPLOY")
    for operation in (F, R):
        assert "CodeDeploy" in desk(world).refused(operation).reason


def test_an_image_of_another_account_is_not_asked_for(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.identity = Identity("999999999999", "arn:aws:iam::999999999999:user/ops")
    plan = desk(world).proposed(F).plan
    assert any("it is in account 123456789012" in words for words in states(plan))
    assert world.count("images.find") == 0


def test_the_owning_stack_in_mid_change_is_told(desk: MakeDesk) -> None:
    world = worlds.crash_looping()
    stack = world.stacks["democluster"]
    world.stacks["democluster"] = replace(stack, status="UPDATE_IN_PROGRESS")
    (words,) = (w for w in states(desk(world).proposed(R).plan) if "UPDATE_IN_PROGRESS" in w)
    assert "roll its own change back, which deploys the old revision once more" in words
    assert "aws cloudformation cancel-update-stack --stack-name democluster" in words


def test_a_stack_that_goes_on_after_the_roll_back_is_to_be_cancelled_first(desk: MakeDesk) -> None:
    world = worlds.steady()
    stack = world.stacks["democluster"]
    world.stacks["democluster"] = replace(stack, status="UPDATE_IN_PROGRESS")
    (words,) = (w for w in states(desk(world).proposed(R).plan) if "UPDATE_IN_PROGRESS" in w)
    assert "may still deploy its own revision over this one. First: aws cloudformation" in words
    world.stacks["democluster"] = replace(stack, status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    assert not any("IN_PROGRESS" in w for w in states(desk(world).proposed(R).plan))


def test_read_only_has_no_operation_left(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    offered = [operation for operation, _ in somebody.runner.operations(somebody.snapshot())]
    assert offered == [each for each in OPERATIONS.values() if each.about == "service"]
    somebody.settings["read_only"] = True
    assert somebody.runner.operations(somebody.snapshot()) == ()
    assert "read-only" in somebody.refused(F).reason
