"""The main screen: layout by size, keys, pages behind keys, and what it never does."""

from __future__ import annotations

import asyncio
import gc
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual import events
from textual.widget import Widget
from textual.widgets import Input

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain.errors import Unreachable
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.ui.messages import SnapshotTaken
from bgconsole.ui.panes.pane import Pane
from bgconsole.ui.screens.reading import ReadingScreen
from bgconsole.ui.screens.service import PANES, ServiceScreen
from bgconsole.ui.widgets.pane_tabs import PaneTabs
from bgconsole.ui.widgets.steady_footer import SteadyFooter
from tests import scenes, two_groups, worlds
from tests.consoles import console, filled, text, until
from tests.unit.domain.test_since import one_ill, with_events
from tests.unit.domain.test_timeline import look
from tests.values import NOW, REF

HOSTILE = (
    "[/foo]",
    "[@click=app.quit]x[/]",
    "\x1b[31mred\x1b]52;c;aGk=\x07",
    "\x00\x9b1m",
    "漢字e\u0301",
)


STANDING = [pane for pane in PANES if pane != "probe"]
"""What a terminal of 120x36 shows of itself; the probe comes beside them while it is chosen."""


def shown(screen: ServiceScreen) -> list[str]:
    """The panes that can be seen."""
    return [pane for pane in PANES if _visible(screen.query_one(f"#{pane}"))]


def _visible(widget: Widget) -> bool:
    return widget.region.area > 0 and all(
        node.display for node in widget.ancestors_with_self if isinstance(node, Widget)
    )


def quiet(_: object) -> Any:
    """A probe that is on, and is never answered."""
    return SimpleNamespace(start=lambda: None, stop=lambda: None, follow=lambda _: None)


@pytest.mark.parametrize("size", [(120, 36), (160, 45), (200, 50), (100, 30)])
async def test_where_there_is_room_every_pane_is_seen(tmp_path: Path, size: Any) -> None:
    app = console(worlds.deploying(), tmp_path, probe=quiet)
    async with app.run_test(size=size) as pilot:
        screen = await filled(pilot)
        wide = size[0] >= 160
        await until(pilot, lambda: shown(screen) == (list(PANES) if wide else STANDING))
        if wide:
            stacks, probe = screen.query_one("#stacks").region, screen.query_one("#probe").region
            assert (stacks.right, stacks.y) == (probe.x, probe.y) and probe.right == size[0]
            assert probe.width > stacks.width
        boxes = [screen.query_one(f"#{pane}").region for pane in STANDING]
        tasks, targets, stacks, logs = boxes
        assert tasks.width == logs.width == size[0]
        assert targets.y == stacks.y and targets.right == stacks.x
        assert logs.bottom == size[1] - 1 and min(box.height for box in boxes) >= 5
        assert not _visible(screen.query_one(PaneTabs))


@pytest.mark.parametrize("size", [(80, 24), (99, 50), (160, 29)])
async def test_on_a_small_screen_one_pane_and_the_logs_are_seen(tmp_path: Path, size: Any) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test(size=size) as pilot:
        screen = await filled(pilot)
        await until(pilot, lambda: shown(screen) == ["tasks", "logs"])
        assert "1 Tasks" in text(screen) and _visible(screen.query_one(PaneTabs))
        for key, pane in (("2", "targets"), ("3", "stacks"), ("5", "probe"), ("1", "tasks")):
            await pilot.press(key)
            await until(pilot, lambda pane=pane: set(shown(screen)) == {pane, "logs"})
            assert screen.pane.id == pane and screen.query_one(PaneTabs).chosen == pane
        await pilot.press("4")
        await until(pilot, lambda: shown(screen) == ["logs"])
        assert screen.query_one("#logs").region.height > 10


