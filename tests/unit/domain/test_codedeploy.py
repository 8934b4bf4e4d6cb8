"""What the verdict says of a service that CodeDeploy deploys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bgconsole.domain.codedeploy import CodeDeployment
from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.join import sides
from bgconsole.domain.severity import Severity
from bgconsole.domain.verdict import verdict
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.watch.begun import under_way
from bgconsole.watch.progress import Stand, stand
from tests import codedeploy_worlds as worlds
from tests import scenes
from tests.values import NOW, REF

NAME = "CodeDeploy deployment d-NEW"


def said(world: ScriptedWorld) -> Any:
    return verdict(scenes.snapshot(world), NOW)


def test_the_two_task_sets_are_old_and_new() -> None:
    taken = scenes.snapshot(worlds.under_way())
    both = sides(taken)
    assert both.old is not None
    assert both.new is not None
    assert (both.old.revision, both.new.revision) == ("1", "2")
    assert (both.old.healthy, both.new.healthy) == (4, 4)
    assert taken.deploying


@pytest.mark.parametrize(
    ("production", "serves", "stands"),
    [
        (0, "Revision 1 serves 100 %", "is in progress"),
        (10, "Both serve: revision 1 90 % and 2 10 %", "is in progress"),
        (
            100,
            "Revision 2 serves 100 %",
            "has shifted the traffic and keeps the old tasks for 60 min at most",
        ),
    ],
)
def test_under_way(production: float, serves: str, stands: str) -> None:
    found = said(worlds.under_way(production))
    assert (found.severity, found.word) == (Severity.BUSY, "DEPLOYING")
    assert serves in found.sentence
    assert found.evidence[0] == f"{NAME} {stands}"
    assert found.way_back is not None
    assert found.way_back.words == ("back to 1 (CodeDeploy stops d-NEW, warm: old tasks still run)")


STATES: list[tuple[ScriptedWorld, Severity, str, str]] = [
    (
        worlds.under_way(status="Ready", waits=20),
        Severity.WAITING,
        "WAITING FOR YOU",
        "waits until traffic is rerouted; it stops by itself within 20 min. Revision 1 serves",
    ),
    (
        worlds.under_way(
            status="Stopped", back_id="d-BACK", back=CodeDeployment("d-BACK", "InProgress")
        ),
        Severity.BAD,
        "ROLLING BACK",
        "was stopped; d-BACK takes it back. Revision 1 serves",
    ),
    (
        worlds.ended(status="InProgress"),
        Severity.BUSY,
        "DEPLOYING",
        "has shifted the traffic and keeps the old tasks",
    ),
    (
        worlds.ended(another=CodeDeployment("d-3", "Created")),
        Severity.BUSY,
        "DEPLOYING",
        "has succeeded; d-3 has begun, and ECS shows no task set of it yet. Revision 2 serves",
    ),
    (
        worlds.ended(status="Failed", problem="Too late"),
        Severity.BAD,
        "DEPLOY FAILED",
        "failed (Too late). Revision 2 serves",
    ),
    (
        worlds.ended(status="Failed", back_id="d-BACK", back=CodeDeployment("d-BACK", "Succeeded")),
        Severity.BAD,
        "ROLLED BACK",
        "failed and d-BACK took it back",
    ),
    (
        worlds.ended(status="Failed", completed_at=NOW - timedelta(hours=2)),
        Severity.GOOD,
        "STEADY",
        "Revision 2 serves 100 %",
    ),
]


@pytest.mark.parametrize(("world", "severity", "word", "sentence"), STATES)
def test_what_codedeploy_does_leads(
    world: ScriptedWorld, severity: Severity, word: str, sentence: str
) -> None:
    found = said(world)
    assert (found.severity, found.word) == (severity, word)
    assert sentence in found.sentence


def test_at_rest_it_is_evidence() -> None:
    found = said(worlds.ended())
    assert (found.severity, found.word) == (Severity.GOOD, "STEADY")
    assert found.evidence[0] == f"{NAME} has succeeded"
    assert found.way_back is None


def test_what_cannot_be_read_is_told_and_the_rest_stands() -> None:
    world = worlds.under_way()
    denied = AccessDenied("AccessDenied", "needs codedeploy:GetDeployment")
    world.fail("codedeploy.deployment", denied)
    found = said(world)
    assert (found.severity, found.word) == (Severity.BUSY, "DEPLOYING")
    assert found.evidence[-1] == (
        "CodeDeploy is not read since 14:00:00: AccessDenied: needs codedeploy:GetDeployment"
    )
    assert found.way_back is None


def test_a_service_that_ecs_deploys_asks_codedeploy_nothing() -> None:
    world = worlds.under_way()
    scenes.snapshot(world)
    assert world.count("codedeploy.deployment") == 1
    world.services[REF] = replace(world.services[REF], controller="ECS")
    taken = scenes.snapshot(world)
    assert world.count("codedeploy.deployment") == 1
    assert taken.codedeploy.absent == "CodeDeploy does not deploy this service"


def followed(world: ScriptedWorld) -> Stand:
    """How it stands with the newest task set of the beginning, by ECS alone."""
    began = max(worlds.under_way().services[REF].deployments, key=lambda each: each.created_at)
    return stand(world.services[REF], (), deployment=began.id)


def test_a_watch_goes_by_the_deployment_of_codedeploy() -> None:
    found = under_way(scenes.snapshot(worlds.under_way()))
    assert found is not None
    assert (found.codedeploy, found.deployment) == ("d-NEW", "")


def test_a_watch_sees_its_end() -> None:
    assert followed(worlds.under_way(100)).phase == "working"
    assert followed(worlds.ended()).phase == "reached"


def test_a_watch_sees_it_taken_back() -> None:
    world = worlds.under_way()
    world.codedeployments["d-NEW"] = replace(
        world.codedeployments["d-NEW"],
        status="Stopped",
        back=CodeDeployment("d-BACK", "InProgress"),
    )
    worlds.settle(world)
    found = followed(world)
    assert found.phase == "failed"
    assert found.sentence == "CodeDeploy took the deployment back. Revision 1 is live."
