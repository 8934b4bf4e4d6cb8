"""The sandbox's Docker Engine over HTTP: what is pushed is in ECR, and a task runs it."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import docker
import pytest

from tests.e2e.conftest import Sandbox, serving

RAILS_APP = Path(__file__).parents[3] / "rails_app"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with serving(tmp_path_factory.mktemp("home"), "--port", "0", "--speed", "25") as sandbox:
        yield sandbox


def aws(running: Sandbox, service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=running.environment["AWS_ENDPOINT_URL"],
        region_name=running.environment["AWS_REGION"],
        aws_access_key_id=running.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=running.environment["AWS_SECRET_ACCESS_KEY"],
    )


def test_what_is_built_and_pushed_runs(running: Sandbox, tmp_path: Path) -> None:
    context = tmp_path / "rails_app"
    shutil.copytree(RAILS_APP, context)
    view = context / "app/views/posts/index.html.erb"
    view.write_text(view.read_text().replace("<h1>Posts</h1>", "<h1>PURR</h1>"))
    (context / "db/migrate/20260301000000_add_mood.rb").write_text(
        "class AddMood < ActiveRecord::Migration[7.2]\n  def change\n"
        "    add_column :posts, :mood, :string\n  end\nend\n"
    )
    ecr, ecs = aws(running, "ecr"), aws(running, "ecs")
    [repository] = ecr.describe_repositories()["repositories"]
    [login] = ecr.get_authorization_token()["authorizationData"]
    uri = repository["repositoryUri"]
    # No address under amazonaws.com, or a real engine would push there.
    assert uri == f"127.0.0.1:{running.port}/demorepo"
    assert login["proxyEndpoint"] == f"http://127.0.0.1:{running.port}"
    user, password = base64.b64decode(login["authorizationToken"]).decode().split(":")

    client = docker.APIClient(base_url=running.environment["DOCKER_HOST"], version="auto")
    list(client.build(str(context), tag=f"{uri}:purr", buildargs={"REVISION": "purr"}))
    pushed = client.push(
        uri, "purr", stream=True, decode=True,
        auth_config={"username": user, "password": password},
    )  # fmt: skip
    digest = list(pushed)[-1]["aux"]["Digest"]
    client.close()

    [image] = ecr.describe_images(repositoryName="demorepo", imageIds=[{"imageTag": "purr"}])[
        "imageDetails"
    ]
    assert image["imageDigest"] == digest
    cluster, service = "democluster-cluster", "democluster-service"
    [live] = ecs.describe_services(cluster=cluster, services=[service])["services"]
    definition = ecs.describe_task_definition(taskDefinition=live["taskDefinition"])[
        "taskDefinition"
    ]
    [container] = definition["containerDefinitions"]
    family = ecs.register_task_definition(
        family=definition["family"],
        networkMode=definition["networkMode"],
        requiresCompatibilities=["FARGATE"],
        cpu=definition["cpu"],
        memory=definition["memory"],
        executionRoleArn=definition["executionRoleArn"],
        containerDefinitions=[{**container, "image": f"{uri}@{digest}"}],
    )["taskDefinition"]["taskDefinitionArn"]

    [task] = ecs.run_task(
        cluster=cluster,
        taskDefinition=family,
        launchType="FARGATE",
        networkConfiguration=live["networkConfiguration"],
        overrides={
            "containerOverrides": [{"name": container["name"], "command": ["rails", "db:migrate"]}]
        },
    )["tasks"]
    ecs.get_waiter("tasks_stopped").wait(
        cluster=cluster, tasks=[task["taskArn"]], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    [stopped] = ecs.describe_tasks(cluster=cluster, tasks=[task["taskArn"]])["tasks"]
    assert stopped["containers"][0]["exitCode"] == 0
    assert stopped["containers"][0]["imageDigest"] == digest

    ecs.update_service(cluster=cluster, service=service, taskDefinition=family)
    ecs.get_waiter("services_stable").wait(
        cluster=cluster, services=[service], WaiterConfig={"Delay": 1, "MaxAttempts": 90}
    )
    assert running.heading() == "PURR"
