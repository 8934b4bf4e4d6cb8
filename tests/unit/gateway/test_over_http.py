"""What goes wrong between us and AWS, over real HTTP: one clear error each, and no blind repeat."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from bgconsole import __version__
from bgconsole.domain.errors import (
    AccessDenied,
    ExpiredCredentials,
    GatewayError,
    NoCredentials,
    Rejected,
    Throttled,
    Unreachable,
)
from bgconsole.gateway.aws import clients
from bgconsole.gateway.aws.session import connect
from bgconsole.gateway.port import Gateway, ServiceChanges
from bgconsole.gateway.scripted import ScriptedWorld
from tests.loopback import AwsError, Garbage, Loopback, Reset, closed_port
from tests.values import CONTAINER, MEOW, POSTS, REF


def test_a_denial_of_target_health_names_the_permission(
    gateway: Gateway, server: Loopback, world: ScriptedWorld
) -> None:
    server.fail("DescribeTargetHealth", AwsError("AccessDenied", "no", 403))
    with pytest.raises(AccessDenied) as caught:
        gateway.targets.balancing(world.services[REF])
    assert caught.value.detail == "needs elasticloadbalancing:DescribeTargetHealth"
    assert gateway.services.describe(REF).desired == 4


def test_throttling_is_tried_twice_and_then_told(gateway: Gateway, server: Loopback) -> None:
    server.fail("DescribeStacks", AwsError("Throttling", "Rate exceeded"))
    with pytest.raises(Throttled, match="Rate exceeded"):
        gateway.stacks.stacks()
    assert server.count("DescribeStacks") == 2


def test_a_short_throttling_is_not_seen(gateway: Gateway, server: Loopback) -> None:
    server.fail("DescribeStacks", AwsError("Throttling"), times=1)
    assert len(gateway.stacks.stacks()) == 3


@pytest.mark.parametrize(
    ("fault", "title"),
    [
        (AwsError("ServerException", "Oops", 500), "AWS answered 500"),
        (AwsError("ServiceUnavailable", "", 503), "AWS answered 503"),
        (Reset(), "No answer from 127.0.0.1"),
    ],
)
def test_broken_answers(gateway: Gateway, server: Loopback, fault: Exception, title: str) -> None:
    server.fail("DescribeServices", fault)
    with pytest.raises(Unreachable) as caught:
        gateway.services.describe(REF)
    assert caught.value.title.startswith(title)
    assert "service democluster-service in cluster democluster-cluster" in caught.value.detail
    server.heal()
    assert gateway.services.describe(REF).ref == REF


def test_something_else_listens_there(gateway: Gateway, server: Loopback) -> None:
    server.fail("GetCallerIdentity", Garbage())
    with pytest.raises(Unreachable, match="does not speak AWS's protocol"):
        gateway.identities.whoami()


def test_a_closed_port(keys: None) -> None:
    url = closed_port()
    gateway = connect(profile=None, region="us-east-1", endpoint_url=url, environ=os.environ)
    with pytest.raises(Unreachable) as caught:
        gateway.services.clusters()
    assert caught.value.title == f"No answer from {url.removeprefix('http://')}"


def test_silence_ends_with_the_read_timeout(
    gateway: Gateway, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "READ_TIMEOUT", 0.2)
    never = threading.Event()
    server.fail("ListClusters", never)
    try:
        with pytest.raises(Unreachable, match="Read timeout"):
            gateway.services.clusters()
    finally:
        never.set()


def test_a_write_that_lost_its_answer_is_sent_once(
    gateway: Gateway, server: Loopback, world: ScriptedWorld
) -> None:
    server.fail("UpdateService", Reset())
    with pytest.raises(Unreachable, match="not known whether the request took effect"):
        gateway.changes.update(REF, force=True)
    assert server.count("UpdateService") == 1


def test_a_write_that_met_a_server_fault_is_sent_once(gateway: Gateway, server: Loopback) -> None:
    server.fail("StopServiceDeployment", AwsError("ServerException", "", 500))
    with pytest.raises(Unreachable, match="not known"):
        gateway.changes.stop_deployment("arn:aws:ecs:x:service-deployment/a/b/c")
    assert server.count("StopServiceDeployment") == 1


def test_a_throttled_write_is_sent_three_times(gateway: Gateway, server: Loopback) -> None:
    server.fail("UpdateService", AwsError("ThrottlingException", "Rate exceeded"))
    with pytest.raises(Throttled):
        gateway.changes.update(REF, force=True)
    assert server.count("UpdateService") == 3


def test_a_write_throttled_once_goes_through(gateway: Gateway, server: Loopback) -> None:
    server.fail("UpdateService", AwsError("ThrottlingException"), times=1)
    assert gateway.changes.update(REF, force=True).deployment.startswith("ecs-svc/")
    assert server.count("UpdateService") == 2


def test_an_update_sends_only_what_was_given(gateway: Gateway, server: Loopback) -> None:
    gateway.changes.update(REF, force=True)
    gateway.changes.update(REF, task_definition=POSTS.definition_arn)
    sent = [r.members for r in server.requests if r.operation == "UpdateService"]
    names = {"cluster": REF.cluster, "service": REF.name}
    assert sent == [
        {**names, "forceNewDeployment": True},
        {**names, "taskDefinition": POSTS.definition_arn},
    ]


def test_only_scaling_sends_a_number_of_tasks(
    gateway: Gateway, server: Loopback, world: ScriptedWorld
) -> None:
    """Every write of the port is made; one that is new must be added here."""
    changes, newest = gateway.changes, world.history[REF][0].arn
    reference = MEOW.image.image.rpartition(":")[0] + "@" + MEOW.digest
    made: dict[str, Callable[[], object]] = {
        "update": lambda: changes.update(REF, task_definition=POSTS.definition_arn, force=True),
        "scale": lambda: changes.scale(REF, 2),
        "stop_deployment": lambda: changes.stop_deployment(newest),
        "answer_hook": lambda: changes.answer_hook(newest, "hook", go_on=True),
        "stop_task": lambda: changes.stop_task(REF.cluster, world.tasks[REF][0].arn, "test"),
        "run_task": lambda: changes.run_task(
            REF,
            task_definition=MEOW.definition_arn,
            container=CONTAINER,
            command=["true"],
            started_by="test",
            token="test",
        ),
        "register_pinned": lambda: changes.register_pinned(
            MEOW.definition_arn, {CONTAINER: reference}, cpu="512", memory="1024"
        ),
    }
    assert set(made) == {name for name in vars(ServiceChanges) if not name.startswith("_")}
    for name, make in made.items():
        before = len(server.requests)
        with suppress(GatewayError):
            make()
        sent = [r for r in server.requests[before:] if "desiredCount" in r.members]
        assert len(sent) == (1 if name == "scale" else 0), name
    register = next(r for r in server.requests if r.operation == "RegisterTaskDefinition")
    assert (register.members["cpu"], register.members["memory"]) == ("512", "1024")


def test_a_stop_asks_for_the_roll_back(gateway: Gateway, server: Loopback) -> None:
    arn = "arn:aws:ecs:us-east-1:123456789012:service-deployment/c/s/abc"
    server.answer("StopServiceDeployment", {"serviceDeploymentArn": arn})
    assert gateway.changes.stop_deployment(arn).deployment == arn
    assert server.requests[-1].members == {"serviceDeploymentArn": arn, "stopType": "ROLLBACK"}


def test_a_pinned_copy_keeps_every_field_that_can_be_registered(
    gateway: Gateway, server: Loopback
) -> None:
    """Fields that this code never heard of included, and those that AWS alone writes left out."""
    container = {
        "name": CONTAINER,
        "image": "registry/app:latest",
        "environment": [{"name": "DATABASE_URL", "value": "postgres://u:p@h/d"}],
        "secrets": [{"name": "KEY", "valueFrom": "arn:x"}],
        "stopTimeout": 30,
    }
    sidecar = {"name": "proxy", "image": "envoy:1"}
    kept = {
        "family": "web",
        "cpu": "256",
        "networkMode": "awsvpc",
        "runtimePlatform": {"cpuArchitecture": "ARM64"},
        "ephemeralStorage": {"sizeInGiB": 30},
        "enableFaultInjection": True,
    }
    written_by_aws = {
        "taskDefinitionArn": "arn:aws:ecs:us-east-1:1:task-definition/web:4",
        "revision": 4,
        "status": "ACTIVE",
        "requiresAttributes": [{"name": "x"}],
        "compatibilities": ["FARGATE"],
        "registeredAt": 1_700_000_000,
        "registeredBy": "arn:me",
    }
    tags = [
        {"key": "team", "value": "web"},
        {"key": "aws:cloudformation:stack-name", "value": "democluster"},
    ]
    server.answer(
        "DescribeTaskDefinition",
        {
            "taskDefinition": {
                **kept,
                **written_by_aws,
                "containerDefinitions": [container, sidecar],
            },
            "tags": tags,
        },
    )
    server.answer("RegisterTaskDefinition", {"taskDefinition": {"taskDefinitionArn": "arn:new"}})
    answer = gateway.changes.register_pinned("web:4", {CONTAINER: "registry/app@sha256:ab"})
    assert answer.created == "arn:new"
    assert server.requests[-1].members == {
        **kept,
        "containerDefinitions": [{**container, "image": "registry/app@sha256:ab"}, sidecar],
        "tags": tags[:1],
    }


def test_a_task_definition_that_is_kept_is_asked_anew_where_its_status_counts(
    gateway: Gateway, server: Loopback
) -> None:
    said = {"taskDefinitionArn": MEOW.definition_arn, "family": "web", "revision": 4}

    def status(now: str) -> None:
        server.answer("DescribeTaskDefinition", {"taskDefinition": {**said, "status": now}})

    services = gateway.services
    status("ACTIVE")
    assert services.task_definition(MEOW.definition_arn).status == "ACTIVE"
    status("INACTIVE")
    assert services.task_definition(MEOW.definition_arn).status == "ACTIVE"
    assert services.task_definition(MEOW.definition_arn, anew=True).status == "INACTIVE"


def test_a_pin_for_an_unknown_container_is_refused_unsent(
    gateway: Gateway, server: Loopback
) -> None:
    with pytest.raises(Rejected, match="No such container"):
        gateway.changes.register_pinned(MEOW.definition_arn, {"typo": "x@sha256:1"})
    assert server.count("RegisterTaskDefinition") == 0


def test_new_credentials_are_noticed(
    gateway: Gateway, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.fail("DescribeServices", AwsError("ExpiredTokenException", "expired"), times=1)
    with pytest.raises(ExpiredCredentials):
        gateway.services.describe(REF)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIARENEWED")
    assert gateway.services.describe(REF).desired == 4
    assert "AKIARENEWED" in server.requests[-1].headers["Authorization"]


def test_no_credentials_are_told_and_then_noticed(
    server: Loopback, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    gateway = connect(
        profile=None,
        region="us-east-1",
        endpoint_url=server.url,
        environ=os.environ,
        clock=lambda: now,
    )
    with pytest.raises(NoCredentials) as caught:
        gateway.identities.whoami()
    assert len(caught.value.tried) == 5
    assert "AWS_ACCESS_KEY_ID" in caught.value.tried[0]
    assert server.requests == []
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with pytest.raises(NoCredentials):  # believed for two seconds: many sources ask at once
        gateway.identities.whoami()
    now += clients.PROBE_PAUSE
    assert gateway.identities.whoami().account == "123456789012"


def test_a_secret_that_aws_echoes_is_masked(gateway: Gateway, server: Loopback) -> None:
    server.fail("DescribeServices", AwsError("InvalidParameterException", "bad: first-secret"))
    with pytest.raises(GatewayError) as caught:
        gateway.services.describe(REF)
    assert "first-secret" not in str(caught.value)
    assert "bad: ***" in str(caught.value)


def test_requests_are_counted_with_their_repeats_and_name_us(
    gateway: Gateway, server: Loopback
) -> None:
    server.fail("DescribeServices", AwsError("ThrottlingException"), times=1)
    gateway.services.describe(REF)
    assert gateway.meter.per_minute() == 2
    assert f"bgconsole/{__version__}" in server.requests[-1].headers["User-Agent"]


def test_what_cannot_change_is_fetched_once(
    gateway: Gateway, server: Loopback, world: ScriptedWorld
) -> None:
    for _ in range(3):
        gateway.services.service_deployments(REF)
        gateway.services.revisions(tuple(world.revisions))
        gateway.services.task_definition(MEOW.definition_arn)
        gateway.targets.balancing(world.services[REF])
        gateway.services.tasks(REF)
    counts = {r.operation: server.count(r.operation) for r in server.requests}
    assert counts["DescribeServiceDeployments"] == 1
    assert counts["DescribeServiceRevisions"] == 1
    assert counts["DescribeTaskDefinition"] == 1
    assert counts["DescribeTargetGroups"] == counts["DescribeLoadBalancers"] == 1
    assert counts["DescribeRules"] == 4, "one to learn the structure, and one a look"
    assert counts["DescribeTargetHealth"] == counts["DescribeTasks"] == 3


def test_many_threads_share_one_client(gateway: Gateway, server: Loopback) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: gateway.services.describe(REF), range(16)))
    assert len(set(map(id, answers))) == 16
    assert {a.arn for a in answers} == {answers[0].arn}


def test_an_index_is_read_with_its_platforms_manifests(gateway: Gateway, server: Loopback) -> None:
    index, part = "sha256:" + "1d" * 32, "sha256:" + "2e" * 32
    kind = "application/vnd.oci.image.index.v1+json"
    server.answer(
        "DescribeImages",
        {
            "imageDetails": [
                {"repositoryName": "demorepo", "imageDigest": index, "imageManifestMediaType": kind}
            ]
        },
    )
    manifest = json.dumps({"mediaType": kind, "manifests": [{"digest": part}, "odd"]})
    server.answer("BatchGetImage", {"images": [{"imageManifest": manifest}], "failures": []})
    found = gateway.images.find("demorepo", tag="latest")
    assert found is not None
    assert (found.is_(index), found.is_(part), found.is_("sha256:0")) == (True, True, False)
    server.fail("BatchGetImage", AwsError("AccessDeniedException", "not allowed"))
    found = gateway.images.find("demorepo", tag="latest")
    assert found is not None
    assert found.parts == ()
    assert found.unread == "AccessDenied: needs ecr:BatchGetImage"
