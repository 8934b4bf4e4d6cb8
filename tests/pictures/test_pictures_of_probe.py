"""What the probe's pane looks like: a deployment that nobody noticed, and a site that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from bgconsole.ui.panes.probe import ProbePane
from tests import scenes
from tests.pictures.test_pictures_of_panes import SIZES, heard
from tests.scenes import Host

Compare = Callable[..., bool]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_screen_with_the_probe(snap_compare: Compare, size: tuple[int, int]) -> None:
    taken = scenes.deploying()
    app = Host(shown=taken, probe=scenes.probed(*scenes.TURNING, deploying=True))
    before = heard(scenes.talk(taken), press=("5",))
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("answers", ["CALM", "TURNING", "BROKEN"])
def test_pane(snap_compare: Compare, answers: str) -> None:
    record = scenes.probed(*getattr(scenes, answers), deploying=True, ended=True)
    app = Host(ProbePane, shown=scenes.steady(), probe=record)
    assert snap_compare(app, terminal_size=(100, 14), run_before=heard())


def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    record = scenes.probed(*scenes.TURNING, *scenes.BROKEN[-12:], deploying=True)
    app = Host(ProbePane, shown=scenes.deploying(), probe=record)
    assert snap_compare(app, terminal_size=(80, 14), run_before=heard())


def test_silence(snap_compare: Compare) -> None:
    app = Host(ProbePane, shown=scenes.steady(), probe=scenes.probed(*scenes.CALM))

    async def before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        app.later(90)
        await pilot.pause()

    assert snap_compare(app, terminal_size=(100, 12), run_before=before)
