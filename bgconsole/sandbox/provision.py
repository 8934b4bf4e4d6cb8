"""Fills the account as its user would: three stacks by change sets, two images, two versions.

Run as a process of its own (`python -m bgconsole.sandbox.provision`), because it is a client like
any other and can load boto3 while the server still loads the engine. Its environment says where to
go; what it does and what it made is written to stdout, one JSON object a line.
"""

from __future__ import annotations

import argparse
import base64
import gc
import json
import socket
import sysconfig
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from xml.etree import ElementTree

import boto3
from botocore.config import Config
from botocore.exceptions import WaiterError

from .images import BROKEN, MEOW, POSTS, build
from .registry import push
from .scope import DEMO_SCOPE
from .settings import PROVISIONER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import ParameterTypeDef
    from types_boto3_ecs import ECSClient
    from types_boto3_ecs.type_defs import ContainerDefinitionOutputTypeDef
    from types_boto3_logs import CloudWatchLogsClient

    from .rails_images import Workshop

_QUICK = {"Delay": 0.04, "MaxAttempts": 9000}
"""For boto3's waiters, whose own 5 to 30 s between questions are for the real AWS."""
_LAST_WORDS = 5
"""Lines of a migration that failed."""
_LOG_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the load balancer listens."""

    production: int
    test: int


class StackFailed(Exception):
    """A stack did not come up; the text names the resource and the reason."""


class MigrationFailed(Exception):
    """The database could not be migrated; the text has the exit code and the last words."""


def tell(**facts: object) -> None:
    """Say something to the server's process: one JSON object a line."""
    print(json.dumps(facts), flush=True)  # noqa: T201 - this is what stdout is for


def templates() -> Path:
    """The folder of the templates: of the checkout, else where an installation puts them."""
    checkout = Path(__file__).resolve().parents[2] / "cfn"
    if (checkout / "cluster.yml").is_file():
        return checkout
    return Path(sysconfig.get_path("data")) / "share" / "bgconsole" / "cfn"


def provision(
    endpoint: str, ports: Ports, folder: Path, workshop: Workshop | None = None
) -> dict[str, str]:
    """Create the three stacks, push the images, then move the service from the first to the second.

    With a workshop the images are built from the app's sources, and its database is migrated.

    Returns:
        The outputs of the cluster's stack.

    Raises:
        StackFailed: a stack failed.
        MigrationFailed: the database could not be migrated.
        rails_images.BuildFailed: an image could not be built.
        botocore.exceptions.BotoCoreError, ClientError: a call failed.
    """
    session = boto3.Session()
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 2}, user_agent_extra=PROVISIONER
    )
    # The first answers wait in the listener's queue while the server is still loading.
    stacks = session.client("cloudformation", endpoint_url=endpoint, config=config)
    with ThreadPoolExecutor(3) as pool:
        repository = pool.submit(deploy, stacks, "demorepo", folder / "image-repository.yml", {})
        ecr = session.client("ecr", endpoint_url=endpoint, config=config)
        vpc, found = default_network(endpoint)
        subnets = ",".join(found)
        database = pool.submit(
            deploy,
            stacks,
            "demodb",
            folder / "database.yml",
            {"VpcId": vpc, "Subnets": subnets},
        )
        uri = repository.result()["RepositoryUri"]
        token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        address, _, name = uri.partition("/")
        for version in (POSTS, MEOW, BROKEN):
            if workshop is None:
                push(address, name, build(version), token)
            else:
                tell(progress=f"building {name}:{version.tag} ({version.heading})")
                workshop.make(version, uri, base64.b64decode(token).decode())
        made = database.result()
    parameters = {
        "VpcId": vpc,
        "LoadBalancerSubnets": subnets,
        "TaskSubnets": subnets,
        "DatabaseUrl": made["DatabaseUrl"],
        "SecretKeyBase": made["SecretKeyBase"],
        "DatabaseClientSecurityGroup": made["ClientSecurityGroup"],
        "ProductionPort": str(ports.production),
        "TestPort": str(ports.test),
    }
    outputs: dict[str, str] = {}
    for version in (POSTS, MEOW):
        image = {"DockerImage": f"{uri}:{version.tag}"}
        if workshop is not None:
            tell(progress=f"starting {version.tag} ({version.heading})")
        outputs = deploy(stacks, "democluster", folder / "cluster.yml", parameters | image)
        if workshop is not None and version is POSTS:
            tell(progress="migrating the database")
            ecs = session.client("ecs", endpoint_url=endpoint, config=config)
            logs = session.client("logs", endpoint_url=endpoint, config=config)
            migrate(ecs, logs, outputs)
    return outputs


def migrate(ecs: ECSClient, logs: CloudWatchLogsClient, outputs: Mapping[str, str]) -> None:
    """Migrate and seed the database by a one-off task of the service's own task definition.

    Raises:
        MigrationFailed: the task ended with another exit code than 0.
    """
    cluster, service = outputs["ClusterName"], outputs["ServiceName"]
    [now] = ecs.describe_services(cluster=cluster, services=[service])["services"]
    definition = ecs.describe_task_definition(taskDefinition=now["taskDefinition"])
    [container] = definition["taskDefinition"]["containerDefinitions"]
    [task] = ecs.run_task(
        cluster=cluster,
        taskDefinition=now["taskDefinition"],
        launchType="FARGATE",
        networkConfiguration=now["networkConfiguration"],
        overrides={
            "containerOverrides": [
                {"name": container["name"], "command": ["bin/migrate && rails db:seed"]}
            ]
        },
    )["tasks"]
    stopped: Any = ecs.get_waiter("tasks_stopped")
    stopped.wait(cluster=cluster, tasks=[task["taskArn"]], WaiterConfig=_QUICK)
    [ended] = ecs.describe_tasks(cluster=cluster, tasks=[task["taskArn"]])["tasks"]
    code = ended["containers"][0].get("exitCode")
    if code != 0:
        words = _last_words(logs, container, task["taskArn"])
        reason = ended.get("stoppedReason")
        raise MigrationFailed(f"the migration ended with {code}: {reason}\n{words}".rstrip())


