"""Deploy: the steps in their order, what a failure at each leaves behind, and how to go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bgconsole.domain.errors import (
    AccessDenied,
    ExpiredCredentials,
    GatewayError,
    Throttled,
    Unreachable,
)
from bgconsole.gateway.port import Submitted
from bgconsole.gateway.scripted import Call, ScriptedWorld, scripted_gateway
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.operations.outcome import PlanChanged
from bgconsole.operations.spec import Risk
from tests import values, worlds
from tests.unit.operations.conftest import Desk, MakeDesk, states
from tests.unit.operations.test_plans import commands, facts
from tests.values import BAD, CONTAINER, FAMILY, MEOW, NOW, POSTS, REF, REGISTRY, REPOSITORY

U = "service.deploy"
BUILT = "sha256:" + "c" * 64
"""What the scripted engine's build is pushed as."""
NEW = replace(BAD, tag="c0ffee1", at=NOW)


def pushed() -> ScriptedWorld:
    """Revision 2 serves, and a new image is in the registry."""
    world = worlds.steady()
    world.images[REPOSITORY] = (values.image(NEW), *world.images[REPOSITORY])
    return world


def nothing(_: ScriptedWorld) -> None:
    """Time passes."""


def through(change: Callable[[ScriptedWorld], None]) -> Callable[[ScriptedWorld], None]:
    """The migration ends as told, and a deployment that is under way comes to its end."""

    def both(world: ScriptedWorld) -> None:
        if world.runs and not world.runs[0].stopped:
            change(world)
        if len(world.services[REF].deployments) > 1:
            worlds.settle(world)

    return both


def migrated(desk: MakeDesk, code: int | None = 0, *lines: str) -> Desk:
    somebody = desk(pushed())
    somebody.waits = [through(worlds.run_ends(code, *lines))]
    return somebody


def test_without_migrations_it_registers_updates_and_proves_the_digest(desk: MakeDesk) -> None:
    somebody = desk(pushed())
    proposal = somebody.proposed(U, image=NEW.tag)
    assert proposal.risk is Risk.DANGEROUS
    assert proposal.plan.confirm == NEW.tag
    assert facts(proposal.plan)["first"] == "no migrations are run"
    assert commands(proposal.plan) == [
        "aws ecs register-task-definition",
        "aws ecs update-service",
        "",
    ]
    outcome = somebody.run(proposal)
    assert outcome.ok, outcome
    register, update = somebody.world.writes
    images = register.arguments["images"]
    assert isinstance(images, dict)
    assert images[CONTAINER].endswith(f"{REPOSITORY}@{NEW.digest}")
    assert str(update.arguments["task_definition"]).endswith(f"{FAMILY}:3")
    assert update.arguments["force"] is False
    running = {c.digest for task in somebody.world.tasks[REF] for c in task.containers}
    assert running == {NEW.digest}
    assert "as read back from all 4 running tasks" in "\n".join(outcome.receipt)
    assert somebody.events == ["started", "submitted", "submitted", "finished"]


def test_it_migrates_with_the_new_revision_before_the_service_is_touched(desk: MakeDesk) -> None:
    somebody = migrated(desk)
    outcome = somebody.run(somebody.proposed(U, image=NEW.tag, migrate="yes"))
    assert outcome.ok, outcome
    assert [call.name for call in somebody.world.writes] == [
        "changes.register_pinned",
        "changes.run_task",
        "changes.update",
    ]
    run, update = somebody.world.writes[1:]
    assert run.arguments["task_definition"] == update.arguments["task_definition"]
    assert run.arguments["command"] == ("bundle", "exec", "rails", "db:migrate")


