"""Services at a glance: the right word, never green on more than is known, worst first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from bgconsole.domain.errors import AccessDenied, Throttled
from bgconsole.domain.glance import COMPLAINT, glance
from bgconsole.domain.overview import Area, Known, Line, Overview, lines, tally
from bgconsole.domain.services import Alarms, Service, ServiceRef
from bgconsole.domain.severity import Severity
from bgconsole.domain.since import RECENT
from bgconsole.domain.snapshot import Part
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.overview import read
from tests import fleet, worlds
from tests.values import CLUSTER, NOW, REF, REGION

AREA = Area(REGION, CLUSTER)


def overview(world: ScriptedWorld, *areas: Area) -> Overview:
    gateway = scripted_gateway(world)
    return read(gateway, areas or (AREA,), connect=lambda _: gateway, clock=lambda: NOW)


def by_name(world: ScriptedWorld) -> dict[str, Line]:
    return {line.ref.name: line for line in lines(overview(world), NOW)}


def only(world: ScriptedWorld, *, alone: bool = False) -> tuple[Severity, str, str]:
    """The glance at the world's service; `alone`: from DescribeServices and nothing else."""
    service = world.services[REF]
    found = glance(service, None if alone else world.history[REF][0], NOW)
    return found.severity, found.word, found.sentence


def test_each_state_has_its_word_and_the_worst_is_first() -> None:
    listed = lines(overview(fleet.mixed()), NOW)
    assert [(line.ref.name, line.word) for line in listed[:7]] == [
        ("cart", "DOWN"),
        ("mail", "DEGRADED"),
        ("orders", "FAILING"),
        ("search", "ROLLED BACK"),
        ("catalog", "WAITING FOR YOU"),
        ("checkout", "DEPLOYING"),
        ("reports", "SCALED TO 0"),
    ]
    assert {line.word for line in listed[7:]} == {"RUNNING"}
    assert tally(listed) == {
        Severity.BAD: 4, Severity.WAITING: 1, Severity.BUSY: 1, Severity.GOOD: 7,
    }  # fmt: skip
    assert list(tally(listed)) == sorted(tally(listed), reverse=True)
    assert [line.wrong for line in listed[:6]] == [True] * 5 + [False]


def test_a_line_holds_what_an_engineer_asks_first() -> None:
    found = by_name(fleet.mixed())
    orders, search, catalog = found["orders"], found["search"], found["catalog"]
    assert (orders.before, orders.revision, orders.tag) == ("2", "3", "bad0c0d")
    assert (orders.running, orders.desired, orders.deploying) == (0, 4, True)
    assert "breaker 2/3" in orders.sentence
    assert (orders.owner, found["cart"].owner) == ("payments", "")
    assert (search.revision, search.tag, search.outcome) == ("2", "8be01c9", "ROLLBACK_SUCCESSFUL")
    assert search.deployed_at == NOW - timedelta(minutes=3)
    assert catalog.stage == "post-test"
    assert "waits at post-test: 4/4 new tasks run; it goes back by itself in 54:00" in (
        catalog.sentence
    )


def test_counts_alone_are_never_called_steady() -> None:
    for alone in (True, False):
        severity, word, sentence = only(worlds.steady(), alone=alone)
        assert (severity, word) == (Severity.GOOD, "RUNNING")
        assert "health is not read" in sentence
    assert by_name(worlds.steady())[REF.name].glyph == "○"


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (worlds.deploying, "DEPLOYING"),
        (worlds.crash_looping, "FAILING"),
        (worlds.rolled_back, "ROLLED BACK"),
        (worlds.steady, "RUNNING"),
        (worlds.no_load_balancer, "RUNNING"),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_the_service_alone_says_as_much_as_its_deployment(
    build: Callable[[], ScriptedWorld], word: str, alone: bool
) -> None:
    assert only(build(), alone=alone)[1] == word


def changed(world: ScriptedWorld, **changes: object) -> ScriptedWorld:
    newest, *older = world.history[REF]
    world.history[REF] = (replace(newest, **changes), *older)  # type: ignore[arg-type]
    return world


def serving(world: ScriptedWorld, **changes: object) -> ScriptedWorld:
    world.services[REF] = replace(world.services[REF], **changes)  # type: ignore[arg-type]
    return world


def primary(world: ScriptedWorld, **changes: object) -> ScriptedWorld:
    first, *others = world.services[REF].deployments
    return serving(world, deployments=(replace(first, **changes), *others))  # type: ignore[arg-type]


def event(world: ScriptedWorld, words: str, ago: float = 30) -> ScriptedWorld:
    world.services[REF] = fleet.said(world.services[REF], words, ago)
    return world


ILL = "(task 1) (port 3000) is unhealthy in (target-group arn:x:targetgroup/blue/6d0) due to (r)."
ALARM = Alarms("TRIGGERED", ("errors",), ("errors",))


