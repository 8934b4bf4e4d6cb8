"""What opens from the tasks, as pictures: one task, the stopped ones, the definition diff."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from bgconsole.domain.definition_diff import compared
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.scripted import scripted_gateway
from bgconsole.ui import facts
from bgconsole.ui.panes.log_entry import entries_of
from bgconsole.ui.panes.log_lines import LogLines
from bgconsole.ui.screens.definition_diff import DefinitionDiffScreen
from bgconsole.ui.screens.stopped import StoppedScreen
from bgconsole.ui.screens.task import TaskScreen
from tests import scenes, worlds
from tests.scenes import Host
from tests.values import CONTAINER, NOW

Compare = Callable[..., bool]
SIZES = [(80, 24), (120, 36)]


def showing(screen: Screen[Any], done: str = "") -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Put a screen on top and wait until it is whole; `done` is the id of what must have text."""

    async def before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        pilot.app.push_screen(screen)
        await pilot.pause()
        while done and "containers" not in screen.query_one(done).text:  # type: ignore[attr-defined]
            await pilot.pause(0.01)
        for lines in screen.query(LogLines):
            while lines.busy:
                await pilot.pause(0.02)
        await pilot.pause()

    return before


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", ["deploying", "crash_looping"])
def test_task(snap_compare: Compare, scene: str, size: tuple[int, int]) -> None:
    """A new task that runs, and one that crashed with its last words."""
    taken = scenes.SCENES[scene]()
    tasks = taken.tasks.value.tasks if taken.tasks.value else ()
    new = [t for t in tasks if t.task_definition.endswith(":2" if scene == "deploying" else ":3")]
    task = new[0]
    talk = scenes.talk(taken, 200)
    numbers = count()
    entries = [entry for line in talk.lines for entry in entries_of(line, numbers)]
    screen = TaskScreen(
        task.id,
        lambda: facts.of_task(taken, task.arn, NOW),
        lines=[entry for entry in entries if entry.task == task.id],
        sides={},
    )
    assert snap_compare(Host(shown=taken), terminal_size=size, run_before=showing(screen))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_stopped(snap_compare: Compare, size: tuple[int, int]) -> None:
    taken = _killed()
    screen = StoppedScreen(lambda: taken, lambda: NOW, lambda _: None)
    assert snap_compare(Host(shown=taken), terminal_size=size, run_before=showing(screen))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_definition_diff(snap_compare: Compare, size: tuple[int, int]) -> None:
    world = worlds.deploying()
    taken = scenes.snapshot(world)
    what = compared(taken)
    assert what is not None
    ask = scripted_gateway(world).services.definition_document
    screen = DefinitionDiffScreen(
        what, lambda: (ask(what.old.task_definition), ask(what.new.task_definition))
    )
    before = showing(screen, "#diff")
    assert snap_compare(Host(shown=taken), terminal_size=size, run_before=before)


def _killed() -> Snapshot:
    """Two tasks exited with 1, a third was killed for its memory."""
    taken = scenes.crash_looping()
    tasks = taken.tasks.value
    assert tasks
    changed = list(tasks.tasks)
    at = max(n for n, t in enumerate(changed) if t.stopped)
    (container,) = changed[at].containers
    killed = replace(
        container, name=CONTAINER, exit_code=137, reason="OutOfMemoryError: container killed"
    )
    third = replace(changed[at], arn=changed[at].arn[:-1] + "0", containers=(killed,))
    return replace(taken, tasks=replace(taken.tasks, value=replace(tasks, tasks=(*changed, third))))
