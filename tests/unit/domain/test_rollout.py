"""The stage strip: order, unknown stages, hooks, bake time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bgconsole.domain.rollout import STAGES, Rollout, rollout
from bgconsole.domain.services import Hook, ServiceDeployment
from bgconsole.gateway.scripted import scripted_gateway
from bgconsole.watch.once import read
from tests import worlds
from tests.worlds import NOW, REF


def strip(**changes: object) -> Rollout:
    """The strip of a blue/green deployment with these fields."""
    world = worlds.deploying()
    newest, *rest = world.history[REF]
    changed: ServiceDeployment = replace(newest, strategy="BLUE_GREEN", **changes)  # type: ignore[arg-type]
    world.history[REF] = (changed, *rest)
    found = rollout(read(scripted_gateway(world), REF, lambda: NOW))
    assert found is not None
    return found


def test_at_rest_there_is_no_strip() -> None:
    assert rollout(read(scripted_gateway(worlds.steady()), REF, lambda: NOW)) is None


def test_a_rolling_deployment_has_no_stages() -> None:
    found = rollout(read(scripted_gateway(worlds.deploying()), REF, lambda: NOW))
    assert found is not None
    assert found.stages == ()


@pytest.mark.parametrize("index", range(len(STAGES)))
def test_what_is_before_is_done_and_what_is_after_is_to_come(index: int) -> None:
    found = strip(lifecycle_stage=STAGES[index][0])
    states = [stage.state for stage in found.stages]
    assert states == ["done"] * index + ["current"] + ["to come"] * (len(STAGES) - 1 - index)
    assert found.shifted is (index > 6)


def test_the_stage_that_only_texts_name_stands_before_the_shift() -> None:
    found = strip(lifecycle_stage="PRE_PRODUCTION_TRAFFIC_SHIFT")
    names = [stage.name for stage in found.stages]
    at = names.index("PRE_PRODUCTION_TRAFFIC_SHIFT")
    assert names[at + 1] == "PRODUCTION_TRAFFIC_SHIFT"
    assert not found.shifted
    assert found.current is found.stages[at]


def test_a_stage_nobody_knows_is_accepted_and_shown() -> None:
    found = strip(lifecycle_stage="MAKE_TEA")
    assert found.current is not None
    assert found.current.words == "make tea"


def test_bake_time_counts_down_from_the_last_change() -> None:
    found = strip(lifecycle_stage="BAKE_TIME", bake_minutes=5, updated_at=NOW)
    assert found.bake_ends == NOW + timedelta(minutes=5)
    assert strip(lifecycle_stage="SCALE_UP", bake_minutes=5).bake_ends is None


def test_hooks_that_wait_are_told_and_others_are_not() -> None:
    waits = Hook("ecs-pause-1", "PAUSE", "AWAITING_ACTION", expires_at=NOW, timeout_action="X")
    done = Hook("ecs-pause-2", "PAUSE", "SUCCEEDED")
    assert strip(hooks=(done, waits)).waiting == (waits,)


def test_going_back_is_said_whatever_the_stage_reads() -> None:
    found = strip(lifecycle_stage="BAKE_TIME", status="ROLLBACK_IN_PROGRESS")
    assert found.going_back
