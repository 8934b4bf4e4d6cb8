"""Container health checks on the virtual clock: what is asked, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.ecs.container_health import HttpCommand, http_command
from bgconsole.sandbox.runtime.port import ProbeResult
from tests.unit.sandbox.story import CLUSTER, FAMILY, Story

CURL = ["CMD-SHELL", "curl -f http://localhost:3000/up || exit 1"]


@pytest.fixture
def story() -> Story:
    made = Story()
    made.build()
    return made


def check(**changes: Any) -> dict[str, Any]:
    return {"command": CURL, "interval": 10, "retries": 2, **changes}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (CURL, HttpCommand(3000, "/up", minds_status=True)),
        (["CMD", "curl", "-fsS", "http://127.0.0.1/"], HttpCommand(80, "/", minds_status=True)),
        (["CMD-SHELL", "curl http://localhost:3000"], HttpCommand(3000, "/", minds_status=False)),
        (
            ["CMD-SHELL", "wget -q --spider http://localhost:3000/up?x=1 || exit 1"],
            HttpCommand(3000, "/up?x=1", minds_status=True),
        ),
    ],
)
def test_commands_that_can_be_asked(command: list[str], expected: HttpCommand) -> None:
    assert http_command({"command": command}, "app") == expected


@pytest.mark.parametrize(
    "command",
    [
        ["CMD-SHELL", "bin/rails runner 'exit 1'"],
        ["CMD-SHELL", "curl -f http://example.com/up"],
        ["CMD-SHELL", "curl 'http://localhost"],
        ["CMD"],
        ["curl", "http://localhost:3000/up"],
    ],
)
def test_other_commands_are_refused_when_they_are_registered(
    story: Story, command: list[str]
) -> None:
    with pytest.raises(ApiError, match="curl or wget of http://localhost:PORT/PATH only"):
        story.register("repo:v1", healthCheck={"command": command})


def test_a_status_counts_only_where_the_command_minds_it() -> None:
    minds, not_so = HttpCommand(80, "/", True), HttpCommand(80, "/", False)
    assert not minds.passes(ProbeResult(503))
    assert not_so.passes(ProbeResult(503))
    assert not not_so.passes(ProbeResult(None))


def healths(story: Story) -> set[str]:
    return {task["healthStatus"] for task in story.tasks()}


def test_tasks_are_healthy_when_the_load_balancer_and_the_container_say_so(story: Story) -> None:
    story.create(2)
    story.until_steady()
    assert healths(story) == {"UNKNOWN"}
    arn = story.register("repo:v2", healthCheck=check(interval=120))
    story.update(taskDefinition=arn)
    story.until(lambda: story.health().count("healthy") == 4)
    story.clock.advance(60)
    assert story.health().count("healthy") == 4, "the old ones stay: the new ones are not proved"
    seconds = story.until_steady()
    assert seconds > 60
    assert healths(story) == {"HEALTHY"}
    assert {t["containers"][0]["healthStatus"] for t in story.tasks()} == {"HEALTHY"}


def test_failing_checks_replace_tasks_with_the_observed_words_and_trip_the_breaker(
    story: Story,
) -> None:
    story.create(1)
    story.until_steady()
    seen = len(story.events())
    arn = story.register(
        "repo:v2", healthCheck=check(command=["CMD-SHELL", "curl -f http://localhost:9/up"])
    )
    threshold = {"type": "COUNT", "value": 3}
    breaker = {"enable": True, "rollback": True, "thresholdConfiguration": threshold}
    story.update(taskDefinition=arn, deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    story.until(lambda: any("replaced" in event for event in story.events(seen)))
    assert story.events(seen)[:7] == [
        "(service web) has started 1 tasks: (task T).",
        "(service web) registered 1 targets in (target-group TG)",
        "(service web) (task T) failed container health checks.",
        "(service web) has stopped 1 running tasks: (task T).",
        "(service web) deregistered 1 targets in (target-group TG)",
        "(service web, taskSet D3) has begun draining connections on 1 tasks.",
        "(service web) has started 1 tasks: (task T). "
        "Amazon ECS replaced 1 tasks due to an unhealthy status.",
    ]
    stopped = story.tasks("STOPPED")[0]
    assert stopped["stoppedReason"] == "Task failed container health checks"
    assert stopped["healthStatus"] == "UNHEALTHY"
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_SUCCESSFUL")
    assert story.deployment()["deploymentCircuitBreaker"]["status"] == "TRIGGERED"


def test_a_start_period_forgives_a_slow_boot(story: Story) -> None:
    story.images.images["repo:v2"] = story.images.images["repo:v2"].__class__(
        "sha256:" + "2" * 64, {"bgconsole.boot_seconds": "100"}
    )
    story.create(1)
    story.until_steady()
    arn = story.register("repo:v2", healthCheck=check(startPeriod=120))
    story.update(taskDefinition=arn, healthCheckGracePeriodSeconds=150)
    story.until_steady()
    assert story.deployment()["status"] == "SUCCESSFUL"
    assert len(story.tasks("STOPPED")) == 1


def test_an_unhealthy_task_of_no_service_is_left_alone(story: Story) -> None:
    story.register("repo:sick", healthCheck=check())
    network = {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}
    arn = story.ecs(
        "RunTask",
        cluster=CLUSTER,
        taskDefinition=FAMILY,
        launchType="FARGATE",
        networkConfiguration=network,
    )["tasks"][0]["taskArn"]
    story.clock.advance(600)
    (task,) = story.ecs("DescribeTasks", cluster=CLUSTER, tasks=[arn])["tasks"]
    assert (task["healthStatus"], task["lastStatus"]) == ("UNHEALTHY", "RUNNING")
