"""The services screen: worst first, found quickly, opened by enter, and never a way to write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input

from bgconsole.domain.errors import AccessDenied, NoCredentials, Throttled
from bgconsole.domain.identity import Place
from bgconsole.domain.overview import Area
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.ui.app import Console
from bgconsole.ui.copying import REFUSED, SENT
from bgconsole.ui.screens.chooser import ChooserScreen
from bgconsole.ui.screens.confirm import ConfirmScreen
from bgconsole.ui.screens.opening import OpeningScreen
from bgconsole.ui.screens.service import ServiceScreen
from bgconsole.ui.screens.services import ServicesScreen
from bgconsole.ui.widgets.keyed_table import KeyedTable
from bgconsole.watch.overview import OverviewWatcher
from tests import fleet, worlds
from tests.consoles import asked, console, filled, text, until
from tests.values import CLUSTER, REF, REGION


def first(world: ScriptedWorld, folder: Path, **changes: Any) -> Console:
    """A console that nobody told which service to show."""
    return console(world, folder, **{"cluster": "", "service": "", **changes})


async def listed(pilot: Pilot[Any], *names: str) -> ServicesScreen:
    """Wait for the services screen with these services on it."""

    def there() -> bool:
        screen = pilot.app.screen
        return isinstance(screen, ServicesScreen) and all(n in text(screen) for n in names)

    await until(pilot, there, f"the services {names}")
    screen = pilot.app.screen
    assert isinstance(screen, ServicesScreen)
    return screen


def rows(screen: ServicesScreen) -> list[str]:
    """The names in the order of the screen."""
    table = screen.query_one(KeyedTable)
    return [str(table.get_row_at(n)[2]) for n in range(table.row_count)]


async def test_it_is_the_first_screen_where_there_is_something_to_choose(tmp_path: Path) -> None:
    app = first(fleet.mixed(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "cart", "service-05")
        await until(pilot, lambda: "4 wrong" in text(screen))
        assert rows(screen)[:6] == ["cart", "mail", "orders", "search", "catalog", "checkout"]
        shown = text(screen)
        for told in (
            "123456789012", "us-east-1", f"services of {CLUSTER}", "1 waiting for you",
            "✖ FAILING", "2 → 3 · bad0c0d", "post-test", "rolled back 3:00", "payments",
            "cart  0/4 tasks run",
        ):  # fmt: skip
            assert told in shown
        assert "R roll back" not in shown and "F redeploy" not in shown


async def test_what_was_copied_is_told(tmp_path: Path) -> None:
    app = first(fleet.mixed(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await listed(pilot, "cart")

        def told() -> list[str]:
            return [note.message for note in app._notifications if note.title == SENT]

        await pilot.press("c")
        await until(pilot, lambda: any("arn:aws:ecs:us-east-1" in words for words in told()))
        assert [words for words in told() if words.endswith(REFUSED)] == told()
        await pilot.press("?", "c")
        lines = app.clipboard.count("\n") + 1
        await until(pilot, lambda: f"{lines} lines" in told())
        assert lines > 40
        assert sum(REFUSED in words for words in told()) == 1, "told once"


async def test_a_key_that_looks_at_one_service_says_that_one_must_be_open(tmp_path: Path) -> None:
    app = first(fleet.mixed(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "cart")
        await pilot.press("i")
        told = "open it with enter"
        await until(pilot, lambda: any(told in note.message for note in app._notifications))
        assert app.screen is screen
        app.clear_notifications()
        await pilot.press("/", "i", "d")
        await until(pilot, lambda: app.screen.query_one(Input).value == "id")
        assert not list(app._notifications), "what is typed into the filter is no key"


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (200, 50)])
async def test_it_fits(tmp_path: Path, size: tuple[int, int]) -> None:
    app = first(fleet.mixed(), tmp_path)
    async with app.run_test(size=size) as pilot:
        screen = await listed(pilot, "cart", "checkout", "0/4 run", "2 → 3 · bad0c0d", "RUNNING")
        assert "4 wrong" in text(screen)
        assert all(len(line) <= size[0] for line in text(screen).splitlines())


async def test_enter_opens_and_escape_comes_back_to_the_same_row(tmp_path: Path) -> None:
    app = first(fleet.mixed(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "search")
        await pilot.press("j", "j", "j")
        assert screen.pane.line is not None and screen.pane.line.ref.name == "search"
        await pilot.press("enter")
        service = await filled(pilot)
        assert service.snapshot is not None and service.snapshot.ref.name == "search"
        await pilot.press("escape")
        assert await listed(pilot, "search") is screen
        await until(pilot, lambda: not service.is_attached and len(app.screen_stack) == 2)
        await until(pilot, lambda: "search  " in text(screen))
        assert screen.pane.line.ref.name == "search"
        await pilot.press("enter")
        assert (await filled(pilot)) is not service


async def test_from_a_service_that_was_named_escape_shows_its_cluster(tmp_path: Path) -> None:
    world = fleet.calm(3, worlds.steady(), "other")
    fleet.adopt(world, worlds.crash_looping(), "broken")
    app = console(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        service = await filled(pilot)
        await pilot.press("+")
        await pilot.press("escape")
        assert app.screen is service, "the zoom first"
        await pilot.press("escape")
        screen = await listed(pilot, "broken", REF.name)
        assert rows(screen) == ["broken", REF.name]
        await until(pilot, lambda: screen.pane.line and screen.pane.line.ref == REF, "highlighted")
        await pilot.press("enter")
        service = await filled(pilot)
        assert service.snapshot is not None and service.snapshot.ref == REF


async def test_while_a_service_is_shown_the_list_asks_nothing(tmp_path: Path) -> None:
    world = fleet.mixed()
    app = first(world, tmp_path)
    async with app.run_test() as pilot:
        await listed(pilot, "cart")
        await pilot.press("enter")
        await filled(pilot)
        calls = world.count("services.describe_all")
        watcher = app.services._watcher
        assert isinstance(watcher, OverviewWatcher)
        for poller in watcher._every():
            poller.poll()
        assert world.count("services.describe_all") == calls
        await pilot.press("escape")
        await listed(pilot, "cart")
        described = world.count("services.describe")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: world.count("services.describe_all") > calls)
        assert world.count("services.describe") == described


async def test_the_selection_stays_on_its_service_when_rows_move(tmp_path: Path) -> None:
    world = fleet.mixed()
    app = first(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "service-03")
        await pilot.press("G", "k")
        line = screen.pane.line
        assert line is not None and line.ref.name == "service-04"
        fleet.adopt(world, worlds.crash_looping(), "service-04")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: rows(screen)[4] == "service-04")
        assert screen.pane.selection == line.key
        assert screen.pane.line is not None and screen.pane.line.word == "FAILING"
        await pilot.press("g")
        assert screen.pane.line.ref.name == "cart"


async def test_the_filter_and_only_what_is_wrong(tmp_path: Path) -> None:
    app = first(fleet.mixed(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "service-05")
        await pilot.press("!")
        assert rows(screen) == ["cart", "mail", "orders", "search", "catalog"]
        assert "only what is wrong 5 of 13" in text(screen)
        await pilot.press("/", *"payments", "enter")
        assert rows(screen) == ["orders"]
        await pilot.press("escape")
        assert len(rows(screen)) == 13 and app.screen is screen
        await pilot.press("/", *"FRq")
        assert isinstance(app.focused, Input) and app.is_running
        await pilot.press("escape", "escape", "escape")
        assert app.screen is screen and app.is_running
        await pilot.press("q")
    assert app.return_value == "quit"


@pytest.mark.parametrize("key", ["F", "R", "f", "r", "A", "X", "B", "M", "U", "d", "v", "p"])
async def test_no_key_of_a_service_does_anything_here(tmp_path: Path, key: str) -> None:
    world = fleet.mixed()
    app = first(world, tmp_path)
    async with app.run_test() as pilot:
        await listed(pilot, "cart")
        await pilot.press("enter")
        await filled(pilot)
        await pilot.press("escape")
        screen = await listed(pilot, "cart")
        await pilot.press(key)
        await pilot.pause()
        assert app.screen is screen and not world.writes


async def test_an_operation_goes_on_behind_and_is_reminded_of(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        await pilot.press("F")
        assert isinstance(await asked(pilot), ConfirmScreen)
        await pilot.press("y")
        await until(pilot, lambda: app.operating.running and world.writes)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ServiceScreen))
        await pilot.press("escape")
        screen = await listed(pilot, REF.name)
        await until(pilot, lambda: "e: open" in text(screen))
        worlds.settle(world)
        await until(pilot, lambda: not app.operating.running)


async def test_ctrl_o_still_opens_the_pickers(tmp_path: Path) -> None:
    app = first(fleet.calm(2, fleet.calm(2), "workers"), tmp_path)
    async with app.run_test() as pilot:
        screen = await listed(pilot, "service-01")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
        await until(pilot, lambda: "workers" in text(app.screen))
        await pilot.press(*"work", "enter")
        await until(pilot, lambda: "service-01" in text(app.screen))
        await pilot.press("enter")
        service = await filled(pilot)
        assert service.snapshot is not None
        assert service.snapshot.ref == ServiceRef("workers", "service-00")
        await pilot.press("escape")
        assert await listed(pilot, "service-01") is screen


async def test_the_palette_knows_the_way_to_it(tmp_path: Path) -> None:
    app = console(fleet.calm(1, worlds.steady()), tmp_path)
    async with app.run_test(size=(100, 40)) as pilot:
        await filled(pilot)
        await pilot.press(":")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await pilot.press(*"services")
        await until(pilot, lambda: "Every service, worst first" in text(app.screen))
        await pilot.press("enter")
        await listed(pilot, "service-00")
        await pilot.press(":")
        await until(pilot, lambda: "cluster" in text(app.screen))
        assert "Roll back" not in text(app.screen)


async def test_clusters_of_the_configuration_are_shown_and_no_list_is_needed(
    tmp_path: Path,
) -> None:
    world = fleet.calm(1, fleet.calm(2), "workers")
    world.fail("services.clusters", AccessDenied("AWS denies", action="ecs:ListClusters"))
    areas = (Area(REGION, "workers"), Area(REGION, "nope"))
    app = first(world, tmp_path, areas=lambda _: areas)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "service-00", "NOT THERE", "cluster nope")
        assert rows(screen) == ["cluster nope", "service-00"]
        await pilot.press("g", "enter")
        await pilot.pause()
        assert app.screen is screen, "there is no service to open"


async def test_a_service_of_another_region_is_opened_there(tmp_path: Path) -> None:
    home = fleet.calm(1)
    abroad = fleet.calm(1, fleet.empty())
    abroad.place = Place("eu-west-1")
    fleet.adopt(abroad, worlds.crash_looping(), "service-00")
    areas = (Area(REGION, CLUSTER), Area("eu-west-1", CLUSTER))

    def overlook(gateway: Gateway, areas: tuple[Area, ...], on_overview: Any) -> OverviewWatcher:
        from random import Random

        return OverviewWatcher(
            gateway,
            areas,
            connect=lambda _: scripted_gateway(abroad),
            clock=lambda: home.now,
            random=Random(0),
            on_overview=on_overview,
        )

    app = first(home, tmp_path, areas=lambda _: areas, overlook=overlook)
    async with app.run_test(size=(120, 36)) as pilot:
        await listed(pilot, " eu-west-1 ", " us-east-1 ")
        await pilot.press("enter")
        service = await filled(pilot)
        assert service.snapshot is not None
        assert (service.snapshot.place.region, service.snapshot.deploying) == ("eu-west-1", True)
        await pilot.press("escape")
        screen = await listed(pilot, " eu-west-1 ", " us-east-1 ")
        assert len(rows(screen)) == 2, "the same name in two regions is two services"
        await pilot.press("G", "enter")
        service = await filled(pilot)
        assert service.snapshot is not None
        assert (service.snapshot.place.region, service.snapshot.deploying) == (REGION, False)


async def test_trouble_keeps_the_rows_says_why_and_heals(tmp_path: Path) -> None:
    world = fleet.mixed()
    app = first(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await listed(pilot, "cart")
        world.fail("*", Throttled("Throttled", "DescribeServices"))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "CANNOT TELL" in text(screen))
        assert "throttled, next try" in text(screen) and "stale" in text(screen).split("\n")[0]
        assert "FAILING" in text(screen) and "RUNNING" not in text(screen)
        world.heal()
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "RUNNING" in text(screen) and "all fresh" in text(screen))


async def test_without_credentials_the_first_screen_says_so(tmp_path: Path) -> None:
    world = fleet.mixed()
    world.fail("*", lambda: NoCredentials("No credentials", "none"), times=1)
    areas = (Area(REGION, CLUSTER),)
    app = first(world, tmp_path, areas=lambda _: areas, retry_delays=(600.0,))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "No credentials" in text(app.screen))
        assert isinstance(app.screen, OpeningScreen)
        await pilot.press("ctrl+r")
        await listed(pilot, "cart")


async def test_an_account_without_services_says_so(tmp_path: Path) -> None:
    app = first(fleet.empty("bare", "empty"), tmp_path)
    async with app.run_test() as pilot:
        await listed(pilot, "there is no service here", "services of 2 clusters")


async def test_names_from_outside_do_nothing(tmp_path: Path) -> None:
    app = first(fleet.hostile(), tmp_path)
    async with app.run_test(size=(160, 45)) as pilot:
        screen = await listed(pilot, "[/foo]", "[@click=app.quit]x[/]", "service-00")
        for _ in range(6):
            await pilot.press("j")
        shown = text(screen)
        assert not any(c in shown for c in "\x1b\x00\x9b\x07")
        await pilot.press("g", "enter")
        service = await filled(pilot)
        assert service.snapshot is not None
        assert service.snapshot.ref.name in fleet.HOSTILE


async def test_the_identity_is_named_and_an_endpoint_too(tmp_path: Path) -> None:
    world = fleet.calm(2)
    world.place = replace(world.place, endpoint="127.0.0.1:4566")
    app = first(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await listed(pilot, "123456789012", "SANDBOX 127.0.0.1:4566", "/min")
