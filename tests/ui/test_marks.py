"""Marks on the services screen: several services as one plan, in the order of the list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.scripted import Call, ScriptedWorld
from bgconsole.ui.screens.run import RunScreen
from tests import fleet, worlds
from tests.consoles import asked, text, until
from tests.ui.test_services_screen import first, listed
from tests.values import REF


def pair() -> ScriptedWorld:
    """Two services that could be redeployed; what is begun ends well at the next look."""
    world = worlds.steady()
    fleet.adopt(world, worlds.steady(), "other")
    fleet.of_each(world)
    update = world.effects["changes.update"]

    def settling(world: ScriptedWorld, call: Call) -> Any:
        done = update(world, call)
        world.after("services.service_deployments", fleet.settle)
        return done

    world.effects["changes.update"] = settling
    return world


def ref_of(call: Call) -> str:
    """The service that a write named."""
    ref = call.arguments["ref"]
    assert isinstance(ref, ServiceRef)
    return ref.name


def notes(app: object) -> Iterator[str]:
    """What toasts say."""
    for note in app._notifications:  # type: ignore[attr-defined]
        yield f"{note.title}: {note.message}"


async def test_space_marks_and_escape_takes_the_marks_away(tmp_path: Path) -> None:
    app = first(pair(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "other", REF.name)
        await pilot.press("space", "j", "space")
        await until(pilot, lambda: "2 marked" in text(screen))
        assert text(screen).count("◆") == 2 and "R roll back" in text(screen)
        await pilot.press("space")
        await until(pilot, lambda: "1 marked" in text(screen))
        await pilot.press("escape")
        await until(pilot, lambda: "marked" not in text(screen))
        assert "◆" not in text(screen) and "R roll back" not in text(screen)


async def test_a_mark_belongs_to_its_service_filtered_or_not(tmp_path: Path) -> None:
    app = first(pair(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "other", REF.name)
        await pilot.press("space")
        marked = screen.pane.marked
        await pilot.press("/", *"other", "enter")
        await until(pilot, lambda: "1 marked, 1 of them hidden" in text(screen))
        await pilot.press("escape")
        await until(pilot, lambda: "hidden" not in text(screen))
        assert screen.pane.marked == marked, "the filter goes first, the marks after it"


async def test_a_service_that_is_gone_loses_its_mark(tmp_path: Path) -> None:
    world = pair()
    app = first(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "other", REF.name)
        await pilot.press("space")
        gone = screen.pane.marked[0].ref
        world.services.pop(gone)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: gone.name not in text(screen))
        assert screen.pane.marked == ()


async def test_keys_that_write_stand_first_and_apart_as_on_any_screen(tmp_path: Path) -> None:
    app = first(pair(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, REF.name)
        await pilot.press("space")
        await until(pilot, lambda: "R roll back" in text(screen))
        footer = text(screen).splitlines()[-1]
        assert footer.index("F redeploy") < footer.index("│") < footer.index("/ filter")


async def test_the_help_tells_what_marks_are_for(tmp_path: Path) -> None:
    app = first(pair(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await listed(pilot, REF.name)
        await pilot.press("?")
        await until(pilot, lambda: "panes" in text(app.screen))
        page = text(app.screen)
        for told in (
            "Roll back, all services marked with space",
            "Force redeploy, all services marked with space",
            "open it with enter",
        ):
            assert told in page
        assert "nothing can be changed here" not in page


@pytest.mark.parametrize("key", ["R", "F", "U", "M", "B"])
async def test_without_a_mark_nothing_is_asked_and_it_says_what_to_do(
    tmp_path: Path, key: str
) -> None:
    app = first(pair(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, REF.name)
        await pilot.press(key)
        await until(pilot, lambda: any("Mark services with space" in n for n in notes(app)))
        assert app.screen is screen


async def test_what_takes_one_service_says_so(tmp_path: Path) -> None:
    app = first(pair(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, REF.name)
        await pilot.press("space", "M")
        await until(pilot, lambda: any("one service at a time" in n for n in notes(app)))
        assert app.screen is screen


async def test_marked_services_are_redeployed_one_after_the_other(tmp_path: Path) -> None:
    world = pair()
    app = first(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "other", REF.name)
        await pilot.press("space", "j", "space")
        names = [line.ref.name for line in screen.pane.marked]
        await pilot.press("F")
        dialog = await asked(pilot)
        shown = text(dialog)
        assert "1 of 2" in shown and "2 of 2" in shown and all(name in shown for name in names)
        assert world.writes == []
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await until(pilot, lambda: app.operating.state and len(app.operating.state.earlier) == 1)
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        state = app.operating.state
        assert state is not None and state.outcome is not None and state.outcome.ok
        assert [ref_of(call) for call in world.writes] == names
        assert f"✓ Force a redeploy of {names[0]}" in text(app.screen)


async def test_the_first_failure_ends_it_and_names_what_was_not_begun(tmp_path: Path) -> None:
    world = pair()
    app = first(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "other", REF.name)
        await pilot.press("space", "j", "space")
        names = [line.ref.name for line in screen.pane.marked]
        await pilot.press("F")
        await asked(pilot)
        world.fail("changes.update", AccessDenied("No", action="ecs:UpdateService"))
        await pilot.press("y")
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        await until(pilot, lambda: f"Not begun: {names[1]}" in text(app.screen))
        assert [ref_of(call) for call in world.writes] in ([], names[:1])


async def test_one_that_cannot_have_it_keeps_all_from_it(tmp_path: Path) -> None:
    world = pair()
    fleet.adopt(world, worlds.deploying(), "busy")
    app = first(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "busy", REF.name)
        await pilot.press("space", "j", "space", "F")
        await until(pilot, lambda: any("Nothing was done" in n for n in notes(app)))
        told = next(n for n in notes(app) if "Nothing was done" in n)
        assert "busy: " in told and app.screen is screen and world.writes == []


async def test_read_only_binds_none_of_it(tmp_path: Path) -> None:
    app = first(pair(), tmp_path, read_only=True)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, REF.name)
        await pilot.press("space", "F", "R")
        await pilot.pause()
        assert app.screen is screen and "F redeploy" not in text(screen)
        assert not any("Mark" in n or "Reading" in n for n in notes(app))


@pytest.mark.parametrize("size", [(80, 24), (80, 16), (120, 36)])
async def test_however_long_the_plan_the_question_is_in_view(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = first(pair(), tmp_path)
    async with app.run_test(size=size) as pilot:
        await listed(pilot, "other", REF.name)
        await pilot.press("space", "j", "space", "R")
        dialog = await asked(pilot)
        await until(pilot, lambda: "type 1,1 to roll back:" in text(dialog))
        last = "next update deploys that."
        for _ in range(8):
            await pilot.press("pagedown")
        await until(pilot, lambda: last in text(dialog).splitlines()[-4])
        assert "type 1,1 to roll back:" in text(dialog)


async def test_one_image_for_marked_services_is_built_and_pushed_once(tmp_path: Path) -> None:
    world = pair()
    app = first(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "other", REF.name)
        await pilot.press("space", "j", "space", "B")
        dialog = await asked(pilot)
        names = ", ".join(line.ref.name for line in screen.pane.marked)
        assert f"Done once, for {names} alike." in " ".join(text(dialog).split())
        await pilot.press("y")
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        state = app.operating.state
        assert state is not None and state.outcome is not None and state.outcome.ok
        assert (world.count("docker.build"), world.count("docker.push")) == (1, 1)
        assert world.writes == []


async def test_images_of_different_repositories_are_not_built_at_once(tmp_path: Path) -> None:
    world = pair()
    ref = ServiceRef(REF.cluster, "other")
    apart = f"{world.registry}/elsewhere:1"
    service = world.services[ref]
    known = world.definitions[service.task_definition]
    (container,) = known.containers
    other = replace(known, arn=f"{known.arn}9", containers=(replace(container, image=apart),))
    world.definitions[other.arn] = other
    deployments = tuple(replace(each, task_definition=other.arn) for each in service.deployments)
    world.services[ref] = replace(service, task_definition=other.arn, deployments=deployments)
    world.history[ref] = ()
    world.images["elsewhere"] = ()
    app = first(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "other", REF.name)
        await pilot.press("space", "j", "space", "B")
        await until(pilot, lambda: any("not ask for the same" in n for n in notes(app)))
        told = next(n for n in notes(app) if "not ask for the same" in n)
        assert "elsewhere" in told and "demorepo" in told
        assert app.screen is screen and world.count("docker.build") == 0
