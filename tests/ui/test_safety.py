"""A bug ends the console without a word of what was in memory; text is never markup."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest
from rich.console import Console as RichConsole
from textual import events
from textual.widgets import Input

from bgconsole.gateway.port import Gateway
from bgconsole.ui.background import start
from bgconsole.ui.input_guard import Timing
from bgconsole.ui.screens.chooser import ChooserScreen
from bgconsole.ui.screens.confirm import ConfirmScreen
from bgconsole.ui.screens.service import ServiceScreen
from tests import worlds
from tests.consoles import asked, console, filled, until

SECRET = "hunter2-do-not-show"


def _stumble() -> None:
    password = SECRET
    raise ZeroDivisionError(f"while {len(password)} characters were at hand")


@pytest.mark.parametrize("where", ["screen", "thread"])
async def test_a_bug_writes_a_report_and_shows_no_locals(tmp_path: Path, where: str) -> None:
    reports: list[str] = []

    def write(report: str) -> str:
        reports.append(report)
        return "/state/crash.log"

    app = console(worlds.steady(), tmp_path, write_crash_log=write)
    printed = io.StringIO()
    app.error_console = RichConsole(file=printed, width=100)
    with pytest.raises(ZeroDivisionError):
        async with app.run_test() as pilot:
            await filled(pilot)
            if where == "screen":
                app.call_later(_stumble)
            else:
                start(app, _stumble, name="stumble")
            await until(pilot, lambda: reports)
    [report] = reports
    assert "ZeroDivisionError" in report and "_stumble" in report
    assert SECRET not in report and SECRET not in printed.getvalue()
    assert "/state/crash.log" in printed.getvalue() and "bug" in printed.getvalue()
    assert app.crash_log == "/state/crash.log" and app.return_code == 1


async def test_a_bug_while_connecting_is_one_too(tmp_path: Path) -> None:
    reports: list[str] = []

    def connect() -> Gateway:
        raise KeyError("not a domain error")

    app = console(
        worlds.steady(),
        tmp_path,
        connect=connect,
        write_crash_log=lambda report: reports.append(report) or "",
    )
    with pytest.raises(KeyError):
        async with app.run_test() as pilot:
            await until(pilot, lambda: reports)
    assert app.crash_log == ""


def _feed(app: object, text: str) -> None:
    """Bytes as the driver's thread reads them in one go."""
    names = {"\r": "enter", " ": "space"}
    for character in text:
        key = events.Key(names.get(character, character), character)
        app._driver.process_message(key)  # type: ignore[attr-defined]


async def test_a_paste_into_the_main_screen_does_nothing(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path, timing=Timing(settle=0))
    async with app.run_test() as pilot:
        screen = await filled(pilot)
        app.post_message(events.Paste("F y\rR1\r"))
        _feed(app, "F y\rR1\rq")
        await until(pilot, lambda: app._guard._last_text > 0)
        await until(pilot, lambda: app._guard.due is None)
        assert app.screen is screen and world.writes == []


async def test_a_split_arrow_opens_nothing(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path, timing=Timing(settle=0))
    async with app.run_test() as pilot:
        screen = await filled(pilot)
        for name, character in (
            ("escape", "\x1b"),
            ("left_square_bracket", "["),
            ("F", "F"),
            ("escape", "\x1b"),
            ("O", "O"),
            ("R", "R"),
        ):
            await pilot.app._post_message(events.Key(name, character))
            await pilot.pause()
        await until(pilot, lambda: app._guard.due is None)
        assert app.screen is screen and world.writes == []
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))


async def test_on_a_slow_link_a_split_arrow_does_not_close_a_dialog(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path, timing=Timing(settle=0, escape_hold=0.2))
    app._guard.slow_link = True
    async with app.run_test() as pilot:
        await filled(pilot)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
        for name, character in (("escape", "\x1b"), ("left_square_bracket", "["), ("B", "B")):
            await pilot.app._post_message(events.Key(name, character))
        await until(pilot, lambda: app._guard.due is None)
        assert isinstance(app.screen, ChooserScreen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ServiceScreen))


async def test_keys_held_for_a_burst_act_when_it_was_none(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path, timing=Timing(settle=0))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        await pilot.press("3")
        await until(pilot, lambda: screen.pane.id == "stacks")


def test_the_crash_report_is_its_owners_alone(tmp_path: Path) -> None:
    """As `main` wires it."""
    from bgconsole.cli.failure import write_crash_report
    from bgconsole.config.paths import paths

    path = write_crash_report("what happened", paths())
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        (("7", "backspace", "1"), "1"),
        (("1", "2", "home", "3"), "312"),
        (("1", "2", "ctrl+u", "3"), "3"),
        (("1", "left", "2", "end", "4", "backspace"), "21"),
    ],
    ids=" ".join,
)
async def test_keys_that_arrive_together_act_in_their_order(
    tmp_path: Path, typed: tuple[str, ...], left: str
) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        await pilot.press("R")
        dialog = await asked(pilot)
        for key in typed:
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        app.post_message(events.Paste("9"))
        app.post_message(events.Key("backspace", None))
        await pilot.pause()
        await pilot.pause()
        assert dialog.query_one(Input).value == left
