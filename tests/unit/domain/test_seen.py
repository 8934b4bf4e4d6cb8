"""What changes between two pictures: stages, hooks, weights, alarms, stacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bgconsole.domain.moments import Moment
from bgconsole.domain.seen import KEPT, Seen
from bgconsole.domain.services import Alarms, CircuitBreaker, Hook, RevisionCount
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.once import read
from tests import worlds
from tests.values import NOW, REF

PAUSE = Hook("ecs-pause-1", "PAUSE", "AWAITING_ACTION", "", NOW + timedelta(minutes=54), "ROLLBACK")


def look(world: ScriptedWorld) -> Snapshot:
    return read(scripted_gateway(world), REF, lambda: world.now)


def pictures(*steps: dict[str, Any]) -> list[Snapshot]:
    """A blue/green deployment, ten seconds from one picture to the next."""
    world = worlds.deploying()
    found = []
    for number, step in enumerate(steps):
        world.now = NOW + timedelta(seconds=10 * number)
        newest, *rest = world.history[REF]
        changes = {"strategy": "BLUE_GREEN", "updated_at": world.now, **step}
        world.history[REF] = (replace(newest, **changes), *rest)
        found.append(look(world))
    return found


def told(snapshots: Iterable[Snapshot]) -> list[Moment]:
    seen = Seen()
    for snapshot in snapshots:
        seen = seen.after(snapshot)
    return list(seen.moments)


def words(snapshots: Iterable[Snapshot]) -> list[str]:
    return [one.words for one in told(snapshots)]


def test_each_stage_is_told_once_with_awss_time_of_it() -> None:
    found = told(
        pictures(
            {"lifecycle_stage": "SCALE_UP"},
            {"lifecycle_stage": "SCALE_UP"},
            {"lifecycle_stage": "TEST_TRAFFIC_SHIFT"},
            {"lifecycle_stage": "MAKE_TEA"},
        )
    )
    assert [one.words for one in found] == [
        "revision 2: stage scale up",
        "revision 2: stage test shift",
        "revision 2: stage make tea",
    ]
    assert [one.at - NOW for one in found] == [timedelta(seconds=s) for s in (0, 20, 30)]
    assert {one.kind for one in found} == {"stage"}


def test_a_rolling_deployment_has_no_stages() -> None:
    assert words(pictures({"strategy": "ROLLING", "lifecycle_stage": "SCALE_UP"})) == []


def test_a_hook_that_waits_says_what_happens_when_nobody_acts() -> None:
    found = told(
        pictures(
            {"lifecycle_stage": "POST_TEST_TRAFFIC_SHIFT", "hooks": (PAUSE,)},
            {
                "lifecycle_stage": "POST_TEST_TRAFFIC_SHIFT",
                "hooks": (replace(PAUSE, status="SUCCEEDED"),),
            },
        )
    )
    hooks = [one for one in found if one.kind == "hook"]
    assert [(one.words, one.severity) for one in hooks] == [
        (
            "revision 2: pause at post-test waits for somebody; "
            "it goes back by itself at 14:54:00 UTC",
            Severity.WAITING,
        ),
        ("revision 2: pause at post-test passed", Severity.GOOD),
    ]


def test_a_status_of_a_hook_that_nobody_knows_is_told_as_it_is() -> None:
    hook = Hook("h", "AWS_LAMBDA", "DREAMING", "arn:aws:lambda:us-east-1:1:function:check")
    (found,) = (
        one
        for one in told(pictures({"hooks": (hook,), "lifecycle_stage": "SCALE_UP"}))
        if one.kind == "hook"
    )
    assert found.words == "revision 2: hook check at scale up DREAMING"
    assert found.severity is Severity.UNKNOWN


def test_every_step_of_a_canary_is_told_and_the_shift_named() -> None:
    def weight(percent: float) -> dict[str, Any]:
        target = RevisionCount(worlds.MEOW.revision_arn, 4, 4, 0, percent, 100)
        return {"target": target, "strategy": "CANARY"}

    told = words(pictures(weight(0), weight(10), weight(10), weight(100), weight(0)))
    assert [each for each in told if "%" in each] == [
        "revision 2: 100 % of test traffic",
        "revision 2: 10 % of production traffic",
        "revision 2: 100 % of production traffic (traffic shifted)",
        "revision 2: 0 % of production traffic",
    ]


def test_breaker_alarms_and_the_way_back() -> None:
    found = told(
        pictures(
            {"strategy": "ROLLING", "breaker": CircuitBreaker("MONITORING", 0, 3)},
            {"breaker": CircuitBreaker("MONITORING", 1, 3)},
            {"breaker": CircuitBreaker("TRIGGERED", 3, 3)},
            {"alarms": Alarms("TRIGGERED", ("5xx", "slow"), ("5xx",))},
            {"status": "ROLLBACK_REQUESTED"},
            {"status": "ROLLBACK_IN_PROGRESS", "rollback_started_at": NOW},
        )
    )
    assert [one.words for one in found if one.kind != "stage"] == [
        "revision 2: circuit breaker at 1/3",
        "revision 2: circuit breaker at 3/3, triggered",
        "revision 2: alarm 5xx",
        "revision 2: a roll back was asked for",
    ]
    assert all(one.severity is Severity.BAD for one in found if one.kind != "stage")


def test_what_changed_while_awss_time_stood_still_is_dated_by_the_read() -> None:
    found = told(
        pictures(
            {"strategy": "ROLLING", "breaker": CircuitBreaker("MONITORING", 4, 12)},
            {"breaker": CircuitBreaker("MONITORING", 4, 12), "updated_at": NOW},
            {"breaker": CircuitBreaker("MONITORING", 8, 12), "updated_at": NOW},
        )
    )
    assert [(one.words, one.at) for one in found if "breaker" in one.words] == [
        ("revision 2: circuit breaker at 4/12", NOW),
        ("revision 2: circuit breaker at 8/12", NOW + timedelta(seconds=20)),
    ]


def test_of_a_deployment_that_had_ended_nothing_is_told() -> None:
    assert told([look(worlds.rolled_back()), look(worlds.steady())]) == []


def test_how_a_watched_deployment_ends_is_still_seen() -> None:
    steps = pictures(
        {"lifecycle_stage": "POST_TEST_TRAFFIC_SHIFT", "hooks": (PAUSE,)},
        {
            "status": "ROLLBACK_SUCCESSFUL",
            "lifecycle_stage": "",
            "finished_at": NOW,
            "hooks": (replace(PAUSE, status="TIMED_OUT"),),
        },
    )
    assert words(steps)[-1] == "revision 2: pause timed out"


def test_a_stack_is_told_when_its_status_changes() -> None:
    world = worlds.steady()
    first = look(world)
    world.now = NOW + timedelta(seconds=30)
    stack = world.stacks["democluster"]
    world.stacks["democluster"] = replace(stack, status="UPDATE_IN_PROGRESS")
    second = look(world)
    (found,) = told([first, second])
    assert (found.kind, found.source, found.at) == ("stack", "democluster", world.now)
    assert found.words == "stack democluster: now update in progress"


def test_without_news_it_stays_the_same_value_and_it_is_bounded() -> None:
    snapshot = pictures({"lifecycle_stage": "SCALE_UP"})[0]
    seen = Seen().after(snapshot)
    assert seen.after(snapshot) is seen
    steps = [{"lifecycle_stage": f"STAGE_{number}"} for number in range(KEPT + 3)]
    world, kept = worlds.deploying(), Seen()
    base = look(world)
    history = base.deployments.value
    assert history is not None
    for step in steps:
        newest = replace(history.history[0], strategy="LINEAR", **step)
        part = replace(base.deployments, value=replace(history, history=(newest,)))
        kept = kept.after(replace(base, deployments=part))
    assert len(kept.moments) == KEPT
    assert kept.moments[-1].words.endswith(f"stage stage {KEPT + 2}")
