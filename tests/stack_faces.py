"""CloudFormation of a scripted world as AWS answers it: the bodies for `tests/loopback.py`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bgconsole.domain.change_set import Change
from bgconsole.domain.errors import NotThere
from bgconsole.domain.stacks import Stack, StackEvent, StackResource
from bgconsole.gateway.port import Submitted
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from tests.loopback import Answering, AwsError, paged

Members = dict[str, Any]
TOKEN = "NextToken"


def stack_faces(world: ScriptedWorld) -> dict[str, Answering]:
    """Every call of CloudFormation that the ports make."""
    ports = scripted_gateway(world)

    def describe_stacks(members: Members) -> Members:
        if name := members.get("StackName"):
            with _missing():
                return {"Stacks": [_stack(ports.stacks.stack(name))]}
        return paged("Stacks", [_stack(s) for s in world.stacks.values()], members, TOKEN)

    def resources(members: Members) -> Members:
        with _missing():
            found = ports.stacks.resources(members["StackName"])
        return paged("StackResourceSummaries", [_resource(r) for r in found], members, TOKEN)

    def events(members: Members) -> Members:
        with _missing():
            found = ports.stacks.events(members["StackName"])
        return paged("StackEvents", [_event(e) for e in found], members, TOKEN)

    def describe_change_set(members: Members) -> Members:
        with _missing("ChangeSetNotFound"):
            found = ports.stacks.change_set(members["StackName"], members["ChangeSetName"])
        page = paged("Changes", [_change(c) for c in found.changes], members, TOKEN)
        return {
            **page,
            "ChangeSetId": found.id,
            "ChangeSetName": found.name,
            "StackId": found.stack,
            "Status": found.status,
            "ExecutionStatus": found.execution,
            "StatusReason": found.reason,
        }

    def change_sets(members: Members) -> Members:
        with _missing():
            names = ports.stacks.change_sets(members["StackName"])
        return paged("Summaries", [{"ChangeSetName": name} for name in names], members, TOKEN)

    def draft(members: Members) -> Members:
        given, keep = {}, []
        for number in range(1, 1 + len(members)):
            start = f"Parameters.member.{number}."
            if name := members.get(f"{start}ParameterKey"):
                if members.get(f"{start}UsePreviousValue") == "true":
                    keep.append(name)
                else:
                    given[name] = members.get(f"{start}ParameterValue", "")
        with _missing():
            made = ports.stack_changes.draft(
                members["StackName"],
                members["ChangeSetName"],
                template=members.get("TemplateBody", ""),
                parameters=given,
                keep=keep,
                create=members["ChangeSetType"] == "CREATE",
            )
        return {"Id": made.created}

    def execute(members: Members) -> Members:
        return _done(ports.stack_changes.execute(members["StackName"], members["ChangeSetName"]))

    def discard(members: Members) -> Members:
        return _done(ports.stack_changes.discard(members["StackName"], members["ChangeSetName"]))

    def delete(members: Members) -> Members:
        return _done(ports.stack_changes.delete(members["StackName"]))

    def cancel(members: Members) -> Members:
        return _done(ports.stack_changes.cancel_update(members["StackName"]))

    def go_on(members: Members) -> Members:
        skip = [v for k, v in members.items() if k.startswith("ResourcesToSkip.member.")]
        return _done(ports.stack_changes.continue_rollback(members["StackName"], skip))

    return {
        "DescribeStacks": describe_stacks,
        "ListStackResources": resources,
        "DescribeStackEvents": events,
        "DescribeChangeSet": describe_change_set,
        "ListChangeSets": change_sets,
        "CreateChangeSet": draft,
        "ExecuteChangeSet": execute,
        "DeleteChangeSet": discard,
        "DeleteStack": delete,
        "CancelUpdateStack": cancel,
        "ContinueUpdateRollback": go_on,
    }


def _done(_: Submitted) -> Members:
    return {}


@contextmanager
def _missing(code: str = "ValidationError") -> Iterator[None]:
    try:
        yield
    except NotThere as error:
        raise AwsError(code, f"{error.detail} does not exist") from error


def _stack(stack: Stack) -> Members:
    return {
        "StackName": stack.name,
        "StackId": stack.arn,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at,
        "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in stack.outputs],
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in stack.parameters],
        "EnableTerminationProtection": stack.protected,
    }


def _resource(resource: StackResource) -> Members:
    return {
        "LogicalResourceId": resource.logical_id,
        "ResourceType": resource.kind,
        "ResourceStatus": resource.status,
        "PhysicalResourceId": resource.physical_id or None,
        "ResourceStatusReason": resource.reason or None,
    }


def _event(event: StackEvent) -> Members:
    return {
        "EventId": event.id,
        "Timestamp": event.at,
        "LogicalResourceId": event.logical_id,
        "ResourceType": event.kind,
        "ResourceStatus": event.status,
        "StackName": event.stack,
        "ResourceStatusReason": event.reason or None,
        "PhysicalResourceId": event.physical_id or None,
    }


def _change(change: Change) -> Members:
    actions = {"add": "Add", "remove": "Remove", "import": "Import"}
    told = {
        "Action": actions.get(change.verb, "Modify"),
        "LogicalResourceId": change.logical_id,
        "ResourceType": change.kind,
        "PhysicalResourceId": change.physical_id or None,
        "Details": [{"Target": {"Name": name}} for name in change.what],
    }
    replacements = {"replace": "True", "may replace": "Conditional"}
    if change.verb in replacements:
        told["Replacement"] = replacements[change.verb]
    return {"ResourceChange": told}
