"""Scenarios on the virtual clock: each makes the trouble that it promises, `none` ends it."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from bgconsole.sandbox.command import sandbox
from bgconsole.sandbox.faults import Faults
from bgconsole.sandbox.scenarios import SCENARIOS, BadScenario, Stage, begin, find, fits
from tests.unit.sandbox.story import CLUSTER, FAMILY, Story

BREAKER = {
    "deploymentCircuitBreaker": {
        "enable": True,
        "rollback": True,
        "thresholdConfiguration": {"type": "COUNT", "value": 3},
    }
}


@pytest.fixture
def story() -> Story:
    made = Story()
    made.build()
    made.create(2)
    made.until_steady()
    made.update(deploymentConfiguration=BREAKER)
    return made


@pytest.fixture
def stage(story: Story) -> Stage:
    return Stage(story.world, Faults(), "repo:crash")


def stopped_reason(story: Story) -> str:
    story.until(lambda: bool(story.tasks("STOPPED")))
    reason: str = story.tasks("STOPPED")[0]["stoppedReason"]
    return reason


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("crash-loop", "Essential container in task exited"),
        ("bad-deploy", "Essential container in task exited"),
        ("image-not-found", "CannotPullContainerError: "),
        ("secret-missing", "ResourceInitializationError: unable to pull secrets or registry auth"),
        ("subnet-without-addresses", "InsufficientFreeAddressesInSubnet"),
    ],
)
def test_a_deployment_fails_and_is_rolled_back(
    story: Story, stage: Stage, name: str, words: str
) -> None:
    begin(stage, name)
    assert words in stopped_reason(story)
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_SUCCESSFUL", 4 * 3600)
    assert story.health() == ["healthy"] * 2


def test_the_old_revision_keeps_serving_and_starting_unless_it_is_broken_too(
    story: Story, stage: Stage
) -> None:
    begin(stage, "crash-loop")
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_SUCCESSFUL")
    story.until_steady()
    story.container(story.tasks()[0]).exit(1)
    story.until(lambda: story.health() == ["healthy"] * 2)
    begin(stage, "old-revision-broken")
    story.until(lambda: story.deployment()["status"].startswith("ROLLBACK_"))
    story.clock.advance(1800)
    assert story.deployment()["status"] == "ROLLBACK_IN_PROGRESS"
    assert story.health().count("healthy") == 1
    begin(stage, "none")
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_SUCCESSFUL")
    assert story.health() == ["healthy"] * 2


def test_a_rollback_whose_tasks_fail_too_is_given_up(story: Story, stage: Stage) -> None:
    seen = len(story.events())
    begin(stage, "rollback-failed")
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_IN_PROGRESS")
    went_back_to = story.deployment()["rollback"]["serviceRevisionArn"]
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_FAILED")
    record = story.deployment()
    assert record["statusReason"] == (
        "Service deployment rollback failed because the circuit breaker threshold was exceeded."
    )
    assert record["rollback"]["serviceRevisionArn"] == went_back_to
    assert record["sourceServiceRevisions"][0]["arn"] == went_back_to
    assert "finishedAt" in record
    failed = "(service web) (deployment D1) deployment failed: tasks failed to start."
    told = [event for event in story.events(seen) if event == failed]
    assert len(told) == 2, "once for the deployment, once for the way back"
    primary = story.service()["deployments"][0]
    assert primary["rolloutState"] == "FAILED"
    story.clock.advance(3600)
    assert story.service()["runningCount"] == 0, "nothing is started any more"
    begin(stage, "none")
    story.update(forceNewDeployment=True)
    story.until(lambda: story.deployment()["status"] == "SUCCESSFUL")
    assert story.health() == ["healthy"] * 2


class Values:
    """Secrets that only remember what was asked."""

    def __init__(self) -> None:
        self.changed: list[str] = []

    def change(self, reference: str) -> None:
        self.changed.append(reference)

    def restore(self) -> None:
        self.changed.clear()


def test_a_changed_secret_fails_whoever_starts_afterwards(story: Story) -> None:
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:database-url-a1b2c3"
    values = Values()
    stage = Stage(story.world, Faults(), "repo:crash", values)
    with pytest.raises(BadScenario, match="names a secret"):
        begin(stage, "secret-changed")
    key = {"name": "SECRET_KEY_BASE", "valueFrom": f"{secret}-key"}
    url = {"name": "DATABASE_URL", "valueFrom": secret}
    story.update(taskDefinition=story.register("repo:v1", secrets=[key, url]))
    story.until_steady()
    begin(stage, "secret-changed")
    assert values.changed == [secret]
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_SUCCESSFUL")
    reasons = {task["stoppedReason"] for task in story.tasks("STOPPED")}
    assert "Essential container in task exited" in reasons
    # The old tasks have the old value, but their successors would not.
    assert story.health() == ["healthy"] * 2
    story.container(story.tasks()[0]).exit(1)
    story.clock.advance(1800)
    assert story.health().count("healthy") == 1
    begin(stage, "none")
    assert not values.changed
    story.until(lambda: story.health() == ["healthy"] * 2)


def test_without_a_secrets_manager_no_secret_is_changed(story: Story, stage: Stage) -> None:
    url = {"name": "DATABASE_URL", "valueFrom": "arn:of:a:secret"}
    story.update(taskDefinition=story.register("repo:v1", secrets=[url]))
    with pytest.raises(BadScenario, match="no Secrets Manager"):
        begin(stage, "secret-changed")


def test_a_burst_of_errors_is_for_running_and_later_tasks_until_it_ends(
    story: Story, stage: Stage
) -> None:
    def statuses() -> list[int]:
        return [story.container(task).answer() for task in story.tasks() for _ in range(100)]

    begin(stage, "5xx-burst=20")
    assert statuses().count(500) == 40
    story.container(story.tasks()[0]).exit(1)
    story.clock.advance(300)
    assert statuses().count(500) == 40
    begin(stage, "none")
    assert statuses().count(500) == 0


def test_a_deployment_with_errors_leaves_the_old_tasks_alone(story: Story, stage: Stage) -> None:
    old = {task["taskArn"] for task in story.tasks()}
    begin(stage, "5xx-deploy=100")
    story.until(lambda: len(story.health()) == 4 and story.health() == ["healthy"] * 4)
    for task in story.tasks():
        assert story.container(task).answer() == (200 if task["taskArn"] in old else 500)


def test_slow_boot_takes_its_time(story: Story, stage: Stage) -> None:
    story.update(healthCheckGracePeriodSeconds=600)
    begin(stage, "slow-boot=200")
    assert story.until_steady() > 250


def test_healthy_tasks_fall_ill_and_are_replaced(story: Story, stage: Stage) -> None:
    begin(stage, "failing-health-check-after-healthy=2")
    story.until(lambda: "unhealthy" in story.health())
    story.until(lambda: len(story.tasks("STOPPED")) == 2)
    story.until(lambda: story.health() == ["healthy"] * 2)


def test_without_capacity_nothing_starts_and_it_is_said_once(story: Story, stage: Stage) -> None:
    seen = len(story.events())
    begin(stage, "no-capacity")
    story.clock.advance(1800)
    assert story.events(seen) == [
        "(service web) was unable to place a task. Reason: Capacity is unavailable at this time. "
        "Please try again later or in a different availability zone."
    ]
    begin(stage, "none")
    story.until_steady()
    assert story.deployment()["status"] == "SUCCESSFUL"


def test_spot_takes_a_task_back(story: Story, stage: Stage) -> None:
    begin(stage, "spot-reclaim")
    story.until(lambda: len(story.tasks("STOPPED")) == 1 and story.health() == ["healthy"] * 2)
    (task,) = story.tasks("STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == (
        "SpotInterruption",
        "Your Spot Task was interrupted.",
    )


@pytest.mark.parametrize(("name", "code"), [("migration-fails", 1), ("migration-slow", 0)])
def test_migrations_go_as_told(story: Story, stage: Stage, name: str, code: int) -> None:
    begin(stage, name)
    override: dict[str, Any] = {"name": "app", "command": ["bin/rails", "db:migrate"]}
    arn = story.ecs(
        "RunTask",
        cluster=CLUSTER,
        taskDefinition=FAMILY,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-a"]}},
        overrides={"containerOverrides": [override]},
    )["tasks"][0]["taskArn"]

    def task() -> dict[str, Any]:
        found: dict[str, Any] = story.ecs("DescribeTasks", cluster=CLUSTER, tasks=[arn])["tasks"][0]
        return found

    seconds = story.until(lambda: task()["lastStatus"] == "STOPPED")
    assert task()["containers"][0]["exitCode"] == code
    assert (seconds > 1200) == (name == "migration-slow")


def test_a_burst_writes_its_lines(story: Story, stage: Stage) -> None:
    before = len(story.logs.written)
    begin(stage, "log-burst=50")
    story.clock.advance(31)
    assert len(story.logs.written) - before == 50 * 30


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("throttling", {"calls_per_second": 2.0}),
        ("throttling=7", {"calls_per_second": 7.0}),
        ("access-denied=ecs:UpdateService", {"denied": {"ecs:UpdateService"}}),
        ("expired-credentials", {"expired": {"123456789012"}}),
        ("latency=250", {"latency": 0.25}),
        ("jitter", {"jitter": 0.4}),
        ("connection-resets", {"resets": 0.2}),
    ],
)
def test_faults_of_the_api(stage: Stage, text: str, expected: dict[str, Any]) -> None:
    begin(stage, text)
    assert {name: getattr(stage.faults, name) for name in expected} == expected
    begin(stage, "none")
    assert not stage.faults.any


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unknown",
        "crash-loop=3",
        "throttling=x",
        "throttling=-1",
        "access-denied=x",
        "5xx-burst=101",
        "5xx-deploy=-1",
    ],
)
def test_what_cannot_begin_says_so(stage: Stage, text: str) -> None:
    with pytest.raises(BadScenario):
        begin(stage, text)


def test_names_are_unique_and_defaults_belong_to_values() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)
    assert all(scenario.takes or not scenario.default for scenario in SCENARIOS)
    assert find("throttling=5")[1] == "5"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--scenario slow-boot=abc", "'abc' is not a number"),
        ("--scenario throttling=nan", "'nan' is not a number"),
        ("--scenario latency=-1", "-1 is less than 0"),
        ("--scenario 5xx-burst=101", "101 is more than 100"),
        ("--scenario log-burst=0", "0 is less than 1"),
        ("--scenario access-denied=UpdateService", "is not an action such as ecs:UpdateService"),
        ("--scenario crash-loop=2", "crash-loop takes no value"),
        ("--scenario scale=x --runtime simulated", "is not SERVICESxTASKS such as 400x5000"),
        ("--scenario scale", "start with --runtime simulated"),
    ],
)
@pytest.mark.parametrize("inside", [(), ("run",)])
def test_a_scenario_that_cannot_be_is_refused_before_anything_starts(
    arguments: str, words: str, inside: tuple[str, ...]
) -> None:
    command = ("--", "true") if inside else ()
    done = CliRunner().invoke(sandbox, [*inside, *arguments.split(), *command])
    assert done.exit_code == 2
    assert words in " ".join(done.output.split())


def test_a_scenario_of_the_stand_in_is_refused_for_containers() -> None:
    fits("slow-boot=3", "process")
    with pytest.raises(BadScenario, match="leave out --docker"):
        fits("slow-boot=3", "docker")
