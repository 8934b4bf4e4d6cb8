"""Stacks that fail, are cancelled, cannot go back and go on, over HTTP with boto3."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bgconsole.sandbox.provision import free_ports
from tests.e2e.account import CLUSTER, QUICK, Account, Event, account
from tests.e2e.conftest import PROGRAM

BREAKER = "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'."
MISSING = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/no/0123456789abcdef"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("stories"), "--speed", "100") as made:
        yield made


def shape(events: list[Event]) -> list[tuple[str, str]]:
    return [(name, status) for name, status, _ in events]


def made(shared: Account, stack: str, **parameters: str) -> int:
    """A stack with a steady service; the number of its events."""
    shared.create(stack, "service.yml", Image=shared.image("1f3c2aa"), **parameters)
    shared.until(stack, "stack_create_complete")
    return len(shared.told(stack))


def test_a_create_that_fails_is_taken_back_whole(shared: Account) -> None:
    shared.create("stillborn", "service.yml", Image=shared.image("bad0c0d"))

    assert shared.ends("stillborn", "stack_create_complete") == "ROLLBACK_COMPLETE"
    events = shared.events("stillborn")
    assert shape(events) == [
        ("stillborn", "CREATE_IN_PROGRESS"),
        ("Definition", "CREATE_IN_PROGRESS"),
        ("Definition", "CREATE_COMPLETE"),
        ("Service", "CREATE_IN_PROGRESS"),
        ("Service", "CREATE_FAILED"),
        ("stillborn", "ROLLBACK_IN_PROGRESS"),
        ("Definition", "DELETE_IN_PROGRESS"),
        ("Definition", "DELETE_COMPLETE"),
        ("stillborn", "ROLLBACK_COMPLETE"),
    ]
    assert BREAKER in events[4][2]
    assert events[5][2] == (
        "The following resource(s) failed to create: [Service]. Rollback requested by user."
    )
    times = [event["Timestamp"] for event in shared.told("stillborn")]
    assert times == sorted(times)
    assert (times[4] - times[3]).total_seconds() > 0.5, "the deployment took its time"
    with pytest.raises(ClientError, match=r"ROLLBACK_COMPLETE state and can.?not be updated"):
        shared.update("stillborn", "service.yml", Image=shared.image("1f3c2aa"))


@pytest.mark.parametrize(
    ("parameters", "words", "code"),
    [
        ({"Cluster": "nowhere"}, "Cluster not found.", "NotFound"),
        ({"TaskDefinition": "nowhere:7"}, "TaskDefinition not found.", "InvalidRequest"),
    ],
)
def test_what_ecs_refuses_fails_the_resource(
    shared: Account, parameters: dict[str, str], words: str, code: str
) -> None:
    stack = f"no-{next(iter(parameters)).lower()}"
    shared.create(stack, "service.yml", Image=shared.image("1f3c2aa"), **parameters)

    assert shared.ends(stack, "stack_create_complete") == "ROLLBACK_COMPLETE"
    (failed,) = [e for e in shared.events(stack) if e[1] == "CREATE_FAILED"]
    assert failed[0] == "Service"
    assert f'message: "{words} (Service: Ecs, Status Code: 400' in failed[2]
    assert f"HandlerErrorCode: {code})" in failed[2]


def test_only_what_changes_is_told_and_an_update_can_be_undone_by_the_next(
    shared: Account,
) -> None:
    before = made(shared, "scaled")

    shared.update("scaled", "service.yml", Image=shared.image("1f3c2aa"), DesiredCount="2")
    shared.until("scaled", "stack_update_complete")

    assert shape(shared.events("scaled")[before:]) == [
        ("scaled", "UPDATE_IN_PROGRESS"),
        ("Service", "UPDATE_IN_PROGRESS"),
        ("Service", "UPDATE_COMPLETE"),
        ("scaled", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("scaled", "UPDATE_COMPLETE"),
    ]
    assert shared.service(service="scaled")["runningCount"] == 2
    with pytest.raises(ClientError, match="No updates are to be performed"):
        shared.update("scaled", "service.yml", Image=shared.image("1f3c2aa"), DesiredCount="2")


def test_it_is_rolled_back_only_when_the_old_deployment_is_stable(shared: Account) -> None:
    before = made(shared, "failing", DesiredCount="2")
    first = shared.service(service="failing")

    shared.update("failing", "service.yml", Image=shared.image("bad0c0d"), DesiredCount="2")
    states: list[str] = []
    stable_before = False
    while not states or not states[-1].endswith(("COMPLETE", "FAILED")):
        service = shared.service(service="failing")
        status = shared.status("failing")
        if not states or states[-1] != status:
            states.append(status)
        if status == "UPDATE_ROLLBACK_IN_PROGRESS":
            stable_before |= service["taskDefinition"] == first["taskDefinition"]

    assert [s for s in states if "CLEANUP" not in s] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    assert stable_before
    after = shared.service(service="failing")
    (deployment,) = after["deployments"]
    assert after["taskDefinition"] == first["taskDefinition"]
    assert deployment["rolloutState"] == "COMPLETED"
    assert deployment["runningCount"] == 2
    told = shared.told("failing")[before:]
    steady = max(e["createdAt"] for e in after["events"] if "steady state" in e["message"])
    assert told[-1]["ResourceStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    # CloudFormation's times end at the millisecond, ECS's do not.
    assert steady.replace(microsecond=steady.microsecond // 1000 * 1000) <= told[-1]["Timestamp"]


def test_an_update_that_hangs_is_cancelled_and_goes_back(shared: Account) -> None:
    before = made(shared, "hanging", Breaker="false")
    first = shared.service(service="hanging")
    stacks = shared.client("cloudformation")
    with pytest.raises(ClientError, match="cannot be called from current stack status"):
        stacks.cancel_update_stack(StackName="hanging")

    bad = shared.image("bad0c0d")
    shared.update("hanging", "service.yml", Image=bad, Breaker="false")
    _until(lambda: shared.service(service="hanging")["deployments"][0]["failedTasks"] > 0)
    assert shared.status("hanging") == "UPDATE_IN_PROGRESS"
    stacks.cancel_update_stack(StackName="hanging")
    shared.until("hanging", "stack_rollback_complete")

    events = shared.events("hanging")[before:]
    failed = shape(events).index(("Service", "UPDATE_FAILED"))
    assert events[failed][2] == "Resource update cancelled"
    assert events[failed + 1] == ("hanging", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
    after = shared.service(service="hanging")
    assert after["taskDefinition"] == first["taskDefinition"]
    assert after["deployments"][0]["rolloutState"] == "COMPLETED"


def test_an_image_is_deployed_and_taken_back_through_its_stack(shared: Account) -> None:
    """By the program: the tasks go back to the template's number, and a hang is cancelled."""
    made(shared, "through", Breaker="false", DesiredCount="2")
    service = ("--cluster", CLUSTER, "--service", "through")
    way = ("--through", "stack", "--image-parameter", "Image")

    def bgconsole(*words: str, code: int = 0) -> str:
        ended = shared.sandbox.run(*PROGRAM, words[0], *service, *way, *words[1:])
        told = ended.stdout + ended.stderr
        assert ended.returncode == code, told
        return told

    ecs, stacks = shared.client("ecs"), shared.client("cloudformation")
    ecs.update_service(cluster=CLUSTER, service="through", desiredCount=3)
    _until(lambda: shared.service(service="through")["runningCount"] == 3)
    dry = bgconsole("deploy", "--image", "8be01c9", "--dry-run")
    assert "tasks  3 → 2   the template gives DesiredCount 2" in dry
    assert "± Definition REPLACE AWS::ECS::TaskDefinition" in dry
    assert "is not the word" in bgconsole(
        "deploy", "--image", "8be01c9", "--confirm", "8be01c9", code=3
    )
    assert stacks.list_change_sets(StackName="through")["Summaries"] == []

    bgconsole("deploy", "--image", "8be01c9", "--confirm", "through")
    assert shared.status("through") == "UPDATE_COMPLETE"
    deployed = shared.service(service="through")
    assert (deployed["desiredCount"], deployed["runningCount"]) == (2, 2)
    (stack,) = stacks.describe_stacks(StackName="through")["Stacks"]
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in stack["Parameters"]}
    assert "/demorepo@sha256:" in parameters["Image"]
    assert parameters["Breaker"] == "false"

    shared.update("through", "service.yml", Image=shared.image("bad0c0d"), Breaker="false")
    _until(lambda: shared.service(service="through")["deployments"][0]["failedTasks"] > 0)
    number = deployed["taskDefinition"].rpartition(":")[2]
    told = bgconsole("rollback", "--confirm", number)
    assert "by     cancelling the update of the stack through" in told
    assert shared.status("through") == "UPDATE_ROLLBACK_COMPLETE"
    assert shared.service(service="through")["taskDefinition"] == deployed["taskDefinition"]


