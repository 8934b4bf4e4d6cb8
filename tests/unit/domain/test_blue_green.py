"""Two groups on one rule: who serves is read from weights and health, never from ECS's word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bgconsole.domain.join import Side
from bgconsole.domain.services import Alarms, Hook
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.traffic import traffic
from bgconsole.domain.verdict import verdict
from bgconsole.gateway.scripted import scripted_gateway
from bgconsole.watch.once import read
from tests import two_groups, worlds
from tests.two_groups import route
from tests.worlds import NOW, REF


def blue_green(production: float, test: float, **changes: object) -> Snapshot:
    """What is seen of it; the shares (percent) are the new side's."""
    world = two_groups.under_way(production, test, **changes)
    return read(scripted_gateway(world), REF, lambda: NOW)


def test_new_tasks_without_weight_serve_nobody() -> None:
    snapshot = blue_green(0, 100, lifecycle_stage="POST_TEST_TRAFFIC_SHIFT")
    seen = traffic(snapshot)
    assert dict(seen.production) == {Side.OLD: 100.0}
    assert dict(seen.test) == {Side.NEW: 100.0}
    assert "Revision 1 serves 100 %: 4/4 healthy" in verdict(snapshot, NOW).sentence


def test_after_the_shift_the_new_revision_serves_while_old_tasks_are_warm() -> None:
    found = verdict(blue_green(100, 100, lifecycle_stage="BAKE_TIME"), NOW)
    assert found.severity is Severity.BUSY
    assert "bake" in found.sentence
    assert "Revision 2 serves 100 %" in found.sentence


def test_a_canary_is_told_in_percent() -> None:
    found = verdict(blue_green(10, 0, lifecycle_stage="PRODUCTION_TRAFFIC_SHIFT"), NOW)
    assert "Both serve: revision 1 90 % and 2 10 %" in found.sentence


def test_a_pause_asks_for_somebody_and_says_what_happens_else() -> None:
    hook = Hook(
        "ecs-pause-1", "PAUSE", "AWAITING_ACTION", "", NOW + timedelta(minutes=54), "ROLLBACK"
    )
    snapshot = blue_green(0, 100, lifecycle_stage="POST_TEST_TRAFFIC_SHIFT", hooks=(hook,))
    found = verdict(snapshot, NOW)
    assert (found.severity, found.word) == (Severity.WAITING, "WAITING FOR YOU")
    assert "waits at post-test" in found.sentence
    assert "It goes back by itself in 54 min" in found.sentence
    service = snapshot.service.value
    assert service
    new, *_ = service.deployments
    same = tuple(replace(d, task_definition=new.task_definition) for d in service.deployments)
    again = replace(snapshot.service, value=replace(service, deployments=same))
    sentence = verdict(replace(snapshot, service=again), NOW).sentence
    assert not sentence.startswith("revision 2 waits"), "revision 2 serves as well"


def test_a_triggered_alarm_is_the_cause() -> None:
    alarms = Alarms("TRIGGERED", ("web-5xx", "slow"), ("web-5xx",))
    found = verdict(blue_green(100, 100, lifecycle_stage="BAKE_TIME", alarms=alarms), NOW)
    assert found.severity is Severity.BAD
    assert "alarm web-5xx" in found.sentence


def test_traffic_sent_to_an_empty_group_is_bad_whatever_ecs_says() -> None:
    world = worlds.steady()
    balancing = world.balancing[REF]
    [group] = balancing.groups
    empty = replace(group, arn="blue", name="blue", targets=(), routes=(route(100, 100.0),))
    full = replace(group, arn="green", name="green", routes=(route(0, 0.0),))
    world.balancing[REF] = replace(balancing, groups=(empty, full))
    found = verdict(read(scripted_gateway(world), REF, lambda: NOW), NOW)
    assert (found.severity, found.word) == (Severity.BAD, "SENT ASTRAY")
    assert "sends 100 % to blue" in found.sentence


def test_what_goes_to_nobody_and_to_strangers_is_told_apart() -> None:
    world = two_groups.under_way(10, 100, strategy="CANARY")
    blue, green = world.balancing[REF].groups
    ill = tuple(replace(target, state="unhealthy") for target in green.targets)
    strangers = tuple(replace(t, address=f"10.9.9.{n}") for n, t in enumerate(blue.targets))
    world.balancing[REF] = replace(
        world.balancing[REF],
        groups=(
            replace(blue, targets=strangers),
            replace(green, targets=ill),
        ),
    )
    seen = traffic(read(scripted_gateway(world), REF, lambda: NOW))
    assert dict(seen.production) == {}
    assert (seen.nobody, seen.other, seen.tested) == (10.0, 90.0, True)


def test_a_deployment_that_an_alarm_took_back_says_so() -> None:
    found = verdict(read(scripted_gateway(two_groups.alarmed()), REF, lambda: NOW), NOW)
    assert (found.severity, found.word) == (Severity.BAD, "ROLLED BACK")
    assert "revision 2 was rolled back by an alarm at 13:58" in found.sentence
    assert "Revision 1 serves 100 %: 4/4 healthy" in found.sentence
