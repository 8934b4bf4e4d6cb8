"""The page of a run as pictures: while it runs, where it failed, at its end, and one of several.

Each is what the real runner told of a scripted world, up to the moment that is shown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from bgconsole.domain.errors import AccessDenied
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.operations.audit import AuditLog
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.operations.outcome import Progress
from bgconsole.operations.runner import Runner
from bgconsole.operations.spec import No, Proposal
from bgconsole.ui.run_state import RunState
from bgconsole.ui.screens.confirm import ConfirmScreen
from bgconsole.ui.screens.named_command import NamedCommandScreen
from bgconsole.ui.screens.run import RunScreen
from bgconsole.watch.once import read
from tests import codedeploy_worlds, scenes, worlds
from tests.scenes import Host
from tests.values import NOW, REF

Compare = Callable[..., bool]
SIZES = [(80, 24), (120, 36)]
SIZE_NAMES = [f"{width}x{height}" for width, height in SIZES]
DENIED = AccessDenied(
    "AccessDenied",
    "needs ecs:RegisterTaskDefinition",
    "Ask for this permission for user/ops, or use another profile",
    action="ecs:RegisterTaskDefinition",
    request_id="6d0ecf83-1eec-4f09-9b2d-02a6caee0001",
)


def runner_of(world: ScriptedWorld, folder: Path) -> Runner:
    """The real one; its waits move the world's clock and end what is under way."""

    def wait(cancelled: threading.Event, seconds: float) -> bool:
        world.now += timedelta(seconds=seconds)
        if world.codedeployments:
            codedeploy_worlds.settle(world)
        elif world.runs and not world.runs[0].stopped:
            worlds.run_ends(0, "== 20260301 AddCats: migrated (0.0021s)")(world)
        elif len(world.services[REF].deployments) > 1:
            worlds.settle(world)
        return cancelled.is_set()

    return Runner(
        scripted_gateway(world),
        audit=AuditLog(folder / "audit.jsonl"),
        clock=lambda: world.now,
        surface="console",
        wait=wait,
        new_id=lambda: "run-1",
    )


def proposed(world: ScriptedWorld, runner: Runner, operation: str, **params: str) -> Proposal:
    """The plan with all of its evidence."""
    snapshot = read(scripted_gateway(world), REF, lambda: world.now)
    found: Proposal | No = runner.propose(OPERATIONS[operation], snapshot, params)
    for complete in (runner.gather, runner.look_aside):
        assert isinstance(found, Proposal), found
        found = complete(found)
    assert isinstance(found, Proposal), found
    return found


def run(
    world: ScriptedWorld,
    folder: Path,
    operation: str,
    until: Callable[[Progress], bool] = lambda _: False,
    **params: str,
) -> RunState:
    """What was told up to the first thing that `until` names, that included."""
    runner = runner_of(world, folder)
    proposal = proposed(world, runner, operation, **params)
    state = RunState(1, proposal, world.now)
    for progress in runner.run(proposal, threading.Event()):
        world.now += timedelta(seconds=1.5)
        state = state.after(progress, world.now)
        if until(progress):
            break
    return state


def half_pushed(folder: Path) -> RunState:
    """A deploy in its second step: a layer is on its way, four steps are not begun."""
    return run(
        worlds.steady(),
        folder,
        "service.deploy",
        lambda progress: progress.amount is not None and "e010cb8e0d0e" in progress.amount.of,
        context="rails_app",
        tag="5e0c4a1",
        migrate="yes",
    )


def refused(folder: Path) -> RunState:
    """AWS denied a step in the middle: what was done, what was not begun, how to go on."""
    world = worlds.steady()
    world.fail("changes.register_pinned", DENIED)
    return run(world, folder, "service.deploy", context="rails_app", tag="5e0c4a1", migrate="yes")


def back(folder: Path) -> RunState:
    """A roll back at its end, with its receipt."""
    return run(worlds.steady(), folder, "service.rollback")


def second_of_three(folder: Path) -> RunState:
    """One of three services is done, this one is followed, and one waits."""
    state = run(
        worlds.steady(),
        folder,
        "service.rollback",
        lambda progress: progress.kind == "note",
    )
    done = ("Roll back democluster-worker from revision 9 to 8: Done",)
    return replace(state, earlier=done, later=("democluster-mailer",))


def through_codedeploy(folder: Path) -> RunState:
    """CodeDeploy has stopped its deployment, and the one that goes back is under way."""
    return run(
        codedeploy_worlds.under_way(100),
        folder,
        "service.rollback",
        lambda progress: progress.text == "d-BACK takes it back",
    )


STATES = [half_pushed, refused, back, second_of_three, through_codedeploy]


def on_top(screen: Screen[Any]) -> Callable[[Pilot[Any]], Any]:
    """Put a screen on top of the service's."""

    async def before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        pilot.app.push_screen(screen)
        for _ in range(4):  # painted, measured, the running step pinned, scrolled to the end
            await pilot.pause()

    return before


def host() -> Host:
    """The console's look, over a service at rest."""
    return Host(shown=scenes.snapshot(worlds.steady()))


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
@pytest.mark.parametrize("state", STATES, ids=lambda made: made.__name__)
def test_run(
    snap_compare: Compare,
    tmp_path: Path,
    state: Callable[[Path], RunState],
    size: tuple[int, int],
) -> None:
    shown = state(tmp_path)
    screen = RunScreen(shown, lambda: (shown.ended_at or NOW) + timedelta(seconds=75))
    assert snap_compare(host(), terminal_size=size, run_before=on_top(screen))


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
def test_question_of_codedeploy(
    snap_compare: Compare, tmp_path: Path, size: tuple[int, int]
) -> None:
    world = codedeploy_worlds.under_way(10)
    asked = proposed(world, runner_of(world, tmp_path), "service.rollback")
    screen = ConfirmScreen(asked, settle=0, clock=lambda: NOW)
    assert snap_compare(host(), terminal_size=size, run_before=on_top(screen))


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
def test_command_that_is_named(
    snap_compare: Compare, tmp_path: Path, size: tuple[int, int]
) -> None:
    world = codedeploy_worlds.ended()
    snapshot = read(scripted_gateway(world), REF, lambda: NOW)
    no = runner_of(world, tmp_path).propose(OPERATIONS["service.rollback"], snapshot, {})
    assert isinstance(no, No)
    screen = NamedCommandScreen("Roll back", no.reason, no.command)
    assert snap_compare(host(), terminal_size=size, run_before=on_top(screen))
