"""The console over a scripted world, and how tests wait for what it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen

from bgconsole.domain.overview import Area, Overview
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.operations.audit import AuditLog
from bgconsole.operations.runner import NO_DEFAULTS, NO_RISKS, Runner
from bgconsole.operations.spec import Params, Risk
from bgconsole.ui.app import Console
from bgconsole.ui.input_guard import Timing
from bgconsole.ui.screens.confirm import ConfirmScreen
from bgconsole.ui.screens.dialog import Dialog
from bgconsole.ui.screens.service import ServiceScreen
from bgconsole.ui.wiring import Wiring
from bgconsole.watch.batch import LogBatch
from bgconsole.watch.overview import OverviewWatcher
from bgconsole.watch.watcher import Watcher
from tests.values import REF

QUICK = Timing(burst_gap=0, settle=0)
"""A test types faster than fingers, and as soon as the dialog is there."""
PATIENCE = 10.0
"""Seconds after which a condition counts as never met."""


def wiring(
    world: ScriptedWorld,
    folder: Path,
    *,
    read_only: bool = False,
    risks: Mapping[str, Risk] = NO_RISKS,
    defaults: Mapping[str, Params] = NO_DEFAULTS,
    **changes: Any,
) -> Wiring:
    """Everything the console needs, over one world; the world's clock is everybody's."""
    gateway = scripted_gateway(world)

    def clock() -> Any:
        return world.now

    def watch(
        gateway: Gateway,
        ref: ServiceRef,
        on_snapshot: Callable[[Snapshot], None],
        on_lines: Callable[[LogBatch], None],
    ) -> Watcher:
        return Watcher(
            gateway,
            ref,
            clock=clock,
            random=Random(1),
            on_snapshot=on_snapshot,
            on_lines=on_lines,
        )

    def runner(gateway: Gateway, _: ServiceRef) -> Runner:
        return Runner(
            gateway,
            audit=AuditLog(folder / "audit.jsonl"),
            clock=clock,
            surface="console",
            risks=risks,
            read_only=read_only,
            defaults=defaults,
            wait=lambda event, _: event.wait(0.01),
        )

    def overlook(
        home: Gateway, areas: tuple[Area, ...], on_overview: Callable[[Overview], None]
    ) -> OverviewWatcher:
        return OverviewWatcher(
            home,
            areas,
            connect=lambda _: gateway,
            clock=clock,
            random=Random(2),
            on_overview=on_overview,
        )

    given: dict[str, Any] = {
        "connect": lambda: gateway,
        "watch": watch,
        "runner": runner,
        "overlook": overlook,
        "clock": clock,
        "cluster": REF.cluster,
        "service": REF.name,
        "why_read_only": lambda _: "for this test" if read_only else "",
        "timing": QUICK,
        "retry_delays": (0.05,),
    }
    return Wiring(**{**given, **changes})


def console(world: ScriptedWorld, folder: Path, **changes: Any) -> Console:
    """A console that is not started yet."""
    return Console(wiring(world, folder, **changes))


async def until(pilot: Pilot[Any], met: Callable[[], object], what: str = "") -> None:
    """Wait for a condition; say what never came."""
    for _ in range(int(PATIENCE / 0.01)):
        if met():
            return
        await pilot.pause(0.01)
    raise AssertionError(f"never came: {what or met}\n{text(pilot.app.screen)}")


async def filled(pilot: Pilot[Any]) -> ServiceScreen:
    """Wait for the main screen with a whole picture."""

    def whole() -> bool:
        screen = pilot.app.screen
        taken = screen.snapshot if isinstance(screen, ServiceScreen) else None
        return taken is not None and all(
            not part.waiting
            for part in (taken.service, taken.deployments, taken.tasks, taken.targets)
        )

    await until(pilot, whole, "a whole picture")
    screen = pilot.app.screen
    assert isinstance(screen, ServiceScreen)
    return screen


async def asked(pilot: Pilot[Any], *, gathered: bool = True) -> ConfirmScreen:
    """Wait for a confirmation that takes keys."""

    def there() -> bool:
        screen = pilot.app.screen
        return (
            isinstance(screen, ConfirmScreen)
            and screen.armed
            and (screen.proposal.gathered or not gathered)
        )

    await until(pilot, there, "a confirmation")
    screen = pilot.app.screen
    assert isinstance(screen, ConfirmScreen)
    return screen


async def armed(pilot: Pilot[Any], kind: type[Dialog[Any]]) -> None:
    """Wait for a dialog of a kind that takes keys."""
    await until(
        pilot,
        lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.armed,
        kind.__name__,
    )


def text(screen: Screen[Any]) -> str:
    """What is on the screen, as a terminal shows it."""
    width, height = screen.size
    strips = screen._compositor.render_strips(screen.size) if width and height else []
    return "\n".join(strip.text.rstrip() for strip in strips)
