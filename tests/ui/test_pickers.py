"""Choosing a cluster and a service: searchable, the last one first, never in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from textual.command import CommandPalette
from textual.widgets import Input, OptionList

from bgconsole.domain.errors import Throttled
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.ui.screens.chooser import ChooserScreen
from bgconsole.ui.screens.confirm import ConfirmScreen
from bgconsole.ui.screens.opening import OpeningScreen
from bgconsole.ui.screens.service import ServiceScreen
from bgconsole.ui.screens.services import ServicesScreen
from tests import worlds
from tests.consoles import console, filled, text, until
from tests.values import REF

OTHER = ServiceRef(REF.cluster, "zebra")
HOSTILE = ServiceRef("[/foo]", "[@click=app.quit]x[/]")


def several() -> ScriptedWorld:
    """Three services in two clusters, one with names that bite."""
    world = worlds.steady()
    service = world.services[REF]
    for ref in (OTHER, HOSTILE):
        world.services[ref] = replace(service, ref=ref)
        world.history[ref], world.tasks[ref] = world.history[REF], world.tasks[REF]
        world.balancing[ref] = world.balancing[REF]
    return world


def options(app: object) -> list[str]:
    screen = app.screen  # type: ignore[attr-defined]
    return [str(option.prompt) for option in screen.query_one(OptionList).options]


async def test_before_a_service_is_shown_the_last_one_is_first(tmp_path: Path) -> None:
    app = console(several(), tmp_path, cluster="", service="", recall=lambda _: OTHER)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, ServicesScreen))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
        await until(pilot, lambda: options(app) == [f"{REF.cluster}   last time", "[/foo]"])
        await pilot.press("enter")
        await until(pilot, lambda: options(app) == ["zebra   last time", REF.name])
        await pilot.press("enter")
        screen = await filled(pilot)
        assert screen.snapshot is not None and screen.snapshot.ref == OTHER


async def test_typing_finds(tmp_path: Path) -> None:
    app = console(several(), tmp_path)
    async with app.run_test() as pilot:
        await filled(pilot)
        app.call_later(app.pickers.service)
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
        await until(pilot, lambda: len(options(app)) == 2)
        await pilot.press(*"ZEB")
        await until(pilot, lambda: options(app) == ["zebra"])
        await pilot.press("x")
        await until(pilot, lambda: "nothing is named so" in text(app.screen))
        await pilot.press("enter")
        assert isinstance(app.screen, ChooserScreen)
        await pilot.press("backspace", "backspace", "backspace", "backspace", "down", "enter")
        screen = await filled(pilot)
        assert screen.snapshot is not None and screen.snapshot.ref == OTHER


async def test_a_number_of_tasks_is_found_as_it_is_typed_listed_or_not(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test() as pilot:
        await filled(pilot)
        app.call_later(app.action_operate, "service.scale")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
        assert options(app)[0] == "5 tasks", "enter alone does no harm"
        assert options(app)[-1] == "0 tasks"
        await pilot.press("1")
        await until(pilot, lambda: options(app)[0] == "1 task")
        await pilot.press(*"23")
        await until(pilot, lambda: "enter takes 123" in text(app.screen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "tell ECS to run 123 tasks" in text(app.screen)


async def test_a_command_is_found_by_the_footers_word_and_says_its_key(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await filled(pilot)
        await pilot.press(":", *"update")
        await until(pilot, lambda: "U update" in text(app.screen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen | ConfirmScreen))
        assert "Deploy" in text(app.screen)


async def test_another_service_takes_the_place_of_the_first(tmp_path: Path) -> None:
    app = console(several(), tmp_path)
    async with app.run_test() as pilot:
        first = await filled(pilot)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen) and options(app))
        await pilot.press(*"foo", "enter")
        await until(pilot, lambda: options(app) == [HOSTILE.name])
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ServiceScreen) and app.screen != first)
        screen = await filled(pilot)
        assert screen.snapshot is not None and screen.snapshot.ref == HOSTILE
        assert HOSTILE.name in text(screen) and not first.is_attached
        assert len(app.screen_stack) == 2


async def test_leaving_the_list_changes_nothing(tmp_path: Path) -> None:
    app = console(several(), tmp_path)
    async with app.run_test() as pilot:
        screen = await filled(pilot)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)


async def test_leaving_the_first_list_says_how_to_open_it_again(tmp_path: Path) -> None:
    app = console(several(), tmp_path, cluster="nowhere", retry_delays=(600.0,))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "No such cluster" in text(app.screen))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen) and options(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, OpeningScreen))
        await until(pilot, lambda: "ctrl+o" in text(app.screen))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))


async def test_a_list_that_cannot_be_had_says_why_and_comes_later(tmp_path: Path) -> None:
    world = several()
    app = console(world, tmp_path)
    async with app.run_test() as pilot:
        await filled(pilot)
        world.fail("services.clusters", Throttled("Throttled", "ListClusters"), times=1)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "Throttled" in text(app.screen))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: f"{REF.cluster}   shown now" in options(app))


async def test_the_palette_has_pickers_operations_and_pages(tmp_path: Path) -> None:
    app = console(several(), tmp_path)
    async with app.run_test(size=(100, 90)) as pilot:
        await filled(pilot)
        await pilot.press(":")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await until(pilot, lambda: "Force redeploy" in text(app.screen))
        for name in ("cluster", "service", "Roll back", "events", "history", "help", "quit"):
            assert name in text(app.screen)
        assert "profile" not in text(app.screen) and "creenshot" not in text(app.screen)
        await pilot.press(*"service")
        await until(pilot, lambda: "another service" in text(app.screen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
        await until(pilot, lambda: OTHER.name in options(app))


class _Elsewhere:
    def __init__(self, world: ScriptedWorld) -> None:
        self.world = world
        self.asked: list[tuple[str, str]] = []

    def profiles(self) -> tuple[str, ...]:
        return ("dev", "prod [/x]")

    def regions(self) -> tuple[str, ...]:
        return ("eu-west-1", "us-east-1")

    def connect(self, *, profile: str = "", region: str = "") -> Gateway:
        self.asked.append((profile, region))
        return scripted_gateway(self.world)


async def test_another_profile_or_region_is_connected_to_anew(tmp_path: Path) -> None:
    there = _Elsewhere(worlds.deploying())
    app = console(several(), tmp_path, elsewhere=there)
    async with app.run_test() as pilot:
        await filled(pilot)
        app.call_later(app.pickers.profile)
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
        await until(pilot, lambda: len(options(app)) == 2)
        await pilot.press("down", "enter")
        await until(pilot, lambda: there.asked == [("prod [/x]", "")])
        await until(
            pilot, lambda: app.session.snapshot is not None and app.session.snapshot.deploying
        )
        await filled(pilot)
        app.call_later(app.pickers.region)
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
        await until(pilot, lambda: len(options(app)) == 2)
        assert app.screen.query_one(Input).has_focus
        await pilot.press("enter")
        await until(pilot, lambda: there.asked[-1] == ("", "eu-west-1"))
