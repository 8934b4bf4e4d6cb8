"""What opens from the tasks: a task with its log, stopped ones by reason, the definition diff."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.stopped import GROUP
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.ui.messages import LinesCame
from bgconsole.ui.panes.log_lines import LogLines
from bgconsole.ui.panes.tasks import TasksPane
from bgconsole.ui.screens.chooser import ChooserScreen
from bgconsole.ui.screens.definition_diff import DefinitionDiffScreen
from bgconsole.ui.screens.service import ServiceScreen
from bgconsole.ui.screens.stopped import StoppedScreen
from bgconsole.ui.screens.task import TaskScreen
from tests import scenes, worlds
from tests.consoles import console, filled, text, until
from tests.values import BAD, NOW, REF, crashed

WIDE = (140, 50)


async def opened(pilot: Pilot[Any], kind: type[Any]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind), kind.__name__)


async def with_lines(pilot: Pilot[Any]) -> ServiceScreen:
    screen = await filled(pilot)
    await until(pilot, lambda: len(screen.logs.query_one(LogLines).ring) > 10, "log lines")
    return screen


async def test_enter_opens_a_task_whose_log_goes_on(tmp_path: Path) -> None:
    app = console(worlds.deploying(), tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        screen = await with_lines(pilot)
        chosen = screen.query_one(TasksPane).selection
        assert chosen
        task_id = chosen.rpartition("/")[2]
        await pilot.press("enter")
        await opened(pilot, TaskScreen)
        await until(pilot, lambda: "its log" in text(app.screen))
        page = text(app.screen)
        for words in ("image pulled", "2 s later", "healthy in democluster-blue", "digest"):
            assert words in page, page
        lines = app.screen.query_one(LogLines)
        assert {entry.task for entry in lines.ring.all} == {task_id}
        fresh = [
            scenes.line(7001, "one more of mine", task_id),
            scenes.line(7002, "of another", "f" * 32),
        ]
        app.post_message(LinesCame(app.session.epoch, scenes.batch(fresh)))
        await until(pilot, lambda: "one more of mine" in text(app.screen))
        # Lines of before may still be coming; of the new ones only its own is here.
        read = [entry.text for entry in lines.ring.all]
        assert read.count("one more of mine") == 1
        assert "of another" not in read
        await pilot.press("escape")
        await opened(pilot, ServiceScreen)


async def test_a_task_that_is_gone_stays_as_it_was_last_seen(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await filled(pilot)
        await pilot.press("enter")
        await opened(pilot, TaskScreen)
        world.tasks[REF] = ()
        app.session.refresh()

        def gone() -> bool:
            taken = app.session.snapshot.tasks.value if app.session.snapshot else None
            return taken is not None and not taken.tasks

        await until(pilot, gone)
        assert "image pulled" in text(app.screen)


async def test_l_shows_the_lines_of_one_task_until_escape(tmp_path: Path) -> None:
    app = console(worlds.deploying(), tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        screen = await with_lines(pilot)
        chosen = screen.query_one(TasksPane).selection or ""
        await pilot.press("l")
        lines = screen.logs.query_one(LogLines)
        await until(pilot, lambda: screen.pane is screen.logs)
        assert {entry.task for entry in lines.ring.shown} == {chosen.rpartition("/")[2]}
        assert f"only {chosen.rpartition('/')[2][:6]}" in text(screen)
        await pilot.press("1", "escape")
        assert lines.ring.shown is lines.ring.all
        await pilot.press("2", "l")
        await until(pilot, lambda: screen.pane is screen.logs)
        assert len({entry.task for entry in lines.ring.shown}) == 1
        await pilot.press("escape")
        assert not screen.logs.narrowed
        await pilot.press("3", "l")
        assert screen.pane.id == "stacks"


async def test_stopped_tasks_are_opened_by_reason_and_one_by_one(tmp_path: Path) -> None:
    app = console(_crashing(), tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        screen = await filled(pilot)
        await pilot.press("right", "g")
        assert (screen.query_one(TasksPane).selection or "").startswith(GROUP)
        assert "✖ 2 ×" in text(screen) and "✖ 1 ×" in text(screen)
        await pilot.press("l")
        await until(pilot, lambda: "only 2 stopped tasks" in text(screen))
        await pilot.press("escape", "1", "enter")
        await opened(pilot, StoppedScreen)
        page = text(app.screen)
        assert "✖ 2 × revision 3, exit 1" in page
        assert "✖ 1 × revision 3, exit 137: OutOfMemoryError: container killed" in page
        assert "ran 33 s" in page
        await pilot.press("G", "enter")
        await opened(pilot, TaskScreen)
        await until(pilot, lambda: "exit code 137" in text(app.screen))
        await pilot.press("escape")
        await opened(pilot, StoppedScreen)
        await pilot.press("c", "escape")
        assert app.clipboard.startswith("arn:aws:ecs")
        await opened(pilot, ServiceScreen)


async def test_stop_task_asks_which_one_where_a_row_of_stopped_ones_is_highlighted(
    tmp_path: Path,
) -> None:
    app = console(_crashing(), tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        screen = await filled(pilot)
        await pilot.press("right", "g")
        assert (screen.query_one(TasksPane).selection or "").startswith(GROUP)
        app.call_later(app.action_operate, "service.stop-task")
        await opened(pilot, ChooserScreen)
        assert "Which task?" in text(app.screen)


async def test_t_compares_task_definitions_and_shows_no_value(tmp_path: Path) -> None:
    app = console(worlds.deploying(), tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await filled(pilot)
        await pilot.press("t")
        await opened(pilot, DefinitionDiffScreen)
        await until(pilot, lambda: "DATABASE_URL" in text(app.screen))
        page = text(app.screen)
        for words in ("revision 1 → 2", "- memory: 512", "+ memory: 768", "DATABASE_URL: •••"):
            assert words in page, page
        assert "postgres" not in page and "pw2" not in page
        await pilot.press("c")
        assert "sha256:77ab10c2" in app.clipboard and "postgres" not in app.clipboard
        await pilot.press("escape")
        await opened(pilot, ServiceScreen)


async def test_a_refused_definition_is_told_in_its_place(tmp_path: Path) -> None:
    world = worlds.deploying()
    world.fail("services.definition_document", AccessDenied("not allowed", "x", "ask for it"))
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await filled(pilot)
        await pilot.press("t")
        await until(pilot, lambda: "ask for it" in text(app.screen))


async def test_without_a_record_there_is_nothing_to_compare(tmp_path: Path) -> None:
    world = worlds.steady()
    world.history[REF] = ()
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await filled(pilot)
        await pilot.press("t")
        await until(pilot, lambda: "Nothing to compare" in text(app.screen))
        assert app.screen is screen


async def test_the_history_says_who_is_live_and_how_each_ended(tmp_path: Path) -> None:
    app = console(worlds.rolled_back(), tmp_path)
    async with app.run_test(size=(120, 60)) as pilot:
        await filled(pilot)
        await pilot.press("p")
        await until(pilot, lambda: "● live" in text(app.screen))
        page = text(app.screen).splitlines()
        heads = [line.strip() for line in page if line.strip().startswith("revision ")]
        assert [head.rpartition("   ")[2] for head in heads] == [
            "rolled back",
            "● live",
            "succeeded",
        ]
        assert any("went back to" in line and "revision 2" in line for line in page)
        assert sum("took 3:00" in line or "took 2:59" in line for line in page) == 3


def _crashing() -> ScriptedWorld:
    """Two tasks exited with 1, a third was killed for its memory."""
    world = worlds.crash_looping()
    third = crashed(BAD, 7, minutes=3)
    (container,) = third.containers
    killed = replace(container, exit_code=137, reason="OutOfMemoryError: container killed")
    world.tasks[REF] = (
        *(
            replace(t, started_at=t.stopping_at - timedelta(seconds=33)) if t.stopping_at else t
            for t in world.tasks[REF]
        ),
        replace(third, containers=(killed,), stopped_at=NOW - timedelta(minutes=3)),
    )
    return world
