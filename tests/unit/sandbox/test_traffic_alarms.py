"""Alarms that follow the traffic, on the virtual clock: counted, put, judged, rolled back by."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from bgconsole.sandbox.elbv2.routing import Forward, Incoming
from bgconsole.sandbox.faults import Faults
from bgconsole.sandbox.minutes import Minutes
from bgconsole.sandbox.request_meter import RequestMeter
from bgconsole.sandbox.scenarios import Stage, begin
from tests.unit.sandbox.cloudwatch import Alarms
from tests.unit.sandbox.pair_story import PairStory

FIVE = "HTTPCode_Target_5XX_Count"
RINGING = {"alarms": {"alarmNames": ["5xx"], "enable": True, "rollback": True}}


class Busy(PairStory):
    """Two groups, and ten visitors a second through the production listener."""

    def __init__(self) -> None:
        self.cloudwatch = Alarms()
        super().__init__(alarms=self.cloudwatch)
        self.meter = RequestMeter()
        Minutes(self.clock, self.meter, self.cloudwatch, self.world.has_balancer).start()

    def open(self, **service: Any) -> None:
        self.build()
        self.create_pair(**service)
        self.until_steady()
        self._visit()

    def dimensions(self, group: str = "") -> dict[str, str]:
        path = self.production_listener.partition(":listener/")[2]
        found = {"LoadBalancer": path.rpartition("/")[0]}
        return found | ({"TargetGroup": group.rpartition(":")[2]} if group else {})

    def sums(self, metric: str, group: str = "") -> list[float]:
        """The sum of each minute."""
        key = (metric, frozenset(self.dimensions(group).items()))
        return [
            sum(value * times for value, times in minute.values.get(key, {}).items())
            for _, minute in self.cloudwatch.put_data
        ]

    def _visit(self) -> None:
        listener = self.production_listener
        chosen = self.ports.routes[listener](Incoming("GET", "localhost", "/posts", "", {}))
        if isinstance(chosen, Forward):
            address = chosen.target
            found = (c for c in self.runtime.running.values() if c.spec.address == address)
            self.meter.forwarded(listener, chosen.target_group)
            self.meter.answered(listener, chosen.target_group, next(found).answer(), 0.02)
        else:
            self.meter.refused(listener, chosen.status)
        self.clock.call_later(0.1, self._visit)


@pytest.fixture
def story() -> Busy:
    made = Busy()
    made.open()
    return made


@pytest.fixture
def stage(story: Busy) -> Stage:
    return Stage(story.world, Faults(), "repo:crash")


def test_each_minute_tells_requests_answers_and_times_by_balancer_and_group(story: Busy) -> None:
    story.clock.advance(300)
    live = story.green if story.weights(story.production) == (0, 100) else story.blue
    assert story.sums("RequestCount")[-3:] == [600.0] * 3
    assert story.sums("RequestCount", live)[-3:] == [600.0] * 3
    assert story.sums("HTTPCode_Target_2XX_Count", live)[-1] == 600
    assert story.sums("TargetResponseTime")[-1] == pytest.approx(600 * 0.02)
    assert story.sums(FIVE)[-3:] == [0, 0, 0]
    times = [at for at, _ in story.cloudwatch.put_data][-3:]
    assert [(b - a).total_seconds() for a, b in pairwise(times)] == [60, 60]
    assert story.dimensions()["LoadBalancer"].startswith("app/demo/")
    assert story.dimensions(live)["TargetGroup"].startswith("targetgroup/")


def test_a_burst_of_5xx_is_counted_and_ends_with_none(story: Busy, stage: Stage) -> None:
    begin(stage, "5xx-burst=25")
    story.clock.advance(180)
    assert story.sums(FIVE)[-1] == pytest.approx(150, abs=4)
    begin(stage, "none")
    story.clock.advance(180)
    assert story.sums(FIVE)[-1] == 0


def test_an_alarm_rings_with_the_traffic_and_falls_silent_again(story: Busy, stage: Stage) -> None:
    story.cloudwatch.define("5xx", FIVE, story.dimensions(), Threshold=10.0)
    story.cloudwatch.define("other", FIVE, {"LoadBalancer": "app/other/1"})
    story.clock.advance(60)
    assert story.cloudwatch.states == {"5xx": "OK", "other": "INSUFFICIENT_DATA"}
    begin(stage, "5xx-burst")
    assert story.until(lambda: story.cloudwatch.states["5xx"] == "ALARM") <= 120
    assert story.cloudwatch.reasons["5xx"].startswith("Threshold Crossed: 1 out of the last 1 ")
    begin(stage, "none")
    assert story.until(lambda: story.cloudwatch.states["5xx"] == "OK") <= 300


def test_errors_of_the_new_version_ring_the_alarm_that_takes_it_back(
    story: Busy, stage: Stage
) -> None:
    story.cloudwatch.define("5xx", FIVE, story.dimensions(), Threshold=10.0)
    story.clock.advance(60)
    story.update(deploymentConfiguration=RINGING)
    before = story.weights(story.production)
    begin(stage, "5xx-deploy=50")
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_IN_PROGRESS")
    assert story.deployment()["lifecycleStage"] in ("BAKE_TIME", "PRODUCTION_TRAFFIC_SHIFT")
    assert story.deployment()["alarms"]["triggeredAlarmNames"] == ["5xx"]
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_SUCCESSFUL")
    assert story.weights(story.production) == before
    story.until(lambda: story.cloudwatch.states["5xx"] == "OK")


def test_an_alarm_of_one_group_does_not_hear_the_other(story: Busy, stage: Stage) -> None:
    live = story.green if story.weights(story.production) == (0, 100) else story.blue
    idle = story.blue if live == story.green else story.green
    for name, group in (("live", live), ("idle", idle)):
        story.cloudwatch.define(name, FIVE, story.dimensions(group))
    begin(stage, "5xx-burst=100")
    story.clock.advance(120)
    assert story.cloudwatch.states == {"live": "ALARM", "idle": "OK"}


def test_nobody_to_answer_counts_for_the_balancer_alone(story: Busy) -> None:
    blue, green = story.weights(story.production)
    forward = story.forward(green, blue)
    story.elb("ModifyRule", RuleArn=story.production, Actions=forward)
    story.clock.advance(120)
    assert story.sums("HTTPCode_ELB_5XX_Count")[-1] == 600
    assert story.sums("RequestCount")[-1] == 0