async def test_the_tab_of_every_pane_that_is_stale_says_so(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await filled(pilot)

        def tabs() -> str:
            return next(line for line in text(screen).splitlines() if "5 Probe" in line)

        await until(pilot, lambda: "4 Logs" in tabs() and "▲" not in tabs())
        for call in ("logs.page", "targets.balancing"):
            world.fail(call, Unreachable("No answer"))
        await until(pilot, lambda: "4 Logs ▲" in tabs(), "logs that are stale")
        await until(pilot, lambda: "2 Targets ▲" in tabs())
        assert "3 Stacks ▲" not in tabs()
        world.heal()
        await until(pilot, lambda: "▲" not in tabs(), "all fresh again")


async def test_a_screen_that_shrinks_keeps_what_was_looked_at(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        await pilot.press("3")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: shown(screen) == ["stacks", "logs"])
        await pilot.resize_terminal(120, 36)
        await until(pilot, lambda: shown(screen) == STANDING)


async def test_the_probe_comes_beside_the_others_while_it_is_chosen(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path, probe=quiet)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        await pilot.press("5")
        await until(pilot, lambda: shown(screen) == list(PANES))
        assert screen.pane.id == "probe"
        await pilot.press("1")
        await until(pilot, lambda: shown(screen) == STANDING)


@pytest.mark.parametrize("size", [(120, 36), (160, 45), (80, 24)])
async def test_a_probe_that_is_off_takes_no_room(tmp_path: Path, size: Any) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test(size=size) as pilot:
        screen = await filled(pilot)
        await until(pilot, lambda: "probe" not in shown(screen))
        await pilot.press("5")
        await until(pilot, lambda: "off, as the configuration says" in text(screen))


async def test_tab_goes_round_and_zoom_gives_all_the_room(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        seen = []
        for _ in PANES:
            seen.append(screen.pane.id)
            await pilot.press("tab")
        assert seen == list(PANES) and screen.pane.id == "tasks"
        await pilot.press("shift+tab")
        assert screen.pane.id == "probe"
        for pane in PANES:
            await pilot.press(str(PANES.index(pane) + 1), "+")
            await until(pilot, lambda pane=pane: shown(screen) == [pane])
            await pilot.press("_")
            await until(
                pilot,
                lambda pane=pane: shown(screen) == list(PANES if pane == "probe" else STANDING),
            )
        await pilot.press("2", "+")
        await until(pilot, lambda: shown(screen) == ["targets"])
        await pilot.press("escape")
        await until(pilot, lambda: shown(screen) == STANDING)


async def test_escape_clears_the_filter_first(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        await pilot.press("+", "/", *"FRq", "enter")
        pane = screen.query_one("#tasks", Pane)
        assert pane.narrowed and not isinstance(app.focused, Input) and app.is_running
        await pilot.press("escape")
        assert not pane.narrowed and screen.has_class("-zoomed")
        await pilot.press("escape")
        assert not screen.has_class("-zoomed")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (("1", "d"), "democluster-task-family:2"),
        (("1", "enter"), "container democluster-container"),
        (("2", "d"), "health check"),
        (("3", "d"), "LogGroup"),
        (("v",), "has reached a steady state"),
        (("p",), "SUCCESSFUL"),
        (("?",), "Force redeploy"),
    ],
)
async def test_pages_behind_keys(tmp_path: Path, keys: tuple[str, ...], told: str) -> None:
    world = worlds.rolled_back() if keys == ("v",) else worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=(120, 60)) as pilot:
        screen = await filled(pilot)
        await until(pilot, lambda: screen.query_one("#stacks", Pane).selection)
        await pilot.press(*keys)
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))
        await until(pilot, lambda: told in text(app.screen))
        await pilot.press("c")
        assert told in app.clipboard
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)


async def test_a_key_of_the_logs_says_in_another_pane_where_it_works(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path)

    def told() -> list[str]:
        return [note.message for note in app._notifications if "4 goes there" in note.message]

    async with app.run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        await pilot.press("1", "number_sign")
        await until(pilot, lambda: len(told()) == 1)
        await pilot.press("4", "number_sign", "1", "slash", "n", "w")
        await pilot.pause()
        assert len(told()) == 1, "neither in the logs, nor as text of a filter"


async def test_help_names_every_key_of_the_table(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test(size=(120, 100)) as pilot:
        await filled(pilot)
        await pilot.press("?")
        await until(pilot, lambda: "changing the world" in text(app.screen))
        page = text(app.screen)
        for key in KEYMAP.values():
            assert key.shown in page
            if key.kind == "read":
                assert key.help[:60] in page


async def test_a_page_follows_the_picture(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))
        world.become(worlds.rolled_back())
        app.session.refresh()
        await until(pilot, lambda: "rolling back" in text(app.screen))