def test_what_was_made_is_said_where_the_plan_said_that_it_will_be(desk: MakeDesk) -> None:
    somebody = migrated(desk)
    proposal = somebody.proposed(U, image=NEW.tag, migrate="yes")
    planned = " ".join(f"{step.words} {step.command}" for step in proposal.plan.steps)
    assert planned.count(f"{FAMILY}:<the new revision>") == 4
    assert somebody.run(proposal).ok
    begun = [each for each in somebody.told if each.kind == "step started"]
    sent = [record for record in somebody.audit.records() if record["event"] == "submitted"]
    told = [(each.text, each.command) for each in begun if each.command]
    assert [(record["words"], record["command"]) for record in sent] == told
    assert "<the new revision>" not in str(told) + str(sent)
    (_, (run, _), (point, command), *_) = told
    assert f"as a task of {FAMILY}:3, where" in run
    assert f"point the service at {FAMILY}:3, unless" in point
    assert f"--task-definition {FAMILY}:3 " in command


def test_a_migration_that_fails_stops_it_before_the_service_is_touched(desk: MakeDesk) -> None:
    somebody = migrated(desk, 3, "-- add_column(:posts, :summary, :text)", "PG::DuplicateColumn")
    outcome = somebody.run(somebody.proposed(U, image=NEW.tag, migrate="yes"))
    assert (outcome.ok, outcome.exit_code, outcome.title) == (False, 1, "Failed")
    assert "exit code 3" in outcome.sentence
    assert '"PG::DuplicateColumn"' in outcome.sentence
    assert "What serves was not changed." in outcome.sentence
    assert outcome.go_on.startswith("bgconsole deploy --from migrate --revision 3 ")
    assert somebody.world.count("changes.update") == 0
    assert somebody.world.services[REF].task_definition == MEOW.definition_arn


def test_from_migrate_goes_on_with_the_revision_that_was_registered(desk: MakeDesk) -> None:
    somebody = migrated(desk, 3)
    somebody.run(somebody.proposed(U, image=NEW.tag, migrate="yes"))
    somebody.waits = [through(worlds.run_ends(0))]
    proposal = somebody.proposed(U, **{"from": "migrate", "revision": "3"})
    assert proposal.plan.confirm == "3"
    assert facts(proposal.plan)["to"].startswith("revision 3")
    outcome = somebody.run(proposal)
    assert outcome.ok, outcome
    assert [call.name for call in somebody.world.writes] == [
        "changes.register_pinned",
        "changes.run_task",
        "changes.run_task",
        "changes.update",
    ]


def test_from_update_only_updates(desk: MakeDesk) -> None:
    somebody = desk(pushed())
    images = {CONTAINER: values.image(NEW).repository + "@" + NEW.digest}
    scripted_gateway(somebody.world).changes.register_pinned(MEOW.definition_arn, images)
    somebody.settings["defaults"] = {U: {"migrate": "yes"}}
    proposal = somebody.proposed(U, **{"from": "update", "revision": "3"})
    assert commands(proposal.plan) == ["aws ecs update-service", ""]
    assert somebody.run(proposal).ok


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"from": "update"}, "--revision names what was registered"),
        ({"from": "push", "image": "x"}, "There is no step push"),
        ({"from": "register"}, "--image names what was pushed"),
        ({"from": "build", "image": "x"}, "the build makes one"),
        ({"revision": "3"}, "go on --from migrate or --from update"),
        ({"from": "update", "revision": "3", "image": "x"}, "names its own"),
        ({"from": "update", "revision": "99"}, "could not be read"),
        ({"image": "nope"}, "There is no image demorepo:nope"),
        ({"image": "a b"}, "'a b' names no image"),
        ({"image": "demorepo:v1:v2"}, "names no image"),
        ({"image": "demorepo@sha256:77ab10c2"}, "names no image"),
        ({"image": "c0ffee1", "container": "nope"}, "has no container nope"),
        ({"image": "c0ffee1", "command": "'"}, "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    desk: MakeDesk, params: dict[str, str], words: str
) -> None:
    assert words in desk(pushed()).refused(U, **params).reason


def test_the_console_asks_first_for_a_build_or_an_image_newest_first(desk: MakeDesk) -> None:
    somebody = desk(pushed())
    no = somebody.runner.asks_first(OPERATIONS[U], somebody.snapshot())
    assert no is not None
    assert no.param == "image"
    assert [value for value, _ in no.choices] == ["", NEW.tag, MEOW.tag, POSTS.tag]
    assert no.choices[0][1] == "build rails_app and push it"
    assert no.choices[2][1].endswith("· live")
    somebody.world.become(worlds.deploying())
    assert somebody.runner.asks_first(OPERATIONS[U], somebody.snapshot()) is None


