"""Secrets that were planted everywhere are on no surface: plans, audit, pages, pictures."""

from __future__ import annotations

import io
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from rich.console import Console as RichConsole

from bgconsole.domain.builds import Order
from bgconsole.domain.services import ServiceEvent
from bgconsole.gateway.docker import DockerEngine
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.ui.screens.service import ServiceScreen
from tests import two_groups, values, worlds
from tests.consoles import asked, console, filled, text, until
from tests.unit.cli.conftest import Terminal, terminal
from tests.unit.operations.test_before_a_roll_back import migrated
from tests.values import BAD, CONTAINER, NOW, REF

__all__ = ["terminal"]

CANARY = "cAnArY5f3c9d"
URL = f"postgres://app:{CANARY}@db.internal/app"
TOKEN = f"token={CANARY}"


def planted(world: ScriptedWorld) -> ScriptedWorld:
    """With a secret wherever somebody may have left one."""
    for arn, definition in world.definitions.items():
        (container,) = definition.containers
        command = ("sh", "-c", f"DATABASE_URL={URL} rails db:migrate && rails server")
        world.definitions[arn] = replace(
            definition, containers=(replace(container, command=command),)
        )
        environment = [
            {"name": "DATABASE_URL", "value": URL},
            {"name": "API_TOKEN", "value": CANARY},
        ]
        world.documents[arn] = {
            "cpu": "256",
            "memory": "512",
            "containerDefinitions": [{"name": CONTAINER, "environment": environment}],
        }
    stack = world.stacks["democluster"]
    outputs = (*stack.outputs, ("DatabaseUrl", URL), ("PipelineToken", TOKEN))
    world.stacks["democluster"] = replace(stack, reason=f"could not reach {URL}", outputs=outputs)
    service = world.services[REF]
    said = f"(service {REF.name}) was unable to place a task. Reason: {URL}"
    event = ServiceEvent("e", NOW, said)
    world.services[REF] = replace(service, events=(event, *service.events))
    broken = replace(values.crashed(BAD, 0), stopped_reason=f"could not reach {URL}, {TOKEN}")
    world.tasks[REF] = (*world.tasks[REF], broken)
    newest, *older = world.history[REF]
    world.history[REF] = (replace(newest, status_reason=f"it met {URL}"), *older)
    migrated(world, NOW, "20260301110000", "AddSummary")
    return world


def commands() -> Iterator[tuple[str, ...]]:
    for operation in OPERATIONS.values():
        more = {"scale": ("2",), "stop-task": (worlds.steady().tasks[REF][0].id,)}
        yield (operation.command, *more.get(operation.command, ()), "--dry-run")
    yield ("rollback", "--confirm", "1")
    yield ("force-redeploy", "--yes")
    yield ("scale", "--cpu", "512", "--memory", "1024", "--yes")
    yield from (("audit",), ("audit", "--json"), ("audit", "--last"), ("timeline", "--json"))
    yield from (("status",), ("status", "--json"), ("timeline",))


@pytest.mark.parametrize("name", ["steady", "deploying", "paused"])
def test_no_command_prints_or_keeps_a_secret(terminal: Terminal, name: str) -> None:
    terminal.world = planted(two_groups.paused() if name == "paused" else worlds.BUILDERS[name]())
    terminal.environ = {"AWS_SESSION_TOKEN": CANARY}
    found = []
    for arguments in commands():
        ended = terminal(*arguments)
        found += [
            f"{' '.join(arguments)}: {line}"
            for line in (ended.out + ended.err).splitlines()
            if CANARY in line
        ]
    assert not found, "\n".join(found)
    files = [path for path in terminal.folder.rglob("*") if path.is_file()]
    assert files, "nothing was kept"
    assert not [path for path in files if CANARY in path.read_text(errors="replace")]


BUG = (
    f"it met {URL} with {TOKEN} in "
    + repr([{"name": "API_TOKEN", "value": CANARY}, {"name": "RAILS_ENV", "value": "production"}])
    + json.dumps({"ParameterKey": "Password", "ParameterValue": CANARY})
)
"""What an exception may quote: a URL, a token, a task definition's environment, parameters."""


