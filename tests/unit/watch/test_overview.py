"""The overview's pollers: within their budget, quick where something moves, each on its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from threading import Condition

import pytest

from bgconsole.domain.errors import ConfigurationError, Throttled
from bgconsole.domain.identity import Place
from bgconsole.domain.overview import Area, Known, Overview, lines
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.aws.session import connect
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import EVERY, ScriptedWorld, scripted_gateway
from bgconsole.watch.area import AreaReader
from bgconsole.watch.overview import OverviewWatcher
from bgconsole.watch.pace import Load, Pace, pace
from tests import faces, fleet, worlds
from tests.loopback import Loopback, serving
from tests.values import CLUSTER, NOW, REGION

PATIENCE = 10.0
AREA = Area(REGION, CLUSTER)
WORKERS = Area(REGION, "workers")
ABROAD = Area("eu-west-1", "workers")


def sixty(moving: int = 0) -> ScriptedWorld:
    """Sixty services, so many of them deploying."""
    world = fleet.calm(60 - moving)
    for number in range(moving):
        fleet.adopt(world, worlds.deploying(), f"moving-{number:02d}")
    return world


@pytest.mark.parametrize(
    ("loads", "resting", "moving"),
    [
        ([], 10.0, 3.0),
        ([Load(0)], 10.0, 3.0),
        ([Load(60)], 10.0, 3.0),
        ([Load(60, 1)], 12.0, 3.0),
        ([Load(60, 60)], 21.6, 12.0),
        ([Load(500)], 54.5, 3.0),
        ([Load(6)] * 10, 10.9, 3.0),
        ([Load(6, 1)] * 6, 28.8, 12.0),
    ],
)
def test_the_pace_as_a_table(loads: list[Load], resting: float, moving: float) -> None:
    found = pace(loads)
    assert (round(found.resting, 1), found.moving) == (resting, moving)
    calls = sum(max(1, -(-load.services // 10)) for load in loads) * 60 / found.resting
    quick = sum(-(-load.moving // 10) for load in loads) * 60 / found.moving
    assert round(calls + quick) <= 55


def test_without_the_focus_only_rest_is_slower() -> None:
    assert pace([Load(60)], focused=False).resting == 30.0
    assert pace([Load(60, 1)], focused=False) == pace([Load(60, 1)])


class Minutes:
    """An area read on a clock of its own."""

    def __init__(self, gateway: Gateway) -> None:
        self.now = NOW
        self.reader = AreaReader(AREA, lambda: gateway, lambda: self.now)
        self.polls: list[tuple[float, Known | None]] = []

    @property
    def pace(self) -> Pace:
        return pace([self.reader.load])

    def poll(self) -> Known | None:
        found = self.reader.read(self.pace)
        self.polls.append(((self.now - NOW).total_seconds(), found))
        return found

    def run(self, seconds: float) -> None:
        """Poll as the poller does until so much time has gone by."""
        end = self.now + timedelta(seconds=seconds)
        while True:
            due = timedelta(seconds=self.reader.due(self.pace))
            if self.now + due >= end:
                self.now = end
                return
            self.now += due
            self.poll()


@pytest.mark.parametrize("moving", [0, 1, 5, 30, 60])
def test_sixty_services_take_at_most_sixty_calls_a_minute(moving: int) -> None:
    world = sixty(moving)
    minutes = Minutes(scripted_gateway(world))
    counts = []
    for _ in range(4):
        before = len(world.calls)
        minutes.run(60)
        counts.append(len(world.calls) - before)
    assert max(counts) <= 60, counts
    assert min(counts) >= 20, counts


@pytest.fixture
def server(nowhere: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "first-secret")
    monkeypatch.setattr("tests.loopback.PAGE", 100)  # as long as AWS's own pages
    with serving() as loopback:
        yield loopback


@pytest.mark.parametrize("moving", [0, 1, 5])
def test_over_http_too_and_each_refresh_takes_under_two_seconds(
    server: Loopback, moving: int
) -> None:
    faces.face(sixty(moving), server)
    gateway = connect(
        profile=None,
        region=REGION,
        endpoint_url=server.url,
        environ=os.environ,
        wait=lambda _: None,
    )
    gateway.services.clusters()  # loading botocore's model is no part of a refresh
    minutes = Minutes(gateway)
    for minute in range(3):
        before = len(server.requests)
        minutes.run(60)
        assert len(server.requests) - before <= 60, minute
    minutes.reader.forget_times()
    begun = time.perf_counter()
    found = minutes.poll()
    took = time.perf_counter() - begun
    assert found is not None
    assert len(found.services) == len(found.deployments) == 60
    assert took < 2.0
    sizes = [len(r.members["services"]) for r in server.requests if r.operation.endswith("Services")
             and "services" in r.members]  # fmt: skip
    assert max(sizes) == 10


def test_what_moves_is_asked_for_three_times_as_often() -> None:
    world = sixty(1)
    minutes = Minutes(scripted_gateway(world))
    minutes.run(61)
    asked = [call.arguments["names"] for call in world.calls if "describe_all" in call.name]
    moving = sum(1 for names in asked if "moving-00" in names)  # type: ignore[operator]
    resting = sum(1 for names in asked if "service-00" in names)  # type: ignore[operator]
    assert moving >= 18
    assert resting >= 5
    gaps = [b[0] - a[0] for a, b in zip(minutes.polls, minutes.polls[1:], strict=False)]
    assert max(gaps) <= 3.0


def test_a_deployment_that_begins_is_seen_whole_and_its_end_too() -> None:
    world = fleet.calm(3)
    gateway = scripted_gateway(world)
    minutes = Minutes(gateway)
    minutes.run(15)
    service = fleet.adopt(world, worlds.deploying(), "service-01")
    minutes.run(12)
    _, found = minutes.polls[-1]
    assert found is not None
    assert found.deployments[service.arn].status == "IN_PROGRESS"
    fleet.adopt(world, worlds.rolled_back(), "service-01")
    minutes.run(4)
    _, found = minutes.polls[-1]
    assert found is not None
    assert found.deployments[service.arn].status == "ROLLBACK_SUCCESSFUL"
    assert set(found.revisions) == {arn for s in found.services for arn in s.current_revisions}


def test_where_a_service_names_no_deployment_a_list_is_asked_once_for_each_change() -> None:
    world = fleet.calm(2)
    fleet.adopt(world, worlds.deploying(), "moving", current_deployment="")
    fleet.adopt(world, worlds.steady(), "old", current_deployment="")
    minutes = Minutes(scripted_gateway(world))
    minutes.run(60)
    listed = [c.arguments["ref"] for c in world.calls if c.name == "services.service_deployments"]
    assert listed == [ServiceRef(CLUSTER, "moving")]
    _, found = minutes.polls[-1]
    assert found is not None
    assert len(found.deployments) == 3


def test_services_come_and_go() -> None:
    world = fleet.calm(2)
    minutes = Minutes(scripted_gateway(world))
    minutes.run(1)
    fleet.adopt(world, worlds.steady(), "a-new-one")
    world.services.pop(ServiceRef(CLUSTER, "service-00"))
    minutes.run(75)
    _, found = minutes.polls[-1]
    assert found is not None
    assert [s.ref.name for s in found.services] == ["a-new-one", "service-01"]


class Seen:
    """Collects frames, and waits for one."""

    def __init__(self) -> None:
        self._changed = Condition()
        self.frames: list[Overview] = []

    def take(self, frame: Overview) -> None:
        with self._changed:
            self.frames.append(frame)
            self._changed.notify_all()

    @property
    def latest(self) -> Overview:
        return max(self.frames, key=lambda frame: frame.generation)

    def until(self, true: Callable[[Overview], bool]) -> Overview:
        with self._changed:
            met = self._changed.wait_for(lambda: bool(self.frames) and true(self.latest), PATIENCE)
            assert met, self.frames[-1:]
            return self.latest


@pytest.fixture
def seen() -> Seen:
    return Seen()


Watch = Callable[..., OverviewWatcher]


@pytest.fixture
def watch(seen: Seen) -> Iterator[Watch]:
    started: list[OverviewWatcher] = []

    def start(
        world: ScriptedWorld, *areas: Area, connect: Callable[[str], Gateway] | None = None
    ) -> OverviewWatcher:
        def nowhere_else(region: str) -> Gateway:
            raise ConfigurationError("No such region", region)

        watcher = OverviewWatcher(
            scripted_gateway(world),
            areas or (AREA,),
            connect=connect or nowhere_else,
            clock=lambda: world.now,
            random=Random(0),
            on_overview=seen.take,
        )
        started.append(watcher)
        watcher.start()
        return watcher

    yield start
    for watcher in started:
        watcher.stop()


def fresh(frame: Overview) -> bool:
    return frame.identity.fresh and all(part.fresh for part in frame.areas.values())


def test_every_area_fills_its_own_part(seen: Seen, watch: Watch) -> None:
    world = fleet.calm(3, fleet.mixed(), "workers")
    watch(world, AREA, WORKERS)
    frame = seen.until(fresh)
    assert [len(part.value.services) for part in frame.areas.values() if part.value] == [13, 3]
    assert (frame.interval, frame.calls_per_minute) == (10.0, 9)
    generations = [one.generation for one in seen.frames]
    assert len(set(generations)) == len(generations)


def test_one_area_failing_blanks_no_other_and_heals(seen: Seen, watch: Watch) -> None:
    world = fleet.calm(3, fleet.calm(2), "workers")
    abroad = replace(fleet.calm(1, fleet.empty(), "workers"), place=Place("eu-west-1"))
    watcher = watch(world, AREA, ABROAD, connect=lambda _: scripted_gateway(abroad))
    before = seen.until(fresh)
    abroad.fail(EVERY, Throttled("Throttled"))
    watcher.refresh()
    after = seen.until(lambda frame: frame.areas[ABROAD].failure is not None)
    assert after.areas[ABROAD].value == before.areas[ABROAD].value
    assert after.areas[AREA].fresh
    assert {line.word for line in lines(after, NOW) if line.area == ABROAD} == {"CANNOT TELL"}
    assert {line.word for line in lines(after, NOW) if line.area == AREA} == {"RUNNING"}
    abroad.heal()
    watcher.refresh()
    seen.until(fresh)
    assert watcher.gateway("eu-west-1").place.region == "eu-west-1"


def test_a_region_that_cannot_be_reached_is_told_of_alone(seen: Seen, watch: Watch) -> None:
    watch(fleet.calm(2), AREA, Area("mars-1", "workers"))
    frame = seen.until(lambda f: all(not part.waiting for part in f.areas.values()))
    failure = frame.areas[Area("mars-1", "workers")].failure
    assert failure is not None
    assert "No such region" in str(failure.error)
    assert frame.areas[AREA].fresh


def test_a_cluster_that_is_not_there_is_asked_for_no_more_often(seen: Seen, watch: Watch) -> None:
    world = fleet.calm(2)
    watcher = watch(world, AREA, Area(REGION, "nope"))
    frame = seen.until(fresh)
    assert "No such cluster: nope" in frame.areas[Area(REGION, "nope")].absent
    reader = watcher._readers[Area(REGION, "nope")]
    assert reader.due(watcher.pace()) >= 10.0


def test_a_hanging_area_holds_up_no_other(seen: Seen, watch: Watch) -> None:
    world = fleet.calm(2)
    slow = replace(fleet.calm(1, fleet.empty(), "workers"), place=Place("eu-west-1"))
    with slow.held("services.services") as held:
        watch(world, AREA, ABROAD, connect=lambda _: scripted_gateway(slow))
        assert held.arrived.wait(PATIENCE)
        frame = seen.until(lambda f: f.areas[AREA].fresh)
        assert frame.areas[ABROAD].waiting


def test_while_nobody_sees_it_nothing_is_asked(seen: Seen, watch: Watch) -> None:
    world = fleet.calm(2)
    watcher = watch(world)
    seen.until(fresh)
    watcher.set_shown(False)
    calls = len(world.calls)
    generation = seen.latest.generation
    watcher.refresh()
    world.now += timedelta(minutes=5)
    assert [poller.poll() for poller in watcher._every()]
    assert len(world.calls) == calls
    watcher.set_shown(True)
    seen.until(lambda frame: frame.generation > generation)
    assert len(world.calls) > calls


def test_nothing_is_handed_on_after_the_end(seen: Seen, watch: Watch) -> None:
    world = fleet.calm(2)
    with world.held("services.describe_all") as held:
        watcher = watch(world)
        assert held.arrived.wait(PATIENCE)
        watcher.stop()
        count = len(seen.frames)
    assert len(seen.frames) == count
