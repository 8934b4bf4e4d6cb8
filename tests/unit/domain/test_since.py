"""Since when it is as the verdict says: from AWS's own times, and nothing where it tells none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bgconsole.domain.services import ServiceEvent
from bgconsole.domain.since import Since
from bgconsole.domain.verdict import Verdict, verdict
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.once import read
from tests import worlds
from tests.values import NOW, REF

MINUTE = timedelta(minutes=1)


def judged(world: ScriptedWorld) -> Verdict:
    return verdict(read(scripted_gateway(world), REF, lambda: NOW), NOW)


def one_ill(world: ScriptedWorld) -> ScriptedWorld:
    """One target fails its checks."""
    balancing = world.balancing[REF]
    group = balancing.groups[0]
    first, *rest = group.targets
    ill = replace(first, state="unhealthy", description="Health checks failed")
    world.balancing[REF] = replace(balancing, groups=(replace(group, targets=(ill, *rest)),))
    return world


def with_events(world: ScriptedWorld, *told: tuple[int, str]) -> ScriptedWorld:
    """Only these events: so many minutes ago, in these words; newest first."""
    events = tuple(ServiceEvent(str(n), NOW - n * MINUTE, f"(service s) {m}") for n, m in told)
    world.services[REF] = replace(world.services[REF], events=events)
    return world


def test_a_deployment_under_way_says_when_it_began() -> None:
    for world in (worlds.deploying(), worlds.crash_looping()):
        asked = world.history[REF][0].created_at
        assert judged(world).since == Since("begun", asked)


def test_a_roll_back_says_when_it_began() -> None:
    world = worlds.crash_looping()
    newest, *rest = world.history[REF]
    turned = NOW - 2 * MINUTE
    back = replace(newest, status="ROLLBACK_IN_PROGRESS", rollback_started_at=turned)
    world.history[REF] = (back, *rest)
    assert judged(world).since == Since("begun", turned)


def test_without_the_record_the_service_says_when_it_began() -> None:
    world = worlds.crash_looping()
    world.history[REF] = ()
    assert judged(world).since == Since("begun", world.services[REF].deployments[0].created_at)


def test_what_is_steady_says_when_it_was_deployed() -> None:
    world = worlds.steady()
    ended = world.history[REF][0].finished_at
    assert ended is not None
    assert judged(world).since == Since("deployed", ended)


def test_a_trouble_at_rest_began_with_the_first_event_since_it_was_steady() -> None:
    world = with_events(
        one_ill(worlds.steady()),
        (1, "has started 1 tasks"),
        (4, "(port 80) is unhealthy in (target-group x)"),
        (9, "has reached a steady state."),
        (12, "has started 4 tasks"),
    )
    found = judged(world)
    assert found.word == "DEGRADED"
    assert found.since == Since("since", NOW - 4 * MINUTE)


def test_a_trouble_that_ecs_has_not_noticed_says_no_time() -> None:
    found = judged(with_events(one_ill(worlds.steady()), (9, "has reached a steady state.")))
    assert (found.word, found.since) == ("DEGRADED", None)


def test_a_way_back_that_failed_says_when() -> None:
    world = worlds.rolled_back()
    newest, *rest = world.history[REF]
    world.history[REF] = (replace(newest, status="ROLLBACK_FAILED"), *rest)
    found, at = judged(world), newest.finished_at
    assert at is not None
    assert (found.word, found.since) == ("ROLL BACK FAILED", Since("since", at))


def test_what_ecs_took_back_says_its_time_in_the_sentence_alone() -> None:
    found = judged(worlds.rolled_back())
    assert (found.word, found.since) == ("ROLLED BACK", None)


def test_the_words_have_a_date_where_it_was_another_day() -> None:
    assert Since("begun", NOW - 12 * MINUTE).words(NOW) == "begun 13:48"
    assert Since("begun", NOW - 12 * MINUTE).words(NOW, ago=True) == "begun 13:48, 12 min ago"
    assert Since("deployed", NOW - timedelta(days=2)).words(NOW) == "deployed 2026-02-27 14:00"
