"""CloudFormation, read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bgconsole.domain.change_set import Change, ChangeSet, Verb
from bgconsole.domain.stacks import STACK, Stack, StackEvent, StackResource
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import utc, utc_or_long_ago


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

    def stack(self, name: str) -> Stack:
        """DescribeStacks of one."""
        with self.clients.reading("cloudformation:DescribeStacks", f"stack {name}"):
            answer = self.clients.client("cloudformation").describe_stacks(StackName=name)
        return _stack(answer["Stacks"][0])

    def resources(self, name: str) -> tuple[StackResource, ...]:
        """ListStackResources, every page."""
        with self.clients.reading("cloudformation:ListStackResources", f"stack {name}"):
            pages = (
                self.clients.client("cloudformation")
                .get_paginator("list_stack_resources")
                .paginate(StackName=name)
            )
            found = [raw for page in pages for raw in page["StackResourceSummaries"]]
        return tuple(map(_resource, found))

    def events(self, name: str, since: datetime | None = None) -> tuple[StackEvent, ...]:
        """DescribeStackEvents; pages until one that is old enough."""
        found = []
        with self.clients.reading("cloudformation:DescribeStackEvents", f"stack {name}"):
            pages = (
                self.clients.client("cloudformation")
                .get_paginator("describe_stack_events")
                .paginate(StackName=name)
            )
            for page in pages:
                events = [_event(raw) for raw in page["StackEvents"]]
                new = [event for event in events if since is None or event.at > since]
                found += new
                if len(new) < len(events):
                    break
        return tuple(found)

    def change_set(self, stack: str, name: str) -> ChangeSet:
        """DescribeChangeSet, every page, and those of the nested stacks that it drafted too."""
        pages = self._change_set_pages(stack, name)
        first = pages[0]
        return ChangeSet(
            id=first.get("ChangeSetId", ""),
            name=first.get("ChangeSetName", ""),
            stack=first.get("StackId", ""),
            status=first.get("Status", ""),
            execution=first.get("ExecutionStatus", ""),
            reason=first.get("StatusReason", ""),
            changes=tuple(self._changes(stack, pages)),
        )

    def _change_set_pages(self, stack: str, name: str) -> list[Mapping[str, Any]]:
        with self.clients.reading(
            "cloudformation:DescribeChangeSet", f"change set {name} of stack {stack}"
        ):
            client = self.clients.client("cloudformation")
            # The ARN of a nested stack's change set says which stack it is of.
            request: dict[str, Any] = {"ChangeSetName": name, "IncludePropertyValues": True}
            if not name.startswith("arn:"):
                request["StackName"] = stack
            return [*client.get_paginator("describe_change_set").paginate(**request)]

    def _changes(self, stack: str, pages: list[Mapping[str, Any]]) -> Iterator[Change]:
        for page in pages:
            for each in page.get("Changes") or ():
                if raw := each.get("ResourceChange"):
                    yield from self._change(stack, raw)

    def _change(self, stack: str, raw: Mapping[str, Any]) -> Iterator[Change]:
        change = _change(raw)
        inner = raw.get("ChangeSetId", "")
        if not inner:
            yield change
            return
        yield replace(change, untold=False)
        for nested in self._changes(stack, self._change_set_pages(stack, inner)):
            yield replace(nested, logical_id=f"{change.logical_id}/{nested.logical_id}")

    def change_sets(self, stack: str) -> tuple[str, ...]:
        """ListChangeSets, every page."""
        with self.clients.reading("cloudformation:ListChangeSets", f"stack {stack}"):
            pages = (
                self.clients.client("cloudformation")
                .get_paginator("list_change_sets")
                .paginate(StackName=stack)
            )
            return tuple(raw.get("ChangeSetName", "") for p in pages for raw in p["Summaries"])

    def drift_check(self, check: str) -> str:
        """DescribeStackDriftDetectionStatus."""
        action = "cloudformation:DescribeStackDriftDetectionStatus"
        with self.clients.reading(action, f"drift check {check}"):
            client = self.clients.client("cloudformation")
            answer: Mapping[str, Any] = client.describe_stack_drift_detection_status(
                StackDriftDetectionId=check
            )
        reason = answer.get("DetectionStatusReason", "")
        return f"{answer.get('DetectionStatus', '')} {reason}".strip()


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
        parameters=tuple(
            (given.get("ParameterKey", ""), given.get("ParameterValue", ""))
            for given in raw.get("Parameters") or ()
        ),
        parent=raw.get("ParentId", ""),
        protected=bool(raw.get("EnableTerminationProtection")),
        drift=(raw.get("DriftInformation") or {}).get("StackDriftStatus", ""),
    )


def _resource(raw: Mapping[str, Any]) -> StackResource:
    return StackResource(
        logical_id=raw.get("LogicalResourceId", ""),
        kind=raw.get("ResourceType", ""),
        status=raw.get("ResourceStatus", ""),
        physical_id=raw.get("PhysicalResourceId", ""),
        reason=raw.get("ResourceStatusReason", ""),
        drift=(raw.get("DriftInformation") or {}).get("StackResourceDriftStatus", ""),
    )


def _event(raw: Mapping[str, Any]) -> StackEvent:
    return StackEvent(
        id=raw.get("EventId", ""),
        at=utc_or_long_ago(raw.get("Timestamp")),
        logical_id=raw.get("LogicalResourceId", ""),
        kind=raw.get("ResourceType", ""),
        status=raw.get("ResourceStatus", ""),
        stack=raw.get("StackName", ""),
        reason=raw.get("ResourceStatusReason", ""),
        physical_id=raw.get("PhysicalResourceId", ""),
    )


_VERBS: Mapping[str, Verb] = {
    "Add": "add",
    "Remove": "remove",
    "Import": "import",
    "Dynamic": "may replace",
}
_OF_OTHERS = frozenset({"Automatic", "ResourceAttribute"})
"""Sources of a change that is not the resource's own."""
_REPLACEMENTS: Mapping[str, Verb] = {"True": "replace", "Conditional": "may replace"}