@pytest.mark.parametrize("skip", [True, False])
def test_a_rollback_that_fails_can_be_continued(shared: Account, skip: bool) -> None:
    stack = f"stuck-{skip}".lower()
    before = made(shared, stack)
    ecs, stacks = shared.client("ecs"), shared.client("cloudformation")
    first = shared.service(service=stack)["taskDefinition"]
    with pytest.raises(ClientError, match="cannot be called from current stack status"):
        stacks.continue_update_rollback(StackName=stack)
    # Somebody (ecs-deploy does it by itself) retires the revision that the stack would go back to.
    ecs.deregister_task_definition(taskDefinition=first)

    shared.update(stack, "service.yml", Image=shared.image("bad0c0d"))
    assert shared.ends(stack, "stack_rollback_complete") == "UPDATE_ROLLBACK_FAILED"
    reason = "The following resource(s) failed to update: [Service]."
    assert shared.events(stack)[-1] == (stack, "UPDATE_ROLLBACK_FAILED", reason)
    (why,) = [e[2] for e in shared.events(stack)[before:] if "inactive" in e[2].lower()]
    assert "TaskDefinition is inactive" in why
    with pytest.raises(ClientError, match=r"ROLLBACK_FAILED state and can.?not be updated"):
        shared.update(stack, "service.yml", Image=shared.image("8be01c9"))
    with pytest.raises(ClientError, match="cannot be skipped"):
        stacks.continue_update_rollback(StackName=stack, ResourcesToSkip=["Definition"])

    if skip:
        stacks.continue_update_rollback(StackName=stack, ResourcesToSkip=["Service"])
        shared.until(stack, "stack_rollback_complete")
        shared.update(stack, "service.yml", Image=shared.image("8be01c9"))
        shared.until(stack, "stack_update_complete")
        live = shared.service(service=stack)["taskDefinition"]
        assert live == shared.output(stack, "TaskDefinition")
    else:
        stacks.continue_update_rollback(StackName=stack)
        assert shared.ends(stack, "stack_rollback_complete") == "UPDATE_ROLLBACK_FAILED"
        assert shape(shared.events(stack))[-2:] == [
            ("Service", "UPDATE_FAILED"),
            (stack, "UPDATE_ROLLBACK_FAILED"),
        ]


