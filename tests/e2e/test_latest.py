"""The talk's `:latest`: a tag that moved, redeployed, and the old image brought back by digest."""

from __future__ import annotations

from typing import Any

from tests.e2e.account import CLUSTER, QUICK, SERVICE, Account
from tests.e2e.conftest import Sandbox

REPOSITORY = "demorepo"


def test_latest_goes_back_to_the_digest_that_ran(sandbox: Sandbox) -> None:
    account = Account(sandbox)
    ecr, ecs = account.client("ecr"), account.client("ecs")
    tags = {tag: image for image in described(ecr) for tag in image.get("imageTags", ())}
    new = tags["8be01c9"]["imageDigest"]
    old = tags["1f3c2aa"]["imageDigest"]
    push_as_latest(ecr, old)
    running = account.service()["taskDefinition"]
    definition = ecs.describe_task_definition(taskDefinition=running)["taskDefinition"]
    container = definition["containerDefinitions"][0]
    made = ecs.register_task_definition(
        family=definition["family"],
        networkMode=definition["networkMode"],
        cpu=definition["cpu"],
        memory=definition["memory"],
        requiresCompatibilities=definition["requiresCompatibilities"],
        executionRoleArn=definition["executionRoleArn"],
        containerDefinitions=[{**container, "image": account.image("latest")}],
    )["taskDefinition"]
    name = f"{made['family']}:{made['revision']}"
    ecs.update_service(cluster=CLUSTER, service=SERVICE, taskDefinition=name)
    waiter = ecs.get_waiter("services_stable")
    waiter.wait(cluster=CLUSTER, services=[SERVICE], WaiterConfig=QUICK)
    assert sandbox.heading() == "Posts"

    push_as_latest(ecr, new)
    refused = sandbox.bgconsole("force-redeploy", "--yes")
    assert refused.returncode == 3
    assert "NEW image" in refused.stderr
    revision = str(made["revision"])
    deployed = sandbox.bgconsole("force-redeploy", "--confirm", revision)
    assert deployed.returncode == 0, deployed.stderr
    assert sandbox.heading() == "MEOW"

    back = sandbox.bgconsole("rollback", "--confirm", revision)
    assert back.returncode == 0, back.stderr
    assert f"a new revision pinned to sha256:{old[7:15]}" in back.stderr
    assert f"sha256:{old[7:15]}, as read back from all 4 running tasks" in back.stdout
    assert sandbox.heading() == "Posts"
    tasks = ecs.list_tasks(cluster=CLUSTER, serviceName=SERVICE)["taskArns"]
    shown = ecs.describe_tasks(cluster=CLUSTER, tasks=tasks)["tasks"]
    assert {c["imageDigest"] for task in shown for c in task["containers"]} == {old}


def described(ecr: Any) -> list[dict[str, Any]]:
    """Every image of the demo's repository."""
    images: list[dict[str, Any]] = ecr.describe_images(repositoryName=REPOSITORY)["imageDetails"]
    return images


def push_as_latest(ecr: Any, digest: str) -> None:
    """Put the tag `latest` on an image, as a push does."""
    found = ecr.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageDigest": digest}])
    manifest = found["images"][0]["imageManifest"]
    ecr.put_image(repositoryName=REPOSITORY, imageManifest=manifest, imageTag="latest")
