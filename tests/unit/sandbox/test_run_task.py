"""Tasks of no service on the virtual clock: migrations, exit codes, idempotence, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.migrations import Database
from bgconsole.sandbox.runtime.programs import Run, Serve, program
from tests.unit.sandbox.story import CLUSTER, FAMILY, Story, image

MIGRATE = ["bin/rails", "db:migrate"]
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}


@pytest.fixture
def story() -> Story:
    made = Story()
    made.build()
    for kind in ("fail", "hang", "slow"):
        made.images.images[f"repo:{kind}"] = image(5, migration=kind)
    return made


def asked(command: list[str] | None = None, **changes: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "cluster": CLUSTER,
        "taskDefinition": f"{FAMILY}:1",
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
    }
    if command is not None:
        override = {"name": "app", "command": command}
        request["overrides"] = {"containerOverrides": [override]}
    return {k: v for k, v in {**request, **changes}.items() if v is not None}


def run(story: Story, command: list[str] | None = None, **changes: Any) -> dict[str, Any]:
    answer = story.ecs("RunTask", **asked(command, **changes))
    assert answer["failures"] == []
    task: dict[str, Any] = answer["tasks"][0]
    return task


def described(story: Story, task: dict[str, Any]) -> dict[str, Any]:
    answer = story.ecs("DescribeTasks", cluster=CLUSTER, tasks=[task["taskArn"]])
    now: dict[str, Any] = answer["tasks"][0]
    return now


def until_stopped(story: Story, task: dict[str, Any], within: float = 3600) -> dict[str, Any]:
    story.until(lambda: described(story, task)["lastStatus"] == "STOPPED", within)
    return described(story, task)


def test_a_migration_runs_and_its_exit_code_and_lines_are_there(story: Story) -> None:
    task = run(story, MIGRATE, startedBy="bgconsole-migrate")
    assert (task["lastStatus"], task["desiredStatus"]) == ("PROVISIONING", "RUNNING")
    assert (task["group"], task["startedBy"]) == (f"family:{FAMILY}", "bgconsole-migrate")
    assert task["overrides"]["containerOverrides"] == [{"name": "app", "command": MIGRATE}]
    listed = story.ecs("ListTasks", cluster=CLUSTER, startedBy="bgconsole-migrate")["taskArns"]
    assert listed == [task["taskArn"]]
    ended = until_stopped(story, task)
    assert ended["stopCode"] == "EssentialContainerExited"
    assert ended["stoppedReason"] == "Essential container in task exited"
    assert ended["containers"][0]["exitCode"] == 0
    stream = f"ecs/app/{task['taskArn'].rpartition('/')[2]}"
    lines = [line for group, name, line in story.logs.written if (group, name) == (CLUSTER, stream)]
    assert lines[0] == (
        "== 20260108153002 AddSummaryToPosts: migrating ================================"
    )
    assert all(len(line) <= 79 for line in lines)
    # What was migrated stays migrated.
    again = until_stopped(story, run(story, MIGRATE))
    assert again["containers"][0]["exitCode"] == 0
    stream = f"ecs/app/{again['taskArn'].rpartition('/')[2]}"
    assert not [line for _, name, line in story.logs.written if name == stream]


def test_a_migration_that_fails_says_why(story: Story) -> None:
    task = until_stopped(story, run(story, MIGRATE, taskDefinition=story.register("repo:fail")))
    assert task["containers"][0]["exitCode"] == 1
    assert any("PG::DuplicateColumn" in line for _, _, line in story.logs.written)


def test_a_second_migration_at_the_same_time_fails_as_rails_does(story: Story) -> None:
    first, second = run(story, MIGRATE), run(story, MIGRATE)
    assert until_stopped(story, second)["containers"][0]["exitCode"] == 1
    assert until_stopped(story, first)["containers"][0]["exitCode"] == 0
    assert any("ConcurrentMigrationError" in line for _, _, line in story.logs.written)


def test_a_slow_migration_takes_its_twenty_minutes(story: Story) -> None:
    task = run(story, MIGRATE, taskDefinition=story.register("repo:slow"))
    story.clock.advance(1100)
    assert described(story, task)["lastStatus"] == "RUNNING"
    assert until_stopped(story, task)["containers"][0]["exitCode"] == 0


@pytest.mark.parametrize(("kind", "code", "least"), [("hang", 137, 30), ("slow", 143, 0)])
def test_stop_task_ends_it_by_sigterm_or_by_sigkill(
    story: Story, kind: str, code: int, least: int
) -> None:
    task = run(story, MIGRATE, taskDefinition=story.register(f"repo:{kind}"))
    story.until(lambda: described(story, task)["lastStatus"] == "RUNNING")
    stopped = story.ecs("StopTask", cluster=CLUSTER, task=task["taskArn"], reason="enough")["task"]
    assert stopped["lastStatus"] == "DEACTIVATING"
    ended = until_stopped(story, task)
    assert (ended["stopCode"], ended["stoppedReason"]) == ("UserInitiated", "enough")
    assert ended["containers"][0]["exitCode"] == code
    seconds = (ended["executionStoppedAt"] - ended["stoppingAt"]).total_seconds()
    assert least <= seconds <= least + 10


def test_an_unknown_command_ends_with_127_in_plain_words(story: Story) -> None:
    task = until_stopped(story, run(story, ["bin/rake", "assets:precompile"]))
    assert task["containers"][0]["exitCode"] == 127
    words = story.logs.written[-1][2]
    assert words.startswith("bin/rake assets:precompile: the stand-in for the app knows ")


def test_a_client_token_gives_the_same_task_again(story: Story) -> None:
    first = run(story, MIGRATE, clientToken="once")
    assert run(story, MIGRATE, clientToken="once")["taskArn"] == first["taskArn"]
    assert run(story, MIGRATE, clientToken="twice")["taskArn"] != first["taskArn"]
    with pytest.raises(ApiError) as refusal:
        run(story, MIGRATE, clientToken="once", count=2)
    assert refusal.value.code == "ConflictException"


def test_no_capacity_is_a_failure_and_no_task(story: Story) -> None:
    story.world.ecs.trouble.no_capacity = True
    answer = story.ecs("RunTask", **asked(MIGRATE, count=2))
    assert answer["tasks"] == []
    assert [f["reason"] for f in answer["failures"]] == [
        "Capacity is unavailable at this time. Please try again later or in a different "
        "availability zone"
    ] * 2


def test_an_image_that_is_not_there_never_starts(story: Story) -> None:
    task = until_stopped(story, run(story, taskDefinition=story.register("repo:none")))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert "exitCode" not in task["containers"][0]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"launchType": None}, "InvalidParameterException", "No Container Instances were found"),
        ({"networkConfiguration": None}, "InvalidParameterException", "Network Configuration must"),
        ({"taskDefinition": "none"}, "ClientException", "TaskDefinition not found."),
        ({"cluster": "cluster"}, "ClusterNotFoundException", "Cluster not found."),
        ({"count": 11}, "InvalidParameterException", "between 1 and 10"),
        (
            {"overrides": {"containerOverrides": [{"name": "web"}]}},
            "InvalidParameterException",
            "Override for container named web is not a container in the TaskDefinition.",
        ),
    ],
)
def test_run_task_is_refused(story: Story, changes: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(ApiError) as refusal:
        run(story, **changes)
    assert refusal.value.code == code
    assert words in refusal.value.message


def test_execute_command_is_refused_with_the_words_of_aws(story: Story) -> None:
    task = run(story, MIGRATE)
    request = {"cluster": CLUSTER, "command": "sh", "interactive": True}
    with pytest.raises(ApiError, match="execute command was not enabled when the task was run"):
        story.ecs("ExecuteCommand", task=task["taskArn"], **request)
    with pytest.raises(ApiError, match=r"The referenced task was not found\."):
        story.ecs("ExecuteCommand", task="0" * 32, **request)


@pytest.mark.parametrize(
    ("command", "steps"),
    [
        ([], ["serve"]),
        (["./bin/rails", "server", "-b", "0.0.0.0"], ["serve"]),
        (["/rails/bin/docker-entrypoint", "bundle", "exec", "rails", "s"], ["serve"]),
        (["bundle", "exec", "rake", "db:migrate"], [0]),
        (["sh", "-c", "bin/rails db:migrate && exec bin/rails server"], [0, "serve"]),
        (["sh", "-c", "echo 'hello"], [127]),
        (["echo", "hello"], [127]),
        (["sh", "-c", "true && bin/rails server"], [127]),
    ],
)
def test_commands(command: list[str], steps: list[Any]) -> None:
    made = program(command, {}, Database())
    shown = ["serve" if isinstance(s, Serve) else s.exit_code for s in made]
    assert shown == steps


def test_a_failing_migration_keeps_the_server_from_starting() -> None:
    command = ["sh", "-c", "rails db:migrate && rails server"]
    (step,) = program(command, {"bgconsole.migration": "fail"}, Database())
    assert isinstance(step, Run)
    assert step.exit_code == 1
