"""boto3's own waiters, only their delays shortened."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.e2e.account import CLUSTER, QUICK, SERVICE, Account


def test_the_service_and_its_targets_settle_after_scaling(shared: Account) -> None:
    ecs, elb = shared.client("ecs"), shared.client("elbv2")
    arn = shared.service()["loadBalancers"][0]["targetGroupArn"]
    before = _targets(elb, arn)

    ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=5)
    _stable(ecs, SERVICE)
    elb.get_waiter("target_in_service").wait(TargetGroupArn=arn, WaiterConfig=QUICK)
    after = _targets(elb, arn)
    assert shared.service()["runningCount"] == 5
    assert (len(before), len(after)) == (4, 5)
    assert before < after

    ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=4)
    _stable(ecs, SERVICE)
    # ECS stops the task first, and takes it from its target group a moment later.
    gone = [{"Id": target} for target in after - _addresses(ecs)]
    assert len(gone) == 1
    deregistered = elb.get_waiter("target_deregistered")
    deregistered.wait(TargetGroupArn=arn, Targets=gone, WaiterConfig=QUICK)
    assert len(_targets(elb, arn)) == 4


def test_a_target_that_never_registered_is_not_waited_for(shared: Account) -> None:
    elb = shared.client("elbv2")
    group = shared.service()["loadBalancers"][0]["targetGroupArn"]
    waiter = elb.get_waiter("target_in_service")
    few = {"Delay": 0.05, "MaxAttempts": 3}
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        waiter.wait(
            TargetGroupArn=group,
            Targets=[{"Id": "10.9.9.9"}],
            WaiterConfig=few,
        )


def test_a_task_of_its_own_runs_and_stops(shared: Account) -> None:
    ecs = shared.client("ecs")
    live = shared.service()
    started = ecs.run_task(
        cluster=CLUSTER,
        taskDefinition=live["taskDefinition"],
        launchType="FARGATE",
        networkConfiguration=live["networkConfiguration"],
    )
    assert started["failures"] == []
    (task,) = [each["taskArn"] for each in started["tasks"]]

    ecs.get_waiter("tasks_running").wait(cluster=CLUSTER, tasks=[task], WaiterConfig=QUICK)
    ecs.stop_task(cluster=CLUSTER, task=task, reason="it was a try")
    ecs.get_waiter("tasks_stopped").wait(cluster=CLUSTER, tasks=[task], WaiterConfig=QUICK)

    (stopped,) = ecs.describe_tasks(cluster=CLUSTER, tasks=[task])["tasks"]
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "it was a try")


def test_a_task_that_dies_ends_the_wait_for_it_to_run(shared: Account) -> None:
    ecs = shared.client("ecs")
    live = shared.service()
    command = ["bin/rails", "runner", "exit 3"]
    started = ecs.run_task(
        cluster=CLUSTER,
        taskDefinition=live["taskDefinition"],
        launchType="FARGATE",
        networkConfiguration=live["networkConfiguration"],
        overrides={"containerOverrides": [{"name": "democluster-container", "command": command}]},
    )
    tasks = [each["taskArn"] for each in started["tasks"]]

    ecs.get_waiter("tasks_stopped").wait(cluster=CLUSTER, tasks=tasks, WaiterConfig=QUICK)

    with pytest.raises(WaiterError, match="terminal failure"):
        ecs.get_waiter("tasks_running").wait(cluster=CLUSTER, tasks=tasks, WaiterConfig=QUICK)


def test_a_stack_is_made_changed_and_removed_with_its_service(shared: Account) -> None:
    ecs = shared.client("ecs")
    shared.create("waited", "service.yml", Image=shared.image("1f3c2aa"))
    shared.until("waited", "stack_exists")
    shared.until("waited", "stack_create_complete")
    first = shared.service(service="waited")
    assert (first["runningCount"], len(first["deployments"])) == (1, 1)

    shared.update("waited", "service.yml", Image=shared.image("8be01c9"), DesiredCount="2")
    shared.until("waited", "stack_update_complete")
    second = shared.service(service="waited")
    assert (second["runningCount"], len(second["deployments"])) == (2, 1)
    assert second["taskDefinition"] == shared.output("waited", "TaskDefinition")
    assert second["taskDefinition"] != first["taskDefinition"]

    ecs.delete_service(cluster=CLUSTER, service="waited", force=True)
    inactive = ecs.get_waiter("services_inactive")
    inactive.wait(cluster=CLUSTER, services=["waited"], WaiterConfig=QUICK)
    assert shared.service(service="waited")["status"] == "INACTIVE"
    with pytest.raises(WaiterError, match="terminal failure"):
        _stable(ecs, "waited")

    shared.client("cloudformation").delete_stack(StackName="waited")
    shared.until("waited", "stack_delete_complete")


def _stable(ecs: Any, service: str) -> None:
    waiter = ecs.get_waiter("services_stable")
    waiter.wait(cluster=CLUSTER, services=[service], WaiterConfig=QUICK)


def _addresses(ecs: Any) -> set[str]:
    """Of the tasks that are meant to run."""
    listed = ecs.list_tasks(cluster=CLUSTER, serviceName=SERVICE)["taskArns"]
    tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=listed)["tasks"]
    details = [d for task in tasks for a in task["attachments"] for d in a["details"]]
    return {d["value"] for d in details if d["name"] == "privateIPv4Address"}


def _targets(elb: Any, group: str, state: str = "") -> set[str]:
    shown = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return {each["Target"]["Id"] for each in shown if state in ("", each["TargetHealth"]["State"])}
