"""Reading back in the console: older lines and gaps come from the tail of the service shown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bgconsole.domain.errors import Throttled
from bgconsole.domain.logs import LogLine, to_milliseconds
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.ui.panes.log_lines import LogLines
from tests import worlds
from tests.consoles import console, filled, text, until
from tests.values import LOG_GROUP, NOW

PAGE = 40


def with_history(count: int) -> ScriptedWorld:
    """A service whose log is so many lines long, a second apart."""
    world = worlds.steady()
    stream = next(iter(world.logs[LOG_GROUP])).stream
    world.page_size = PAGE
    world.logs[LOG_GROUP] = tuple(
        LogLine(at, at + 100, f"{n:056d}", LOG_GROUP, stream, f"INFO line {n}")
        for n in range(count)
        for at in [to_milliseconds(NOW - timedelta(seconds=10 + count - n))]
    )
    return world


async def test_page_for_page_back_to_the_first_line(tmp_path: Path) -> None:
    count = 6 * PAGE
    app = console(with_history(count), tmp_path)
    async with app.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        lines = screen.query_one(LogLines)
        await pilot.press("4")
        await until(pilot, lambda: len(lines.ring) and not lines.busy, "the newest page")
        assert len(lines.ring) < count, "not all of it at once"
        for _ in range(30):
            held = len(lines.ring)
            await pilot.press("g")
            await until(
                pilot,
                lambda held=held: len(lines.ring) > held or "begins here" in text(screen),  # type: ignore[misc]
                "older lines",
            )
            if "begins here" in text(screen):
                break
        kept = [entry.text for entry in lines.ring.all]
        assert kept == [f"INFO line {n}" for n in range(count)]


async def test_a_refusal_of_older_lines_is_told_and_they_can_be_had_later(tmp_path: Path) -> None:
    world = with_history(6 * PAGE)
    app = console(world, tmp_path)
    async with app.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        lines = screen.query_one(LogLines)
        await pilot.press("4")
        await until(pilot, lambda: len(lines.ring) and not lines.busy)
        held = len(lines.ring)
        world.fail("logs.page", Throttled("Slow down"))
        await pilot.press("g")
        await until(pilot, lambda: "not read (Slow down)" in text(screen))
        world.heal()
        await pilot.press("k")
        await until(pilot, lambda: len(lines.ring) > held)


async def test_going_to_a_time_reads_back_until_it_is_there(tmp_path: Path) -> None:
    count = 6 * PAGE
    app = console(with_history(count), tmp_path)
    async with app.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        lines = screen.query_one(LogLines)
        await pilot.press("4")
        await until(pilot, lambda: len(lines.ring) and not lines.busy)
        assert lines.ring.all[0].text != "INFO line 20"
        await pilot.press(
            "'", *f"{NOW - timedelta(seconds=10 + count - 20):%H:%M:%S}", "Z", "enter"
        )
        await until(pilot, lambda: any(e.text == "INFO line 20" for e in lines.ring.all))
        await until(pilot, lambda: lines.highlighted and lines.highlighted.text == "INFO line 20")
        assert not lines.following


async def test_following_again_ends_the_way_back(tmp_path: Path) -> None:
    count = 6 * PAGE
    world = with_history(count)
    app = console(world, tmp_path)
    async with app.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        lines = screen.query_one(LogLines)
        await pilot.press("4")
        await until(pilot, lambda: len(lines.ring) and not lines.busy)
        world.fail("logs.page", Throttled("Slow down"))
        await pilot.press("'", *f"{NOW - timedelta(seconds=10 + count):%H:%M:%S}", "Z", "enter")
        await until(pilot, lambda: "not read (Slow down)" in text(screen))
        held = len(lines.ring)
        world.heal()
        await pilot.press("G")
        await until(pilot, lambda: lines.following)
        await pilot.pause()
        assert len(lines.ring) - held < PAGE, "nobody asks for older lines any more"
