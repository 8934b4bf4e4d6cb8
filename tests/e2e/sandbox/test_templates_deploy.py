"""The templates on one sandbox: every strategy, what is nested, and the talk's of 2018."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.account import Account, account
from tests.e2e.clients.programs import program
from tests.e2e.conftest import PROGRAM

FOLDER = Path(__file__).parents[3] / "cfn"
BUCKET, ARTIFACTS = "templates", "artifacts"


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

    service = ("--cluster", "whole-cluster", "--service", "whole-service", "--through", "stack")
    typed = ("deploy", *service, "--image", "8be01c9", "--confirm", "8be01c9")
    ended = here.sandbox.run(*PROGRAM, *typed, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (root,) = here.client("cloudformation").describe_stacks(StackName="whole")["Stacks"]
    image = {p["ParameterKey"]: p["ParameterValue"] for p in root["Parameters"]}["DockerImage"]
    assert "/demorepo@sha256:" in image, "the outermost stack hands it on"


OUTER = """
Description: A stack that nests one (stack outer).
Parameters: {Days: {Type: Number, Default: 7}}
Resources:
  Logs:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: logs.yml, Parameters: {Days: !Ref Days}}
Outputs: {Group: {Value: !GetAtt Logs.Outputs.Group}}
"""
LOGS = """
Parameters: {Days: {Type: Number}}
Resources: {Group: {Type: "AWS::Logs::LogGroup", Properties: {RetentionInDays: !Ref Days}}}
Outputs: {Group: {Value: !Ref Group}}
"""


def test_up_puts_nested_templates_into_a_bucket_and_down_leaves_none(
    here: Account, tmp_path: Path
) -> None:
    (tmp_path / "outer.yml").write_text(OUTER)
    (tmp_path / "logs.yml").write_text(LOGS)

    def bgconsole(*words: str) -> str:
        given = (*words, "--templates", str(tmp_path))
        ended = here.sandbox.run(*PROGRAM, *given, timeout=120)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def buckets() -> list[str]:
        named = (bucket["Name"] for bucket in here.client("s3").list_buckets()["Buckets"])
        return [name for name in named if name.startswith("bgconsole-artifacts-")]

    told = bgconsole("up", "outer", "--yes")
    (bucket,) = buckets()
    assert told.index(bucket) < told.index("create: up to 2 resources")
    assert "create complete      Logs/Group" in told
    assert "~ Logs change" in bgconsole("up", "outer", "--dry-run", "Days=14")
    assert bgconsole("up", "outer", "--yes").startswith("Nothing to do")
    bgconsole("down", "outer", "--confirm", "outer")
    assert buckets() == []


class Typed:
    """`aws cloudformation package` and `deploy` of the template that nests the others."""

    def __init__(self, here: Account, folder: Path) -> None:
        self.here = here
        self._second = 0
        self._packaged = folder / "packaged.yml"
        here.client("s3").create_bucket(Bucket=ARTIFACTS)
        self._aws(
            "package", "--template-file", str(FOLDER / "main.yml"), "--s3-bucket", ARTIFACTS,
            "--output-template-file", str(self._packaged),
        )  # fmt: skip

    def deploy(self, *, code: int = 0, **parameters: str) -> str:
        """What it printed. It names a change set after the second: never two within one."""
        while int(time.time()) == self._second:
            threading.Event().wait(0.05)
        overrides = [f"{name}={value}" for name, value in parameters.items()]
        told = self._aws(
            "deploy", "--template-file", str(self._packaged), "--stack-name", "typed",
            "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND",
            "--no-fail-on-empty-changeset", "--parameter-overrides", *overrides, code=code,
        )  # fmt: skip
        self._second = int(time.time())
        return told

    @property
    def status(self) -> str:
        """Of the stack."""
        stacks = self.here.client("cloudformation")
        (shown,) = stacks.describe_stacks(StackName="typed")["Stacks"]
        return str(shown["StackStatus"])

    def _aws(self, *words: str, code: int = 0) -> str:
        ended = self.here.sandbox.run(program("aws"), "cloudformation", *words, timeout=300)
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def typed(here: Account, tmp_path_factory: pytest.TempPathFactory) -> Typed:
    """Packaged once."""
    return Typed(here, tmp_path_factory.mktemp("typed"))


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    """Of the load balancer, for the life of the stack."""
    return {"ProductionPort": free_port(), "TestPort": free_port()}


SMALL = {"RepositoryName": "typed", "ClusterPrefix": "typed", "DeletionProtection": "false"}


def test_the_aws_command_packages_and_deploys_it(typed: Typed, ports: dict[str, str]) -> None:
    given = {**SMALL, **ports, "DockerImage": typed.here.image("1f3c2aa")}
    assert "Successfully created/updated stack - typed" in typed.deploy(**given)
    assert typed.status == "CREATE_COMPLETE"
    assert "No changes to deploy" in typed.deploy(**given)


@pytest.mark.soak
def test_the_aws_command_rolls_the_service_and_tells_a_broken_image(
    typed: Typed, ports: dict[str, str]
) -> None:
    given = {**SMALL, **ports}
    typed.deploy(**given, DockerImage=typed.here.image("8be01c9"))
    assert typed.status == "UPDATE_COMPLETE"
    typed.deploy(code=255, **given, DockerImage=typed.here.image("nothere"))
    assert typed.status == "UPDATE_ROLLBACK_COMPLETE"


def test_the_talks_stacks_of_2018_still_deploy_and_are_shown(here: Account) -> None:
    """Repository, database and cluster, each fed by hand with what the one before gave."""
    talk = Path(__file__).parents[1] / "templates" / "talk"
    network = here.network()
    repository = deployed(here, "talkrepo", (talk / "image-repository.yml").read_text())
    assert repository["RepositoryArn"].startswith("arn:aws:ecr:us-east-1:")
    database = deployed(here, "talkdb", (talk / "database.yml").read_text(), VpcId=network["VpcId"])
    assert database["DatabaseUrl"].startswith("postgresql://foouser:foopassword@")
    deployed(
        here,
        "talk",
        (talk / "cluster.yml").read_text(),
        VpcId=network["VpcId"],
        PublicSubnets=network["Subnets"],
        DatabaseUrl=database["DatabaseUrl"],
        DockerImage=here.image("1f3c2aa"),
    )
    where = ("--cluster", "talk-cluster", "--service", "talk-service")
    told = here.sandbox.run(*PROGRAM, *where, "status")
    assert "talk-service" in told.stdout, told.stderr
    assert "talk-task-family:1" in told.stdout or "revision 1" in told.stdout, told.stdout
    shown = here.sandbox.run(*PROGRAM, "outputs", "talkdb")
    assert "DatabaseUrl" in shown.stdout, shown.stderr
    assert "foopassword" not in shown.stdout + shown.stderr
