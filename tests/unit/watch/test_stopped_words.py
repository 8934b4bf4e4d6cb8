"""A stack that failed on its service: the tasks say why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.stacks import StackEvent, StackResource
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.stopped_words import SERVICE, stopped_words
from tests import worlds
from tests.values import NOW, REF

ARN = f"arn:aws:ecs:us-east-1:123456789012:service/{REF.cluster}/{REF.name}"


def failed_on(kind: str, ago: float = 600) -> tuple[StackEvent, ...]:
    at = NOW - timedelta(seconds=ago)
    reason = "ECS Deployment Circuit Breaker was triggered"
    return (StackEvent("1", at, "Service", kind, "UPDATE_FAILED", "democluster", reason),)


def crashed() -> ScriptedWorld:
    world = worlds.crash_looping()
    service = StackResource("Service", SERVICE, "UPDATE_FAILED", ARN)
    world.stack_resources["democluster"] = (service,)
    return world


def said(world: ScriptedWorld, events: tuple[StackEvent, ...]) -> str:
    return stopped_words(scripted_gateway(world), world.stacks["democluster"].arn, events)


def test_the_tasks_of_the_service_say_why() -> None:
    told = said(crashed(), failed_on(SERVICE))
    assert told.endswith("tasks of revision 3 stopped: exit 1")


@pytest.mark.parametrize(
    "events", [failed_on("AWS::RDS::DBInstance"), failed_on(SERVICE, ago=0), ()]
)
def test_of_another_cause_or_an_earlier_stop_nothing_is_said(
    events: tuple[StackEvent, ...],
) -> None:
    assert said(crashed(), events) == ""


def test_what_may_not_be_read_is_left_unsaid() -> None:
    world = crashed()
    world.fail("services.tasks", AccessDenied("No", action="ecs:ListTasks"))
    assert said(world, failed_on(SERVICE)) == ""


def test_a_service_without_an_address_of_its_own_says_nothing() -> None:
    world = crashed()
    [service] = world.stack_resources["democluster"]
    world.stack_resources["democluster"] = (replace(service, physical_id="web"),)
    assert said(world, failed_on(SERVICE)) == ""
