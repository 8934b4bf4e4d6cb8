"""Change sets as they are described: nested stacks, and a service's number of tasks."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.stub import ANY, Stubber

from bgconsole.domain.change_set import Change, without_idle
from bgconsole.gateway.aws.caller import Caller
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.stack_changes import AwsStackChanges
from bgconsole.gateway.aws.stacks import AwsStacks

ROOT = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/bgconsole-1/aaaa"
NESTED = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/bgconsole-1-Cluster/bbbb"
SERVICE = "AWS::ECS::Service"
STACK = "AWS::CloudFormation::Stack"


@pytest.fixture
def clients() -> Clients:
    def session() -> Any:
        made = botocore.session.Session()
        made.set_credentials("AKIDEXAMPLE", "not-a-secret")
        return made

    return Clients(region="us-east-1", caller=Caller(), new_session=session)


def drafted(stub: Stubber, request: dict[str, object], *changes: dict[str, object]) -> None:
    """The answer to one DescribeChangeSet, which is to ask for the values."""
    answer = {
        "ChangeSetId": ROOT,
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
        "Changes": [{"Type": "Resource", "ResourceChange": change} for change in changes],
    }
    stub.add_response("describe_change_set", answer, {**request, "IncludePropertyValues": True})


def change(name: str, kind: str, **more: object) -> dict[str, object]:
    return {"Action": "Modify", "LogicalResourceId": name, "ResourceType": kind, **more}


@pytest.mark.parametrize(
    ("context", "tasks", "untold"),
    [
        (json.dumps({"Properties": {"DesiredCount": "4", "Secret": "hunter2"}}), 4, False),
        (json.dumps({"Properties": {"DesiredCount": 20}}), 20, False),
        (json.dumps({"Properties": {"ServiceName": "web"}}), None, False),
        (
            json.dumps({"Properties": {"DesiredCount": "{{changeSet:KNOWN_AFTER_APPLY}}"}}),
            None,
            True,
        ),
        ("[", None, True),
        ("", None, True),
    ],
)
def test_a_service_tells_how_many_tasks_its_template_gives(
    clients: Clients, context: str, tasks: int | None, untold: bool
) -> None:
    told = {"AfterContext": context} if context else {}
    with Stubber(clients.client("cloudformation")) as stub:
        drafted(
            stub,
            {"ChangeSetName": "bgconsole-1", "StackName": "web"},
            change("Service", SERVICE, **told),
        )
        found = AwsStacks(clients).change_set("web", "bgconsole-1")
    assert found.changes == (Change("change", "Service", SERVICE, tasks=tasks, untold=untold),)
    assert "hunter2" not in repr(found)


def test_what_a_nested_stack_would_do_is_told_with_it(clients: Clients) -> None:
    with Stubber(clients.client("cloudformation")) as stub:
        drafted(
            stub,
            {"ChangeSetName": "bgconsole-1", "StackName": "main"},
            change("Cluster", STACK, ChangeSetId=NESTED),
            change("Other", STACK),
        )
        drafted(
            stub,
            {"ChangeSetName": NESTED},
            change("Service", SERVICE, AfterContext='{"Properties": {"DesiredCount": 4}}'),
        )
        found = AwsStacks(clients).change_set("main", "bgconsole-1")
        stub.assert_no_pending_responses()
    assert [(c.logical_id, c.tasks, c.untold) for c in found.changes] == [
        ("Cluster", None, False),
        ("Cluster/Service", 4, False),
        ("Other", None, True),
    ]


def test_a_nested_stack_is_never_replaced_and_may_be_named_without_a_change(
    clients: Clients,
) -> None:
    def because(*causes: tuple[str, str]) -> list[dict[str, object]]:
        return [
            {
                "ChangeSource": source,
                "Target": {"Attribute": "Properties", "Name": "Parameters"},
                **({"CausingEntity": entity} if entity else {}),
            }
            for source, entity in causes
        ]

    of_network = ("ResourceAttribute", "Network.Outputs.VpcId")
    of_database = ("ResourceAttribute", "Database.Outputs.Url")
    with Stubber(clients.client("cloudformation")) as stub:
        drafted(
            stub,
            {"ChangeSetName": "bgconsole-1", "StackName": "main"},
            change("Network", STACK, Details=because(("Automatic", ""))),
            change("Database", STACK, Details=because(("Automatic", ""), of_network)),
            change(
                "Cluster",
                STACK,
                Replacement="Conditional",
                Details=because(("ParameterReference", "Image"), of_database),
            ),
            change("Alarms", STACK, Details=because(("ResourceAttribute", "Cluster.Outputs.Name"))),
            change("Unsaid", STACK),
        )
        found = AwsStacks(clients).change_set("main", "bgconsole-1").changes
    assert {change.verb for change in found} == {"change"}
    assert [change.follows for change in found] == [
        frozenset(),
        frozenset({"Network"}),
        None,
        frozenset({"Cluster"}),
        None,
    ]
    assert [c.logical_id for c in without_idle(found)] == ["Cluster", "Alarms", "Unsaid"]


def test_tags_are_given_where_there_are_some(clients: Clients) -> None:
    common = dict.fromkeys(("ClientToken", "Capabilities", "TemplateBody", "Parameters"), ANY)
    common |= {"StackName": "web", "ChangeSetName": "bgconsole-1", "ChangeSetType": "CREATE"}
    tagged = {"Tags": [{"Key": "team", "Value": "web"}]}
    with Stubber(clients.client("cloudformation", write=True)) as stub:
        for more in (tagged, {}):
            stub.add_response("create_change_set", {"Id": ROOT}, {**common, **more})
        changes = AwsStackChanges(clients)
        for tags in ({"team": "web"}, {}):
            changes.draft(
                "web", "bgconsole-1", template="{}", parameters={}, create=True, tags=tags
            )
        stub.assert_no_pending_responses()


def test_the_stacks_that_a_stack_nests_are_drafted_where_that_is_asked(clients: Clients) -> None:
    common = {
        "StackName": "main",
        "ChangeSetName": "bgconsole-1",
        "ChangeSetType": "UPDATE",
        "ClientToken": ANY,
        "Parameters": [{"ParameterKey": "DockerImage", "ParameterValue": "web:2"}],
        "Capabilities": ANY,
        "UsePreviousTemplate": True,
    }
    with Stubber(clients.client("cloudformation", write=True)) as stub:
        for more in ({"IncludeNestedStacks": True}, {}):
            stub.add_response("create_change_set", {"Id": ROOT}, {**common, **more})
        for nested in (True, False):
            AwsStackChanges(clients).draft(
                "main",
                "bgconsole-1",
                template="",
                parameters={"DockerImage": "web:2"},
                create=False,
                nested=nested,
            )
        stub.assert_no_pending_responses()