async def test_copy_takes_the_highlighted_row(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        await pilot.press("c")
        assert app.clipboard == screen.pane.selection != ""


async def test_an_older_picture_and_a_stopped_watcher_are_dropped(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test() as pilot:
        screen = await filled(pilot)
        taken = screen.snapshot
        assert taken is not None
        epoch = app.session.epoch
        newer = replace(taken, generation=taken.generation + 50, calls_per_minute=1)
        older = replace(taken, generation=taken.generation + 20, calls_per_minute=2)
        other = replace(taken, generation=taken.generation + 90, calls_per_minute=3)
        app.post_message(SnapshotTaken(epoch, newer))
        app.post_message(SnapshotTaken(epoch, older))
        app.post_message(SnapshotTaken(epoch - 1, other))
        await until(pilot, lambda: screen.snapshot is newer)
        await pilot.pause()
        assert screen.snapshot is newer
        assert all(pane.snapshot is newer for pane in screen.query(Pane))


def test_only_an_older_message_of_the_same_watcher_is_superseded() -> None:
    from bgconsole.domain.identity import Place
    from bgconsole.domain.snapshot import Snapshot

    def message(epoch: int, generation: int) -> SnapshotTaken:
        return SnapshotTaken(epoch, Snapshot(REF, Place("us-east-1"), generation))

    assert message(1, 1).can_replace(message(1, 2))
    assert not message(1, 2).can_replace(message(1, 1))
    assert not message(1, 1).can_replace(message(2, 2))


async def test_keys_answer_within_100_ms_while_every_call_hangs(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        with world.held("*") as held:
            app.session.refresh()
            await until(pilot, held.arrived.is_set)
            waits = []
            for key, pane in (("2", "targets"), ("3", "stacks"), ("4", "logs"), ("1", "tasks")):
                began = time.perf_counter()
                app.post_message(events.Key(key, key))
                while screen.pane.id != pane:  # noqa: ASYNC110  as soon as it can be seen
                    await asyncio.sleep(0)
                waits.append(time.perf_counter() - began)
                await pilot.pause()
            await pilot.press("F")
            await until(pilot, lambda: app.screen is not screen)
            await pilot.press("escape")
        # The quickest: the others may have met other processes on this machine.
        assert min(waits) < 0.1


async def test_with_everything_unreachable_the_screen_stays_and_says_so(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        world.fail("*", Unreachable("No answer", "127.0.0.1:4566 refused"))
        app.session.refresh()
        await until(pilot, lambda: "CANNOT TELL" in text(screen))
        assert "2 Targets" in text(screen) and "10.0.0.140" in text(screen)
        world.heal()
        app.session.refresh()
        await until(pilot, lambda: "STEADY" in text(screen))


def _hostile(text_of: str) -> ScriptedWorld:
    world = worlds.deploying()
    world.identity = replace(world.identity, alias=text_of)
    service = world.services[REF]
    events = tuple(replace(e, message=text_of + e.message) for e in service.events) or ()
    world.services[REF] = replace(service, events=events, stack=text_of)
    world.tasks[REF] = tuple(
        replace(t, zone=text_of, stopped_reason=text_of) for t in world.tasks[REF]
    )
    world.stacks = {
        name: replace(s, name=text_of + name, reason=text_of, outputs=((text_of, text_of),))
        for name, s in world.stacks.items()
    }
    balancing = world.balancing[REF]
    groups = tuple(
        replace(
            g,
            name=text_of,
            targets=tuple(replace(t, description=text_of) for t in g.targets),
        )
        for g in balancing.groups
    )
    world.balancing[REF] = replace(balancing, groups=groups)
    for name, lines in world.logs.items():
        world.logs[name] = [replace(line, message=text_of) for line in lines]
    return world


@pytest.mark.parametrize("bite", [*HOSTILE, "x" * 100_000], ids=[*map(repr, HOSTILE), "long"])
async def test_text_that_bites_is_only_text(tmp_path: Path, bite: str) -> None:
    app = console(_hostile(bite), tmp_path)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        screen = await filled(pilot)
        app.notify(bite, title=bite)
        for keys in (("1", "d"), ("2", "d"), ("3", "d"), ("v",), ("p",), ("?",)):
            await pilot.press(*keys)
            await until(pilot, lambda: isinstance(app.screen, ReadingScreen))
            _harmless(text(app.screen))
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is screen)
        await pilot.press("R")
        await until(pilot, lambda: app.screen is not screen)
        await pilot.pause()
        _harmless(text(app.screen))
        await pilot.press("escape")
        _harmless(text(screen))
        assert app.is_running


def _harmless(page: str) -> None:
    for code in (*range(0x00, 0x0A), *range(0x0B, 0x20), *range(0x7F, 0xA0)):
        assert chr(code) not in page


async def test_the_footer_leaks_nothing_and_follows_the_bindings(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        footer = screen.query_one(SteadyFooter)
        await until(pilot, lambda: all(key.enabled for key in footer.keys if key.write))
        words = [key.words for key in footer.keys]
        assert words[:5] == ["build+push", "migrate", "update", "redeploy", "roll back"]
        gc.collect()
        before = sum(isinstance(thing, Widget) for thing in gc.get_objects())
        for _ in range(200):
            screen.refresh_bindings()
            await pilot.pause(0)
        gc.collect()
        after = sum(isinstance(thing, Widget) for thing in gc.get_objects())
        assert after <= before + 2
        world.become(worlds.deploying())
        app.session.refresh()
        await until(pilot, lambda: not any(k.enabled for k in footer.keys if k.key in ("U", "F")))
        assert all(k.enabled for k in footer.keys if k.key == "R")


@pytest.mark.parametrize(("width", "holds"), [(160, "command"), (80, "roll back"), (40, "R")])
async def test_the_footer_fits(tmp_path: Path, width: int, holds: str) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test(size=(width, 24)) as pilot:
        screen = await filled(pilot)
        await until(pilot, lambda: holds in text(screen).splitlines()[-1])
        last = text(screen).splitlines()[-1]
        assert len(last) <= width and "…" not in last and "?" in last


async def test_trouble_that_aws_tells_no_time_of_began_when_it_was_seen_here() -> None:
    steady = (9, "has reached a steady state.")
    ill = look(with_events(one_ill(worlds.steady()), steady))
    app = scenes.Host(shown=ill)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "DEGRADED" in text(app.screen))
        assert "since 14:0" not in text(app.screen), "it may have begun before"
        app.show(replace(scenes.steady(), generation=1000))
        await until(pilot, lambda: "STEADY" in text(app.screen))
        app.moment = NOW + timedelta(minutes=3)
        app.show(replace(ill, generation=1001))
        await until(pilot, lambda: "DEGRADED   since 14:03 · revision 2" in text(app.screen))
        app.moment = NOW + timedelta(minutes=7)
        app.show(replace(ill, generation=1002))
        await pilot.pause()
        assert "since 14:03" in text(app.screen)


async def test_the_footer_keeps_the_words_of_what_may_be_done_now(tmp_path: Path) -> None:
    app = console(two_groups.paused(), tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await filled(pilot)
        await until(pilot, lambda: "A approve" in text(screen).splitlines()[-1])
        last = text(screen).splitlines()[-1]
        assert "R roll back" in last and "X stop" in last and "(U)" in last and "?" in last
        await pilot.resize_terminal(44, 24)
        await until(pilot, lambda: len(text(screen).splitlines()[-1]) <= 44)
        assert "A approve" in text(screen).splitlines()[-1]


async def test_a_click_on_the_footer_is_the_key(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        await until(pilot, lambda: "help" in text(screen).splitlines()[-1])
        at = text(screen).splitlines()[-1].index("help")
        await pilot.click(SteadyFooter, offset=(at, 0))
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))


async def test_a_users_keys_take_the_place_of_the_defaults(tmp_path: Path) -> None:
    keymap = KEYMAP.changed({"events": ("y",), "service.rollback": ("Z",), "filter": ("h",)})
    assert keymap.clashes() == ()
    app = console(worlds.steady(), tmp_path, keymap=keymap)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        await pilot.press("v", "R")
        assert app.screen is screen
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))
        await pilot.press("escape", "h")
        assert isinstance(app.focused, Input)
        await pilot.press("escape", "Z")
        await until(pilot, lambda: type(app.screen).__name__ == "ConfirmScreen")


@pytest.mark.parametrize("name", sorted(worlds.BUILDERS))
async def test_every_world_is_shown(tmp_path: Path, name: str) -> None:
    app = console(worlds.BUILDERS[name](), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        assert app.is_running and "1 Tasks" in text(screen)


async def test_leaving_stops_the_watcher(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path)
    async with app.run_test() as pilot:
        await filled(pilot)
        await pilot.press("q")
    assert app.return_value == "quit" and app.session._watcher is None


async def test_at_80_by_24_a_failure_shows_its_cause_and_who_serves() -> None:
    app = scenes.Host(shown=scenes.crash_looping())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "FAILING" in text(app.screen))
        told = " ".join(text(app.screen).split())
        for words in ('PG::UndefinedColumn: ERROR: posts.summary")', "Revision 2 serves 100 %"):
            assert words in told
        assert "R back to 2" in told and "breaker 2/3" in told and "old 100 %" in told
