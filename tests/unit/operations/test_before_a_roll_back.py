"""What a roll back tells of migrations since, and of what may deploy over it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.logs import LogLine, to_milliseconds
from bgconsole.domain.services import Task
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.operations.spec import Plan
from tests import values, worlds
from tests.unit.operations.conftest import MakeDesk, states
from tests.unit.operations.test_plans import R
from tests.values import ACCOUNT, CONTAINER, LOG_GROUP, MEOW, NOW, REF

HOUR = timedelta(hours=1)


def line(at: datetime, message: str, number: int = 1) -> LogLine:
    moment = to_milliseconds(at)
    stream = f"ecs/{CONTAINER}/{number:032x}"
    return LogLine(moment, moment, f"{number:056d}", LOG_GROUP, stream, message)


def migrated(world: ScriptedWorld, at: datetime, version: str, name: str) -> None:
    text = f"== {version} {name}: migrated (0.0123s) ========"
    world.logs[LOG_GROUP].append(line(at, text, int(version)))


def ran(at: datetime, command: Sequence[str], code: int = 0) -> Task:
    """A task that somebody ran by hand."""
    task = values.task(MEOW, 1)
    return replace(
        task,
        last_status="STOPPED",
        created_at=at,
        group="family:democluster-task-family",
        commands=((CONTAINER, tuple(command)),),
        containers=tuple(replace(c, exit_code=code) for c in task.containers),
    )


def told(plan: Plan) -> tuple[str, str]:
    """What is said of migrations, and as what."""
    ((words, state),) = ((w, s) for w, s in states(plan).items() if "migrat" in w)
    return words, state


def test_migrations_in_the_log_are_named_with_their_time(desk: MakeDesk) -> None:
    world = worlds.steady()
    migrated(world, NOW - 2 * HOUR, "20260301110000", "AddSummary")
    migrated(world, NOW - 2 * HOUR, "20260301110000", "AddSummary")
    migrated(world, NOW - timedelta(days=9), "20260101110000", "CreatePosts")
    words, state = told(desk(world).proposed(R).plan)
    assert state == "warning"
    assert words.endswith("AddSummary at 12:00 (log democluster)")


def test_a_stopped_migration_task_is_named(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.runs = (
        ran(NOW - HOUR, ["bundle", "exec", "rails", "db:migrate"], 1),
        ran(NOW - HOUR, ["rails", "console"]),
        ran(NOW - timedelta(days=9), ["rails", "db:migrate"]),
    )
    words, state = told(desk(world).proposed(R).plan)
    assert state == "warning"
    assert words.count("task ") == 1
    assert words.endswith("at 13:00, exit 1")


def test_our_own_migrations_are_named(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    record = {
        "at": (NOW - HOUR).isoformat(),
        "event": "started",
        "operation": "service.migrate",
        "target": str(REF),
        "region": "us-east-1",
        "endpoint": "",
        "account": ACCOUNT,
        "who": "arn:aws:iam::123456789012:user/ops",
    }
    somebody.audit.append(record)
    somebody.audit.append({**record, "target": "elsewhere/other"})
    words, state = told(somebody.proposed(R).plan)
    assert (words.count("migrate by ops at 13:00"), state) == (1, "warning")


def test_where_none_is_known_every_source_says_how_far_it_reaches(desk: MakeDesk) -> None:
    words, state = told(desk(worlds.steady()).proposed(R).plan)
    assert words == (
        "no migration is known since 2026-02-24 14:03: looked in log democluster, "
        "stopped tasks, not known before 13:00, our audit log"
    )
    assert state == "ok"


def test_a_log_that_may_not_be_read_is_no_none(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.fail("logs.page", AccessDenied("No", action="logs:FilterLogEvents"))
    words, state = told(desk(world).proposed(R).plan)
    assert words.endswith(
        ": looked in stopped tasks, not known before 13:00, our audit log; "
        "not in log democluster (AccessDenied: logs:FilterLogEvents)"
    )
    assert state == "not checked"


def test_a_log_that_is_too_long_is_not_searched_for_ever(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.page_size = 1
    for day in range(1, 5):
        migrated(world, NOW - day * HOUR, f"2026030{day}110000", "AddSummary")
    before = world.count("logs.page")
    words, _ = told(desk(world).proposed(R).plan)
    assert "and 1 more" in words
    world.logs[LOG_GROUP] = [line(NOW - HOUR, ": migrated ( by hand", n) for n in range(40)]
    words, state = told(desk(world).proposed(R).plan)
    assert "log democluster (not searched to the end)" in words
    assert state == "not checked"
    assert world.count("logs.page") - before == 4 + 5


def test_what_is_only_for_the_reader_is_not_asked_again_on_the_key(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    proposal = somebody.proposed(R)
    before = world.count("logs.page")
    assert somebody.run(proposal).ok
    assert world.count("logs.page") == before


def test_a_container_that_migrates_on_start_is_named(desk: MakeDesk) -> None:
    world = worlds.steady()
    definition = world.definitions[MEOW.definition_arn]
    (container,) = definition.containers
    command = ("sh", "-c", "rails db:migrate && rails server")
    world.definitions[MEOW.definition_arn] = replace(
        definition, containers=(replace(container, command=command),)
    )
    words = states(desk(world).proposed(R).plan)
    told = f"{CONTAINER} (db:migrate) of democluster-task-family:2 migrates when it starts: "
    assert words[f"{told}its tasks may have changed the schema"] == "warning"


def test_what_feeds_the_service_is_left_to_do(desk: MakeDesk) -> None:
    world = worlds.steady()
    ci = f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/build-77"
    definition = world.definitions[MEOW.definition_arn]
    world.definitions[MEOW.definition_arn] = replace(definition, registered_by=ci)
    world.stacks["demopipeline"] = values.stack(
        "demopipeline", "CREATE_COMPLETE", HOUR, PipelineName="demo", PipelineArn="arn:aws:x:demo"
    )
    somebody = desk(world)
    proposal = somebody.proposed(R)
    drift, pipeline, role = proposal.plan.left_to_do
    assert "the stack democluster will drift" in drift
    assert "aws codepipeline disable-stage-transition --pipeline-name demo " in pipeline
    assert role.startswith("role/ci registered revision 2: stop what runs as it")
    assert pipeline in "\n".join(somebody.run(proposal).receipt)
