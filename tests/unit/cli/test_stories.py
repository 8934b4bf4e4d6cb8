"""Deployments as they go well or wrong: each ends with the right verdict, and exit code of `watch`.

The sandbox's ECS on a virtual clock, asked by the real gateway in AWS's own protocols.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.sandbox.ecs.trouble import CRASH, NO_DATABASE
from bgconsole.sandbox.trouble_scenarios import LONG_AGO
from tests import worlds
from tests.story_gateway import REF, story_gateway
from tests.unit.cli.conftest import Terminal
from tests.unit.sandbox.pair_story import PairStory
from tests.unit.sandbox.story import FAMILY, Story

BREAKER = {
    "enable": True,
    "rollback": True,
    "thresholdConfiguration": {"type": "COUNT", "value": 3},
}
PAUSE = {"targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]}
A_DAY = timedelta(days=1)
"""How long a pause waits by itself."""
ROOM = {"maximumPercent": 100, "minimumHealthyPercent": 50}


def rolling(**how: Any) -> Story:
    story = Story()
    story.build()
    story.create(**how)
    story.until_steady()
    return story


def pair(strategy: str = "BLUE_GREEN", **configuration: Any) -> PairStory:
    story = PairStory()
    story.build()
    story.create_pair(strategy, **configuration)
    story.until_steady()
    return story


def to(revision: int, **configuration: Any) -> Callable[[Any], None]:
    """An update of the service; with a deployment configuration where one is given."""

    def begin(story: Story) -> None:
        more = {"deploymentConfiguration": configuration} if configuration else {}
        story.update(taskDefinition=f"{FAMILY}:{revision}", **more)

    return begin


def crash(story: Story) -> None:
    story.register("repo:crash")
    to(3, deploymentCircuitBreaker=BREAKER)(story)


def sick(story: Story) -> None:
    story.register("repo:sick")
    to(3, deploymentCircuitBreaker=BREAKER)(story)


def ill(name: str) -> Callable[[Story], None]:
    def begin(story: Story) -> None:
        story.world.ecs.trouble.ills[name] = LONG_AGO
        to(2, deploymentCircuitBreaker=BREAKER, **ROOM)(story)

    return begin


def no_capacity(story: Story) -> None:
    story.world.ecs.trouble.no_capacity = True
    to(2)(story)


def answered(action: str) -> Callable[[PairStory], None]:
    """Answer the pause when it has waited for a while."""

    def act(story: PairStory) -> None:
        record = story.deployment()
        for hook in record.get("lifecycleHookDetails", ()):
            left = hook["expiresAt"] - story.clock.now() if "expiresAt" in hook else A_DAY
            if hook["status"] == "AWAITING_ACTION" and left < A_DAY - timedelta(seconds=30):
                story.ecs(
                    "ContinueServiceDeployment",
                    serviceDeploymentArn=record["serviceDeploymentArn"],
                    hookId=hook["hookId"],
                    action=action,
                )

    return act


def ring(story: Story) -> None:
    if story.deployment()["targetServiceRevision"].get("requestedProductionTrafficWeight"):
        story.alarms.states["5xx"] = "ALARM"


def stop_while_it_bakes(story: PairStory) -> None:
    record = story.deployment()
    if record.get("lifecycleStage") == "BAKE_TIME" and record["status"] == "IN_PROGRESS":
        story.ecs("StopServiceDeployment", serviceDeploymentArn=record["serviceDeploymentArn"])


def somebody_else(story: Story) -> None:
    record = story.deployment()
    if record["targetServiceRevision"]["runningTaskCount"] == 0 and len(story.tasks()) == 8:
        story.register("repo:v1", environment=[{"name": "A", "value": "b"}])
        to(3)(story)


def nothing(_: Any) -> None:
    return


@dataclass(frozen=True)
class Plot:
    """One story: what is there, what begins, what somebody does, and how it must end."""

    name: str
    scene: Callable[[], Any]
    begin: Callable[[Any], None]
    code: int
    word: str
    sentence: str
    """A pattern that the last verdict's sentence holds."""
    seen: tuple[str, ...] = ()
    """Patterns that lines of `watch` hold, in this order."""
    act: Callable[[Any], None] = nothing
    minutes: int = 30
    """After which `watch` gives up."""