@pytest.mark.parametrize(
    ("world", "severity", "word", "told"),
    [
        (
            lambda: changed(worlds.crash_looping(), status="ROLLBACK_IN_PROGRESS"),
            Severity.BAD, "ROLLING BACK", "taken back",
        ),
        (
            lambda: changed(worlds.steady(), status="ROLLBACK_FAILED", status_reason="no image"),
            Severity.BAD, "ROLL BACK FAILED", "no image",
        ),
        (
            lambda: primary(worlds.steady(), rollout_state="FAILED", rollout_reason="tasks failed"),
            Severity.BAD, "DEPLOY FAILED", "tasks failed",
        ),
        (
            lambda: changed(worlds.deploying(), alarms=ALARM),
            Severity.BAD, "DEPLOYING, NOT WELL", "alarm errors",
        ),
        (
            lambda: event(worlds.deploying(), "was unable to place a task. Reason: capacity."),
            Severity.BAD, "DEPLOYING, NOT WELL", "capacity",
        ),
        (
            lambda: serving(worlds.steady(), running=3, pending=1),
            Severity.BAD, "DEGRADED", "1 are starting",
        ),
        (lambda: event(worlds.steady(), ILL), Severity.BAD, "DEGRADED", "unhealthy in blue"),
        (
            lambda: event(worlds.steady(), ILL, COMPLAINT.total_seconds() + 1),
            Severity.GOOD, "RUNNING", "4/4",
        ),
        (
            lambda: event(event(worlds.steady(), ILL), "has reached a steady state.", 5),
            Severity.GOOD, "RUNNING", "4/4",
        ),
        (
            lambda: serving(worlds.steady(), desired=0),
            Severity.GOOD, "SCALED TO 0", "4 still run",
        ),
        (
            lambda: serving(worlds.steady(), status="DRAINING"),
            Severity.BUSY, "BEING DELETED", "DRAINING",
        ),
        (
            lambda: serving(worlds.steady(), controller="CODE_DEPLOY", deployments=()),
            Severity.GOOD, "RUNNING", "nor what CODE_DEPLOY does",
        ),
        (
            lambda: changed(worlds.rolled_back(), finished_at=NOW - RECENT - timedelta(1)),
            Severity.GOOD, "RUNNING", "4/4",
        ),
        (
            lambda: changed(worlds.rolled_back(), rollback_reason="asked", status_reason="asked"),
            Severity.GOOD, "RUNNING", "4/4",
        ),
        (
            lambda: serving(worlds.rolled_back(), running=0),
            Severity.BAD, "DOWN", "0/4",
        ),
    ],
)  # fmt: skip
def test_words_for_what_is_not_so_usual(
    world: Callable[[], ScriptedWorld], severity: Severity, word: str, told: str
) -> None:
    found = only(world())
    assert found[:2] == (severity, word)
    assert told in found[2]


def test_an_area_that_fails_leaves_nothing_looking_well() -> None:
    before = overview(fleet.mixed())
    part = before.areas[AREA].failed(Throttled("Throttled", "ListServices"), NOW, NOW)
    after = replace(before, areas={AREA: part})
    for then, now_ in zip(lines(before, NOW), sorted_as(before, lines(after, NOW)), strict=True):
        assert now_.stale
        assert now_.severity >= Severity.UNKNOWN
        if then.severity > Severity.UNKNOWN:
            assert (now_.severity, now_.word) == (then.severity, then.word)
        else:
            assert now_.word == "CANNOT TELL"
            assert "Throttled: ListServices, since 14:00:00" in now_.sentence
            assert f"last seen: {then.word}" in now_.sentence


def sorted_as(before: Overview, listed: tuple[Line, ...]) -> list[Line]:
    order = [line.key for line in lines(before, NOW)]
    return sorted(listed, key=lambda line: order.index(line.key))


def test_silence_is_no_good_news() -> None:
    seen = replace(overview(worlds.steady()), interval=10.0)
    assert lines(seen, NOW + timedelta(seconds=40))[0].word == "RUNNING"
    late = lines(seen, NOW + timedelta(seconds=41))[0]
    assert (late.severity, late.word) == (Severity.UNKNOWN, "CANNOT TELL")
    assert "last read 41 s ago" in late.sentence


def test_an_area_that_could_never_be_read_is_a_line_of_its_own() -> None:
    other = Area("eu-west-1", "workers")
    never: Part[Known] = Part()
    failed = never.failed(AccessDenied("AWS denies", "ecs:ListServices"), NOW, NOW)
    seen = overview(worlds.steady(), AREA, Area(REGION, "nope"))
    seen = replace(seen, areas={**seen.areas, other: failed, Area(REGION, "new"): Part()})
    first, second, third = lines(seen, NOW)
    assert (first.key, first.ref) == ("eu-west-1/workers", ServiceRef("workers", ""))
    assert (first.word, first.wrong) == ("CANNOT TELL", True)
    assert "ecs:ListServices" in first.sentence
    assert (second.word, "No such cluster" in second.sentence) == ("NOT THERE", True)
    assert third.ref == REF


def test_hostile_names_are_kept_as_they_are_for_the_screen_to_make_plain() -> None:
    found = by_name(fleet.hostile())
    assert set(fleet.HOSTILE) <= set(found)
    assert found["[/foo]"].arn.endswith("[/foo]")


def test_two_services_with_the_same_revision_number_are_not_mixed_up() -> None:
    world = fleet.calm(2)
    arn = next(a for a in world.revisions if "/service-01/" in a and a.endswith("7753"))
    one = world.revisions[arn]
    image = replace(one.images[0], image="demorepo:other")
    world.revisions[arn] = replace(one, images=(image,))
    found = by_name(world)
    assert (found["service-00"].tag, found["service-01"].tag) == ("8be01c9", "other")


def test_without_the_right_to_read_deployments_the_rows_stand() -> None:
    world = fleet.mixed()
    denied = AccessDenied("AWS denies", action="ecs:DescribeServiceDeployments")
    world.fail("services.deployments", denied)
    found = by_name(world)
    assert found["orders"].word == "FAILING"
    assert "needs ecs:DescribeServiceDeployments" in found["orders"].sentence
    assert (found["service-00"].word, found["service-00"].outcome) == ("RUNNING", "")
    assert found["service-00"].deployed_at is not None


def test_a_frame_is_a_value() -> None:
    part = overview(worlds.steady()).areas[AREA]
    assert part.value is not None
    assert isinstance(part.value.deployments, MappingProxyType)
    assert isinstance(part.value.services[0], Service)
