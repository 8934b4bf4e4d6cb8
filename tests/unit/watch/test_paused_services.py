"""A stack whose service stands at a pause hook: what is waited for is said, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.stacks import StackEvent
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.paused_services import EVERY, PausedServices
from bgconsole.watch.stopped_words import SERVICE
from tests import two_groups, worlds
from tests.values import NOW, REF

ARN = f"arn:aws:ecs:us-east-1:123456789012:service/{REF.cluster}/{REF.name}"
AT_WORK = StackEvent("1", NOW, "Service", SERVICE, "UPDATE_IN_PROGRESS", "demo", "", ARN)


def said(world: ScriptedWorld, *events: StackEvent) -> list[str]:
    paused = PausedServices(scripted_gateway(world), lambda: world.now)
    told = [*paused.tell(events)]
    for _ in range(3):
        world.now += EVERY
        told += paused.tell(events)
    return told


def test_a_pause_is_told_once_with_what_ends_it() -> None:
    [words] = said(two_groups.paused(), AT_WORK)
    named = f"--cluster {REF.cluster} --service {REF.name}"
    assert words.startswith(f"Service waits for you: `bgconsole approve {named}` lets it go on")
    assert f"`bgconsole stop {named}` takes it back; by itself it goes" in words


@pytest.mark.parametrize(
    "event",
    [
        replace(AT_WORK, status="UPDATE_COMPLETE"),
        replace(AT_WORK, kind="AWS::RDS::DBInstance"),
        replace(AT_WORK, physical_id=""),
    ],
)
def test_of_what_is_not_at_work_nothing_is_asked(event: StackEvent) -> None:
    world = two_groups.paused()
    assert said(world, event) == []
    assert world.count("services.service_deployments") == 0


def test_only_the_newest_event_of_a_resource_counts() -> None:
    done = replace(AT_WORK, at=NOW + timedelta(seconds=1), status="UPDATE_COMPLETE")
    assert said(two_groups.paused(), done, AT_WORK) == []


def test_without_a_pause_or_a_right_to_look_nothing_is_said() -> None:
    assert said(worlds.deploying(), AT_WORK) == []
    world = two_groups.paused()
    world.fail("services.service_deployments", AccessDenied("No"))
    assert said(world, AT_WORK) == []
