"""Stacks over HTTP with boto3: a bad image fails its stack, and the stack goes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.e2e.account import CLUSTER, QUICK, SERVICE, Account
from tests.e2e.conftest import serving


@pytest.fixture
def account(nowhere: Path) -> Iterator[Account]:
    with serving(nowhere, "--port", "0", "--speed", "100") as sandbox:
        yield Account(sandbox)


def test_a_stack_fails_with_its_service_and_goes_back(account: Account) -> None:
    stacks = account.client("cloudformation")
    live = account.service()["taskDefinition"]
    change_set, changes = account.change("bad", "bad0c0d")
    assert {c["LogicalResourceId"]: c["Replacement"] for c in changes} == {
        "TaskDefinition": "True",
        "MigrationTaskDefinition": "True",
        "Service": "False",
    }

    stacks.execute_change_set(ChangeSetName=change_set)
    with pytest.raises(WaiterError):
        stacks.get_waiter("stack_update_complete").wait(StackName="democluster", WaiterConfig=QUICK)
    waiter = stacks.get_waiter("stack_rollback_complete")
    waiter.wait(StackName="democluster", WaiterConfig=QUICK)

    (stack,) = stacks.describe_stacks(StackName="democluster")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    service = account.service()
    assert service["taskDefinition"] == live
    assert (len(service["deployments"]), service["runningCount"]) == (1, 4)
    events = reversed(stacks.describe_stack_events(StackName="democluster")["StackEvents"])
    told = [
        (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
        for event in events
    ]
    failed = next(i for i, (_, status, _) in enumerate(told) if status == "UPDATE_FAILED")
    assert told[failed][0] == "Service"
    assert "ECS Deployment Circuit Breaker was triggered" in told[failed][2]
    assert [(name, status) for name, status, _ in told[failed + 1 :]] == [
        ("democluster", "UPDATE_ROLLBACK_IN_PROGRESS"),
        ("Service", "UPDATE_IN_PROGRESS"),
        ("Service", "UPDATE_COMPLETE"),
        ("democluster", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("TaskDefinition", "DELETE_IN_PROGRESS"),
        ("TaskDefinition", "DELETE_COMPLETE"),
        ("MigrationTaskDefinition", "DELETE_IN_PROGRESS"),
        ("MigrationTaskDefinition", "DELETE_COMPLETE"),
        ("democluster", "UPDATE_ROLLBACK_COMPLETE"),
    ]


def test_the_history_has_both_versions_and_deleting_leaves_nothing_running(
    account: Account,
) -> None:
    ecs, stacks = account.client("ecs"), account.client("cloudformation")
    listed = ecs.list_service_deployments(cluster=CLUSTER, service=SERVICE)["serviceDeployments"]
    assert [d["status"] for d in listed] == ["SUCCESSFUL", "SUCCESSFUL"]
    revisions = ecs.describe_service_revisions(
        serviceRevisionArns=[d["targetServiceRevisionArn"] for d in listed]
    )["serviceRevisions"]
    images = {i["imageTags"][0]: i["imageDigest"] for i in _images(account)}
    assert [r["containerImages"][0]["imageDigest"] for r in revisions] == [
        images["8be01c9"],
        images["1f3c2aa"],
    ]
    for number in (1, 2):
        name = f"democluster-task-family:{number}"
        told = ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]
        assert told["status"] == "ACTIVE"
        (container,) = told["containerDefinitions"]
        assert {s["name"] for s in container["secrets"]} == {"DATABASE_URL", "SECRET_KEY_BASE"}
        assert "DATABASE_URL" not in {e["name"] for e in container["environment"]}

    stacks.delete_stack(StackName="democluster")
    waiter = stacks.get_waiter("stack_delete_complete")
    waiter.wait(StackName="democluster", WaiterConfig=QUICK)

    clusters = ecs.describe_clusters(clusters=[CLUSTER])["clusters"]
    assert [c["status"] for c in clusters] in ([], ["INACTIVE"])
    assert account.client("elbv2").describe_load_balancers()["LoadBalancers"] == []


def _images(account: Account) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = account.client("ecr").describe_images(repositoryName="demorepo")[
        "imageDetails"
    ]
    return found
