"""CloudFormation, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bgconsole.domain.stacks import Stack
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import utc


@dataclass(frozen=True, slots=True)
class AwsStacks:
    """The `Stacks` port."""

    clients: Clients

    def stacks(self) -> tuple[Stack, ...]:
        """DescribeStacks, every page."""
        with self.clients.reading("cloudformation:DescribeStacks"):
            pages = (
                self.clients.client("cloudformation").get_paginator("describe_stacks").paginate()
            )
            found = [_stack(raw) for page in pages for raw in page["Stacks"]]
        there = (stack for stack in found if stack.status != "DELETE_COMPLETE")
        return tuple(sorted(there, key=lambda stack: stack.name))


def _stack(raw: Mapping[str, Any]) -> Stack:
    return Stack(
        name=raw.get("StackName", ""),
        arn=raw.get("StackId", ""),
        status=raw.get("StackStatus", ""),
        reason=raw.get("StackStatusReason", ""),
        created_at=utc(raw.get("CreationTime")),
        updated_at=utc(raw.get("LastUpdatedTime")),
        outputs=tuple(
            (output.get("OutputKey", ""), output.get("OutputValue", ""))
            for output in raw.get("Outputs") or ()
        ),
        description=raw.get("Description", ""),
    )