def test_without_an_image_one_is_built_pushed_and_deployed_by_its_digest(desk: MakeDesk) -> None:
    somebody = migrated(desk)
    proposal = somebody.proposed(U, migrate="yes")
    assert proposal.plan.summary == f"Build rails_app and deploy 5e0c4a1 to {REF.name}"
    assert proposal.plan.confirm == "5e0c4a1"
    assert [step.words.split()[0] for step in proposal.plan.steps] == [
        "build",
        "push",
        "read",
        "register",
        "run",
        "follow",
        "point",
        "follow",
    ]
    outcome = somebody.run(proposal)
    assert outcome.ok, outcome
    register = somebody.world.writes[0]
    images = register.arguments["images"]
    assert isinstance(images, dict)
    assert images[CONTAINER] == f"{REGISTRY}/{REPOSITORY}@{BUILT}"
    running = {c.digest for task in somebody.world.tasks[REF] for c in task.containers}
    assert running == {BUILT}
    assert f"sha256:{BUILT[7:15]}" in outcome.receipt[2]


def test_a_push_that_is_refused_leaves_the_service_and_begins_again(desk: MakeDesk) -> None:
    somebody = desk(pushed())
    somebody.world.fail("docker.push", AccessDenied("Access denied", action="ecr:PutImage"))
    outcome = somebody.run(somebody.proposed(U))
    assert outcome.exit_code == 4
    assert "What serves was not changed." in outcome.sentence
    assert outcome.go_on == f"bgconsole deploy --cluster {REF.cluster} --service {REF.name}"
    assert somebody.world.writes == []


def test_after_the_push_it_goes_on_with_what_was_pushed(desk: MakeDesk) -> None:
    somebody = desk(pushed())
    somebody.world.fail("changes.register_pinned", Throttled("AWS says: slow down"))
    outcome = somebody.run(somebody.proposed(U))
    assert f"--image {REGISTRY}/{REPOSITORY}@{BUILT} " in outcome.go_on


def test_no_engine_refuses_a_build_and_no_deploy_of_an_image(desk: MakeDesk) -> None:
    somebody = desk(pushed())
    somebody.world.fail("docker.engine", Unreachable("No Docker engine", "unix:///nowhere"))
    assert "No Docker engine" in somebody.refused(U).reason
    assert somebody.proposed(U, image=NEW.tag)


def test_what_serves_already_is_said(desk: MakeDesk) -> None:
    told = states(desk(pushed()).proposed(U, image=MEOW.tag).plan)
    assert any("is what serves already" in words for words in told)


def test_the_configuration_decides_whether_it_migrates_and_flags_beat_it(desk: MakeDesk) -> None:
    somebody = desk(pushed())
    somebody.settings["defaults"] = {U: {"migrate": "yes", "command": "bin/rails db:migrate"}}
    assert "aws ecs run-task" in commands(somebody.proposed(U, image=NEW.tag).plan)
    plan = somebody.proposed(U, image=NEW.tag, **{"no-migrate": "yes"}).plan
    assert "aws ecs run-task" not in commands(plan)


def test_migrations_of_a_task_definition_of_their_own_run_the_new_image(desk: MakeDesk) -> None:
    somebody = migrated(desk)
    world = somebody.world
    live = world.definitions[MEOW.definition_arn]
    arn = MEOW.definition_arn.replace(FAMILY, "migrations")
    own = replace(live.containers[0], name="migrator")
    world.definitions[arn] = replace(live, arn=arn, family="migrations", containers=(own,))
    somebody.settings["defaults"] = {U: {"migrate": "yes", "task-definition": "migrations"}}
    outcome = somebody.run(somebody.proposed(U, image=NEW.tag))
    assert outcome.ok, outcome
    service, migrations, run, update = world.writes
    assert migrations.arguments["task_definition"] == arn
    assert migrations.arguments["images"] == {"migrator": service.arguments["images"][CONTAINER]}  # type: ignore[index]
    assert run.arguments["container"] == "migrator"
    assert ":task-definition/migrations:" in str(run.arguments["task_definition"])
    assert f"{FAMILY}:3" in str(update.arguments["task_definition"])
    no = somebody.refused(U, image=NEW.tag, **{"task-definition": "nowhere"})
    assert "nowhere could not be read" in no.reason


