"""What every gateway promises of stacks that it changes: drafts, their end, and what is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from bgconsole.domain.change_set import Change, ChangeSet
from bgconsole.domain.errors import NotThere
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import scripted_gateway
from tests import worlds
from tests.contract.conftest import connected

Value = TypeVar("Value")

TEMPLATE = """
Parameters:
  Days:
    Type: Number
    Default: 7
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties:
      RetentionInDays: !Ref Days
Outputs:
  Name:
    Value: !Ref Group
"""
ADD = Change("add", "Group", "AWS::Logs::LogGroup")


@pytest.fixture(params=["scripted", "sandbox"])
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """Gateways that CloudFormation writes are known to."""
    if request.param == "scripted":
        world = worlds.steady()
        world.drafts["contract"] = (ADD,)
        world.outputs["contract"] = (("Name", "contract-group"),)
        yield scripted_gateway(world)
    else:
        yield connected(request.getfixturevalue("sandbox_url"))


def test_a_draft_is_seen_carried_out_and_deleted(gateway: Gateway) -> None:
    """From nothing to a stack and back; a deleted stack is still found by its ARN."""
    stacks, changes = gateway.stacks, gateway.stack_changes
    _draft(gateway, create=True)
    draft = _until(lambda: stacks.change_set("contract", "bgconsole-1"), _drafted)
    assert draft.ready
    assert [(change.verb, change.logical_id) for change in draft.changes] == [("add", "Group")]
    assert stacks.stack("contract").status == "REVIEW_IN_PROGRESS"
    assert stacks.change_sets("contract") == ("bgconsole-1",)
    changes.execute("contract", draft.id)
    made = _until(
        lambda: stacks.stack(draft.stack), lambda stack: stack.status.endswith("_COMPLETE")
    )
    assert made.status == "CREATE_COMPLETE"
    assert made.output("Name")
    assert dict(made.parameters)["Days"] == "14"
    newest = stacks.events(draft.stack)[0]
    assert newest.of_stack
    assert newest.status == "CREATE_COMPLETE"
    assert stacks.events(draft.stack, since=newest.at) == ()
    changes.delete(made.arn)
    gone = _until(lambda: stacks.stack(made.arn), lambda stack: stack.status == "DELETE_COMPLETE")
    assert gone.name == "contract"
    with pytest.raises(NotThere, match="contract"):
        stacks.stack("contract")


def test_a_draft_without_changes_is_empty_and_an_unwanted_one_leaves_nothing(
    gateway: Gateway,
) -> None:
    stacks, changes = gateway.stacks, gateway.stack_changes
    _draft(gateway, create=True)
    draft = _until(lambda: stacks.change_set("contract", "bgconsole-1"), _drafted)
    changes.execute("contract", draft.id)
    made = _until(
        lambda: stacks.stack(draft.stack), lambda stack: stack.status == "CREATE_COMPLETE"
    )
    changes.draft(
        "contract", "bgconsole-2", template="", parameters={}, keep=["Days"], create=False
    )
    assert _until(lambda: stacks.change_set("contract", "bgconsole-2"), _drafted).empty
    changes.discard("contract", "bgconsole-2")
    with pytest.raises(NotThere):
        stacks.change_set("contract", "bgconsole-2")
    changes.delete(made.arn)
    _until(lambda: stacks.stack(made.arn), lambda stack: stack.status == "DELETE_COMPLETE")


def test_a_draft_tells_the_number_of_tasks_that_a_service_would_get(sandbox_url: str) -> None:
    """What the template gives, whether or not that changes; nothing of any other resource."""
    gateway = connected(sandbox_url)
    stack = gateway.stacks.stack("democluster")
    image = dict(stack.parameters)["DockerImage"].rpartition(":")[0] + ":another"
    keep = [name for name, _ in stack.parameters if name != "DockerImage"]
    gateway.stack_changes.draft(
        "democluster",
        "bgconsole-count",
        template="",
        parameters={"DockerImage": image},
        keep=keep,
        create=False,
    )
    try:
        look = lambda: gateway.stacks.change_set("democluster", "bgconsole-count")  # noqa: E731
        draft = _until(look, _drafted)
    finally:
        gateway.stack_changes.discard("democluster", "bgconsole-count")
    assert {change.logical_id: change.tasks for change in draft.changes} == {
        "TaskDefinition": None,
        "MigrationTaskDefinition": None,
        "Service": 4,
    }
    assert not any(change.untold for change in draft.changes)


def test_a_stack_that_is_not_there_is_said_to_be_so(gateway: Gateway) -> None:
    for ask in (gateway.stacks.stack, gateway.stacks.resources, gateway.stacks.events):
        with pytest.raises(NotThere, match="absent"):
            ask("absent")


def _draft(gateway: Gateway, *, create: bool) -> None:
    answer = gateway.stack_changes.draft(
        "contract", "bgconsole-1", template=TEMPLATE, parameters={"Days": "14"}, create=create
    )
    assert answer.request_id
    assert answer.created


def _drafted(change_set: ChangeSet) -> bool:
    return not change_set.pending


def _until(look: Callable[[], Value], enough: Callable[[Value], bool]) -> Value:
    end = time.monotonic() + 20
    while not enough(found := look()):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found
