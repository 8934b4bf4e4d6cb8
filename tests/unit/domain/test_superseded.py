"""What was deployed over an operation soon after its end, and by whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bgconsole.domain.identity import principal
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.superseded import superseded
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.once import read
from tests import worlds
from tests.values import MEOW, NOW, POSTS, REF

ENDED = NOW - timedelta(minutes=1)


def picture(world: ScriptedWorld, at: datetime = NOW) -> Snapshot:
    return read(scripted_gateway(world), REF, lambda: at)


def over(world: ScriptedWorld, at: datetime = NOW) -> str:
    """After revision 1 was brought back, as `world` is seen."""
    return superseded(picture(world, at), f"ecs-svc/{POSTS.number}", ENDED, MEOW.definition_arn, {})


def test_what_stays_is_not_superseded() -> None:
    world = worlds.steady()
    primary = world.services[REF].deployments[0]
    back = replace(primary, id=f"ecs-svc/{POSTS.number}")
    world.services[REF] = replace(world.services[REF], deployments=(back,))
    assert over(world) == ""


def test_who_registered_what_comes_again_is_named() -> None:
    world = worlds.steady()
    ci = "arn:aws:sts::123456789012:assumed-role/ci/build-77"
    definition = world.definitions[MEOW.definition_arn]
    world.definitions[MEOW.definition_arn] = replace(definition, registered_by=ci)
    words = over(world)
    assert words == "SUPERSEDED by role/ci at 11:00: deploying 2 again"


def test_the_stack_is_named_where_it_moves() -> None:
    world = worlds.steady()
    moving = replace(world.stacks["democluster"], status="UPDATE_ROLLBACK_IN_PROGRESS")
    world.stacks["democluster"] = moving
    assert over(world).startswith("SUPERSEDED by the stack democluster at 11:00")


def test_a_picture_from_before_the_end_tells_nothing() -> None:
    assert over(worlds.steady(), at=ENDED - timedelta(seconds=1)) == ""


def test_principals_are_said_as_a_person_does() -> None:
    assert principal("arn:aws:iam::123456789012:user/ops") == "user/ops"
    assert principal("arn:aws:sts::123456789012:assumed-role/ci/build-77") == "role/ci"
    assert principal("arn:aws:iam::123456789012:root") == "root"