def test_an_image_of_another_registry_is_deployed_as_written_and_said_not_to_be_pinned(
    desk: MakeDesk,
) -> None:
    plan = desk(pushed()).proposed(U, image="ghcr.io/acme/shop:1.2").plan
    (words,) = [w for w in states(plan) if "not pinned" in w]
    assert "ghcr.io is not ECR" in words
    assert "(not pinned)" in facts(plan)["by"]
    assert "= ghcr.io/acme/shop:1.2" in plan.steps[0].words


@pytest.mark.parametrize(
    ("call", "made"),
    [("changes.register_pinned", 0), ("changes.run_task", 1), ("changes.update", 2)],
)
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AccessDenied("Access denied", action="ecs:X", request_id="r-7"), 4),
        (ExpiredCredentials("Credentials expired"), 4),
        (Throttled("AWS says: slow down"), 1),
        (Unreachable("No answer"), 1),
    ],
)
def test_a_failure_at_each_step_leaves_what_serves_and_says_how_to_go_on(
    desk: MakeDesk, call: str, made: int, error: GatewayError, code: int
) -> None:
    somebody = migrated(desk)
    somebody.world.fail(call, error)
    outcome = somebody.run(somebody.proposed(U, image=NEW.tag, migrate="yes"))
    assert (outcome.ok, outcome.exit_code) == (False, code)
    assert somebody.world.services[REF].task_definition == MEOW.definition_arn
    steps = ("--image ", "--from migrate --revision 3", "--from update --revision 3")
    assert outcome.go_on.startswith(f"bgconsole deploy {steps[made]}")
    assert somebody.events[-1] == "failed"


def test_credentials_that_end_while_the_migration_is_followed_leave_the_service(
    desk: MakeDesk,
) -> None:
    somebody = desk(pushed())

    def expire(changed: ScriptedWorld) -> None:
        changed.fail("services.task", ExpiredCredentials("Credentials expired"))

    somebody.waits = [expire]
    outcome = somebody.run(somebody.proposed(U, image=NEW.tag, migrate="yes"))
    assert outcome.title == "Submitted, not followed"
    assert outcome.exit_code == 4
    assert "What serves was not changed." in outcome.sentence
    assert somebody.world.count("changes.update") == 0


def test_credentials_that_end_while_the_deployment_is_followed_are_no_failure(
    desk: MakeDesk,
) -> None:
    somebody = desk(pushed())

    def expire(changed: ScriptedWorld) -> None:
        changed.fail("services.describe", ExpiredCredentials("Credentials expired"))

    somebody.waits = [expire]
    outcome = somebody.run(somebody.proposed(U, image=NEW.tag))
    assert outcome.exit_code == 4
    assert "AWS goes on, not followed" in outcome.sentence
    assert "not changed" not in outcome.sentence


def test_stopped_while_it_migrates_the_service_stays(desk: MakeDesk) -> None:
    somebody = desk(pushed())
    cancelled = threading.Event()

    def stop(_: ScriptedWorld) -> None:
        cancelled.set()

    somebody.waits = [stop]
    outcome = somebody.run(somebody.proposed(U, image=NEW.tag, migrate="yes"), cancelled)
    assert outcome.exit_code == 130
    assert "What serves was not changed." in outcome.sentence
    assert "--from migrate --revision 3" in outcome.go_on
    assert somebody.world.count("changes.update") == 0