def stumbles(password: str = CANARY) -> NoReturn:
    """A bug with a secret in a local variable, in its text and in that of its cause."""
    try:
        raise KeyError(BUG)
    except KeyError as error:
        raise RuntimeError(f"{BUG} and {len(password)}") from error


def test_no_crash_file_of_a_command_holds_a_secret(terminal: Terminal) -> None:
    terminal.connect = lambda _: stumbles()
    ended = terminal("rollback", "--confirm", "1")
    assert ended.code == 70
    assert CANARY not in ended.out + ended.err
    [crash] = terminal.paths.crashes.iterdir()
    report = crash.read_text()
    assert "RuntimeError" in report and "stumbles" in report and "production" in report
    assert CANARY not in report


async def test_no_crash_file_of_the_console_holds_a_secret(tmp_path: Path) -> None:
    reports: list[str] = []
    app = console(
        worlds.steady(),
        tmp_path,
        connect=stumbles,
        write_crash_log=lambda report: reports.append(report) or "/state/crash.log",
    )
    printed = io.StringIO()
    app.error_console = RichConsole(file=printed, width=100)
    with pytest.raises(RuntimeError):
        async with app.run_test() as pilot:
            await until(pilot, lambda: reports)
    assert "stumbles" in reports[0]
    assert CANARY not in reports[0] + printed.getvalue()


def test_no_command_line_of_a_child_holds_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is started while an image is built with secret arguments and pushed: git, buildx."""
    lines: list[str] = []
    start = subprocess.Popen.__init__

    def noted(process: object, words: object, *more: object, **named: object) -> None:
        lines.append(str(words))
        start(process, words, *more, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM x\nRUN --mount=type=cache,target=/x true\n")
    program = tmp_path / "docker"
    program.write_text(
        f'#!/bin/sh\ntest -z "$GEMS_TOKEN" || echo "$GEMS_TOKEN" > {tmp_path}/seen\n'
    )
    program.chmod(0o755)
    environ = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "DATABASE_URL": URL,
        "AWS_SESSION_TOKEN": CANARY,
    }
    engine = DockerEngine(environ, "")
    assert engine.source(str(folder), "").buildkit
    order = Order(
        str(folder),
        str(folder / "Dockerfile"),
        ("r/app:1",),
        {"GEMS_TOKEN": CANARY},
        buildkit=True,
    )
    list(engine.build(order, threading.Event()))
    assert (tmp_path / "seen").read_text().strip() == CANARY, "it has its argument all the same"
    assert any("git" in line for line in lines) and any("buildx" in line for line in lines)
    assert not [line for line in lines if CANARY in line]


async def test_no_page_or_picture_shows_a_secret(tmp_path: Path) -> None:
    world = planted(worlds.steady())
    app = console(world, tmp_path)
    pictures: dict[str, str] = {}
    async with app.run_test(size=(160, 45)) as pilot:
        await filled(pilot)
        pictures["service"] = text(app.screen) + app.export_screenshot()
        for key in ("3", "d", "v", "t", "p", "i"):
            await pilot.press(key)
            if key != "3":
                await until(pilot, lambda: not isinstance(app.screen, ServiceScreen))
            await pilot.pause()
            pictures[key] = text(app.screen) + app.export_screenshot()
            if key != "3":
                await pilot.press("escape")
                await filled(pilot)
        await pilot.press("R")
        dialog = await asked(pilot)
        await until(pilot, lambda: "AddSummary" in text(app.screen))
        pictures["R"] = text(dialog) + app.export_screenshot()
        world.after("services.service_deployments", lambda _: None, worlds.settle)
        await pilot.press("1", "enter")
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        pictures["run"] = text(app.screen) + app.export_screenshot()
    assert not [name for name, shown in pictures.items() if CANARY in shown]
    assert CANARY not in (tmp_path / "audit.jsonl").read_text()
