"""Secrets that were planted everywhere are on no surface: plans, audit, pages, pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bgconsole.domain.services import ServiceEvent
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