CANARY = {"canaryPercent": 10, "canaryBakeTimeInMinutes": 5}
ALARM = {"alarmNames": ["5xx"], "enable": True, "rollback": True}
PLOTS = (
    Plot(
        "rolling",
        rolling,
        to(2),
        0,
        "STEADY",
        r"^Revision 2 serves 100 %: 4/4 healthy",
        (r"DEPLOYING  revision 1 → 2: 0/4", "deployment finished", "Revision 2 is deployed"),
    ),
    Plot(
        "rolling 150/100",
        lambda: rolling(desired=2, maximum=150),
        to(2),
        0,
        "STEADY",
        "Revision 2 serves 100 %: 2/2 healthy",
    ),
    Plot(
        "crash loop",
        rolling,
        crash,
        1,
        "ROLLED BACK",
        r"revision 3 was rolled back by the circuit breaker at \d\d:\d\d: \d tasks exited 1.*"
        "Revision 1 serves 100 %: 4/4 healthy",
        ("ECS rolls it back", "The deployment failed and was rolled back"),
    ),
    Plot(
        "failing health checks",
        rolling,
        sick,
        1,
        "ROLLED BACK",
        "by the circuit breaker .*Revision 1 serves 100 %: 4/4 healthy",
        (r"FAILING  revision 3 is not coming up: .*\[503\]",),
    ),
    Plot(
        "blue/green with bake",
        pair,
        to(2),
        0,
        "STEADY",
        "Revision 2 serves 100 %: 4/4 healthy",
        ("traffic shifted", "deployment finished"),
    ),
    Plot(
        "a pause that goes on",
        pair,
        to(2, strategy="BLUE_GREEN", lifecycleHooks=[PAUSE]),
        0,
        "STEADY",
        "Revision 2 serves 100 %: 4/4 healthy",
        ("WAITING FOR YOU  revision 2 waits at post-test", "traffic shifted"),
        answered("CONTINUE"),
    ),
    Plot(
        "a pause that is rejected",
        pair,
        to(2, strategy="BLUE_GREEN", lifecycleHooks=[PAUSE]),
        1,
        "ROLLED BACK",
        "by a lifecycle hook at .*Revision 1 serves 100 %: 4/4 healthy",
        ("WAITING FOR YOU", "ROLLING BACK"),
        answered("ROLLBACK"),
    ),
    Plot(
        "an alarm in the canary",
        lambda: pair("CANARY", canaryConfiguration=CANARY, alarms=ALARM),
        to(2),
        1,
        "ROLLED BACK",
        "by an alarm at .*Revision 1 serves 100 %: 4/4 healthy",
        ("ROLLING BACK  revision 2 is taken back to 1: alarm 5xx",),
        ring,
    ),
    Plot(
        "linear",
        lambda: pair("LINEAR", linearConfiguration={"stepPercent": 50.0}),
        to(2),
        0,
        "STEADY",
        "Revision 2 serves 100 %: 4/4 healthy",
    ),
    Plot(
        "stopped by hand while it bakes",
        pair,
        to(2),
        1,
        "STEADY",
        "Revision 1 serves 100 %: 4/4 healthy",
        ("traffic shifted", "ROLLING BACK", "The deployment failed and was rolled back"),
        stop_while_it_bakes,
    ),
    Plot(
        "no capacity",
        rolling,
        no_capacity,
        5,
        "FAILING",
        r"AWS has no Fargate capacity now \(4 of 4 tasks not placed\); a roll back needs no new "
        "task: 4 old ones still run. Revision 1 serves 100 %: 4/4 healthy",
        minutes=5,
    ),
    Plot(
        "no capacity, and half of the old tasks gone",
        rolling,
        lambda story: (
            setattr(story.world.ecs.trouble, "no_capacity", True),
            to(2, **ROOM)(story),
        )[1],
        5,
        "FAILING",
        r"no Fargate capacity now .*; a roll back needs the same capacity. Revision 1 serves",
        minutes=5,
    ),
    Plot(
        "no room between the percentages",
        lambda: rolling(desired=3, maximum=125),
        to(2),
        5,
        "FAILING",
        "minimumHealthyPercent 100 and maximumPercent 125 of 3 tasks leave no room",
        minutes=5,
    ),
    Plot(
        "the old revision is broken too",
        rolling,
        ill(CRASH),
        5,
        "ROLLING BACK",
        r"tasks of revision 1 fail as well \(exit 1\): a roll back cannot help. Revision 1 serves "
        "100 %: 2/4 healthy",
        ("FAILING", "ROLLING BACK"),
    ),
    Plot(
        "a secret that neither revision can use",
        rolling,
        ill(NO_DATABASE),
        5,
        "ROLLING BACK",
        "tasks of revision 1 fail as well .*a roll back cannot help",
    ),
    Plot(
        "somebody else's deployment",
        rolling,
        to(2),
        1,
        "STEADY",
        "Revision 3 serves 100 %: 4/4 healthy",
        ("SUPERSEDED",),
        somebody_else,
    ),
)


@dataclass
class Stage:
    """A plot that is played while `watch` waits."""

    plot: Plot
    story: Any
    acted: list[None] = field(default_factory=list)

    def play(self, world: ScriptedWorld) -> None:
        if not self.acted:
            self.acted.append(None)
            self.plot.begin(self.story)
        seconds = (world.now - self.story.clock.now()).total_seconds()
        self.story.clock.advance(max(0.0, seconds))
        self.plot.act(self.story)


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.name.replace(" ", "-"))
def test_it_ends_with_the_right_verdict(plot: Plot, terminal: Terminal) -> None:
    stage = Stage(plot, plot.scene())
    terminal.world = worlds.steady()
    terminal.world.now = stage.story.clock.now()
    gateway = story_gateway(stage.story, terminal.world)
    terminal.connect = lambda _: gateway
    terminal.at_wait = stage.play
    named = ("--cluster", REF.cluster, "--service", REF.name)
    ended = terminal(*named, "watch", "--wait-for-start", "--timeout", f"{plot.minutes}m")
    assert ended.code == plot.code, ended.out
    rest = ended.out
    for pattern in plot.seen:
        found = re.search(pattern, rest)
        assert found, f"{pattern!r} was not told (in this order):\n{ended.out}"
        rest = rest[found.end() :]
    after(stage, plot)
    status = terminal(*named, "status", "--json")
    told = json.loads(status.out)["verdict"]
    assert told["word"] == plot.word, told
    assert re.search(plot.sentence, told["sentence"]), told["sentence"]
    assert (told["severity"] == "good") == (plot.word == "STEADY")


def after(stage: Stage, plot: Plot) -> None:
    """Let a service whose deployment was replaced come to rest."""
    if plot.code == 1:
        stage.story.until_steady()
