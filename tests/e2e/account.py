"""The account of one sandbox as boto3 sees it, and what the tests do with its stacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import WaiterError

from tests.e2e.conftest import Sandbox, serving

QUICK = {"Delay": 0.05, "MaxAttempts": 900}
"""For waiters, whose own 5 to 30 s between questions are for the real AWS."""
CLUSTER, SERVICE = "democluster-cluster", "democluster-service"
TEMPLATES = Path(__file__).parent / "templates"

Event = tuple[str, str, str]
"""Logical id, status, reason."""


class Account:
    """boto3 clients of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._session = boto3.Session(
            aws_access_key_id=sandbox.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=sandbox.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=sandbox.environment["AWS_REGION"],
        )
        self._endpoint = sandbox.environment["AWS_ENDPOINT_URL"]

    def client(self, service: str) -> Any:
        """A client of one service."""
        return self._session.client(service, endpoint_url=self._endpoint)

    def image(self, tag: str) -> str:
        """An image of the demo's repository."""
        named = self.client("ecr").describe_repositories(repositoryNames=["demorepo"])
        (repository,) = named["repositories"]
        return f"{repository['repositoryUri']}:{tag}"

    def network(self) -> dict[str, str]:
        """The default VPC and its subnets as the templates want them."""
        found = self.client("ec2").describe_subnets()["Subnets"]
        return {
            "VpcId": found[0]["VpcId"],
            "Subnets": ",".join(sorted(subnet["SubnetId"] for subnet in found)),
        }

    def service(self, cluster: str = CLUSTER, service: str = SERVICE) -> dict[str, Any]:
        """A service as it is now."""
        ecs = self.client("ecs")
        (shown,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
        described: dict[str, Any] = shown
        return described

    def create(self, stack: str, template: str, /, **parameters: str) -> None:
        """CreateStack from a template of the tests; not waited for."""
        self.client("cloudformation").create_stack(
            StackName=stack, **_template(template, parameters)
        )

    def update(self, stack: str, template: str, /, **parameters: str) -> None:
        """UpdateStack likewise."""
        self.client("cloudformation").update_stack(
            StackName=stack, **_template(template, parameters)
        )

    def change(self, name: str, tag: str) -> tuple[str, list[dict[str, Any]]]:
        """A change set of democluster that only changes the image; its id and changes."""
        stacks, ecr = self.client("cloudformation"), self.client("ecr")
        uri = ecr.describe_repositories()["repositories"][0]["repositoryUri"]
        (stack,) = stacks.describe_stacks(StackName="democluster")["Stacks"]
        parameters = [
            {"ParameterKey": p["ParameterKey"], "UsePreviousValue": True}
            for p in stack["Parameters"]
            if p["ParameterKey"] != "DockerImage"
        ]
        image = {"ParameterKey": "DockerImage", "ParameterValue": f"{uri}:{tag}"}
        made = stacks.create_change_set(
            StackName="democluster",
            ChangeSetName=name,
            UsePreviousTemplate=True,
            Parameters=[*parameters, image],
            Capabilities=["CAPABILITY_IAM"],
        )["Id"]
        waiter = stacks.get_waiter("change_set_create_complete")
        waiter.wait(ChangeSetName=made, WaiterConfig=QUICK)
        changes = stacks.describe_change_set(ChangeSetName=made)["Changes"]
        return made, [change["ResourceChange"] for change in changes]

    def until(self, stack: str, waiter: str) -> None:
        """Wait with one of boto3's waiters of stacks."""
        waits = self.client("cloudformation").get_waiter(waiter)
        waits.wait(StackName=stack, WaiterConfig=QUICK)

    def ends(self, stack: str, waiter: str) -> str:
        """Wait as `until`, a failure included; gives the status then."""
        try:
            self.until(stack, waiter)
        except WaiterError as failure:
            assert "Max attempts" not in str(failure), failure
        return self.status(stack)

    def status(self, stack: str) -> str:
        """The stack's."""
        (shown,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return str(shown["StackStatus"])

    def output(self, stack: str, key: str) -> str:
        """One output of a stack."""
        (shown,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {o["OutputKey"]: o["OutputValue"] for o in shown["Outputs"]}[key]

    def told(self, stack: str) -> list[dict[str, Any]]:
        """The stack's events, oldest first."""
        pages = self.client("cloudformation").get_paginator("describe_stack_events")
        events = [e for page in pages.paginate(StackName=stack) for e in page["StackEvents"]]
        return events[::-1]

    def events(self, stack: str) -> list[Event]:
        """What of the events a test compares, oldest first."""
        return [
            (e["LogicalResourceId"], e["ResourceStatus"], e.get("ResourceStatusReason", ""))
            for e in self.told(stack)
        ]


@contextmanager
def account(home: Path, *options: str) -> Iterator[Account]:
    """A sandbox on a free port, and its account."""
    home.mkdir(exist_ok=True)
    with serving(home, "--port", "0", *options) as sandbox:
        yield Account(sandbox)


def move_to_two_groups(stacks: Any) -> None:
    """Update democluster to the strategy BLUE_GREEN, all else as it is; `stacks` is a client."""
    (stack,) = stacks.describe_stacks(StackName="democluster")["Stacks"]
    changed = {"Strategy": "BLUE_GREEN", "BakeMinutes": "1"}
    stacks.update_stack(
        StackName="democluster",
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            {"ParameterKey": name, "ParameterValue": changed[name]}
            if (name := p["ParameterKey"]) in changed
            else {"ParameterKey": name, "UsePreviousValue": True}
            for p in stack["Parameters"]
        ],
    )


def _template(name: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    return {
        "TemplateBody": (TEMPLATES / name).read_text(),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
        "Capabilities": ["CAPABILITY_IAM"],
    }
