"""The console and its probe: begun with a service, ended with it, told of deployments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bgconsole.domain.probe import ProbeRecord
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot
from bgconsole.ui.screens.reading import ReadingScreen
from tests import scenes, worlds
from tests.consoles import console, filled, text, until
from tests.values import REF


@dataclass
class Scripted:
    """A probe that answers what a test says."""

    on_record: Callable[[ProbeRecord], None]
    started: bool = False
    stopped: bool = False
    followed: list[Snapshot] = field(default_factory=list)

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        self.stopped = True

    def follow(self, snapshot: Snapshot) -> None:
        self.followed.append(snapshot)


def probes() -> tuple[list[Scripted], Callable[[Callable[[ProbeRecord], None]], Scripted]]:
    made: list[Scripted] = []

    def make(on_record: Callable[[ProbeRecord], None]) -> Scripted:
        made.append(Scripted(on_record))
        return made[-1]

    return made, make


async def test_the_probe_of_the_service_is_shown_and_followed(tmp_path: Path) -> None:
    made, make = probes()
    app = console(worlds.deploying(), tmp_path, probe=make)
    async with app.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        [probe] = made
        assert probe.started and not probe.stopped
        await until(pilot, lambda: probe.followed and probe.followed[-1].deploying)
        record = scenes.probed(*scenes.CALM)
        probe.on_record(record)
        await until(pilot, lambda: screen.probe is record)
        await until(pilot, lambda: "80 ok · 0 failed" in text(screen))
        await pilot.press("5", "d")
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))
        assert "every 2 s, 80 times" in text(app.screen)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("5", "enter")
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))
    assert probe.stopped


async def test_new_credentials_do_not_disturb_it_and_another_service_ends_it(
    tmp_path: Path,
) -> None:
    made, make = probes()
    world = worlds.steady()
    other = ServiceRef(REF.cluster, "other")
    app = console(world, tmp_path, probe=make)
    async with app.run_test(size=(160, 45)) as pilot:
        await filled(pilot)
        app.watch_service(REF)
        assert len(made) == 1, "the same service is watched anew, by the same probe"
        app.watch_service(other)
        first, second = made
        assert first.stopped and second.started
        late, fresh = scenes.probed(*scenes.CALM[:3]), scenes.probed(*scenes.CALM[:5])
        first.on_record(late)
        second.on_record(fresh)
        await until(pilot, lambda: _record(app) is fresh)


async def test_a_console_without_a_probe_says_so(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        await pilot.press("5")
        await until(pilot, lambda: "off, as the configuration says" in text(screen))
        await pilot.press("d")
        await pilot.pause()
        assert app.screen is screen, "there is nothing to read"


def _record(app: Any) -> ProbeRecord | None:
    found: ProbeRecord | None = getattr(app.screen, "probe", None)
    return found
