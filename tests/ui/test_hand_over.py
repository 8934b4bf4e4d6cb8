"""The terminal is handed to awslogs and taken back; where that cannot be, it is said."""

from __future__ import annotations

import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from bgconsole.domain.identity import Place
from bgconsole.gateway.awslogs import MISSING, awslogs_command, run_awslogs
from tests import worlds
from tests.consoles import console, filled, text, until

HERE = Place("eu-west-1", profile="prod")


def test_the_command_looks_where_the_console_looks() -> None:
    command = awslogs_command("awslogs", HERE, "/ecs/web", endpoint_url="http://127.0.0.1:4566")
    assert " ".join(command) == (
        "awslogs get /ecs/web ALL --watch --aws-region eu-west-1 --profile prod"
        " --aws-endpoint-url http://127.0.0.1:4566"
    )


def test_one_stream_is_named_as_a_pattern_of_its_own_alone() -> None:
    command = awslogs_command("awslogs", HERE, "web", "app/[$LATEST]1")
    assert re.fullmatch(command[3], "app/[$LATEST]1")
    assert not re.match(command[3], "app/[$LATEST]12")


class Names:
    """Two groups."""

    def groups(self, prefix: str = "") -> tuple[str, ...]:
        del prefix
        return ("db", "web")

    def streams(self, group: str) -> tuple[str, ...]:
        return (f"{group}/one", f"{group}/two")


@pytest.mark.parametrize(
    ("keys", "asked"), [(("enter",), ("web", "")), (("down", "enter"), ("web", "web/one"))]
)
async def test_another_log_is_picked_by_group_and_stream(
    tmp_path: Path, keys: tuple[str, ...], asked: tuple[str, str]
) -> None:
    app = console(worlds.steady(), tmp_path, log_names=Names)
    async with app.run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        seen: list[tuple[str, str]] = []
        app.pickers._watch_logs = lambda group, stream: seen.append((group, stream))
        [pick] = [c for c in app.commands() if c.title == "awslogs of another log"]
        pick.run()
        await until(pilot, lambda: "db" in text(app.screen), "the groups")
        await pilot.press(*"web", "enter")
        await until(pilot, lambda: "every stream" in text(app.screen), "the streams")
        await pilot.press(*keys)
        await until(pilot, lambda: seen == [asked], str(seen))


@pytest.mark.parametrize(
    ("status", "told"),
    [(0, ""), (130, ""), (-signal.SIGINT, ""), (4, "awslogs ended with status 4")],
)
def test_how_it_ended_is_told(status: int, told: str) -> None:
    said = run_awslogs(HERE, "web", find=lambda: "awslogs", run=lambda _: status)
    assert said == told


def test_what_cannot_be_run_is_said() -> None:
    def fails(_: object) -> int:
        raise OSError(8, "Exec format error")

    assert run_awslogs(HERE, "web", find=lambda: None) == MISSING
    assert "Exec format" in run_awslogs(HERE, "web", find=lambda: "awslogs", run=fails)
    assert "cannot be given" in run_awslogs(HERE, "--help", find=lambda: "awslogs")


async def test_a_terminal_that_cannot_be_handed_over_keeps_its_screen(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path)
    app.wiring = replace(app.wiring, watch_logs=lambda place, group, stream: "never run")
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        screen = await filled(pilot)
        await until(pilot, lambda: bool(screen.logs.state.group), "a log group")
        app.action_watch_logs()
        await until(pilot, lambda: any("handed over" in n.message for n in app._notifications))
        assert app.is_running
