"""The templates on one sandbox: every strategy, what is nested, and the talk's of 2018."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.account import Account, account
from tests.e2e.conftest import PROGRAM

FOLDER = Path(__file__).parents[3] / "cfn"
BUCKET = "templates"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """One account for all; nothing runs in its tasks, which is quicker."""
    home = tmp_path_factory.mktemp("templates")
    options = ("--speed", "100", "--runtime", "simulated", "--remap-ports")
    with account(home / "it", *options) as opened:
        yield opened


def free_port() -> str:
    """A port of this machine that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def deployed(here: Account, stack: str, template: str, **parameters: str) -> dict[str, str]:
    """Create or update a stack from a template's text and wait; gives its outputs."""
    stacks = here.client("cloudformation")
    there = stack in {s["StackName"] for s in stacks.describe_stacks()["Stacks"]}
    (stacks.update_stack if there else stacks.create_stack)(
        StackName=stack,
        TemplateBody=template,
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    verb = "update" if there else "create"
    ended = here.ends(stack, f"stack_{verb}_complete")
    assert ended == f"{verb.upper()}_COMPLETE", [e for e in here.events(stack) if "FAILED" in e[1]]
    (shown,) = stacks.describe_stacks(StackName=stack)["Stacks"]
    return {o["OutputKey"]: o["OutputValue"] for o in shown.get("Outputs", ())}


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "CANARY", "LINEAR"])
def test_the_service_takes_each_strategy_and_its_next_image(here: Account, strategy: str) -> None:
    (stack,) = here.client("cloudformation").describe_stacks(StackName="democluster")["Stacks"]
    given = {p["ParameterKey"]: p["ParameterValue"] for p in stack["Parameters"]}
    minutes = {"BakeMinutes": "1", "CanaryMinutes": "1", "StepMinutes": "1", "StepPercent": "50"}
    now = given | minutes | {"Strategy": strategy}
    template = (FOLDER / "cluster.yml").read_text()
    deployed(here, "democluster", template, **now)
    other = next(t for t in ("1f3c2aa", "8be01c9") if not given["DockerImage"].endswith(t))
    deployed(here, "democluster", template, **now | {"DockerImage": here.image(other)})
    configuration: dict[str, Any] = here.service()["deploymentConfiguration"]
    assert configuration["strategy"] == strategy
    ecs = here.client("ecs")
    listed = ecs.list_service_deployments(
        cluster="democluster-cluster", service="democluster-service"
    )["serviceDeployments"]
    assert listed[0]["status"] == "SUCCESSFUL"


def test_everything_nested_by_one_template(here: Account) -> None:
    s3 = here.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    text = (FOLDER / "main.yml").read_text()
    for path in FOLDER.glob("*.yml"):
        s3.put_object(Bucket=BUCKET, Key=path.name, Body=path.read_bytes())
        url = f"{here.sandbox.environment['AWS_ENDPOINT_URL']}/{BUCKET}/{path.name}"
        text = text.replace(f"TemplateURL: {path.name}\n", f"TemplateURL: {url}\n")
    parameters = {
        "RepositoryName": "whole",
        "ClusterPrefix": "whole",
        "DeletionProtection": "false",
    }
    first = deployed(here, "whole", text, **parameters)
    assert first["RepositoryUri"].endswith("/whole")
    assert "LoadBalancerUrl" not in first
    more = {
        "DockerImage": here.image("1f3c2aa"),
        "ProductionPort": free_port(),
        "TestPort": free_port(),
        "Autoscaling": "true",
        "GitHubRepository": "owner/name",
        "TemplateBucket": BUCKET,
    }
    outputs = deployed(here, "whole", text, **parameters, **more)
    assert outputs["LoadBalancerUrl"] == f"http://localhost:{more['ProductionPort']}"
    assert outputs["ServiceName"] == "whole-service"
    assert outputs["DatabaseUrl"].startswith("arn:aws:secretsmanager:")
    (target,) = here.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="ecs"
    )["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"]) == (
        "service/whole-cluster/whole-service",
        2,
    )
    pipelines = here.client("codepipeline").list_pipelines()["pipelines"]
    assert len(pipelines) == 1


def test_the_talks_cluster_of_2018_still_deploys_and_is_shown(here: Account) -> None:
    network = here.network()
    template = (Path(__file__).parents[1] / "templates" / "talk" / "cluster.yml").read_text()
    deployed(
        here,
        "talk",
        template,
        VpcId=network["VpcId"],
        PublicSubnets=network["Subnets"],
        DatabaseUrl="postgresql://localhost/nothing",
        DockerImage=here.image("1f3c2aa"),
    )
    where = ("--cluster", "talk-cluster", "--service", "talk-service")
    told = here.sandbox.run(*PROGRAM, *where, "status")
    assert "talk-service" in told.stdout, told.stderr
    assert "talk-task-family:1" in told.stdout or "revision 1" in told.stdout, told.stdout
