"""The stage strip: order, unknown stages, hooks, bake time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bgconsole.domain.rollout import STAGES, Rollout, rollout, stage_began
from bgconsole.domain.services import Hook, RevisionCount, ServiceDeployment
from bgconsole.domain.snapshot import Part
from bgconsole.gateway.scripted import scripted_gateway
from bgconsole.watch.once import read
from bgconsole.watch.sources import ask
from tests import two_groups, worlds
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


def test_before_the_first_stage_all_are_to_come() -> None:
    found = strip(lifecycle_stage="", status="PENDING")
    assert {stage.state for stage in found.stages} == {"to come"}
    assert found.current is None
    assert not found.shifted


def test_a_stage_began_when_it_was_seen_first_whatever_changes_later() -> None:
    began = strip(lifecycle_stage="BAKE_TIME", bake_minutes=5, updated_at=NOW)
    assert began.stage_since == NOW
    world = two_groups.baking()
    gateway = scripted_gateway(world)
    first = read(gateway, REF, lambda: NOW)
    newest, *rest = world.history[REF]
    world.history[REF] = (replace(newest, updated_at=NOW), *rest)
    later = ask("deployments", gateway, first)
    assert later.stage_since == NOW - timedelta(minutes=1, seconds=48)
    held = rollout(replace(first, deployments=Part(later, NOW)))
    assert held is not None
    assert held.bake_ends == NOW + timedelta(minutes=3, seconds=12)
    world.history[REF] = (replace(newest, lifecycle_stage="CLEAN_UP", updated_at=NOW), *rest)
    assert ask("deployments", gateway, first).stage_since == NOW


@pytest.mark.parametrize(
    "change",
    [
        {"lifecycle_stage": "CLEAN_UP"},
        {"status": "ROLLBACK_IN_PROGRESS"},
        {"target": RevisionCount("r", production_weight=20.0)},
        {"arn": "another"},
    ],
)
def test_a_step_is_another_one(change: dict[str, Any]) -> None:
    seen = two_groups.baking().history[REF][0]
    old = NOW - timedelta(hours=1)
    assert stage_began((seen, old), replace(seen, hooks=(Hook("h", "PAUSE", "X"),))) == old
    assert stage_began((seen, old), replace(seen, **change)) == seen.updated_at
    assert stage_began((seen, old), None) is None
    assert stage_began((None, None), seen) == seen.updated_at


def test_the_first_hook_to_expire_is_the_first_and_running_ones_are_known() -> None:
    late, soon = (
        Hook(name, "PAUSE", "AWAITING_ACTION", expires_at=NOW + timedelta(minutes=minutes))
        for name, minutes in (("late", 9), ("soon", 3))
    )
    never = Hook("never", "PAUSE", "AWAITING_ACTION")
    runs = Hook("runs", "AWS_LAMBDA", "IN_PROGRESS", "arn:aws:lambda:x:1:function:smoke")
    found = strip(hooks=(never, late, runs, soon))
    assert [hook.id for hook in found.waiting] == ["soon", "late", "never"]
    assert found.running == (runs,)


def test_hooks_that_wait_are_told_and_others_are_not() -> None:
    waits = Hook("ecs-pause-1", "PAUSE", "AWAITING_ACTION", expires_at=NOW, timeout_action="X")
    done = Hook("ecs-pause-2", "PAUSE", "SUCCEEDED")
    assert strip(hooks=(done, waits)).waiting == (waits,)


def test_going_back_is_said_whatever_the_stage_reads() -> None:
    found = strip(lifecycle_stage="BAKE_TIME", status="ROLLBACK_IN_PROGRESS")
    assert found.going_back
