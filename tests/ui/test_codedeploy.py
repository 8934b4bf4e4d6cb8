"""`R` on a service that CodeDeploy deploys: asked and followed, or the command to be copied."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from bgconsole.domain.errors import AccessDenied
from bgconsole.gateway.scripted import Call, ScriptedWorld
from bgconsole.ui.screens.confirm import ConfirmScreen
from bgconsole.ui.screens.named_command import NamedCommandScreen
from bgconsole.ui.screens.service import ServiceScreen
from tests import codedeploy_worlds as worlds
from tests.consoles import asked, console, filled, text, until

SIZE = (120, 36)
SMALL = (80, 24)


def settling(world: ScriptedWorld) -> ScriptedWorld:
    """What is stopped is taken back by the next look."""
    stop = world.effects["codedeploy.stop"]

    def effect(world: ScriptedWorld, call: Call) -> Any:
        answer = stop(world, call)
        world.after("services.describe", lambda _: None, worlds.settle)
        return answer

    world.effects["codedeploy.stop"] = effect
    return world


async def test_it_is_asked_for_the_old_revision_and_followed_to_its_end(tmp_path: Path) -> None:
    world = settling(worlds.under_way())
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await until(pilot, lambda: "CodeDeploy stops d-NEW" in text(app.screen))
        await pilot.press("R")
        dialog = await asked(pilot)
        assert dialog.word == "1"
        shown = text(dialog)
        assert "tested with botocore's Stubber only" in shown
        assert "aws deploy stop-deployment --deployment-id d-NEW" in shown
        await pilot.press("1", "enter")
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        assert [call.name for call in world.writes] == ["codedeploy.stop"]
        state = app.operating.state
        assert state is not None and state.outcome is not None and state.outcome.ok
        await until(pilot, lambda: "d-BACK has taken it back" in text(app.screen))


async def test_after_its_end_the_command_is_shown_to_be_copied(tmp_path: Path) -> None:
    world = worlds.ended()
    app = console(world, tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await filled(pilot)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, NamedCommandScreen))
        await until(pilot, lambda: "does not run it" in " ".join(text(app.screen).split()))
        await pilot.press("c")
        words = shlex.split(app.clipboard)
        assert words[:3] == ["aws", "deploy", "create-deployment"]
        assert "{" in words[words.index("--revision") + 1]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ServiceScreen))
        assert world.writes == []
        assert app.operating.state is None


async def test_without_the_permission_the_stop_is_named(tmp_path: Path) -> None:
    world = worlds.under_way()
    world.fail("codedeploy.deployment", AccessDenied("AccessDenied", "needs it"))
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, NamedCommandScreen))
        await pilot.press("c")
        assert "stop-deployment --deployment-id d-NEW" in app.clipboard
        assert world.writes == []


async def test_it_ended_while_the_question_stood_and_nothing_is_sent(tmp_path: Path) -> None:
    world = worlds.under_way()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("R")
        dialog = await asked(pilot)
        assert isinstance(dialog, ConfirmScreen)
        done = replace(world.codedeployments["d-NEW"], status="Succeeded")
        world.codedeployments["d-NEW"] = done
        await pilot.press("1", "enter")
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        assert world.writes == []
        await until(pilot, lambda: "create-deployment" in " ".join(text(app.screen).split()))