def test_another_deployment_that_began_while_it_migrated_is_not_overrun(desk: MakeDesk) -> None:
    somebody = desk(pushed())

    def somebody_else(changed: ScriptedWorld) -> None:
        if not changed.runs[0].stopped:
            scripted_gateway(changed).changes.update(REF, force=True)
            worlds.run_ends(0)(changed)

    somebody.waits = [somebody_else]
    outcome = somebody.run(somebody.proposed(U, image=NEW.tag, migrate="yes"))
    assert outcome.exit_code == 3
    assert "Another deployment began meanwhile" in outcome.sentence
    assert somebody.world.count("changes.update") == 1, "theirs"


def test_an_update_whose_answer_is_lost_is_found_and_followed(desk: MakeDesk) -> None:
    somebody = desk(pushed())
    world = somebody.world
    proposal = somebody.proposed(U, image=NEW.tag)
    effect = world.effects["changes.update"]

    def lost(changed: ScriptedWorld, call: object) -> None:
        effect(changed, call)  # type: ignore[arg-type]
        raise Unreachable("The connection was lost")

    world.effects["changes.update"] = lost  # type: ignore[assignment]
    outcome = somebody.run(proposal)
    assert outcome.ok, outcome
    assert world.count("changes.update") == 1
    assert any("AWS shows that it arrived" in each.text for each in somebody.told)


def test_a_breaker_that_takes_it_back_is_a_failed_deploy(desk: MakeDesk) -> None:
    somebody = desk(pushed())
    somebody.waits = [lambda world: worlds.settle(world, well=False)]
    outcome = somebody.run(somebody.proposed(U, image=NEW.tag))
    assert (outcome.exit_code, outcome.title) == (1, "Failed")
    assert "rolled back" in outcome.sentence


def test_a_tag_that_moved_after_confirming_is_another_plan(desk: MakeDesk) -> None:
    somebody = desk(pushed())
    proposal = somebody.proposed(U, image=NEW.tag)
    world = somebody.world
    moved = replace(values.image(POSTS), tags=(NEW.tag,), pushed_at=NOW + timedelta(minutes=1))
    world.images[REPOSITORY] = (moved, *world.images[REPOSITORY][1:])
    with pytest.raises(PlanChanged) as caught:
        somebody.run(proposal)
    assert caught.value.changed == ("to",)
    assert world.writes == []


def test_it_is_refused_while_anything_else_is_under_way(desk: MakeDesk) -> None:
    assert "A deployment is under way" in desk(worlds.deploying()).refused(U, image="x").reason
    somebody = desk(pushed())
    scripted_gateway(somebody.world).changes.run_task(
        REF,
        task_definition=MEOW.definition_arn,
        container=CONTAINER,
        command=("rails", "db:migrate"),
        started_by="ci",
        token="theirs",
    )
    assert "A migration runs" in somebody.refused(U, image=NEW.tag, migrate="yes").reason
    assert somebody.proposed(U, image=NEW.tag), "without migrations it may"
    somebody.settings["read_only"] = True
    assert "read-only" in somebody.refused(U, image=NEW.tag).reason


@pytest.mark.parametrize("arrived", [True, False])
def test_a_registration_whose_answer_is_lost_is_looked_for(desk: MakeDesk, arrived: bool) -> None:
    somebody = desk(pushed())
    somebody.waits = [worlds.settle]
    world = somebody.world
    world.definitions = {a: replace(d, content="same") for a, d in world.definitions.items()}

    def lost(world: ScriptedWorld, call: Call) -> Submitted:
        del world.effects[call.name]
        if arrived:
            base, images = call.arguments["task_definition"], call.arguments["images"]
            changes = scripted_gateway(world).changes
            changes.register_pinned(base, images)  # type: ignore[arg-type]
        raise Unreachable("No answer", "ecs:RegisterTaskDefinition")

    world.effects["changes.register_pinned"] = lost
    outcome = somebody.run(somebody.proposed(U, image=NEW.tag))
    told = [each.text for each in somebody.told]
    assert "no answer came back: looking whether it arrived" in told
    assert outcome.ok is arrived
    assert ("AWS shows that it arrived" in told) is arrived
    assert world.count("changes.update") == (1 if arrived else 0)
    if arrived:
        assert world.services[REF].task_definition.endswith(f"{FAMILY}:3")
