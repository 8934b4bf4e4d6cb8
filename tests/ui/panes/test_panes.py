"""The panes in a small host: what they show, what they select, what they survive."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from bgconsole.domain.errors import Rejected
from bgconsole.domain.metrics import GroupMetrics, Metrics
from bgconsole.domain.services import Alarms, CircuitBreaker
from bgconsole.domain.snapshot import Part, Snapshot
from bgconsole.domain.stacks import Stack
from bgconsole.gateway.scripted import scripted_gateway
from bgconsole.ui.panes.log_lines import LogLines
from bgconsole.ui.panes.logs import LogsPane
from bgconsole.ui.panes.pane import Pane
from bgconsole.ui.panes.stacks import StacksPane
from bgconsole.ui.panes.targets import TargetsPane
from bgconsole.ui.panes.tasks import TasksPane
from bgconsole.ui.panes.top import Top
from bgconsole.ui.widgets.keyed_table import KeyedTable
from bgconsole.watch.once import read
from tests import scenes, worlds
from tests.scenes import Host
from tests.values import NOW, REF

HOSTILE = "[/foo][@click=app.quit]x[/]\x1b]2;PWNED\x07\x1b[2J\x00\x9b\u202e表"


def text(pilot: Pilot[None]) -> list[str]:
    """The lines of the screen."""
    app = pilot.app
    return ["".join(s.text for s in strip) for strip in app.screen._compositor.render_strips()]


def holds(pilot: Pilot[None], *wanted: str) -> None:
    whole = "\n".join(text(pilot))
    for words in wanted:
        assert words in whole, f"{words!r} is not in\n{whole}"


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 45), (40, 12), (200, 50)])
@pytest.mark.parametrize("scene", scenes.SCENES)
async def test_every_scene_is_drawn_at_every_size(scene: str, size: tuple[int, int]) -> None:
    taken = scenes.SCENES[scene]()
    async with Host(shown=taken).run_test(size=size) as pilot:
        await pilot.pause()
        pilot.app.screen.query_one(LogsPane).add(scenes.talk(taken))
        await pilot.pause()
        lines = text(pilot)
        assert len(lines) == size[1]
        assert taken.place.region in lines[0]
        top = pilot.app.screen.query_one(Top)
        assert top.verdict is not None
        holds(pilot, f"{top.verdict.glyph} {top.verdict.word}")
        if size[1] < 30:
            # The sentence and the way back come before the bars, and both stay whole.
            assert top.size.height <= 6


async def test_old_and_new_beside_each_other_or_above() -> None:
    for width, wide in ((160, True), (110, True), (109, False), (80, False)):
        async with Host(TasksPane, shown=scenes.deploying()).run_test(size=(width, 24)) as pilot:
            await pilot.pause()
            lines = text(pilot)
            old = next(n for n, line in enumerate(lines) if "old · rev" in line)
            new = next(n for n, line in enumerate(lines) if "new · rev" in line)
            assert (old == new) is wide
            holds(pilot, "old · revision 1", "new · revision 2", "77ab10c2", "not registered")


async def test_one_highlight_goes_over_both_sides() -> None:
    taken = scenes.deploying()
    async with Host(TasksPane, shown=taken).run_test(size=(120, 24)) as pilot:
        pane = pilot.app.screen.query_one(TasksPane)
        old, new = pilot.app.screen.query(KeyedTable)
        old.focus()
        await pilot.pause()
        assert (old.show_cursor, new.show_cursor) == (True, False)
        await pilot.press("G", "j")
        assert new.has_focus
        assert (old.show_cursor, new.show_cursor) == (False, True)
        assert pane.selection == new.selection
        await pilot.press("k")
        assert pane.selection == old.selection == _key(old, 3)
        await pilot.press("right", "j")
        assert pane.selection == _key(new, 1)
        await pilot.press("left")
        assert pane.selection == _key(old, 3)


async def test_selection_outlives_the_end_of_a_deployment() -> None:
    async with Host(TasksPane, shown=scenes.deploying()).run_test(size=(120, 24)) as pilot:
        pane = pilot.app.screen.query_one(TasksPane)
        pane.focus()
        await pilot.press("left")
        assert pane.has_class("-both")
        _app(pilot).show(replace(scenes.steady(), generation=2))
        await pilot.pause()
        assert not pane.has_class("-both")
        new = pilot.app.screen.query(KeyedTable).last()
        assert new.has_focus and new.show_cursor
        assert pane.selection == new.selection is not None


async def test_crashed_tasks_are_told_by_reason_with_their_last_words() -> None:
    async with Host(TasksPane, shown=scenes.crash_looping()).run_test(size=(160, 24)) as pilot:
        await pilot.pause()
        holds(pilot, "✖ 2 ×", "exit 1", "“PG::UndefinedColumn", "no task is running yet")
    async with Host(TasksPane, shown=scenes.rolled_back()).run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        holds(pilot, "✖ 3 ×", "exit 1", "revision 3")


async def test_a_deployment_that_has_just_begun_is_not_called_unasked_for() -> None:
    world = worlds.crash_looping(failed=0)
    service = world.services[REF]
    begun = replace(service.deployments[0], desired=0)
    world.services[REF] = replace(service, deployments=(begun, *service.deployments[1:]))
    taken = scenes.snapshot(world)
    async with Host(TasksPane, shown=taken).run_test(size=(160, 24)) as pilot:
        await pilot.pause()
        holds(pilot, "old · revision 2", "no new task has started yet")


@pytest.mark.parametrize("pane", [TasksPane, TargetsPane, StacksPane])
async def test_stale_rows_stay_dimmed_and_say_why(pane: type[Pane]) -> None:
    async with Host(pane, shown=scenes.deploying()).run_test(size=(90, 24)) as pilot:
        await pilot.pause()
        fresh = pilot.app.screen.query(KeyedTable).last().row_count
        assert "stale" not in "\n".join(text(pilot))
        _app(pilot).show(replace(scenes.stale(), generation=2))
        await pilot.pause()
        table = pilot.app.screen.query(KeyedTable).last()
        assert table.row_count == fresh > 0
        assert table.has_class("-stale")
        holds(pilot, "stale 34 s: throttled, next try 8 s")
        _app(pilot).later(5)
        await pilot.pause()
        holds(pilot, "stale 39 s: throttled, next try 3 s")
        _app(pilot).show(replace(scenes.deploying(), generation=3))
        await pilot.pause()
        assert not table.has_class("-stale")


async def test_a_source_that_never_answered_says_what_it_needs() -> None:
    async with Host(TargetsPane, shown=scenes.denied()).run_test(size=(90, 24)) as pilot:
        await pilot.pause()
        holds(pilot, "AccessDenied: needs elasticloadbalancing:DescribeTargetHealth")


async def test_nothing_there_and_waiting_are_two_things() -> None:
    async with Host(TargetsPane, shown=scenes.waiting()).run_test(size=(90, 24)) as pilot:
        await pilot.pause()
        holds(pilot, "waiting for the first answer")
        absent: Part[Any] = Part().nothing("the service has no load balancer", NOW)
        _app(pilot).show(replace(scenes.steady(), targets=absent, generation=2))
        await pilot.pause()
        holds(pilot, "nothing there: the service has no load balancer")


async def test_a_poll_that_hangs_is_told() -> None:
    async with Host(StacksPane, shown=scenes.steady()).run_test(size=(90, 24)) as pilot:
        _app(pilot).later(125)
        await pilot.pause()
        holds(pilot, "last answer 2:05 ago")


async def test_seconds_pass_without_a_poll_and_touch_only_ages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    touched: list[str] = []
    update = KeyedTable.update_cell

    def spy(self: KeyedTable, key: str, column: str, *args: Any, **kwargs: Any) -> None:
        touched.append(column)
        update(self, key, column, *args, **kwargs)

    async with Host(TasksPane, shown=scenes.deploying()).run_test(size=(120, 24)) as pilot:
        await pilot.pause()
        monkeypatch.setattr(KeyedTable, "update_cell", spy)
        _app(pilot).later(0)
        assert touched == []
        _app(pilot).later(1)
        # New tasks are minutes old and count seconds; old ones are days old and do not change.
        assert set(touched) == {"5"} and len(touched) == 4


async def test_an_older_picture_is_dropped() -> None:
    async with Host(StacksPane, shown=replace(scenes.steady(), generation=5)).run_test() as pilot:
        pane = pilot.app.screen.query_one(StacksPane)
        none: Part[tuple[Stack, ...]] = Part((), NOW)
        pane.snapshot = replace(scenes.steady(), generation=4, stacks=none)
        await pilot.pause()
        assert pane.selection is not None


async def test_filter_is_typed_kept_and_cleared() -> None:
    async with Host(StacksPane, shown=scenes.steady()).run_test(size=(90, 24)) as pilot:
        pane = pilot.app.screen.query_one(StacksPane)
        pane.focus()
        await pilot.press("slash", *"repo", "enter")
        holds(pilot, "“repo” 1 of 3")
        assert pane.selection is not None and "demorepo" in pane.selection
        assert pilot.app.screen.query_one(KeyedTable).has_focus
        await pilot.press("escape")
        assert pilot.app.screen.query_one(KeyedTable).counts == (3, 3)
        assert not pilot.app.screen.query_one(Input).display
        await pilot.press("exclamation_mark")
        await pilot.pause()
        holds(pilot, "only what is wrong 0 of 3")
        await pilot.press("exclamation_mark")
        assert pilot.app.screen.query_one(KeyedTable).counts == (3, 3)
        assert not pane.clear_filter()


async def test_stack_words_and_failures() -> None:
    stacks = (
        _stack("good", "UPDATE_COMPLETE"),
        _stack("moving", "UPDATE_IN_PROGRESS"),
        _stack("bad", "UPDATE_ROLLBACK_COMPLETE", "Resource handler returned: AlreadyExists"),
        _stack("new-word", "FROBNICATE_COMPLETE"),
        _stack("draft", "REVIEW_IN_PROGRESS"),
    )
    shown = replace(scenes.steady(), stacks=Part(stacks, NOW))
    async with Host(StacksPane, shown=shown).run_test(size=(120, 24)) as pilot:
        await pilot.pause()
        holds(
            pilot,
            "● good",
            "◐ moving",
            "updating",
            "✖ bad",
            "update failed, rolled back",
            "AlreadyExists",
            "frobnicate complete",
            "○ draft",
            "not created, change set waits",
        )


async def test_hostile_words_neither_crash_nor_escape() -> None:
    taken = _poisoned(scenes.crash_looping())
    async with Host(shown=taken).run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        pane = pilot.app.screen.query_one(LogsPane)
        pane.add(scenes.batch([scenes.line(1, HOSTILE, "t1"), scenes.line(2, "x" * 100_000)]))
        pane.add(scenes.batch([], note=HOSTILE))
        _app(pilot).show(
            replace(
                scenes.failed(taken, Rejected(HOSTILE, HOSTILE, HOSTILE), *scenes.ALL),
                generation=9,
            )
        )
        for query in ("[/foo]", "[", "\\"):
            pilot.app.screen.query_one(StacksPane).narrow(query, only_wrong=False)
            await pilot.pause()
        raw = "".join(text(pilot))
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in raw)
        assert "[/foo][@click=app.quit]x[/]" in raw
        assert pilot.app.is_running


async def test_logs_say_whose_they_are_and_remember_it() -> None:
    taken = scenes.deploying()
    async with Host(LogsPane, shown=taken).run_test(size=(120, 24)) as pilot:
        pane = pilot.app.screen.query_one(LogsPane)
        lines = pilot.app.screen.query_one(LogLines)
        holds(pilot, "waiting for the first answer")
        pane.add(scenes.talk(taken))
        await pilot.pause(0.2)
        holds(pilot, "4 Logs · democluster · following", "lag p99 4 s", "old 3/s 0 err", " new ")
        old = next(task for task, side in lines.sides.items() if side == "old")
        _app(pilot).show(replace(scenes.steady(), generation=2))
        await pilot.pause()
        pane.add(scenes.batch([scenes.line(900, "the last words", old)]))
        pane.add(scenes.batch([scenes.line(901, "who?", "f" * 32)]))
        await pilot.pause(0.2)
        holds(pilot, f"old {old[:6]}", "?  ffffff")


async def test_paused_logs_count_what_came() -> None:
    taken = scenes.steady()
    async with Host(LogsPane, shown=taken).run_test(size=(100, 12)) as pilot:
        pane = pilot.app.screen.query_one(LogsPane)
        pane.add(scenes.talk(taken))
        pane.focus()
        await pilot.pause(0.2)
        await pilot.press("k")
        pane.add(scenes.batch([scenes.line(n, "more") for n in range(2000, 2007)]))
        await pilot.pause(0.3)
        holds(pilot, "paused · +7 new · G follows")
        await pilot.press("G")
        await pilot.pause()
        holds(pilot, "following")


async def test_errors_are_counted_and_kept_by_only_wrong() -> None:
    taken = scenes.crash_looping()
    async with Host(LogsPane, shown=taken).run_test(size=(120, 24)) as pilot:
        pane = pilot.app.screen.query_one(LogsPane)
        pane.add(scenes.talk(taken))
        pane.focus()
        await pilot.pause(0.2)
        holds(pilot, "new 0.2/s 2 err")
        await pilot.press("exclamation_mark")
        await pilot.pause()
        holds(pilot, "ERROR PG::UndefinedColumn", "app/models/post.rb")
        assert "Started GET" not in "\n".join(text(pilot))


async def test_a_tail_that_fails_or_cannot_be_says_so() -> None:
    async with Host(LogsPane, shown=scenes.steady()).run_test(size=(100, 12)) as pilot:
        pane = pilot.app.screen.query_one(LogsPane)
        pane.add(scenes.batch([], note="logs go to splunk, which is not read here"))
        await pilot.pause()
        holds(pilot, "logs go to splunk")
        failing = scenes.failed(scenes.steady(), scenes.CLOSED, "tasks").tasks.failure
        pane.add(scenes.batch([], failure=failing))
        _app(pilot).later(3)
        await pilot.pause()
        holds(pilot, "no answer, next try 5 s")
        pane.forget()
        await pilot.pause()
        holds(pilot, "waiting for the first answer")


def _poisoned(taken: Snapshot) -> Snapshot:
    """The same with hostile text in every name that AWS gives."""
    tasks, balancing = taken.tasks.value, taken.targets.value
    assert tasks and balancing
    return replace(
        taken,
        tasks=Part(
            replace(
                tasks,
                tasks=tuple(
                    replace(
                        t,
                        zone=HOSTILE,
                        last_status=t.last_status if t.stopped else HOSTILE,
                        stopped_reason=HOSTILE,
                    )
                    for t in tasks.tasks
                ),
            ),
            NOW,
        ),
        targets=Part(
            replace(
                balancing,
                groups=tuple(
                    replace(
                        g,
                        name=HOSTILE,
                        targets=tuple(
                            replace(t, state=HOSTILE, description=HOSTILE) for t in g.targets
                        ),
                    )
                    for g in balancing.groups
                ),
            ),
            NOW,
        ),
        stacks=Part((_stack(HOSTILE, HOSTILE, HOSTILE),), NOW),
        last_words={t.id: HOSTILE for t in tasks.tasks},
        place=replace(taken.place, endpoint=HOSTILE, profile=HOSTILE),
    )


def _stack(name: str, status: str, reason: str = "") -> Stack:
    return Stack(name, f"arn:{name}", status, reason, NOW - timedelta(days=1), NOW)


def _key(table: KeyedTable, row: int) -> str | None:
    return table.ordered_rows[row].key.value


def _app(pilot: Pilot[None]) -> Host:
    assert isinstance(pilot.app, Host)
    return pilot.app


async def test_what_cloudwatch_tells_stands_beside_what_it_is_of() -> None:
    taken = scenes.SCENES["steady"]()
    assert taken.targets.value is not None
    [group] = taken.targets.value.groups
    minutes = [NOW - timedelta(minutes=5 - number) for number in range(5)]
    told = Metrics(
        groups={
            group.arn: GroupMetrics(
                requests=tuple((at, 120.0) for at in minutes),
                errors=((minutes[-1], 3.0),),
                latency=tuple((at, 0.012) for at in minutes),
            )
        },
        cpu=((minutes[-1], 12.4),),
        memory=((minutes[-1], 34.0),),
    )
    measured = replace(taken, metrics=taken.metrics.good(told, NOW))
    async with Host(shown=measured).run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        holds(pilot, "cpu 12 % · memory 34 %", "120/min 5xx 3 ▁▁▁▁█ p95 12 ms █████")


async def test_where_there_is_little_room_the_guard_that_was_touched_stays() -> None:
    world = worlds.crash_looping()
    newest, *rest = world.history[REF]
    watched = replace(
        newest,
        breaker=CircuitBreaker("MONITORING", 2, 3),
        alarms=Alarms("MONITORING", ("democluster-5xx",)),
    )
    world.history[REF] = (watched, *rest)
    taken = read(scripted_gateway(world), REF, lambda: NOW)
    async with Host(shown=taken).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        holds(pilot, "breaker 2/3 ▲")