def _last_words(
    logs: CloudWatchLogsClient, container: ContainerDefinitionOutputTypeDef, task: str
) -> str:
    """The last lines of a container that ended just now, which its log group gets a little later.

    Empty when none came within `_LOG_SECONDS`.
    """
    options = container["logConfiguration"]["options"]
    parts = (options["awslogs-stream-prefix"], container["name"], task.rpartition("/")[2])
    group, stream = options["awslogs-group"], "/".join(parts)
    end = time.monotonic() + _LOG_SECONDS
    while time.monotonic() < end:
        with suppress(logs.exceptions.ResourceNotFoundException):
            page = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=_LAST_WORDS)
            if page["events"]:
                return "\n".join(event.get("message", "") for event in page["events"])
        time.sleep(_QUICK["Delay"])
    return ""


def default_network(endpoint: str) -> tuple[str, list[str]]:
    """The default VPC and its subnets, asked of EC2.

    Not by boto3, whose model of EC2 takes longer to load than all the rest here takes to run.

    Raises:
        OSError: the sandbox could not be reached, or refused.
    """
    filters = {"Filter.1.Name": "default-for-az", "Filter.1.Value.1": "true"}
    form = {"Action": "DescribeSubnets", "Version": "2016-11-15", **filters}
    signature = DEMO_SCOPE.signature_for("ec2")
    headers = {"Authorization": signature, "User-Agent": PROVISIONER}
    asked = Request(endpoint, urlencode(form).encode(), headers)  # noqa: S310 - our own endpoint
    with urlopen(asked, timeout=30) as answer:  # noqa: S310
        tree = ElementTree.fromstring(answer.read())  # noqa: S314 - as above
    subnets = tree.findall(".//{*}subnetSet/{*}item")
    vpc = subnets[0].findtext("{*}vpcId", "")
    return vpc, sorted(subnet.findtext("{*}subnetId", "") for subnet in subnets)


def deploy(
    stacks: CloudFormationClient, stack: str, template: Path, parameters: Mapping[str, str]
) -> dict[str, str]:
    """Create or update one stack through a change set and wait for its end.

    Returns:
        Its outputs.

    Raises:
        StackFailed: it came to another end than COMPLETE.
    """
    listed: list[ParameterTypeDef] = [
        {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
    ]
    exists = _exists(stacks, stack)
    made = stacks.create_change_set(
        StackName=stack,
        ChangeSetName=f"{stack}-{'update' if exists else 'create'}",
        ChangeSetType="UPDATE" if exists else "CREATE",
        TemplateBody=template.read_text(),
        Parameters=listed,
        Capabilities=["CAPABILITY_IAM"],
    )
    created: Any = stacks.get_waiter("change_set_create_complete")
    created.wait(ChangeSetName=made["Id"], WaiterConfig=_QUICK)
    stacks.execute_change_set(ChangeSetName=made["Id"])
    ended: Any = (
        stacks.get_waiter("stack_update_complete")
        if exists
        else stacks.get_waiter("stack_create_complete")
    )
    try:
        ended.wait(StackName=stack, WaiterConfig=_QUICK)
    except WaiterError:
        raise StackFailed(f"stack {stack} failed: {_first_failure(stacks, stack)}") from None
    (described,) = stacks.describe_stacks(StackName=stack)["Stacks"]
    return {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", ())}


def _first_failure(stacks: CloudFormationClient, stack: str) -> str:
    events = stacks.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [event for event in events if event.get("ResourceStatus", "").endswith("_FAILED")]
    if not failed:
        return "no event says why"
    first = failed[-1]  # they come newest first
    return f"{first.get('LogicalResourceId')}: {first.get('ResourceStatusReason')}"


def _exists(stacks: CloudFormationClient, stack: str) -> bool:
    try:
        stacks.describe_stacks(StackName=stack)
    except stacks.exceptions.ClientError:
        return False
    return True


def free_ports() -> Ports:
    """Two loopback ports that nothing listens on now."""
    with closing(socket.socket()) as one, closing(socket.socket()) as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        # Production is the lower one: so a reader that is told no rule takes 80 before 8080.
        return Ports(*sorted((one.getsockname()[1], other.getsockname()[1])))


def main() -> None:
    """Provision the sandbox that the environment points at."""
    gc.disable()  # it lives for two seconds
    parser = argparse.ArgumentParser(prog="bgconsole.sandbox.provision")
    parser.add_argument("endpoint")
    parser.add_argument("--docker-host", default="")
    parser.add_argument("--base-image", default="")
    parser.add_argument("--empty", action="store_true")
    asked = parser.parse_args()
    if asked.empty:
        default_network(asked.endpoint)  # answered: it is there to be filled
        tell(outputs={})
        return
    workshop: Workshop | None = None
    failures: tuple[type[Exception], ...] = (StackFailed, MigrationFailed)
    if asked.docker_host:
        from .rails_images import BuildFailed, Workshop

        workshop = Workshop(asked.docker_host, asked.base_image)
        failures = (*failures, BuildFailed)
    try:
        outputs = provision(asked.endpoint, free_ports(), templates(), workshop)
    except failures as failure:
        tell(failed=str(failure))
    else:
        tell(outputs=outputs)


if __name__ == "__main__":
    main()