def test_a_blue_green_service_is_made_deployed_and_taken_back_by_its_stack(
    shared: Account,
) -> None:
    ports = free_ports()
    fixed = {
        **shared.network(),
        "ProductionPort": str(ports.production),
        "TestPort": str(ports.test),
    }
    shared.create("pair", "pair.yml", Image=shared.image("1f3c2aa"), **fixed)
    shared.until("pair", "stack_create_complete")
    blue, green = shared.output("pair", "Blue"), shared.output("pair", "Green")
    first = _serving(shared)
    assert first in (blue, green)

    shared.update("pair", "pair.yml", Image=shared.image("8be01c9"), **fixed)
    shared.until("pair", "stack_update_complete")
    second = _serving(shared)
    assert {first, second} == {blue, green}
    assert [d["status"] for d in _deployments(shared)] == ["SUCCESSFUL", "SUCCESSFUL"]

    before = len(shared.told("pair"))
    shared.update("pair", "pair.yml", Image=shared.image("bad0c0d"), **fixed)
    shared.until("pair", "stack_rollback_complete")
    events = shared.events("pair")[before:]
    assert BREAKER in next(e[2] for e in events if e[:2] == ("Service", "UPDATE_FAILED"))
    assert _serving(shared) == second
    statuses = [d["status"] for d in _deployments(shared)]
    assert statuses.count("ROLLBACK_SUCCESSFUL") == 1

    refused = {**fixed, "AlternateGroup": MISSING}
    shared.update("pair", "pair.yml", Image=shared.image("8be01c9"), **refused)
    shared.until("pair", "stack_rollback_complete")
    words = [e[2] for e in shared.events("pair") if e[:2] == ("Service", "UPDATE_FAILED")]
    assert f"The specified target group {MISSING} does not exist." in words[-1]

    fewer = {**fixed, "Subnets": ",".join(fixed["Subnets"].split(",")[:2])}
    shared.update("pair", "pair.yml", Image=shared.image("8be01c9"), **fewer)
    shared.until("pair", "stack_update_complete")
    balancers = shared.client("elbv2").describe_load_balancers()["LoadBalancers"]
    zones = [len(b["AvailabilityZones"]) for b in balancers if "pair" in b["LoadBalancerName"]]
    assert zones == [2]

    rolling = {**fewer, "Strategy": "ROLLING", "BakeTime": "0"}
    shared.update("pair", "pair.yml", Image=shared.image("1f3c2aa"), **rolling)
    shared.until("pair", "stack_update_complete")
    after = shared.service("pair", "web")
    assert after["deploymentConfiguration"]["strategy"] == "ROLLING"

    shared.client("cloudformation").delete_stack(StackName="pair")
    waiter = shared.client("cloudformation").get_waiter("stack_delete_complete")
    waiter.wait(StackName="pair", WaiterConfig=QUICK)


