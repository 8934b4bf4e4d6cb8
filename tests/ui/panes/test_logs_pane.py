"""The keys of the logs pane, pressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from textual import on
from textual.pilot import Pilot

from bgconsole.domain.logs import Gap, LogGroup, to_milliseconds
from bgconsole.ui.panes.log_lines import LogLines
from bgconsole.ui.panes.logs import LogsPane
from bgconsole.ui.widgets import line_view
from bgconsole.watch.batch import LogBatch
from tests import scenes
from tests.consoles import until
from tests.scenes import Host
from tests.values import LOG_GROUP, NOW

GROUP = LogGroup(LOG_GROUP)


class Saving:
    """A folder that keeps what is saved."""

    def __init__(self) -> None:
        self.saved: dict[str, str] = {}

    def __call__(self, name: str, text: str) -> str:
        self.saved[name] = text
        return f"/saved/{name}"


def rows(pilot: Pilot[Any]) -> list[str]:
    """The visible rows of the lines, with the column on the left."""
    lines = pilot.app.screen.query_one(LogLines)
    return [lines.render_line(y).text.rstrip() for y in range(lines.size.height)]


def title(pilot: Pilot[Any]) -> str:
    pane = pilot.app.screen.query_one(LogsPane)
    return f"{pane.border_title} {pane.border_subtitle}"


async def painted(pilot: Pilot[Any], *batches: LogBatch) -> LogLines:
    pane = pilot.app.screen.query_one(LogsPane)
    lines = pilot.app.screen.query_one(LogLines)
    for each in batches:
        pane.add(each)
    for _ in range(200):
        await pilot.pause(0.02)
        if not lines.busy:
            break
    assert not lines.busy
    pane.focus()
    await pilot.pause()
    return lines


def story(count: int = 30) -> LogBatch:
    """Two requests, an error of two lines, then talk: of one task of the old side."""
    taken = scenes.deploying()
    assert taken.tasks.value
    task = next(t for t in taken.tasks.value.tasks if t.last_status == "RUNNING").id
    texts = [
        "[a2213956] Started GET /posts",
        "[77ab10c2] Started GET /up",
        "[a2213956] Completed 200 OK in 4ms",
        "ERROR boom\n  from a.rb:1",
        "[77ab10c2] Completed 200 OK in 1ms",
        "WARN slow",
        *(f"INFO talk {n}" for n in range(count)),
    ]
    return scenes.batch(
        scenes.line(n, text, task, at=NOW - timedelta(seconds=60 - n))
        for n, text in enumerate(texts)
    )


def host(save: Callable[[str, str], str] | None = None) -> Host:
    return Host(lambda: LogsPane(save=save or Saving()), shown=scenes.deploying())


async def test_from_error_to_error_and_from_match_to_match() -> None:
    async with host().run_test(size=(120, 14)) as pilot:
        lines = await painted(pilot, story())
        await pilot.press("comma")
        assert not lines.following
        assert lines.highlighted and lines.highlighted.text == "ERROR boom"
        assert any(row.startswith("❯") and "ERROR boom" in row for row in rows(pilot))
        await pilot.press("backslash", *"talk 2", "enter")
        assert lines.highlighted.text == "INFO talk 2"
        await pilot.press("n")
        assert lines.highlighted.text == "INFO talk 20"
        await pilot.press("N")
        assert lines.highlighted.text == "INFO talk 2"
        assert len(lines.ring.shown) == len(lines.ring), "finding hides nothing"
        await pilot.press("escape")
        assert lines.pattern is None
        await pilot.press("G")
        assert lines.following


async def test_requests_fold_and_unfold() -> None:
    async with host().run_test(size=(120, 14)) as pilot:
        lines = await painted(pilot, story(3))
        await pilot.press("minus")
        await pilot.pause()
        shown = "\n".join(rows(pilot))
        assert "Started GET /posts  ⋯ 1 more · 200 OK in 4ms" in shown
        assert "ERROR boom  ⋯ 1 more" in shown
        assert "from a.rb" not in shown
        assert "requests folded" in title(pilot)
        late = scenes.batch([scenes.line(900, "[a2213956] one more", "")])
        await painted(pilot, late)
        assert "Started GET /posts  ⋯ 2 more" in "\n".join(rows(pilot))
        await pilot.press("minus")
        await pilot.pause()
        assert "from a.rb" in "\n".join(rows(pilot))
        assert len(lines.ring.shown) == len(lines.ring)


async def test_level_side_and_range_go_round_and_esc_shows_all() -> None:
    async with host().run_test(size=(120, 14)) as pilot:
        lines = await painted(pilot, story())
        everything = len(lines.ring)
        await pilot.press("number_sign", "number_sign")
        assert {entry.level for entry in lines.ring.shown} == {"WARN", "ERROR"}
        assert "WARN and worse" in title(pilot)
        await pilot.press("equals_sign", "equals_sign")
        assert not lines.ring.shown, "no line is of the new side"
        await pilot.press("escape")
        assert len(lines.ring.shown) == everything
        app = cast(Host, pilot.app)
        app.later(100)
        await pilot.press(*["left_square_bracket"] * 9)
        assert "last 1 min" in title(pilot)
        assert not lines.ring.shown
        await pilot.press(*["right_square_bracket"] * 9)
        assert len(lines.ring.shown) == everything


async def test_what_may_be_missing_is_a_row_until_it_is_read() -> None:
    async with host().run_test(size=(120, 14)) as pilot:
        await painted(pilot, story(3))
        start = to_milliseconds(NOW - timedelta(seconds=58)) - 500
        gap = Gap(7, GROUP, start, start + 14_000, "AWS throttled the reads")
        empty = scenes.batch([])
        await painted(pilot, replace(empty, gaps=(gap,)))
        shown = rows(pilot)
        at = next(n for n, row in enumerate(shown) if "≈ 14 s not confirmed" in row)
        assert "Started GET /up" in shown[at - 1]
        await pilot.press("slash", *"nothing", "enter")
        assert "≈ 14 s not confirmed: AWS throttled the reads" in "\n".join(rows(pilot))
        await pilot.press("escape")
        await painted(pilot, replace(empty, gaps=(replace(gap, end=start + 5000),)))
        assert "≈ 5 s not confirmed" in "\n".join(rows(pilot))
        await painted(pilot, replace(empty, closed=frozenset({7})))
        assert "not confirmed" not in "\n".join(rows(pilot))


async def test_late_lines_stand_in_their_place_with_a_mark() -> None:
    async with host().run_test(size=(120, 14)) as pilot:
        await painted(pilot, story(3))
        tardy = scenes.line(500, "came late", "", at=NOW - timedelta(seconds=59))
        await painted(pilot, replace(scenes.batch([tardy]), late=frozenset({tardy.event_id})))
        shown = rows(pilot)
        at = next(n for n, row in enumerate(shown) if "came late" in row)
        assert shown[at].startswith("~")
        assert "Started GET /up" in shown[at - 1]


async def test_marked_lines_are_copied_and_saved_else_the_one_or_all() -> None:
    saving = Saving()
    async with host(saving).run_test(size=(120, 14), notifications=True) as pilot:
        lines = await painted(pilot, story(3))
        pane = pilot.app.screen.query_one(LogsPane)
        await pilot.press("g")
        assert pane.copied and pane.copied.endswith("Started GET /posts")
        await pilot.press("space", "j", "space")
        assert pane.copied.count("\n") == 1
        assert [row[0] for row in rows(pilot)[:4]] == ["●", " ", "●", "❯"]
        await pilot.press("ctrl+s")
        await until_saved(pilot, saving, 1)
        await pilot.press("g", "space", "j", "space")
        assert not lines.marked
        cast(Host, pilot.app).later(1)
        await pilot.press("ctrl+s")
        await until_saved(pilot, saving, 2)
        few, every = saving.saved.values()
        assert (few.count("\n"), every.count("\n")) == (2, len(lines.ring))
        assert all(name.startswith(f"logs-{LOG_GROUP}-") for name in saving.saved)


async def until_saved(pilot: Pilot[Any], saving: Saving, count: int) -> None:
    for _ in range(200):
        if len(saving.saved) == count:
            return
        await pilot.pause(0.02)
    raise AssertionError(f"{len(saving.saved)} files were saved")


async def test_times_change_and_one_can_go_to_one() -> None:
    async with host().run_test(size=(120, 14)) as pilot:
        lines = await painted(pilot, story())
        assert rows(pilot)[0].split()[0].count(":") == 2
        await pilot.press("at")
        assert rows(pilot)[0].split()[0].endswith("Z")
        await pilot.press("at")
        assert " s " in rows(pilot)[0][:13]
        await pilot.press("at")
        assert ":" not in rows(pilot)[0]
        await pilot.press("apostrophe", *"56s", "enter")
        assert lines.highlighted and lines.highlighted.text.endswith("Completed 200 OK in 1ms")
        await pilot.press("apostrophe", *"what", "enter")
        assert pilot.app.screen.query_one(LogsPane).has_class("-asking"), "it may be mended"
        await pilot.press("escape")
        assert lines.has_focus


async def test_hold_and_follow_again() -> None:
    async with host().run_test(size=(120, 14)) as pilot:
        lines = await painted(pilot, story())
        before = rows(pilot)
        await pilot.press("semicolon")
        await painted(pilot, scenes.batch([scenes.line(n, "more") for n in range(900, 905)]))
        assert [row[1:] for row in rows(pilot)] == [row[1:] for row in before]
        assert lines.unseen == 5
        await pilot.press("semicolon")
        assert lines.following
        assert "more" in rows(pilot)[-1]


async def test_a_filter_that_is_wrong_is_told_and_hides_nothing() -> None:
    async with host().run_test(size=(120, 14)) as pilot:
        lines = await painted(pilot, story())
        await pilot.press("slash", *"/[", "enter")
        assert "unterminated character set" in title(pilot)
        assert len(lines.ring.shown) == len(lines.ring)
        await pilot.press("escape", "slash", *"level:error", "enter")
        assert {entry.level for entry in lines.ring.shown} == {"ERROR"}


async def test_wrapped_lines_go_on_below_their_text_and_end_at_the_end() -> None:
    async with host().run_test(size=(80, 12)) as pilot:
        long = [
            scenes.line(n, f"INFO begin{n} " + "word " * 40 + f"end{n}", "ab" * 16)
            for n in range(30)
        ]
        lines = await painted(pilot, scenes.batch(long))
        await pilot.press("w")
        await pilot.pause()
        shown = rows(pilot)
        assert "end29" in shown[-1], shown
        first = next(row for row in shown if "begin29" in row)
        below = shown[shown.index(first) + 1]
        assert len(below) - len(below.lstrip()) == first.index("INFO begin29")
        await pilot.press("k")
        assert not lines.following
        await painted(pilot, scenes.batch([scenes.line(50, "INFO new", "ab" * 16)]))
        await pilot.press("g")
        await pilot.pause()
        assert "begin0" in rows(pilot)[0]
        for number in range(1, 30):
            await pilot.press("j")
            await pilot.pause()
            here = [row for row in rows(pilot) if row.startswith("❯")]
            assert any(f"begin{number} " in row for row in here), (number, rows(pilot))
        await pilot.press("j")
        await pilot.pause()
        assert lines.following
        assert "INFO new" in rows(pilot)[-1]


async def test_a_terminal_that_is_behind_is_painted_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    behind = True
    monkeypatch.setattr(line_view, "terminal_is_behind", lambda _: behind)
    async with host().run_test(size=(120, 14)) as pilot:
        lines = pilot.app.screen.query_one(LogLines)
        pane = pilot.app.screen.query_one(LogsPane)
        pane.focus()
        pane.add(story(3))
        pauses = [lines._next_pause() for _ in range(8)]
        assert pauses == sorted(pauses)
        assert pauses[-1] == line_view.MOST_PAUSE
        pane.add(scenes.batch([scenes.line(900, "waits")]))
        await pilot.pause(0.3)
        assert lines.busy
        behind = False
        pauses = [lines._next_pause() for _ in range(8)]
        assert pauses[-1] == line_view.PAUSE


class Asked(Host):
    """Keeps what the pane asked for."""

    def __init__(self) -> None:
        super().__init__(LogsPane, shown=scenes.deploying())
        self.asked: list[object] = []

    @on(LogsPane.Older)
    def _older(self) -> None:
        self.asked.append("older")

    @on(LogsPane.Reread)
    def _reread(self, message: LogsPane.Reread) -> None:
        self.asked.append(message.gap)


def history(count: int, **state: Any) -> LogBatch:
    """So many lines before those of the story, as an answer to who asked for them."""
    lines = (
        scenes.line(10_000 + n, f"INFO before {n}", "", at=NOW - timedelta(seconds=900 - n))
        for n in range(count)
    )
    return replace(scenes.batch(lines, **{"older": "more", **state}), older=True)


async def test_who_reads_back_to_the_top_gets_older_lines_and_nothing_slides() -> None:
    app = Asked()
    async with app.run_test(size=(120, 20)) as pilot:
        await painted(pilot, story())
        assert app.asked == []
        await pilot.press("g")
        await until(pilot, lambda: app.asked == ["older"])
        assert "reading older lines" in title(pilot)
        await pilot.press("k", "k", "g")
        assert app.asked == ["older"], "one page at a time"
        before = rows(pilot)
        lines = await painted(pilot, history(50))
        assert rows(pilot) == before and "reading older" not in title(pilot)
        assert lines.scroll_offset.y == 50 and lines.unseen == 0
        await pilot.press("k")
        assert "before 49" in "".join(rows(pilot))
        assert app.asked == ["older"], "there is a page to read before more is wanted"


async def test_at_the_beginning_of_the_log_nothing_more_is_asked_for() -> None:
    app = Asked()
    async with app.run_test(size=(120, 20)) as pilot:
        await painted(pilot, story())
        await pilot.press("g")
        await until(pilot, lambda: app.asked == ["older"])
        await painted(pilot, history(0, older="end"))
        assert "the log begins here" in title(pilot)
        await pilot.press("g", "k")
        await pilot.pause()
        assert app.asked == ["older"]


async def test_older_lines_that_could_not_be_read_can_be_asked_for_again() -> None:
    app = Asked()
    async with app.run_test(size=(120, 20)) as pilot:
        await painted(pilot, story())
        await pilot.press("g")
        await until(pilot, lambda: app.asked == ["older"])
        await painted(pilot, replace(history(0), unread="Slow down"))
        assert "not read (Slow down), go on up" in title(pilot)
        await pilot.press("k")
        await until(pilot, lambda: app.asked == ["older", "older"])


async def test_a_full_pane_asks_for_nothing_that_it_could_not_keep() -> None:
    app = Asked()
    async with app.run_test(size=(120, 20)) as pilot:
        lines = await painted(pilot, story())
        # Half as many more are kept for whoever reads.
        lines.ring.capacity = len(lines.ring) * 2 // 3
        await pilot.press("g")
        await until(pilot, lambda: "are kept: no older ones" in title(pilot))
        assert app.asked == []


async def test_enter_on_a_gap_asks_for_what_it_hides() -> None:
    app = Asked()
    async with app.run_test(size=(120, 20)) as pilot:
        start = to_milliseconds(NOW - timedelta(seconds=50))
        gap = Gap(7, GROUP, start, start + 9000, "throttled")
        await painted(pilot, replace(story(), gaps=(gap,)))
        pane = pilot.app.screen.query_one(LogsPane)
        lines = pilot.app.screen.query_one(LogLines)
        assert pane.gap is None
        await pilot.press("g")
        for _ in range(20):
            if pane.gap is not None:
                break
            await pilot.press("j")
        assert pane.gap == 7
        pane.reread(7)
        await until(pilot, lambda: 7 in app.asked)
        await painted(pilot, replace(scenes.batch(()), closed=frozenset({7})))
        assert not any(entry.gap for entry in lines.every)


async def test_a_group_of_one_side_and_logs_that_go_elsewhere_are_named() -> None:
    app = Asked()
    async with app.run_test(size=(200, 20)) as pilot:
        other = LogGroup("web-new", "eu-west-1")
        await painted(
            pilot,
            scenes.batch(
                (), groups=(GROUP, other), differing=(other,), other_drivers=("app: splunk",)
            ),
        )
        assert "≠ only one side logs to" in title(pilot) and "web-new" in title(pilot)
        assert "not here: app: splunk" in title(pilot)
