"""The services screen as pictures: mixed, calm, and with clusters that do not answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from textual.pilot import Pilot

from bgconsole.domain.errors import AccessDenied, Throttled
from bgconsole.domain.identity import Place
from bgconsole.domain.overview import Area
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.ui.app import Console
from bgconsole.ui.screens.services import ServicesScreen
from bgconsole.watch.overview import OverviewWatcher
from tests import fleet
from tests.consoles import console, text, until
from tests.values import CLUSTER, REGION

Compare = Callable[..., bool]
SIZES = [(80, 24), (120, 36), (160, 45)]
AREAS = (Area(REGION, CLUSTER), Area(REGION, "nope"), Area("eu-west-1", "workers"))


def shows(*words: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Wait until all this is on the screen."""

    async def before(pilot: Pilot[Any]) -> None:
        def there() -> bool:
            screen = pilot.app.screen
            return isinstance(screen, ServicesScreen) and all(w in text(screen) for w in words)

        await until(pilot, there, f"{words}")

    return before


def scene(name: str, folder: Path) -> tuple[Console, Callable[[Pilot[Any]], Awaitable[None]]]:
    """A console in a state, and what is seen when it is there."""
    if name == "several":
        return _several(folder), shows("NOT THERE", "AccessDenied", "orders", "FAILING")
    world = fleet.calm(60) if name == "calm" else fleet.mixed()
    seen = ["service-05", "running as asked"]
    if name == "stale":
        seen = ["CANNOT TELL", "throttled, next try"]
    app = console(world, folder, cluster="", service="")

    async def before(pilot: Pilot[Any]) -> None:
        await shows("service-05", "running as asked", "123456789012")(pilot)
        if name == "stale":
            for call in ("services.services", "services.describe_all"):
                world.fail(call, Throttled("Throttled", "DescribeServices"))
            await pilot.press("ctrl+r")
            await shows(*seen)(pilot)
        if name == "wrong":
            await pilot.press("!", "j", "j")
            await shows("only what is wrong")(pilot)

    return app, before


def _several(folder: Path) -> Console:
    world, denied = fleet.mixed(), fleet.empty("workers")
    denied = replace(denied, place=Place("eu-west-1"))
    denied.fail(
        "*", AccessDenied("AWS denies", "needs ecs:ListServices", action="ecs:ListServices")
    )

    def overlook(home: Gateway, areas: tuple[Area, ...], on_overview: Any) -> OverviewWatcher:
        return OverviewWatcher(
            home,
            areas,
            connect=lambda _: scripted_gateway(denied),
            clock=lambda: world.now,
            random=Random(1),
            on_overview=on_overview,
        )

    return console(world, folder, cluster="", service="", areas=lambda _: AREAS, overlook=overlook)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", ["mixed", "calm", "wrong", "stale", "several"])
def test_services(snap_compare: Compare, tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    app, before = scene(name, tmp_path)
    assert snap_compare(app, terminal_size=size, run_before=before)


def test_hostile_names(snap_compare: Compare, tmp_path: Path) -> None:
    world: ScriptedWorld = fleet.hostile()
    app = console(world, tmp_path, cluster="", service="")
    before = shows("[/foo]", "service-00")
    assert snap_compare(app, terminal_size=(120, 36), run_before=before)