def _change(raw: Mapping[str, Any]) -> Change:
    action = raw.get("Action", "")
    targets = [detail.get("Target") or {} for detail in raw.get("Details") or ()]
    names = (target.get("Name") or target.get("Attribute") or "" for target in targets)
    tasks, untold = _tasks(raw)
    return Change(
        verb=_verb(raw),
        logical_id=raw.get("LogicalResourceId", ""),
        kind=raw.get("ResourceType", ""),
        physical_id=raw.get("PhysicalResourceId", ""),
        what=tuple(sorted(set(filter(None, names)))) if action == "Modify" else (),
        protected=str(raw.get("PolicyAction", "")).endswith(("Retain", "Snapshot")),
        tasks=tasks,
        untold=untold,
        follows=_follows(raw),
    )


def _verb(raw: Mapping[str, Any]) -> Verb:
    """What is done; an update never replaces a nested stack, whatever is said of its parameters."""
    if raw.get("ResourceType", "") == STACK and raw.get("Action") == "Modify":
        return "change"
    replaces = _REPLACEMENTS.get(raw.get("Replacement", ""), "change")
    return _VERBS.get(raw.get("Action", "")) or replaces


def _follows(raw: Mapping[str, Any]) -> frozenset[str] | None:
    details = raw.get("Details") or ()
    sources = {detail.get("ChangeSource", "") for detail in details}
    if raw.get("ResourceType", "") != STACK or not sources or sources - _OF_OTHERS:
        return None
    causes = (detail.get("CausingEntity") or "" for detail in details)
    return frozenset(filter(None, (cause.partition(".")[0] for cause in causes)))


def _tasks(raw: Mapping[str, Any]) -> tuple[int | None, bool]:
    """The DesiredCount of a service after the change, and whether AWS leaves it untold.

    Of all that AWS tells about the resource this number alone is read: the rest holds secrets.
    """
    kind = raw.get("ResourceType", "")
    if kind == STACK:
        return None, True
    if kind != "AWS::ECS::Service" or raw.get("Action") == "Remove":
        return None, False
    with suppress(ValueError, TypeError, AttributeError):
        given = json.loads(raw.get("AfterContext", "")).get("Properties", {}).get("DesiredCount")
        return (None if given is None else int(given)), False
    return None, True