def test_a_cluster_changes_in_place(shared: Account) -> None:
    stacks, ecs = shared.client("cloudformation"), shared.client("ecs")
    template = (
        "Resources:\n  Cluster:\n    Type: AWS::ECS::Cluster\n    Properties:\n"
        "      ClusterName: alone\n      ClusterSettings:\n"
        "        - {Name: containerInsights, Value: %s}\n%s"
    )
    more = "      CapacityProviders: [FARGATE]\n      Tags: [{Key: a, Value: b}]\n"
    for values, waiter, change in (
        (("disabled", ""), "stack_create_complete", stacks.create_stack),
        (("enhanced", more), "stack_update_complete", stacks.update_stack),
    ):
        change(StackName="alone", TemplateBody=template % values)
        shared.until("alone", waiter)

    both = ["SETTINGS", "TAGS"]
    (cluster,) = ecs.describe_clusters(clusters=["alone"], include=both)["clusters"]
    assert cluster["settings"] == [{"name": "containerInsights", "value": "enhanced"}]
    assert cluster["capacityProviders"] == ["FARGATE"]
    assert {"key": "a", "value": "b"} in cluster["tags"]
    assert CLUSTER != "alone"


def _until(true: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end


def _serving(shared: Account) -> str:
    """The one group with weight on the production rule."""
    rule = shared.output("pair", "ProductionRule")
    (shown,) = shared.client("elbv2").describe_rules(RuleArns=[rule])["Rules"]
    groups = shown["Actions"][0]["ForwardConfig"]["TargetGroups"]
    (serving,) = [str(g["TargetGroupArn"]) for g in groups if g["Weight"]]
    return serving


def _deployments(shared: Account) -> list[dict[str, Any]]:
    ecs = shared.client("ecs")
    listed = ecs.list_service_deployments(cluster="pair", service="web")
    found: list[dict[str, Any]] = listed["serviceDeployments"]
    return found
