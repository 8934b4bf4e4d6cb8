"""The terminal is handed to awslogs and taken back; where that cannot be, it is said."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from bgconsole.domain.identity import Place
from bgconsole.gateway.awslogs import MISSING, awslogs_command, run_awslogs
from tests import worlds
from tests.consoles import console, filled, until

HERE = Place("eu-west-1", profile="prod")


def test_the_command_looks_where_the_console_looks() -> None:
    command = awslogs_command("awslogs", HERE, "/ecs/web", endpoint_url="http://127.0.0.1:4566")
    assert " ".join(command) == (
        "awslogs get /ecs/web ALL --watch --aws-region eu-west-1 --profile prod"
        " --aws-endpoint-url http://127.0.0.1:4566"
    )


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
    app.wiring = replace(app.wiring, watch_logs=lambda place, group: "never run")
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        screen = await filled(pilot)
        await until(pilot, lambda: bool(screen.logs.state.group), "a log group")
        app.action_watch_logs()
        await until(pilot, lambda: any("handed over" in n.message for n in app._notifications))
        assert app.is_running
