"""The shell key: asks, opens beside the console or in its place, and says why where it cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.ui.screens.question import QuestionScreen
from tests import worlds
from tests.consoles import armed, console, filled, text, until
from tests.values import REF


@dataclass
class Shells:
    """Programs that only write down how they were called."""

    beside: bool = True
    lacking: tuple[str, ...] = ()
    opened: list[tuple[str, ...]] = field(default_factory=list)

    def missing(self, programs: Sequence[str]) -> tuple[str, ...]:
        return tuple(program for program in programs if program in self.lacking)

    def open_beside(self, words: Sequence[str]) -> str:
        self.opened.append(tuple(words))
        return ""

    def run(self, words: Sequence[str]) -> int:
        self.opened.append(tuple(words))
        return 0


def enabled() -> ScriptedWorld:
    world = worlds.steady()
    world.tasks[REF] = tuple(replace(task, exec_enabled=True) for task in world.tasks[REF])
    return world


async def test_it_asks_and_opens_a_pane_in_the_highlighted_task(tmp_path: Path) -> None:
    world, shells, notes = enabled(), Shells(), list[Mapping[str, object]]()
    app = console(world, tmp_path, shells=shells, note=notes.append)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        await pilot.press("1", "j")
        arn = screen.pane.selection  # type: ignore[attr-defined]
        await pilot.press("s")
        await armed(pilot, QuestionScreen)
        assert "tmux pane below" in text(app.screen)
        assert shells.opened == []
        await pilot.press("enter")  # on No
        await until(pilot, lambda: app.screen is screen)
        assert shells.opened == []
        await pilot.press("s")
        await armed(pilot, QuestionScreen)
        await pilot.press("y")
        await until(pilot, lambda: shells.opened)
        [words] = shells.opened
        assert arn in words
        await until(pilot, lambda: notes)
        assert notes[0]["operation"] == "task.shell"
        assert world.writes == []


async def test_where_the_terminal_cannot_be_lent_the_command_is_told(tmp_path: Path) -> None:
    shells = Shells(beside=False)
    app = console(enabled(), tmp_path, shells=shells)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await filled(pilot)
        await pilot.press("1", "s")
        await armed(pilot, QuestionScreen)
        await pilot.press("y")
        await until(pilot, lambda: "cannot be lent" in _told(app))
        assert "aws ecs execute-command" in _told(app)
        assert shells.opened == []


@pytest.mark.parametrize(
    ("world", "changes", "words"),
    [
        (worlds.steady(), {}, "--enable-execute-command"),
        (enabled(), {"lacking": ("session-manager-plugin",)}, "session-manager-plugin is not on"),
        (enabled(), {"read_only": True}, "could change anything"),
    ],
)
async def test_why_there_is_none_is_said(
    tmp_path: Path, world: ScriptedWorld, changes: dict[str, object], words: str
) -> None:
    lacking = changes.get("lacking", ())
    assert isinstance(lacking, tuple)
    shells = Shells(lacking=lacking)
    read_only = bool(changes.get("read_only"))
    app = console(world, tmp_path, shells=shells, read_only=read_only)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await filled(pilot)
        await pilot.press("1", "s")
        await until(pilot, lambda: words in _told(app))
        assert shells.opened == []


def _told(app) -> str:  # type: ignore[no-untyped-def]
    return " ".join(note.message for note in app._notifications)
