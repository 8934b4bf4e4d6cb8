"""Rolling deployments on the virtual clock: batches, texts in order, counts, times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bgconsole.sandbox.api import ApiError
from tests.unit.sandbox.story import CLUSTER, FAMILY, SERVICE, Story, image


@pytest.fixture
def story() -> Story:
    made = Story()
    made.build()
    return made


def running_by_revision(story: Story) -> dict[str, int]:
    return {
        deployment["taskDefinition"].rpartition(":")[2]: deployment["runningCount"]
        for deployment in story.service()["deployments"]
    }


def sampled(story: Story, within: float = 3600.0) -> Iterator[tuple[int, int]]:
    """Live tasks of all deployments and healthy targets, second by second until it is steady."""
    for _ in range(int(within)):
        story.clock.advance(1)
        yield len(story.tasks()), story.health().count("healthy")
        if story.steady():
            return
    raise TimeoutError("never steady")


def test_a_service_is_created_and_becomes_steady(story: Story) -> None:
    story.create()
    story.until_steady()
    assert story.events() == [
        "(service web) has started 4 tasks: (task T) (task T) (task T) (task T).",
        "(service web) registered 4 targets in (target-group TG)",
        "(service web) (deployment D1) deployment completed.",
        "(service web) has reached a steady state.",
    ]
    assert story.health() == ["healthy"] * 4
    assert story.deployment()["status"] == "SUCCESSFUL"
    assert story.deployment()["sourceServiceRevisions"] == []


def test_200_100_starts_four_then_stops_four_in_the_observed_order(story: Story) -> None:
    story.create()
    story.until_steady()
    seen = len(story.events())
    answered = story.update(taskDefinition=f"{FAMILY}:2")
    new, old = answered["deployments"]
    assert (new["status"], new["desiredCount"], new["rolloutState"]) == (
        "PRIMARY",
        0,
        "IN_PROGRESS",
    )
    assert story.plain(new["rolloutStateReason"]) == "ECS deployment D2 in progress."
    assert (old["status"], old["rolloutState"]) == ("ACTIVE", "COMPLETED")
    assert story.plain(old["rolloutStateReason"]) == "ECS deployment D1 completed."
    assert len(answered["currentServiceRevisions"]) == 2

    seconds = story.until_steady()

    assert 100 <= seconds <= 200, "AWS measured 149 s; at speed 5 this must be 20 to 40 s"
    assert story.events(seen) == [
        "(service web) has started 4 tasks: (task T) (task T) (task T) (task T).",
        "(service web) registered 4 targets in (target-group TG)",
        "(service web) has stopped 4 running tasks: (task T) (task T) (task T) (task T).",
        "(service web) deregistered 4 targets in (target-group TG)",
        "(service web, taskSet D1) has begun draining connections on 4 tasks.",
        "(service web) (deployment D2) deployment completed.",
        "(service web) has reached a steady state.",
    ]
    times = [event["createdAt"] for event in story.service()["events"]]
    assert times == sorted(times, reverse=True)
    assert len(set(times)) == len(times)
    assert running_by_revision(story) == {"2": 4}


@pytest.mark.parametrize(
    ("desired", "maximum", "minimum", "most", "least"),
    [(4, 200, 100, 8, 4), (4, 150, 100, 6, 4), (2, 150, 100, 3, 2), (4, 100, 50, 4, 2)],
)
def test_batches_keep_within_the_percentages(
    story: Story, desired: int, maximum: int, minimum: int, most: int, least: int
) -> None:
    story.create(desired, maximum, minimum)
    story.until_steady()
    story.update(taskDefinition=f"{FAMILY}:2")
    samples = list(sampled(story))
    assert max(live for live, _ in samples) == most
    assert min(healthy for _, healthy in samples) == least
    assert running_by_revision(story) == {"2": desired}


def test_125_100_of_three_is_stuck_and_says_so_once(story: Story) -> None:
    story.create(3, 125, 100)
    # The first deployment is not held back: nothing of an older one is in its way.
    story.until_steady()
    seen = len(story.events())
    story.update(taskDefinition=f"{FAMILY}:2")
    story.clock.advance(1800)
    assert story.events(seen) == [
        "(service web) was unable to stop or start tasks during a deployment because of the "
        "service deployment configuration. Update the minimumHealthyPercent or maximumPercent "
        "value and try again."
    ]
    assert running_by_revision(story) == {"2": 0, "1": 3}
    story.update(deploymentConfiguration={"maximumPercent": 200})
    story.until_steady()
    assert running_by_revision(story) == {"2": 3}


def test_tasks_pass_every_status_and_carry_its_times(story: Story) -> None:
    story.create(1)
    seen: list[str] = []

    def watch(arn: str) -> dict[str, Any]:
        task: dict[str, Any] = story.ecs("DescribeTasks", cluster=CLUSTER, tasks=[arn])["tasks"][0]
        if task["lastStatus"] not in seen:
            seen.append(task["lastStatus"])
        return task

    story.until(lambda: bool(story.tasks()))
    arn = story.tasks()[0]["taskArn"]
    story.until(lambda: watch(arn)["lastStatus"] == "RUNNING")
    story.until_steady()
    stopped = story.ecs("StopTask", cluster=CLUSTER, task=arn, reason="drill")["task"]
    assert (stopped["lastStatus"], stopped["desiredStatus"]) == ("DEACTIVATING", "STOPPED")
    story.until(lambda: watch(arn)["lastStatus"] == "STOPPED")
    assert seen == [
        "PROVISIONING",
        "PENDING",
        "ACTIVATING",
        "RUNNING",
        "DEACTIVATING",
        "STOPPING",
        "DEPROVISIONING",
        "STOPPED",
    ]
    task = watch(arn)
    order = [
        "createdAt",
        "connectivityAt",
        "pullStoppedAt",
        "startedAt",
        "stoppingAt",
        "executionStoppedAt",
        "stoppedAt",
    ]
    times = [task[name] for name in order]
    assert times == sorted(times)
    assert task["stopCode"] == "UserInitiated"
    assert task["stoppedReason"] == "drill"
    assert task["containers"][0]["exitCode"] == 0
    assert task["containers"][0]["imageDigest"] == "sha256:" + "1" * 64
    assert task["group"] == "service:web"
    assert task["startedBy"] == story.service()["deployments"][0]["id"]


def test_tasks_are_spread_over_zones_and_have_private_addresses(story: Story) -> None:
    story.create()
    story.until_steady()
    tasks = story.tasks()
    zones = sorted(task["availabilityZone"] for task in tasks)
    assert zones == ["us-east-1a", "us-east-1a", "us-east-1b", "us-east-1b"]
    details = [{d["name"]: d["value"] for d in t["attachments"][0]["details"]} for t in tasks]
    addresses = {detail["privateIPv4Address"] for detail in details}
    assert len(addresses) == 4
    assert all(address.startswith("10.0.") for address in addresses)


def test_a_killed_task_is_replaced_without_a_new_deployment(story: Story) -> None:
    story.create()
    story.until_steady()
    deployment = story.service()["deployments"][0]["id"]
    seen = len(story.events())
    victim = story.tasks()[0]
    story.container(victim).exit(137)
    story.until(lambda: len(story.events(seen)) >= 4 and story.steady())
    assert story.events(seen) == [
        "(service web) deregistered 1 targets in (target-group TG)",
        "(service web) has started 1 tasks: (task T).",
        "(service web) registered 1 targets in (target-group TG)",
        "(service web) has reached a steady state.",
    ]
    service = story.service()
    assert [d["id"] for d in service["deployments"]] == [deployment]
    assert service["deployments"][0]["rolloutState"] == "COMPLETED"
    dead = next(t for t in story.tasks("STOPPED") if t["taskArn"] == victim["taskArn"])
    assert dead["stopCode"] == "EssentialContainerExited"
    assert dead["stoppedReason"] == "Essential container in task exited"
    assert dead["containers"][0]["exitCode"] == 137


def test_a_target_that_turns_unhealthy_is_replaced_with_the_observed_words(story: Story) -> None:
    story.create()
    story.until_steady()
    seen = len(story.events())
    victim = story.tasks()[0]
    story.container(victim).status = 503
    story.until(lambda: len(story.events(seen)) >= 7 and story.steady())
    assert story.events(seen) == [
        "(service web) has started 1 tasks: (task T). "
        "Amazon ECS replaced 1 tasks due to an unhealthy status.",
        "(service web) (task T) (port 3000) is unhealthy in (target-group TG) "
        "due to (reason Health checks failed with these codes: [503]).",
        "(service web) has stopped 1 running tasks: (task T).",
        "(service web) deregistered 1 targets in (target-group TG)",
        "(service web, taskSet D1) has begun draining connections on 1 tasks.",
        "(service web) registered 1 targets in (target-group TG)",
        "(service web) has reached a steady state.",
    ]
    dead = next(t for t in story.tasks("STOPPED") if t["taskArn"] == victim["taskArn"])
    assert (
        story.plain(dead["stoppedReason"]) == "Task failed ELB health checks in (target-group TG)"
    )


def test_scaling_is_no_deployment(story: Story) -> None:
    story.create()
    story.until_steady()
    records = len(story.service()["deployments"])
    story.update(desiredCount=6)
    story.until(lambda: story.steady() and story.health() == ["healthy"] * 6)
    story.update(desiredCount=1)
    story.until(lambda: story.steady() and story.health() == ["healthy"])
    assert len(story.service()["deployments"]) == records == 1
    listed = story.ecs("ListServiceDeployments", cluster=CLUSTER, service=SERVICE)
    assert len(listed["serviceDeployments"]) == 1
    stopped = story.tasks("STOPPED")
    assert len(stopped) == 5
    assert {story.plain(task["stoppedReason"]) for task in stopped} == {
        "Scaling activity initiated by (deployment D1)"
    }


def test_a_second_update_supersedes_the_first(story: Story) -> None:
    story.create()
    story.until_steady()
    story.update(taskDefinition=f"{FAMILY}:2")
    first = story.deployment()["serviceDeploymentArn"]
    story.until(lambda: story.service()["pendingCount"] == 4)
    story.update(taskDefinition=f"{FAMILY}:1", forceNewDeployment=True)
    described = story.ecs("DescribeServiceDeployments", serviceDeploymentArns=[first])
    assert described["serviceDeployments"][0]["status"] == "STOPPED"
    assert len(story.deployment()["sourceServiceRevisions"]) == 2
    story.until_steady()
    assert running_by_revision(story) == {"1": 4}
    assert "(service web) stopped 4 pending tasks." in story.events()
    assert story.deployment()["status"] == "SUCCESSFUL"


def test_stop_with_rollback_goes_back_to_the_source_revision(story: Story) -> None:
    story.create()
    story.until_steady()
    source = story.service()["deployments"][0]["id"]
    seen = len(story.events())
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until(lambda: story.health().count("healthy") == 8)
    record = story.deployment()
    stop = {"serviceDeploymentArn": record["serviceDeploymentArn"], "stopType": "ROLLBACK"}
    story.ecs("StopServiceDeployment", **stop)
    assert story.deployment()["status"] == "ROLLBACK_REQUESTED"
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_IN_PROGRESS")
    assert story.service()["taskDefinition"].endswith(":1")
    story.until_steady()
    ended = story.deployment()
    assert ended["status"] == "ROLLBACK_SUCCESSFUL"
    assert ended["rollback"]["serviceRevisionArn"].rpartition("/")[2] == source.rpartition("/")[2]
    assert story.service()["deployments"][0]["id"] == source
    assert story.events(seen)[2] == "(service web) rolling back to deployment D1."
    with pytest.raises(ApiError, match="ConflictException"):
        story.ecs("StopServiceDeployment", **stop)


def test_a_tag_is_resolved_once_per_revision(story: Story) -> None:
    story.create()
    story.until_steady()
    story.images.images["repo:v1"] = image(9, revision="moved")
    story.container(story.tasks()[0]).exit(1)
    story.until(lambda: len(story.tasks("STOPPED")) == 1 and story.steady())
    digests = {task["containers"][0]["imageDigest"] for task in story.tasks()}
    assert digests == {"sha256:" + "1" * 64}
    story.update(forceNewDeployment=True)
    story.until_steady()
    revision = story.deployment()["targetServiceRevision"]["arn"]
    described = story.ecs("DescribeServiceRevisions", serviceRevisionArns=[revision])
    images = described["serviceRevisions"][0]["containerImages"]
    assert images == [
        {"containerName": "app", "image": "repo:v1", "imageDigest": "sha256:" + "9" * 64}
    ]


def test_stopped_tasks_are_forgotten_after_an_hour(story: Story) -> None:
    story.create(1)
    story.until_steady()
    story.container(story.tasks()[0]).exit(1)
    story.until(lambda: len(story.tasks("STOPPED")) == 1 and story.steady())
    story.clock.advance(3700)
    assert story.tasks("STOPPED") == []


def test_a_deleted_service_drains_and_becomes_inactive(story: Story) -> None:
    story.create()
    story.until_steady()
    with pytest.raises(ApiError, match=r"scaled above 0\."):
        story.ecs("DeleteService", cluster=CLUSTER, service=SERVICE)
    deleted = story.ecs("DeleteService", cluster=CLUSTER, service=SERVICE, force=True)
    assert deleted["service"]["status"] == "DRAINING"
    story.until(lambda: story.service()["status"] == "INACTIVE")
    assert story.health() == []
    assert story.runtime.running == {}
    story.ecs("DeleteCluster", cluster=CLUSTER)


def test_desired_zero_is_steady(story: Story) -> None:
    story.create(0)
    story.until_steady()
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until_steady()
    assert story.deployment()["status"] == "SUCCESSFUL"
