"""The services screen and `status --all` over HTTP: many services, two clusters, one that fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

from tests.e2e.account import CLUSTER, SERVICE, Account
from tests.e2e.conftest import PROGRAM, Sandbox
from tests.terminal import Terminal

SCHEMA = Path(__file__).parents[2] / "bgconsole/cli/status_all.schema.json"
RESTING = 12
"""More than one DescribeServices takes."""


def furnish(sandbox: Sandbox) -> None:
    """Services at rest, one whose image is nowhere, and an empty second cluster."""
    account = Account(sandbox)
    ecs = account.client("ecs")
    demo = account.service()
    definition = ecs.describe_task_definition(taskDefinition=demo["taskDefinition"])
    given: dict[str, Any] = {
        key: definition["taskDefinition"][key]
        for key in ("networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn")
        if key in definition["taskDefinition"]
    }
    container = definition["taskDefinition"]["containerDefinitions"][0]
    container["image"] = account.image("never-pushed")
    ecs.register_task_definition(family="broken", containerDefinitions=[container], **given)
    where = {
        "launchType": "FARGATE",
        "networkConfiguration": demo["networkConfiguration"],
    }
    for number in range(RESTING):
        ecs.create_service(
            cluster=CLUSTER,
            serviceName=f"resting-{number:02d}",
            taskDefinition=demo["taskDefinition"],
            desiredCount=0,
            tags=[{"key": "Team", "value": "platform"}],
            **where,
        )
    ecs.create_service(
        cluster=CLUSTER,
        serviceName="broken",
        taskDefinition="broken",
        desiredCount=1,
        tags=[{"key": "owner", "value": "payments"}],
        **where,
    )
    ecs.create_cluster(clusterName="workers")


def test_every_service_worst_first(sandbox: Sandbox) -> None:
    furnish(sandbox)
    environment = {**sandbox.environment, "BGCONSOLE_CLUSTERS": f"{CLUSTER},workers"}
    with Terminal(PROGRAM, environment=environment, columns=100, rows=30) as console:
        console.wait_for(r"(?s)broken.*RUNNING +democluster-service.*resting-11")
        console.wait_for(r"✖ (FAILING|DOWN) +broken")
        screen = console.wait_for(r"services of 2 clusters")
        assert screen.index(" broken ") < screen.index(SERVICE) < screen.index("resting-00")
        assert f"Services ({RESTING + 2})" in screen
        console.send("!")
        console.wait_for("resting-00", gone=True)
        console.wait_for(rf"only what is wrong 1 of {RESTING + 2}")
        console.send("\x1b")
        console.wait_for("resting-00")
        console.send("/")
        console.wait_for("show only what holds")
        console.send(SERVICE)
        console.wait_for(rf"“{SERVICE}” 1 of {RESTING + 2}")
        console.send("\r")
        console.settle()  # two at once would be a paste
        console.send("\r")
        console.wait_for(r"STEADY\s+Revision 2 serves 100 %: 4/4 healthy")
        console.send("\x1b")
        console.wait_for(rf"1 of {RESTING + 2}")
        console.send("\x1b")
        console.wait_for("resting-00")
        console.send("\x1b")
        console.settle()
        assert console.process.poll() is None, "escape asks nothing and does not quit"
        console.send("q")
        assert console.wait_for_exit() == 0


def test_status_all(sandbox: Sandbox) -> None:
    furnish(sandbox)
    for _ in range(30):  # its first task fails a moment after it was asked for
        ended = sandbox.run(*PROGRAM, "status", "--all", "--json")
        assert (ended.returncode, ended.stderr) == (0, "")
        found = json.loads(ended.stdout)
        jsonschema.validate(found, json.loads(SCHEMA.read_text()))
        services = {one["name"]: one for one in found["services"]}
        if services["broken"]["severity"] == "bad":
            break
    assert {one["cluster"] for one in found["clusters"]} >= {CLUSTER, "workers"}
    assert len(services) == RESTING + 2
    assert found["services"][0]["name"] == "broken"
    assert services["broken"]["severity"] == "bad"
    assert services["broken"]["owner"] == "payments"
    demo = services[SERVICE]
    assert (demo["word"], demo["running"], demo["tag"]) == ("RUNNING", 4, "8be01c9")
    assert demo["last_outcome"] == "SUCCESSFUL"
    assert services["resting-00"]["word"] == "SCALED TO 0"
    text = sandbox.run(*PROGRAM, "status", "--all")
    assert text.returncode == 0
    assert "\x1b" not in text.stdout
    assert f"{RESTING + 1} running as asked" in text.stdout
    hole = sandbox.run(*PROGRAM, "--cluster", "nope", "status", "--all")
    assert hole.returncode == 1
    assert "No such cluster" in hole.stderr
