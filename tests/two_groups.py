"""Worlds with two target groups: a blue/green or canary deployment in each of its states.

Old tasks are in `democluster-blue`, new ones in `democluster-green`; both share the production rule
(port 80) and the test rule (port 8080).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bgconsole.domain.services import Alarms, CircuitBreaker, Hook
from bgconsole.domain.targets import Route, TargetGroup
from bgconsole.gateway.scripted import ScriptedWorld
from tests import values, worlds
from tests.values import NOW, POSTS, REF

ALARM_WORDS = "Service deployment rolled back because an alarm was detected."


def route(weight: int, share: float, *, test: bool = False) -> Route:
    """One route of a listener rule."""
    port = 8080 if test else 80
    return Route(f"listener/{port}", f"rule/{port}", port, "HTTP", weight, share, test=test)


def under_way(production: float, test: float, **changes: Any) -> ScriptedWorld:
    """Every task healthy; `production` and `test` are the new side's percent.

    `changes` are fields of the service deployment, such as its `lifecycle_stage`.
    """
    world = worlds.deploying(healthy=4)
    newest, *rest = world.history[REF]
    made = replace(
        newest,
        **{
            "strategy": "BLUE_GREEN",
            "bake_minutes": 5,
            "breaker": CircuitBreaker("MONITORING", 0, 3),
            **changes,
        },
    )
    world.history[REF] = (made, *rest)
    world.services[REF] = replace(world.services[REF], strategy=made.strategy)
    shift(world, production, test)
    return world


def shift(world: ScriptedWorld, production: float, test: float) -> None:
    """Put old and new tasks in groups of their own, and the weights as given (the new side's)."""
    balancing = world.balancing[REF]
    group = balancing.groups[0]
    old = {t.address for t in world.tasks[REF] if t.task_definition.endswith(":1")}
    targets = tuple(replace(t, state="healthy", reason="", description="") for t in group.targets)

    def half(name: str, *, new: bool) -> TargetGroup:
        share = production if new else 100 - production
        of_test = test if new else 100 - test
        return replace(
            group,
            arn=name,
            name=name,
            targets=tuple(t for t in targets if (t.address in old) is not new),
            routes=(route(int(share), share), route(int(of_test), of_test, test=True)),
        )

    groups = (half("democluster-blue", new=False), half("democluster-green", new=True))
    world.balancing[REF] = replace(balancing, groups=groups)


def shifted_for_test() -> ScriptedWorld:
    """New tasks have the test traffic alone."""
    return under_way(
        0, 100, lifecycle_stage="TEST_TRAFFIC_SHIFT", updated_at=NOW - timedelta(seconds=13)
    )


def paused() -> ScriptedWorld:
    """A pause hook waits for somebody, and goes back by itself in 54:12."""
    expires = NOW + timedelta(minutes=54, seconds=12)
    return under_way(
        0,
        100,
        lifecycle_stage="POST_TEST_TRAFFIC_SHIFT",
        updated_at=NOW - timedelta(minutes=5, seconds=48),
        hooks=(Hook("ecs-pause-1", "PAUSE", "AWAITING_ACTION", "", expires, "ROLLBACK"),),
        alarms=Alarms("MONITORING", ("democluster-5xx",)),
    )


def baking() -> ScriptedWorld:
    """All traffic is on the new side; the old one stays warm for 3:12 more."""
    return under_way(
        100,
        100,
        lifecycle_stage="BAKE_TIME",
        updated_at=NOW - timedelta(minutes=1, seconds=48),
        alarms=Alarms("MONITORING", ("democluster-5xx",)),
    )


def canary() -> ScriptedWorld:
    """A tenth of the production traffic tries the new side."""
    world = under_way(
        10,
        100,
        strategy="CANARY",
        lifecycle_stage="PRODUCTION_TRAFFIC_SHIFT",
        updated_at=NOW - timedelta(minutes=2, seconds=5),
    )
    newest, *rest = world.history[REF]
    asked = replace(newest.target, production_weight=10.0)
    world.history[REF] = (replace(newest, target=asked), *rest)
    return world


def going_back() -> ScriptedWorld:
    """An alarm went off in bake time, and ECS takes the deployment back."""
    return under_way(
        0,
        100,
        status="ROLLBACK_IN_PROGRESS",
        status_reason=ALARM_WORDS,
        rollback_reason=ALARM_WORDS,
        lifecycle_stage="PRODUCTION_TRAFFIC_SHIFT",
        updated_at=NOW - timedelta(seconds=4),
        alarms=Alarms("TRIGGERED", ("democluster-5xx",), ("democluster-5xx",)),
    )


def alarmed() -> ScriptedWorld:
    """An alarm took revision 2 back two minutes ago; revision 1 serves."""
    world = going_back()
    newest, *rest = world.history[REF]
    ended = NOW - timedelta(minutes=2)
    world.history[REF] = (
        replace(
            newest,
            status="ROLLBACK_SUCCESSFUL",
            lifecycle_stage="",
            finished_at=ended,
            updated_at=ended,
            rollback_started_at=ended - timedelta(seconds=45),
            rollback_revision=POSTS.revision_arn,
        ),
        *rest,
    )
    world.tasks[REF] = tuple(t for t in world.tasks[REF] if t.task_definition.endswith(":1"))
    world.services[REF] = replace(
        world.services[REF],
        task_definition=POSTS.definition_arn,
        deployments=(values.deployment(POSTS),),
        running=4,
        pending=0,
    )
    groups = world.balancing[REF].groups
    alone = tuple(g if g.name.endswith("blue") else replace(g, targets=()) for g in groups)
    world.balancing[REF] = replace(world.balancing[REF], groups=alone)
    return world
