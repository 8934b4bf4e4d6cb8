"""The logs pane: followed, read, filtered, folded, wrapped, with gaps and late lines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from bgconsole.domain.logs import Gap, LogGroup, to_milliseconds
from bgconsole.ui.panes.log_lines import LogLines
from bgconsole.ui.panes.logs import LogsPane
from bgconsole.watch.batch import LogBatch
from tests import scenes
from tests.scenes import Host
from tests.values import LOG_GROUP, NOW

Compare = Callable[..., bool]
SIZES = [(80, 24), (120, 36), (200, 50)]
REQUESTS = (
    'Started GET "/posts?page={n}" for 10.0.0.7',
    "Processing by PostsController#index as HTML",
    "Completed 200 OK in {n}ms (Views: 2.4ms | ActiveRecord: 1.1ms | Allocations: 1834)",
)
BROKEN = "ERROR PG::UndefinedColumn: no column posts.summary\n  from app/models/post.rb:12"


def requests() -> LogBatch:
    """Rails' requests of both sides, tagged with their ids; one of them fails."""
    taken = scenes.deploying()
    assert taken.tasks.value
    tasks = [t.id for t in taken.tasks.value.tasks if t.last_status == "RUNNING"]
    lines = []
    for n in range(60):
        request, step = divmod(n, 3)
        text = BROKEN if n == 40 else REQUESTS[step].format(n=request)
        at = NOW - timedelta(milliseconds=400 * (60 - n))
        lines.append(scenes.line(n, f"[{request:08x}] {text}", tasks[request % len(tasks)], at=at))
    return scenes.batch(lines)


def lacking() -> LogBatch:
    """A stretch that was not read, and a line that came late."""
    tardy = scenes.line(900, "INFO it came late", "ab" * 16, at=NOW - timedelta(seconds=2.3))
    start = to_milliseconds(NOW - timedelta(seconds=4))
    gap = Gap(1, LogGroup(LOG_GROUP), start, start + 1500, "AWS throttled the reads")
    words = "throttled, 12 s behind"
    told = scenes.batch([tardy], words=words, mode="throttled", behind_seconds=12.0)
    return replace(told, late=frozenset({tardy.event_id}), gaps=(gap,))


def shown(
    *batches: LogBatch, press: tuple[str, ...] = (), then: tuple[LogBatch, ...] = ()
) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Hand batches over, press keys, hand more over."""

    async def paint(pilot: Pilot[Any], batches: tuple[LogBatch, ...]) -> None:
        pane = pilot.app.screen.query_one(LogsPane)
        lines = pilot.app.screen.query_one(LogLines)
        for each in batches:
            pane.add(each)
            while lines.busy:
                await pilot.pause(0.02)
        await pilot.pause()

    async def before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        pilot.app.screen.query_one(LogsPane).focus()
        await paint(pilot, batches)
        await pilot.press(*press)
        await paint(pilot, then)

    return before


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "state", ["following", "reading", "filtered", "folded", "wrapped", "lacking"]
)
def test_logs(snap_compare: Compare, state: str, size: tuple[int, int]) -> None:
    more = scenes.batch(scenes.line(n, "INFO more of the same") for n in range(2000, 2042))
    states = {
        "following": shown(requests()),
        "reading": shown(requests(), press=("comma", "space", "j"), then=(more,)),
        "filtered": shown(requests(), press=("slash", *r"completed !/1\dms/", "enter")),
        "folded": shown(requests(), press=("minus",)),
        "wrapped": shown(requests(), press=("w", "at")),
        "lacking": shown(requests(), lacking()),
    }
    app = Host(LogsPane, shown=scenes.deploying())
    assert snap_compare(app, terminal_size=size, run_before=states[state])


def test_wrong_filter(snap_compare: Compare) -> None:
    app = Host(LogsPane, shown=scenes.deploying())
    typed = shown(requests(), press=("slash", *"/(posts"))
    assert snap_compare(app, terminal_size=(100, 14), run_before=typed)


def test_finding(snap_compare: Compare) -> None:
    app = Host(LogsPane, shown=scenes.deploying())
    found = shown(requests(), press=("backslash", *"PostsController", "enter", "N", "backslash"))
    assert snap_compare(app, terminal_size=(100, 14), run_before=found)
