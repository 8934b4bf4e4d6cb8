"""Migrate: what is run and where, how its end is judged, and never two at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bgconsole.domain.errors import (
    AccessDenied,
    ExpiredCredentials,
    NotThere,
    Refused,
    Rejected,
    Throttled,
    Unreachable,
)
from bgconsole.domain.services import ContainerDefinition
from bgconsole.gateway.scripted import Call, ScriptedWorld, scripted_gateway
from bgconsole.operations.outcome import PlanChanged
from bgconsole.operations.spec import Risk
from tests import worlds
from tests.unit.operations.conftest import Desk, MakeDesk, states
from tests.unit.operations.test_plans import facts
from tests.values import BAD, CONTAINER, FAMILY, LOG_GROUP, MEOW, POSTS, REF, REPOSITORY

M = "service.migrate"
LINES = (
    "== 20260108153002 AddSummaryToPosts: migrating ====",
    "== 20260108153002 AddSummaryToPosts: migrated (0.0036s) ====",
)


def nothing(_: ScriptedWorld) -> None:
    """Time passes."""


def test_a_migration_runs_where_the_service_runs_and_is_told_to_its_end(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    somebody.waits = [worlds.run_prints(LINES[0]), worlds.run_ends(0, LINES[1]), nothing]
    outcome = somebody.run(somebody.proposed(M))
    assert outcome.ok
    assert outcome.exit_code == 0
    assert "exit code 0 after 2 s. Applied: AddSummaryToPosts (20260108153002)." in outcome.sentence
    (call,) = somebody.world.writes
    assert call.name == "changes.run_task"
    assert call.arguments["task_definition"] == MEOW.definition_arn
    assert call.arguments["container"] == CONTAINER
    assert call.arguments["command"] == ("bundle", "exec", "rails", "db:migrate")
    assert call.arguments["started_by"] == f"bgconsole-migrate/{REF.name}"
    assert [each.text for each in somebody.told if each.kind == "output"] == list(LINES)
    assert somebody.events == ["started", "submitted", "finished"]
    assert any("Applied" in line for line in outcome.receipt)
    assert len(outcome.receipt) <= 8


def test_a_new_image_is_pinned_to_its_digest_in_a_copy_of_the_task_definition(
    desk: MakeDesk,
) -> None:
    world = worlds.crash_looping()
    world.become(worlds.steady())
    world.images[REPOSITORY] += (worlds.values.image(BAD),)
    somebody = desk(world)
    somebody.waits = [worlds.run_ends(0), nothing]
    proposal = somebody.proposed(M, image=BAD.tag)
    assert proposal.risk is Risk.DISRUPTIVE
    assert facts(proposal.plan)["image"] == f"{BAD.tag} · sha256:{BAD.digest[7:15]}"
    assert somebody.run(proposal).ok
    register, run = world.writes
    pinned = register.arguments["images"]
    assert isinstance(pinned, dict)
    assert pinned[CONTAINER].endswith(f"{REPOSITORY}@{BAD.digest}")
    assert str(run.arguments["task_definition"]).endswith(":3")
    assert world.services[REF].task_definition == MEOW.definition_arn, "the service is untouched"


def test_an_image_that_is_not_there_is_refused(desk: MakeDesk) -> None:
    no = desk(worlds.steady()).refused(M, image="no-such-tag")
    assert "There is no image demorepo:no-such-tag" in no.reason


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (worlds.run_ends(3, "PG::Oops"), 'exit code 3 after 2 s. Its last lines: "PG::Oops"'),
        (worlds.run_ends(137), "exit code 137 (SIGKILL: out of memory, or killed)"),
        (
            worlds.run_ends(143, stop="UserInitiated", reason="enough"),
            "was interrupted after 2 s: somebody stopped it (enough). What it did to the schema "
            "is not known: run `rails db:migrate:status`.",
        ),
        (
            worlds.run_ends(None, stop="TaskFailedToStart", reason="CannotPullContainerError"),
            "did not start: CannotPullContainerError.",
        ),
        (worlds.run_ends(None), "told no exit code"),
    ],
)
def test_every_end_but_exit_code_0_fails_and_says_why(
    desk: MakeDesk, ends: worlds.Change, words: str
) -> None:
    somebody = desk(worlds.steady())
    somebody.waits = [worlds.run_prints(), ends, nothing]
    outcome = somebody.run(somebody.proposed(M))
    assert (outcome.ok, outcome.exit_code) == (False, 1)
    assert words in outcome.sentence
    assert somebody.events[-1] == "failed"


def test_the_exit_code_is_that_of_the_container_by_name(desk: MakeDesk) -> None:
    world = worlds.steady()

    def with_sidecar(changed: ScriptedWorld) -> None:
        worlds.run_ends(0)(changed)
        task, *older = changed.runs
        sidecar = replace(task.containers[0], name="a-sidecar", exit_code=9)
        changed.runs = (replace(task, containers=(sidecar, *task.containers)), *older)

    somebody = desk(world)
    somebody.waits = [worlds.run_prints(), with_sidecar, nothing]
    assert somebody.run(somebody.proposed(M)).ok


def test_a_slow_migration_is_followed_for_hours(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    began = world.now

    def slowly(changed: ScriptedWorld) -> None:
        if changed.runs[0].started_at is None:
            worlds.run_prints("waiting")(changed)
        if changed.now - began > timedelta(hours=2):
            worlds.run_ends(0)(changed)

    somebody.waits = [slowly]
    outcome = somebody.run(somebody.proposed(M))
    assert outcome.ok
    told = [each.text for each in somebody.told]
    assert sum("slow, or waits for a lock" in text for text in told) == 1


def test_giving_up_the_wait_is_no_failure_and_says_how_to_go_on(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    somebody.settings["give_up_after"] = timedelta(minutes=1)
    somebody.waits = [worlds.run_prints("waiting")]
    outcome = somebody.run(somebody.proposed(M))
    assert outcome.exit_code == 5
    assert outcome.go_on == f"bgconsole migrate --follow {somebody.world.runs[0].id}"


def running(desk: MakeDesk) -> Desk:
    """A console that was closed while its migration ran, and is open again."""
    somebody = desk(worlds.steady())
    cancelled = threading.Event()

    def close(changed: ScriptedWorld) -> None:
        worlds.run_prints(LINES[0])(changed)
        cancelled.set()

    somebody.waits = [close]
    outcome = somebody.run(somebody.proposed(M), cancelled)
    assert outcome.title == "Submitted, not followed"
    assert outcome.go_on.startswith("bgconsole migrate --follow ")
    return somebody


def test_another_one_is_refused_while_one_runs_and_followed_instead(desk: MakeDesk) -> None:
    somebody = running(desk)
    no = somebody.refused(M)
    assert no.reason.startswith("A migration runs already: task ")
    assert no.param == "follow"
    ((task, words),) = no.choices
    assert "bundle exec rails db:migrate" in words
    proposal = somebody.proposed(M, follow=task[:8])
    assert proposal.risk is Risk.SAFE, "it only looks"
    somebody.waits = [worlds.run_ends(0, LINES[1]), nothing]
    outcome = somebody.run(proposal)
    assert outcome.ok
    assert "Applied: AddSummaryToPosts" in outcome.sentence
    assert somebody.world.count("changes.run_task") == 1
    assert somebody.proposed(M), "and then the next one may run"


def test_a_migration_that_began_after_the_plan_was_shown_refuses_it(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    proposal = somebody.proposed(M)
    scripted_gateway(somebody.world).changes.run_task(
        REF,
        task_definition=MEOW.definition_arn,
        container=CONTAINER,
        command=("rails", "db:migrate"),
        started_by="ci",
        token="theirs",
    )
    with pytest.raises(Refused, match=r"runs already: task .*, by ci: rails db:migrate"):
        somebody.run(proposal)
    assert somebody.world.count("changes.run_task") == 1


def test_a_tag_that_moved_after_confirming_is_another_plan(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    proposal = somebody.proposed(M, image=POSTS.tag)
    world = somebody.world
    other = replace(worlds.values.image(BAD), tags=(POSTS.tag,))
    world.images[REPOSITORY] = (
        other,
        *(i for i in world.images[REPOSITORY] if POSTS.tag not in i.tags),
    )
    with pytest.raises(PlanChanged) as caught:
        somebody.run(proposal)
    assert caught.value.changed == ("image",)
    assert world.writes == []


def test_it_is_refused_while_a_deployment_is_under_way(desk: MakeDesk) -> None:
    assert "under way" in desk(worlds.deploying()).refused(M).reason


def test_a_lost_answer_is_asked_again_with_the_same_token(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    somebody.world.fail("changes.run_task", Unreachable("No answer"), times=1)
    somebody.waits = [worlds.run_ends(0), nothing]
    assert somebody.run(somebody.proposed(M)).ok
    tokens = [call.arguments["token"] for call in somebody.world.writes]
    assert len(tokens) == 2
    assert len(set(tokens)) == 1


def test_what_ecs_cannot_place_says_why(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    somebody.world.fail("changes.run_task", Rejected("ECS placed no task", "RESOURCE:ENI"))
    outcome = somebody.run(somebody.proposed(M))
    assert outcome.exit_code == 1
    assert outcome.sentence.startswith("ECS placed no task: RESOURCE:ENI")
    assert "What serves was not changed." in outcome.sentence


@pytest.mark.parametrize("call", ["changes.register_pinned", "changes.run_task"])
def test_denied_in_the_middle_leaves_the_service_alone(desk: MakeDesk, call: str) -> None:
    somebody = desk(worlds.steady())
    somebody.world.fail(call, AccessDenied("Access denied", action="ecs:X", request_id="r-1"))
    outcome = somebody.run(somebody.proposed(M, image=POSTS.tag))
    assert outcome.exit_code == 4
    assert "What serves was not changed." in outcome.sentence
    assert "Request id r-1" in outcome.sentence


def test_credentials_that_end_while_it_is_followed(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())

    def expire(changed: ScriptedWorld) -> None:
        changed.fail("services.task", ExpiredCredentials("Credentials expired"))

    somebody.waits = [expire]
    outcome = somebody.run(somebody.proposed(M))
    assert outcome.title == "Submitted, not followed"
    assert outcome.exit_code == 4
    assert "AWS goes on" in outcome.sentence
    assert "bgconsole migrate --follow" in outcome.go_on


def test_throttling_and_silence_only_slow_it(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())

    def trouble(changed: ScriptedWorld) -> None:
        changed.fail("services.task", Throttled("AWS says: slow down"), times=2)
        changed.fail("logs.page", Unreachable("No answer"), times=1)

    somebody.waits = [trouble, nothing, nothing, worlds.run_ends(0, "late"), nothing]
    outcome = somebody.run(somebody.proposed(M))
    assert outcome.ok
    told = [each.text for each in somebody.told]
    assert "AWS answers again" in told
    assert "late" in told


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (AccessDenied("Access denied", action="logs:FilterLogEvents"), True),
        (NotThere("No such log group"), False),
    ],
)
def test_without_its_log_it_is_followed_all_the_same(
    desk: MakeDesk, error: Exception, shown: bool
) -> None:
    somebody = desk(worlds.steady())
    somebody.world.fail("logs.page", error)  # type: ignore[arg-type]
    somebody.waits = [worlds.run_ends(0, "unseen"), nothing]
    assert somebody.run(somebody.proposed(M)).ok
    told = [each.text for each in somebody.told]
    assert any("its output is not shown" in text for text in told) is shown


def test_lines_come_once_and_late_ones_too(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    end = worlds.run_ends(0, "one")

    def late(changed: ScriptedWorld) -> None:
        lines = changed.logs[LOG_GROUP]
        if not any(line.message == "two" for line in lines):
            lines.append(replace(lines[-1], event_id="late", message="two"))

    somebody.waits = [worlds.run_prints(), end, late, nothing]
    assert somebody.run(somebody.proposed(M)).ok
    assert [each.text for each in somebody.told if each.kind == "output"] == ["one", "two"]


def test_secrets_and_escapes_in_its_output_are_not_handed_on(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    lines = "postgres://u:hunter2@db/x", "\x1b]0;owned\x07red\x1b[31m"
    somebody.waits = [worlds.run_ends(1, *lines), nothing]
    outcome = somebody.run(somebody.proposed(M))
    everything = outcome.sentence + "".join(each.text for each in somebody.told)
    assert "hunter2" not in everything
    assert "\x1b" not in everything


def test_an_image_that_migrates_on_start_is_named_with_its_race(desk: MakeDesk) -> None:
    world = worlds.steady()
    for arn, definition in world.definitions.items():
        (container,) = definition.containers
        starts: ContainerDefinition = replace(
            container, entry_point=("sh", "-c"), command=("rails db:prepare && rails server",)
        )
        world.definitions[arn] = replace(definition, containers=(starts,))
    (words,) = [w for w in states(desk(world).proposed(M).plan) if "migrates when it starts" in w]
    assert f"{CONTAINER} (db:prepare)" in words
    assert "of 4 tasks started at once up to 3 can end with ConcurrentMigrationError" in words


def test_another_task_definition_and_its_container(desk: MakeDesk) -> None:
    world = worlds.steady()
    live = world.definitions[MEOW.definition_arn]
    arn = MEOW.definition_arn.replace(FAMILY, "migrations")
    first = replace(live.containers[0], name="migrator")
    world.definitions[arn] = replace(live, arn=arn, family="migrations", containers=(first,))
    somebody = desk(world)
    somebody.settings["defaults"] = {M: {"task-definition": "migrations"}}
    somebody.waits = [worlds.run_ends(0), nothing]
    assert somebody.run(somebody.proposed(M, command="bin/migrate --now")).ok
    (call,) = world.writes
    assert call.arguments["task_definition"] == arn
    assert call.arguments["container"] == "migrator"
    assert call.arguments["command"] == ("bin/migrate", "--now")


def test_what_cannot_be_run_is_said(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    assert "cannot be read" in somebody.refused(M, command="rails 'db:migrate").reason
    assert "has no container nope" in somebody.refused(M, container="nope").reason
    assert "could not be read" in somebody.refused(M, **{"task-definition": "nope"}).reason
    assert "no task that ECS still knows" in somebody.refused(M, follow="5c1f").reason
    somebody.settings["read_only"] = True
    assert "read-only" in somebody.refused(M).reason


def test_not_allowed_to_look_for_others_is_said_and_blocks_nothing(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.fail("services.runs", AccessDenied("Access denied", action="ecs:ListTasks"))
    told = states(desk(world).proposed(M).plan)
    (words,) = [w for w in told if "another migration" in w]
    assert words == "whether another migration runs: not checked (AccessDenied: ecs:ListTasks)"
    assert told[words] == "not checked"


def calls(world: ScriptedWorld) -> Iterator[Call]:
    yield from (call for call in world.calls if call.name.startswith("changes."))


def test_a_dry_run_changes_nothing(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    plan = somebody.proposed(M, image=POSTS.tag).plan
    assert [step.command.split(" --")[0] for step in plan.steps] == [
        "aws ecs register-task-definition",
        "aws ecs run-task",
        "",
    ]
    assert list(calls(somebody.world)) == []
