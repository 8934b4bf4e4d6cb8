"""Every operation as it is typed: its world, its answer, the writes it sends, how it comes to rest.

A row is one way of an operation: `deploy` of an image and `deploy` of a build are two. The matrix
in `test_every_operation.py` plays each of them through all that can go wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bgconsole.domain.change_set import Change
from bgconsole.domain.images import Image
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.stacks import Stack, StackResource
from bgconsole.gateway.scripted import Call, ScriptedWorld, scripted_gateway
from tests import fleet, two_groups, values, worlds
from tests.unit.operations import test_cancelled_update as cancelled_update
from tests.unit.operations import test_through_stack as through_stack
from tests.unit.operations.stack_folder import written
from tests.unit.operations.test_deploy import NEW, pushed, through
from tests.unit.operations.test_plans import moved_tag
from tests.values import ACCOUNT, CLUSTER, CONTAINER, MEOW, POSTS, REF, REPOSITORY

Happening = Callable[[ScriptedWorld], object]

SERVING = frozenset(
    {
        "UpdateService",
        "StopServiceDeployment",
        "ContinueServiceDeployment",
        "StopTask",
        "ExecuteChangeSet",
        "DeleteStack",
        "CancelUpdateStack",
        "ContinueUpdateRollback",
    }
)
"""The writes after which something serves, or stands, that did not before."""


def rests(world: ScriptedWorld) -> None:
    """A deployment that is under way comes to its end."""
    if world.history[REF][0].ongoing:
        worlds.settle(world)


@dataclass(frozen=True)
class Row:
    """One way of an operation."""

    name: str
    operation: str
    typed: tuple[str, ...]
    """The arguments of the sub-command."""
    word: str
    """What is typed to confirm it."""
    sends: tuple[str, ...]
    """Every write, in order; the first `drafts` of them while the plan is made."""
    guard: Happening
    """What makes a guard refuse it."""
    refusal: str
    """A part of what the guard says."""
    meanwhile: Happening
    """What changes the plan, or forbids it, while it is being read."""
    scene: Callable[[], ScriptedWorld] = worlds.steady
    settles: Callable[[ScriptedWorld], None] = rests
    drafts: int = 0
    stacks: bool = False
    """Whether it is about stacks, from a folder of templates."""
    never_found: frozenset[str] = frozenset()
    """Writes of which it cannot be seen whether they arrived: without an answer it ends there."""

    @property
    def serving(self) -> tuple[int, ...]:
        """Which of the writes serve."""
        return tuple(n for n, name in enumerate(self.sends) if name in SERVING)

    def arguments(self, folder: Path) -> tuple[str, ...]:
        """As typed after `bgconsole`."""
        if self.stacks and self.operation in ("stacks.up", "stacks.down"):
            return (*self.typed, "--templates", str(written(folder / "cfn")))
        return self.typed

    @property
    def confirmed(self) -> tuple[str, ...]:
        """The flags that confirm it where there is no terminal."""
        return ("--yes",) if self.word == "y" else ("--confirm", self.word)


ADD = Change("add", "Something", "AWS::SNS::Topic")
OTHER = ServiceRef(CLUSTER, "other")
FIRST_TASK = worlds.steady().tasks[REF][0].id[:8]


def _deploying(world: ScriptedWorld) -> None:
    world.become(worlds.deploying())


def _with_their_own() -> ScriptedWorld:
    world = pushed()
    live = world.definitions[MEOW.definition_arn]
    arn = live.arn.replace(live.family, "migrations")
    own = replace(live.containers[0], name="migrator")
    world.definitions[arn] = replace(live, arn=arn, family="migrations", containers=(own,))
    return world


def _registered() -> ScriptedWorld:
    world = pushed()
    images = {CONTAINER: f"{values.image(NEW).repository}@{NEW.digest}"}
    scripted_gateway(world).changes.register_pinned(MEOW.definition_arn, images)
    return world


def _gone(world: ScriptedWorld) -> None:
    world.images.pop(REPOSITORY)


def _another_commit(world: ScriptedWorld) -> None:
    world.source = replace(world.source, revision="f00df00")


def _moved(rollout: values.Rollout) -> Happening:
    return lambda world: moved_tag(world, rollout)


def _another_push(world: ScriptedWorld) -> None:
    images = world.images[REPOSITORY]
    other = "sha256:" + "0d" * 32
    world.images[REPOSITORY] = tuple(
        replace(i, digest=other) if NEW.tag in i.tags else i for i in images
    )


def _with_moved(rollout: values.Rollout) -> Callable[[], ScriptedWorld]:
    def scene() -> ScriptedWorld:
        world = worlds.steady()
        moved_tag(world, rollout)
        return world

    return scene


def _no_longer_there(rollout: values.Rollout) -> Happening:
    def happen(world: ScriptedWorld) -> None:
        kept = tuple(i for i in world.images[REPOSITORY] if i.digest != rollout.digest)
        world.images[REPOSITORY] = kept

    return happen


def _runs_already(world: ScriptedWorld) -> None:
    definition = world.definitions[MEOW.definition_arn]
    given = {
        "task_definition": definition.arn,
        "container": definition.containers[0].name,
        "command": ("rails", "db:migrate"),
        "started_by": "bgconsole-migrate/theirs",
        "token": "theirs",
    }
    world.effects["changes.run_task"](world, Call("changes.run_task", given))


def _wants(count: int) -> Happening:
    def happen(world: ScriptedWorld) -> None:
        world.services[REF] = replace(world.services[REF], desired=count)

    return happen


def _tasks_gone(world: ScriptedWorld) -> None:
    world.tasks[REF] = world.tasks[REF][1:]


def _codedeploy(world: ScriptedWorld) -> None:
    world.services[REF] = replace(world.services[REF], controller="CODE_DEPLOY")


def _owner(status: str) -> Happening:
    """The stack that owns the service comes into another state."""
    return lambda world: cancelled_update.updating(world, status)


def _two() -> ScriptedWorld:
    world = worlds.steady()
    fleet.adopt(world, worlds.steady(), OTHER.name)
    fleet.of_each(world)
    return world


def _stack(world: ScriptedWorld, name: str, status: str, **more: object) -> None:
    arn = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/{name}/1"
    made = Stack(name, arn, status, created_at=world.now)
    world.stacks[name] = replace(made, **more)  # type: ignore[arg-type]


def _empty_account() -> ScriptedWorld:
    world = worlds.steady()
    world.stacks.clear()
    world.drafts = {"demodb": (ADD,), "democluster": (ADD,)}
    world.outputs = {
        "demodb": (("Url", "the-url"),),
        "democluster": (("LoadBalancerUrl", "http://site.example"),),
    }
    return world


def _both_stacks() -> ScriptedWorld:
    world = worlds.steady()
    world.stacks.clear()
    _stack(world, "demodb", "CREATE_COMPLETE", outputs=(("Url", "the-url"),))
    given = (("DatabaseUrl", "the-url"), ("Count", "2"))
    _stack(world, "democluster", "CREATE_COMPLETE", parameters=given)
    world.drafts = {"democluster": (ADD,)}
    return world


def _full_repository() -> ScriptedWorld:
    world = _both_stacks()
    _stack(world, "demorepo", "CREATE_COMPLETE")
    world.stack_resources["demorepo"] = (
        StackResource("R", "AWS::ECR::Repository", "CREATE_COMPLETE", "shop"),
    )
    world.images["shop"] = (Image("shop", "sha256:1", ("a",), None, 1),)
    return world


def _put(name: str, status: str, **more: object) -> Happening:
    return lambda world: _stack(world, name, status, **more)


def _stuck(world: ScriptedWorld) -> None:
    _stack(world, "democluster", "UPDATE_ROLLBACK_FAILED")
    world.stack_resources["democluster"] = (
        StackResource("Service", "AWS::ECS::Service", "UPDATE_FAILED", reason="no capacity"),
    )


def _in(happening: Happening) -> Callable[[], ScriptedWorld]:
    def scene() -> ScriptedWorld:
        world = _both_stacks()
        happening(world)
        return world

    return scene


def _another_template(world: ScriptedWorld) -> None:
    world.drafts["democluster"] = (replace(ADD, logical_id="Other"),)
    world.change_sets.clear()


def _more_failed(world: ScriptedWorld) -> None:
    world.stack_resources["democluster"] += (
        StackResource("Rule", "AWS::ElasticLoadBalancingV2::ListenerRule", "UPDATE_FAILED"),
    )


def _ended(world: ScriptedWorld) -> None:
    worlds.settle(world)


REGISTER, UPDATE, RUN = "RegisterTaskDefinition", "UpdateService", "RunTask"
LOST = frozenset({REGISTER})

ROWS = (
    Row(
        "build", "image.build", ("build",), "y", ("docker.build", "docker.push"),
        _gone, "ECR has no repository", _another_commit,
        never_found=frozenset({"docker.build"}),
    ),
    Row(
        "migrate", "service.migrate", ("migrate",), "y", (RUN,),
        _deploying, "A deployment is under way", _runs_already,
        settles=through(worlds.run_ends(0, "migrated")),
    ),
    Row(
        "migrate-with-another-image", "service.migrate", ("migrate", "--image", POSTS.tag), "y",
        (REGISTER, RUN),
        _runs_already, "A migration runs already", _moved(POSTS),
        settles=through(worlds.run_ends(0, "migrated")),
    ),
    Row(
        "deploy-an-image", "service.deploy", ("deploy", "--image", NEW.tag), NEW.tag,
        (REGISTER, UPDATE),
        _deploying, "A deployment is under way", _another_push,
        scene=pushed,
    ),
    Row(
        "deploy-build-and-migrate", "service.deploy", ("deploy", "--migrate"), "5e0c4a1",
        ("docker.build", "docker.push", REGISTER, RUN, UPDATE),
        _runs_already, "A migration runs", _another_commit,
        settles=through(worlds.run_ends(0, "migrated")),
        never_found=frozenset({"docker.build"}),
    ),
    Row(
        "deploy-with-migrations-of-their-own",
        "service.deploy",
        ("deploy", "--image", NEW.tag, "--migrate", "--task-definition", "migrations"),
        NEW.tag,
        (REGISTER, REGISTER, RUN, UPDATE),
        _deploying, "A deployment is under way", _another_push,
        scene=_with_their_own, settles=through(worlds.run_ends(0, "migrated")),
    ),
    Row(
        "deploy-from-the-update", "service.deploy",
        ("deploy", "--from", "update", "--revision", "3"), "3", (UPDATE,),
        _deploying, "A deployment is under way", _deploying,
        scene=_registered,
    ),
    Row(
        "force-redeploy", "service.force-redeploy", ("force-redeploy",), "y", (UPDATE,),
        _deploying, "would take its place", _moved(MEOW),
    ),
    Row(
        "force-redeploy-pinned", "service.force-redeploy", ("force-redeploy", "--pinned"), "y",
        (REGISTER, UPDATE),
        _no_longer_there(MEOW), "gone from", _deploying,
        scene=_with_moved(MEOW),
    ),
    Row(
        "rollback", "service.rollback", ("rollback",), "1", (UPDATE,),
        _codedeploy, "CodeDeploy deploys this service", _moved(POSTS),
    ),
    Row(
        "rollback-pinned", "service.rollback", ("rollback",), "1", (REGISTER, UPDATE),
        _no_longer_there(POSTS), "gone", _deploying,
        scene=_with_moved(POSTS), never_found=LOST,
    ),
    Row(
        "rollback-under-way", "service.rollback", ("rollback",), "1", ("StopServiceDeployment",),
        _codedeploy, "CodeDeploy deploys this service", _ended,
        scene=worlds.deploying,
    ),
    Row(
        "rollback-of-two",
        "service.rollback",
        ("rollback", "--service", REF.name, "--service", OTHER.name),
        "1,1",
        (UPDATE, UPDATE),
        _codedeploy, "CodeDeploy deploys this service", _moved(POSTS),
        scene=_two, settles=fleet.settle,
    ),
    Row(
        "deploy-through-the-stack",
        "service.deploy",
        ("deploy", "--image", NEW.tag, "--through", "stack"),
        NEW.tag,
        ("CreateChangeSet", "ExecuteChangeSet"),
        _owner("UPDATE_ROLLBACK_FAILED"), "the way back got stuck", _another_push,
        scene=through_stack.owned, settles=through_stack.rests, drafts=1,
    ),
    Row(
        "rollback-through-the-stack",
        "service.rollback",
        ("rollback", "--through", "stack"),
        "1",
        ("CreateChangeSet", "ExecuteChangeSet"),
        _owner("UPDATE_ROLLBACK_FAILED"), "the way back got stuck", _owner("UPDATE_IN_PROGRESS"),
        scene=through_stack.owned, settles=through_stack.rests, drafts=1,
    ),
    Row(
        "rollback-cancels-the-update",
        "service.rollback",
        ("rollback", "--through", "stack"),
        "2",
        ("CancelUpdateStack",),
        _codedeploy, "CodeDeploy deploys this service", _owner("UPDATE_COMPLETE"),
        scene=cancelled_update.failing, settles=cancelled_update.ended,
    ),
    Row(
        "approve", "service.approve", ("approve",), "2", ("ContinueServiceDeployment",),
        _ended, "No deployment is under way", _ended,
        scene=two_groups.paused,
    ),
    Row(
        "reject", "service.stop", ("stop",), "y", ("ContinueServiceDeployment",),
        _ended, "nothing to stop", _ended,
        scene=two_groups.paused,
    ),
    Row(
        "stop-a-deployment", "service.stop", ("stop",), "1", ("StopServiceDeployment",),
        _ended, "nothing to stop", _ended,
        scene=two_groups.baking,
    ),
    Row(
        "stop-task", "service.stop-task", ("stop-task", FIRST_TASK), "y", ("StopTask",),
        _tasks_gone, f"No task {FIRST_TASK} runs", _tasks_gone,
        settles=worlds.settle_count,
    ),
    Row(
        "scale-the-count", "service.scale", ("scale", "2"), "y", (UPDATE,),
        _wants(2), "wants 2 tasks already", _wants(3),
        settles=worlds.settle_count,
    ),
    Row(
        "scale-to-nothing", "service.scale", ("scale", "0"), REF.name, (UPDATE,),
        _wants(0), "wants 0 tasks already", _wants(3),
        settles=worlds.settle_count,
    ),
    Row(
        "scale-the-size",
        "service.scale",
        ("scale", "--cpu", "512", "--memory", "1024"),
        "y",
        (REGISTER, UPDATE),
        _deploying, "scale once it has ended", _deploying,
        never_found=LOST,
    ),
    Row(
        "up-from-nothing", "stacks.up", ("up", "demodb", "democluster"), "y",
        ("CreateChangeSet", "ExecuteChangeSet", "CreateChangeSet", "ExecuteChangeSet"),
        _put("demodb", "UPDATE_ROLLBACK_FAILED"), "continue-rollback demodb",
        _put("demodb", "CREATE_COMPLETE", outputs=(("Url", "x"),)),
        scene=_empty_account, drafts=1, stacks=True,
    ),
    Row(
        "up-an-update", "stacks.up", ("up", "democluster", "Count=3"), "y",
        ("CreateChangeSet", "ExecuteChangeSet"),
        _put("democluster", "UPDATE_ROLLBACK_FAILED"), "continue-rollback democluster",
        _another_template,
        scene=_both_stacks, drafts=1, stacks=True,
    ),
    Row(
        "down", "stacks.down", ("down",), ACCOUNT, ("DeleteStack", "DeleteStack"),
        _put("democluster", "CREATE_COMPLETE", protected=True), "termination protection",
        lambda world: world.stacks.pop("democluster"),
        scene=_both_stacks, stacks=True,
    ),
    Row(
        "down-with-images", "stacks.down", ("down", "demorepo", "--empty"), "demorepo",
        ("BatchDeleteImage", "DeleteStack"),
        _put("demorepo", "CREATE_COMPLETE", protected=True), "termination protection",
        lambda world: world.stacks.pop("demorepo"),
        scene=_full_repository, stacks=True, never_found=frozenset({"BatchDeleteImage"}),
    ),
    Row(
        "cancel-update", "stacks.cancel-update", ("cancel-update", "democluster"), "y",
        ("CancelUpdateStack",),
        _put("democluster", "UPDATE_COMPLETE"), "no update to cancel",
        _put("democluster", "UPDATE_COMPLETE"),
        scene=_in(_put("democluster", "UPDATE_IN_PROGRESS")), stacks=True,
    ),
    Row(
        "continue-rollback", "stacks.continue-rollback", ("continue-rollback", "democluster"), "y",
        ("ContinueUpdateRollback",),
        _put("democluster", "UPDATE_COMPLETE"), "no roll back that got stuck", _more_failed,
        scene=_in(_stuck), stacks=True,
    ),
    Row(
        "continue-rollback-skipping", "stacks.continue-rollback",
        ("continue-rollback", "democluster", "--skip", "Service"), "democluster",
        ("ContinueUpdateRollback",),
        _put("democluster", "UPDATE_COMPLETE"), "no roll back that got stuck", _more_failed,
        scene=_in(_stuck), stacks=True,
    ),
)  # fmt: skip
