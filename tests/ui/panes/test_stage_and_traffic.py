"""The words of the stage strip and of the traffic bar, at every width."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bgconsole.domain.join import Side, sides
from bgconsole.domain.rollout import Rollout, rollout
from bgconsole.domain.services import Alarms, CircuitBreaker, Hook
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.traffic import Traffic, traffic
from bgconsole.ui.panes.stage_strip import strip_line
from bgconsole.ui.panes.traffic_bar import traffic_line
from tests import scenes, worlds
from tests.ui.panes.test_words import palette
from tests.values import NOW

WIDTHS = (200, 158, 118, 98, 78, 60, 40)


def strip(taken: Snapshot, **changes: Any) -> Rollout:
    found = rollout(taken)
    assert found is not None
    return replace(found, **changes)


def line(found: Rollout, width: int) -> str:
    told = strip_line(found, NOW, palette(), width).plain
    assert len(told) == width
    return told


@pytest.mark.parametrize("width", WIDTHS)
def test_the_current_stage_is_said_at_every_width(width: int) -> None:
    assert "▐ test shift · 13 s ▌" in line(strip(scenes.shifted_for_test()), width)
    assert "▐ post-test · paused 5:48 ▌" in line(strip(scenes.paused()), width)
    assert "▐ bake · 3:12 left ▌" in line(strip(scenes.baking()), width)
    assert "▐ production · 10 % · 2:05 ▌" in line(strip(scenes.canary()), width)
    assert "▐ going back · production · 4 s ▌" in line(strip(scenes.going_back()), width)


@pytest.mark.parametrize("width", [w for w in WIDTHS if w >= 60])
def test_what_happens_by_itself_is_said_where_somebody_is_waited_for(width: int) -> None:
    assert "in 54:12" in line(strip(scenes.paused()), width)


def test_a_wide_strip_names_every_stage_and_guard() -> None:
    told = line(strip(scenes.paused()), 220)
    assert told.startswith("reconcile ✓  pre ✓  scale up ✓  post ✓  test shift ✓  ▐ post-test")
    assert "production ·  post-production ·  bake 5:00 ·  clean up ·" in told
    assert told.endswith("goes back by itself in 54:12 · breaker 0/3 ✓ · alarms ✓")


def test_a_narrow_strip_counts_what_it_does_not_name() -> None:
    assert line(strip(scenes.paused()), 78).startswith("✓✓✓ ▐ post-test · paused 5:48 ▌ ···  ")


def test_what_somebody_must_know_goes_last() -> None:
    touched = strip(scenes.paused(), breaker=CircuitBreaker("MONITORING", 2, 3))
    for width in WIDTHS[:4]:
        assert "breaker 2/3 ▲" in line(touched, width)
    assert "breaker 3/3 ✖" in line(
        strip(scenes.baking(), breaker=CircuitBreaker("TRIGGERED", 3, 3)), 78
    )
    alarm = Alarms("TRIGGERED", ("web-5xx",), ("web-5xx",))
    assert "alarms ✖ web-5xx" in line(strip(scenes.baking(), alarms=alarm), 78)


def test_guards_that_are_off_are_not_told() -> None:
    off = strip(
        scenes.baking(),
        breaker=CircuitBreaker("DISABLED", 0, 0),
        alarms=Alarms("DISABLED", ("web-5xx",)),
    )
    assert "breaker" not in line(off, 220) and "alarm" not in line(off, 220)


def hooked(width: int = 220, **how: Any) -> str:
    waits = Hook("h", "PAUSE", "AWAITING_ACTION", **how)
    return line(strip(scenes.paused(), waiting=(waits,), breaker=None, alarms=None), width)


def test_a_hook_says_what_happens_when_nobody_answers() -> None:
    later = NOW + timedelta(minutes=3)
    assert hooked(expires_at=later, timeout_action="CONTINUE").endswith("goes on by itself in 3:00")
    assert hooked(expires_at=later, timeout_action="NEW").endswith("times out by itself in 3:00")
    late = NOW - timedelta(seconds=2)
    assert hooked(expires_at=late, timeout_action="ROLLBACK").endswith("goes back by itself now")
    assert hooked(timeout_action="ROLLBACK").endswith("goes back by itself")


def test_several_hooks_wait_and_some_run() -> None:
    taken = scenes.paused()
    (hook,) = strip(taken).waiting
    assert "in 54:12 (1 more wait" in line(strip(taken, waiting=(hook, hook)), 220)
    runs = Hook("h", "AWS_LAMBDA", "IN_PROGRESS", "arn:aws:lambda:r:1:function:smoke")
    assert "hook smoke runs" in line(strip(taken, waiting=(), running=(runs,)), 220)


def test_the_bake_that_is_over_and_the_deployment_that_has_not_begun() -> None:
    over = strip(scenes.baking(), bake_ends=NOW - timedelta(seconds=1))
    assert "▐ bake · time is up ▌" in line(over, 78)
    taken = scenes.shifted_for_test()
    stages = tuple(replace(stage, state="to come") for stage in strip(taken).stages)
    pending = strip(taken, stages=stages, stage_since=None)
    assert line(pending, 220).startswith("▐ waits to begin ▌  reconcile ·")


def bar(taken: Snapshot, width: int = 158, **changes: Any) -> str:
    routes = replace(traffic(taken), **changes)
    told = traffic_line(routes, sides(taken), palette(), width).plain
    assert len(told) <= width
    return told


def test_both_kinds_of_traffic_old_before_new() -> None:
    told = bar(scenes.canary())
    assert told.startswith(f"production {'█' * 29}{'▓' * 3} old 90 % · new 10 %    test ▓")
    assert told.endswith("▓ new 100 %")
    assert bar(scenes.baking()).startswith(f"production {'▓' * 32} new 100 %")
    assert "test" not in bar(scenes.deploying())


@pytest.mark.parametrize("width", WIDTHS)
def test_the_numbers_stay_at_every_width(width: int) -> None:
    told = bar(scenes.canary(), width)
    if width >= 60:
        assert "old 90 % · new 10 %" in told and "new 100 %" in told


def test_a_small_share_is_never_nothing_and_never_all() -> None:
    shares = {Side.OLD: 99.6, Side.NEW: 0.4}
    told = bar(scenes.canary(), production=shares)
    assert "old >99 % · new <1 %" in told
    assert f"production {'█' * 31}▓ " in told


def test_what_reaches_nobody_is_said() -> None:
    lost = bar(scenes.canary(), production={Side.OLD: 90.0}, nobody=10.0)
    assert "old 90 % · to nobody healthy 10 %" in lost
    assert "░░░ old" in lost
    assert "nobody healthy" in bar(scenes.canary(), production={})
    assert "others 25 %" in bar(scenes.canary(), production={Side.OLD: 75.0}, other=25.0)


def test_without_a_load_balancer_both_run() -> None:
    world = worlds.deploying(healthy=4)
    taken = scenes.snapshot(world)
    unbalanced = replace(taken, service=replace(taken.service, value=_without(taken)))
    both = sides(unbalanced)
    told = traffic_line(traffic(unbalanced), both, palette(), 118).plain
    assert told == "no load balancer: both run   old 4 tasks · new 4 tasks"
    alone = replace(both, new=replace(both.new, healthy=0)) if both.new else both
    told = traffic_line(traffic(unbalanced), alone, palette(), 118).plain
    assert told == "no load balancer: only old runs   old 4 tasks · new 0 tasks"


def test_what_could_not_be_read_is_not_guessed() -> None:
    told = traffic_line(Traffic(True, known=False), sides(scenes.canary()), palette(), 78).plain
    assert told.startswith("traffic is not known")


def _without(taken: Snapshot) -> Any:
    assert taken.service.value
    return replace(taken.service.value, load_balancing=())
