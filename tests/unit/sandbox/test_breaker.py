"""Failing deployments on the virtual clock: the circuit breaker, its thresholds, the way back."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from bgconsole.sandbox.bad_deploy import bad_deploy, bad_deploy_after_first_look
from bgconsole.sandbox.ecs.batches import breaker_threshold
from bgconsole.sandbox.ecs.texts import BREAKER_REASON
from tests.unit.sandbox.story import CLUSTER, FAMILY, SERVICE, Story


@pytest.fixture
def story() -> Story:
    made = Story()
    made.build()
    made.create()
    made.until_steady()
    return made


def breaker(value: int = 3, rollback: bool = True, **more: Any) -> dict[str, Any]:
    threshold = {"type": "COUNT", "value": value}
    return {
        "deploymentCircuitBreaker": {
            "enable": True,
            "rollback": rollback,
            "thresholdConfiguration": threshold,
            **more,
        }
    }


@pytest.mark.parametrize(
    ("threshold", "desired", "expected"),
    [
        (None, 1, 3),
        (None, 4, 3),
        (None, 25, 13),
        (None, 1000, 200),
        ({"type": "BOUNDED_PERCENT", "value": 100}, 4, 4),
        ({"type": "BOUNDED_PERCENT", "value": 10}, 4, 3),
        ({"type": "UNBOUNDED_PERCENT", "value": 25}, 4, 1),
        ({"type": "UNBOUNDED_PERCENT", "value": 50}, 1000, 500),
        ({"type": "COUNT", "value": 12}, 4, 12),
    ],
)
def test_thresholds(threshold: dict[str, Any] | None, desired: int, expected: int) -> None:
    configured = {"thresholdConfiguration": threshold} if threshold else {}
    assert breaker_threshold(configured, desired) == expected


def test_a_crash_loop_trips_the_breaker_and_rolls_back(story: Story) -> None:
    arn = story.register("repo:crash")
    source = story.service()["deployments"][0]["id"]
    seen = len(story.events())
    story.update(taskDefinition=arn, deploymentConfiguration=breaker(3))
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_IN_PROGRESS")

    service = story.service()
    primary, failed = service["deployments"]
    assert (primary["id"], primary["status"], primary["rolloutState"]) == (
        source,
        "PRIMARY",
        "IN_PROGRESS",
    )
    assert (failed["status"], failed["rolloutState"]) == ("ACTIVE", "FAILED")
    assert failed["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert primary["rolloutStateReason"] == (
        f"ECS deployment circuit breaker: rolling back to deploymentId {source}."
    )
    record = story.deployment()
    assert record["deploymentCircuitBreaker"] == {
        "status": "TRIGGERED",
        "failureCount": 3,
        "threshold": 3,
    }
    assert record["statusReason"] == BREAKER_REASON
    assert record["rollback"]["reason"] == BREAKER_REASON

    story.until_steady()
    assert story.deployment()["status"] == "ROLLBACK_SUCCESSFUL"
    assert story.service()["taskDefinition"].endswith(":1")
    events = story.events(seen)
    failure = events.index(
        "(service web) (deployment D3) deployment failed: tasks failed to start."
    )
    assert events[failure + 1] == "(service web) rolling back to deployment D1."
    assert events[-2:] == [
        "(service web) (deployment D1) deployment completed.",
        "(service web) has reached a steady state.",
    ]
    both = story.service()["events"][: len(events) - failure]
    gap = both[-2]["createdAt"] - both[-1]["createdAt"]
    assert gap.total_seconds() == 0.001
    exits = {t["containers"][0]["exitCode"] for t in story.tasks("STOPPED")}
    assert exits == {1}
    assert story.health() == ["healthy"] * 4, "the old tasks served all the time"


def test_without_rollback_the_failed_deployment_stays_and_starts_nothing(story: Story) -> None:
    arn = story.register("repo:crash")
    story.update(taskDefinition=arn, deploymentConfiguration=breaker(3, rollback=False))
    story.until(lambda: story.service()["deployments"][0]["rolloutState"] == "FAILED")
    story.clock.advance(1800)
    assert len(story.tasks("STOPPED")) == 4, "the first batch, and none after it"
    assert story.health() == ["healthy"] * 4
    assert story.deployment()["status"] == "STOPPED"


def test_without_a_breaker_failing_tasks_are_tried_ever_more_slowly(story: Story) -> None:
    story.update(taskDefinition=story.register("repo:crash"))
    seen = len(story.events())
    starts: list[float] = []
    begin = story.clock.now()
    for _ in range(4):
        count = len(starts) + 1

        def started(wanted: int = count) -> bool:
            events = story.events(seen)
            return sum("has started 4 tasks" in event for event in events) == wanted

        story.until(started, within=4 * 3600)
        starts.append((story.clock.now() - begin).total_seconds())
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 1.8 * gaps[-2]
    unable = "(service web) is unable to consistently start tasks successfully."
    assert story.events(seen).count(unable) == 1
    assert story.service()["deployments"][0]["failedTasks"] >= 12
    assert story.health() == ["healthy"] * 4


def test_failing_health_checks_count_for_the_breaker(story: Story) -> None:
    story.update(taskDefinition=story.register("repo:sick"), deploymentConfiguration=breaker(4))
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_SUCCESSFUL", within=4 * 3600)
    reasons = {story.plain(task["stoppedReason"]) for task in story.tasks("STOPPED")}
    assert "Task failed ELB health checks in (target-group TG)" in reasons


def test_a_missing_image_never_starts_and_says_why(story: Story) -> None:
    story.update(taskDefinition=story.register("repo:gone"), deploymentConfiguration=breaker(3))
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_SUCCESSFUL", within=4 * 3600)
    task = story.tasks("STOPPED")[0]
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert task["containers"][0]["reason"] == task["stoppedReason"]
    assert "exitCode" not in task["containers"][0]


def test_the_first_deployment_has_nothing_to_go_back_to() -> None:
    story = Story()
    story.build()
    story.register("repo:crash")
    story.images.images["repo:v1"] = story.images.images["repo:crash"]
    story.create()
    story.update(deploymentConfiguration=breaker(3))
    story.update(forceNewDeployment=True)
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_FAILED")
    assert (
        story.deployment()["statusReason"] == "No rollback candidate was found to run the rollback."
    )


def test_a_deployment_that_just_succeeded_is_the_way_back_of_the_next(story: Story) -> None:
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until(lambda: story.deployment()["status"] == "SUCCESSFUL")
    assert len(story.service()["deployments"]) == 2, "the old tasks still take their leave"
    story.update(taskDefinition=story.register("repo:crash"), deploymentConfiguration=breaker(3))
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_SUCCESSFUL")
    assert story.service()["taskDefinition"].endswith(":2")


def test_an_update_ends_a_crash_loop(story: Story) -> None:
    story.update(taskDefinition=story.register("repo:crash"), deploymentConfiguration=breaker(50))
    story.until(lambda: story.service()["deployments"][0]["failedTasks"] >= 4)
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until_steady()
    assert story.service()["taskDefinition"].endswith(":2")
    assert story.service()["deployments"][0]["failedTasks"] == 0


def test_a_rollback_asked_for_in_a_crash_loop_ends_well(story: Story) -> None:
    story.update(taskDefinition=story.register("repo:crash"), deploymentConfiguration=breaker(50))
    story.until(lambda: story.service()["deployments"][0]["failedTasks"] >= 4)
    record = story.deployment()
    assert record["deploymentCircuitBreaker"]["status"] == "MONITORING"
    story.ecs("StopServiceDeployment", serviceDeploymentArn=record["serviceDeploymentArn"])
    story.until_steady()
    ended = story.deployment()
    assert ended["status"] == "ROLLBACK_SUCCESSFUL"
    assert ended["deploymentCircuitBreaker"]["status"] == "MONITORING_COMPLETE"


def test_the_bad_deploy_changes_only_the_image_and_leaves_time_to_act(story: Story) -> None:
    before = story.ecs("DescribeTaskDefinition", taskDefinition=FAMILY + ":1")["taskDefinition"]
    arn = bad_deploy(story.world.ecs, cluster=CLUSTER, service=SERVICE, image="repo:crash")
    after = story.ecs("DescribeTaskDefinition", taskDefinition=arn)["taskDefinition"]
    old, new = before["containerDefinitions"][0], after["containerDefinitions"][0]
    assert new == {**old, "image": "repo:crash"}
    seconds = story.until(lambda: story.deployment()["status"] == "ROLLBACK_IN_PROGRESS")
    assert 200 <= seconds <= 400, "at the demo's speed of 5: 40 to 80 s"
    story.until_steady()


def test_the_bad_deploy_waits_for_the_first_look_from_outside(story: Story) -> None:
    bad_deploy_after_first_look(
        story.world, cluster=CLUSTER, service=SERVICE, image="repo:crash", seconds=15
    )
    story.clock.advance(600)
    registered = story.ecs("ListTaskDefinitions", familyPrefix=FAMILY)["taskDefinitionArns"]
    assert len(registered) == 2
    story.service()
    story.clock.advance(14)
    assert len(story.ecs("ListTaskDefinitions")["taskDefinitionArns"]) == 2
    story.clock.advance(2)
    assert len(story.ecs("ListTaskDefinitions")["taskDefinitionArns"]) == 3
    assert story.deployment()["status"] == "PENDING"
