"""The timeline screen: newest last, filters, the line in full, copying and saving."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from bgconsole.config.paths import write_private
from bgconsole.domain.errors import AccessDenied, ConfigurationError
from bgconsole.domain.logs import LogLine, to_milliseconds
from bgconsole.domain.moments import Moment, moment
from bgconsole.domain.services import ServiceEvent
from bgconsole.domain.severity import Severity
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.ui.screens.service import ServiceScreen
from bgconsole.ui.screens.timeline import TimelinePane, TimelineScreen, keyed
from tests import worlds
from tests.consoles import console, filled, text, until
from tests.values import LOG_GROUP, NOW, REF


async def opened(pilot: Pilot[Any]) -> TimelinePane:
    """The timeline, filled."""
    await filled(pilot)
    await pilot.press("i")
    await until(pilot, lambda: isinstance(pilot.app.screen, TimelineScreen), "the timeline")
    await until(pilot, lambda: pilot.app.screen.query(TimelinePane), "its pane")
    pane = pilot.app.screen.query_one(TimelinePane)
    await until(pilot, lambda: pane.moments, "moments")
    return pane


def add_event(world: ScriptedWorld, words: str) -> None:
    with world.lock:
        service = world.services[REF]
        new = ServiceEvent(f"new-{len(service.events)}", world.now, f"(service x) {words}")
        world.services[REF] = replace(service, events=(new, *service.events))


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_it_reads_from_top_to_bottom_and_shows_the_last_line_whole(
    tmp_path: Path, size: Any
) -> None:
    app = console(worlds.rolled_back(), tmp_path)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await until(pilot, lambda: "13:57:00 UTC · event · ECS" in text(app.screen))
        shown = text(app.screen)
        assert "Timeline · last 24 h · newest last" in shown
        lines = [line for line in shown.splitlines() if line[1:4] == "13:"]
        assert lines == sorted(lines, key=lambda line: line[1:9])
        assert "✖  deployment" in shown
        assert "revision 2: deployed" not in shown, "two days ago"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ServiceScreen))


async def test_it_stays_at_its_end_unless_somebody_reads_above(tmp_path: Path) -> None:
    world = worlds.rolled_back()
    app = console(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot)
        add_event(world, "is the newest.")
        app.action_refresh()
        await until(pilot, lambda: pane.selection == "is the newest.", "the new line")
        await pilot.press("k", "k")
        above = pane.selection
        add_event(world, "is newer still.")
        app.action_refresh()
        await until(pilot, lambda: "is newer still." in text(app.screen))
        assert pane.selection == above
        await pilot.press("G")
        await until(pilot, lambda: pane.selection == "is newer still.")


async def test_how_far_back_it_looks(tmp_path: Path) -> None:
    app = console(worlds.rolled_back(), tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot)
        await pilot.press("]")
        await until(pilot, lambda: "all that is known" in text(app.screen))
        assert any("revision 1: deployed" in one.words for one in pane.moments)
        await pilot.press("]", "[", "[", "[", "[", "[")
        await until(pilot, lambda: "last 30 min" in text(app.screen))
        assert all(one.at >= NOW - timedelta(minutes=30) for one in pane.moments)


async def test_where_nothing_happened_lately_it_looks_back_as_far_as_it_can(
    tmp_path: Path,
) -> None:
    world = worlds.steady()
    world.services[REF] = replace(world.services[REF], events=())
    app = console(world, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await opened(pilot)
        await until(pilot, lambda: "all that is known" in text(app.screen))
        assert any("revision 2: deployed" in one.words for one in pane.moments)
        await pilot.press("[")
        await until(pilot, lambda: "nothing is known to have happened" in text(app.screen))


async def test_filters(tmp_path: Path) -> None:
    app = console(worlds.rolled_back(), tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await opened(pilot)
        whole = len(pane.moments)
        await pilot.press("!")
        await until(pilot, lambda: "only what is wrong" in text(app.screen))
        assert all(one.wrong for one in pane.shown)
        assert 0 < len(pane.shown) < whole
        await pilot.press("/", *"breaker", "enter")
        await until(pilot, lambda: "“breaker”" in text(app.screen))
        assert all("breaker" in one.words for one in pane.shown)
        await pilot.press("escape")
        await until(pilot, lambda: len(pane.shown) == whole)
        assert isinstance(app.screen, TimelineScreen), "esc clears the filter first"
        await pilot.press("/", *"no such words", "enter")
        await until(pilot, lambda: "nothing that passes the filter" in text(app.screen))


async def test_copying_gives_markdown_of_what_is_shown(tmp_path: Path) -> None:
    app = console(worlds.rolled_back(), tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await opened(pilot)
        await pilot.press("!", "c")
        await until(pilot, lambda: app.clipboard)
        assert app.clipboard.startswith("**democluster-cluster/democluster-service**")
        assert app.clipboard.count("\n- `") == len(pane.shown)
        assert "- ? not seen: before the last 24 h" in app.clipboard
        assert "3 lines that a filter hides" in app.clipboard


async def test_saving_keeps_two_private_files_and_tells_where(tmp_path: Path) -> None:
    def save(name: str, content: str) -> str:
        write_private(tmp_path / "exports" / name, content)
        return str(tmp_path / "exports" / name)

    app = console(worlds.rolled_back(), tmp_path, save=save)
    async with app.run_test(size=(200, 50)) as pilot:
        pane = await opened(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "saved " in text(app.screen))
        page, data = sorted((tmp_path / "exports").iterdir(), key=lambda file: file.suffix)[::-1]
        assert (page.suffix, data.suffix) == (".md", ".json")
        assert page.name.startswith("timeline-democluster-service-20260301-140000")
        assert all(file.stat().st_mode & 0o777 == 0o600 for file in (page, data))
        assert len(json.loads(data.read_text())["moments"]) == len(pane.shown)
        assert f"saved {page} and .json" in text(app.screen).splitlines()[0]


async def test_a_full_disk_is_told(tmp_path: Path) -> None:
    def save(name: str, _: str) -> str:
        raise ConfigurationError("Nothing was saved", f"{name}: No space left on device")

    app = console(worlds.rolled_back(), tmp_path, save=save)
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: len(app._notifications) > 0)
        (told,) = app._notifications
        assert "No space left on device" in told.message


async def test_our_own_operations_and_error_lines_are_in_it(tmp_path: Path) -> None:
    world = worlds.crash_looping()
    task = next(t for t in world.tasks[REF] if t.task_definition.endswith(":3"))
    at = to_milliseconds(NOW - timedelta(seconds=50))
    line = LogLine(at, at, "e1", LOG_GROUP, f"ecs/web/{task.id}", "PG::Error: no column")
    world.logs[LOG_GROUP].append(line)
    mine = moment(NOW, "operation", "arn/kim", "Roll back by kim", Severity.BUSY)
    app = console(world, tmp_path, ours=lambda _: (mine,))
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await opened(pilot)
        await until(pilot, lambda: mine in pane.moments)
        told = "revision 3: first error line: PG::Error: no column"
        await until(pilot, lambda: told in [one.words for one in pane.moments])


async def test_what_is_lacking_is_said(tmp_path: Path) -> None:
    world = worlds.rolled_back()
    world.fail("stacks.stacks", AccessDenied("AWS denies", action="cloudformation:DescribeStacks"))

    def ours(_: object) -> tuple[Moment, ...]:
        raise ConfigurationError("The audit log cannot be read", "x: Permission denied")

    app = console(world, tmp_path, ours=ours)
    async with app.run_test(size=(160, 40)) as pilot:
        await opened(pilot)
        await until(pilot, lambda: "stacks: AWS denies" in text(app.screen))
        await until(pilot, lambda: "our own operations: The audit log" in text(app.screen))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "2 sources not seen" in text(app.screen))


async def test_hostile_words_are_only_words(tmp_path: Path) -> None:
    world = worlds.rolled_back()
    add_event(world, "[@click=app.quit]x[/] \x1b[31mred\x1b]52;c;aGk=\x07 postgres://u:hunter2@db")
    app = console(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        await until(pilot, lambda: "[@click=app.quit]x[/] red" in text(app.screen))
        assert "hunter2" not in text(app.screen)


async def test_a_stage_that_the_console_saw_is_in_it(tmp_path: Path) -> None:
    world = worlds.deploying()
    newest, *rest = world.history[REF]
    first = replace(newest, strategy="BLUE_GREEN", lifecycle_stage="SCALE_UP")
    world.history[REF] = (first, *rest)
    app = console(world, tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        later = replace(first, lifecycle_stage="BAKE_TIME", updated_at=NOW + timedelta(seconds=5))
        with world.lock:
            world.history[REF] = (later, *rest)
        app.action_refresh()
        pane = await opened(pilot)
        await until(
            pilot,
            lambda: (
                {"revision 2: stage scale up", "revision 2: stage bake"}
                <= {one.words for one in pane.moments}
            ),
        )


def test_a_line_keeps_its_key_while_its_count_grows() -> None:
    def tasks(count: int) -> Moment:
        return moment(NOW, "task", "ecs-svc/1", f"{count} tasks stopped")

    other = moment(NOW, "task", "ecs-svc/1", "1 task stopped: scaled in")
    assert list(keyed([tasks(1), other])) == list(keyed([tasks(5), other]))
    assert len(keyed([tasks(1), other])) == 2
