"""Deployment alarms on the virtual clock, for rolling deployments and those that shift traffic."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sandbox.pair_story import PairStory
from tests.unit.sandbox.story import FAMILY, Story

NAMES = ["target-5xx", "latency"]


def alarms(rollback: bool = True) -> dict[str, Any]:
    return {"alarms": {"alarmNames": NAMES, "enable": True, "rollback": rollback}}


@pytest.fixture
def story() -> Story:
    made = Story()
    made.build()
    made.create()
    made.until_steady()
    made.alarms.states = dict.fromkeys(NAMES, "OK")
    return made


@pytest.fixture
def pair() -> PairStory:
    made = PairStory()
    made.build()
    made.create_pair()
    made.until_steady()
    made.alarms.states = dict.fromkeys(NAMES, "OK")
    return made


def test_quiet_alarms_are_watched_to_the_end(story: Story) -> None:
    story.update(taskDefinition=f"{FAMILY}:2", deploymentConfiguration=alarms())
    story.until(lambda: story.deployment()["status"] == "IN_PROGRESS")
    assert story.deployment()["alarms"] == {"status": "MONITORING", "alarmNames": NAMES}
    story.until_steady()
    assert story.deployment()["alarms"]["status"] == "MONITORING_COMPLETE"
    story.alarms.states["latency"] = "ALARM"
    story.clock.advance(600)
    assert story.deployment()["status"] == "SUCCESSFUL"


def test_an_alarm_rolls_a_rolling_deployment_back_with_the_observed_events(story: Story) -> None:
    seen = len(story.events())
    story.update(taskDefinition=f"{FAMILY}:2", deploymentConfiguration=alarms())
    story.until(lambda: story.health().count("healthy") == 8)
    story.alarms.states["target-5xx"] = "ALARM"
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_IN_PROGRESS", within=30)
    record = story.deployment()
    assert record["alarms"] == {
        "status": "TRIGGERED",
        "alarmNames": NAMES,
        "triggeredAlarmNames": ["target-5xx"],
    }
    assert story.events(seen)[2:4] == [
        "(service web) (deployment D2) deployment failed: alarm detected.",
        "(service web) rolling back to deployment D1.",
    ]
    story.until_steady()
    assert story.deployment()["status"] == "ROLLBACK_SUCCESSFUL"
    assert story.service()["taskDefinition"].endswith(":1")


def test_a_rolling_deployment_with_a_bake_time_can_be_taken_back_after_its_old_tasks_went(
    story: Story,
) -> None:
    configuration = {**alarms(), "bakeTimeInMinutes": 10}
    story.update(taskDefinition=f"{FAMILY}:2", deploymentConfiguration=configuration)
    story.until(lambda: len(story.tasks("STOPPED")) == 4 and len(story.health()) == 4)
    story.clock.advance(300)
    assert story.deployment()["status"] == "IN_PROGRESS"
    story.alarms.states["latency"] = "ALARM"
    story.until_steady()
    assert story.deployment()["status"] == "ROLLBACK_SUCCESSFUL"
    assert {t["taskDefinitionArn"].rpartition(":")[2] for t in story.tasks()} == {"1"}


def test_a_bake_time_alone_delays_the_end(story: Story) -> None:
    configuration = {"bakeTimeInMinutes": 10}
    story.update(taskDefinition=f"{FAMILY}:2", deploymentConfiguration=configuration)
    assert 700 <= story.until_steady() <= 850


def test_alarms_that_rang_before_are_ignored(story: Story) -> None:
    story.alarms.states["latency"] = "ALARM"
    story.update(taskDefinition=f"{FAMILY}:2", deploymentConfiguration=alarms())
    story.until_steady()
    assert story.deployment()["status"] == "SUCCESSFUL"
    assert story.deployment()["alarms"]["status"] == "DISABLED"


def test_an_alarm_without_rollback_only_ends_the_deployment(story: Story) -> None:
    story.update(taskDefinition=f"{FAMILY}:2", deploymentConfiguration=alarms(rollback=False))
    story.until(lambda: story.deployment()["status"] == "IN_PROGRESS")
    story.alarms.states["latency"] = "ALARM"
    story.until(lambda: story.deployment()["status"] == "STOPPED")
    assert story.service()["deployments"][0]["rolloutState"] == "FAILED"


def test_an_alarm_while_it_bakes_flips_the_weights_back(pair: PairStory) -> None:
    pair.update(taskDefinition=f"{FAMILY}:2", deploymentConfiguration=alarms())
    pair.until_stage("BAKE_TIME")
    seen = len(pair.events())
    pair.alarms.states["target-5xx"] = "ALARM"
    flipped = pair.until(lambda: pair.weights(pair.production) == (0, 100))
    assert flipped <= 21, "AWS took 21 s"
    assert pair.answers(pair.production_listener, 20) == {"v1": 20}
    pair.until_steady()
    assert pair.deployment()["status"] == "ROLLBACK_SUCCESSFUL"
    # As observed of a canary: failed, rolling back, stopped, steady.
    told = [e for e in pair.events(seen) if "target-group" not in e and "draining" not in e]
    assert told == [
        "(service web) (deployment D2) deployment failed: alarm detected.",
        "(service web) rolling back to deployment D1.",
        "(service web) has stopped 4 running tasks: (task T) (task T) (task T) (task T).",
        "(service web) has reached a steady state.",
    ]
