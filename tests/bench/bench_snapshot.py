"""What one frame costs: join and verdict over many tasks, and to paint what has changed."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import pytest

from bgconsole.domain.join import sides
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.verdict import verdict
from bgconsole.gateway.scripted import scripted_gateway
from bgconsole.ui.panes.tasks import TasksPane
from bgconsole.ui.widgets.keyed_table import KeyedTable
from bgconsole.watch.once import read
from tests import scenes, worlds
from tests.worlds import NOW, REF

ROUNDS = 20


@pytest.mark.parametrize("tasks", [4, 100, 1_000])
def bench_join_and_verdict(tasks: int) -> None:
    snapshot = read(scripted_gateway(worlds.deploying(tasks)), REF, lambda: NOW)
    spent = []
    for generation in range(ROUNDS):
        snapshot = replace(snapshot, generation=generation)
        begun = time.perf_counter()
        both = sides(snapshot)
        judged = verdict(snapshot, NOW)
        spent.append((time.perf_counter() - begun) * 1000)
        assert len(both.rows) >= tasks
        assert judged.sentence
    print(f"\n{tasks:>5} tasks: join + verdict median {statistics.median(spent):.1f} ms")  # noqa: T201


CHANGED = 100
"""Of so many tasks one changes: 1 %."""


async def bench_refresh() -> None:
    """The UI thread's own time for a frame of 1,000 tasks of which one in a hundred changed."""
    first = replace(read(scripted_gateway(worlds.steady(1_000)), REF, lambda: NOW), interval=10.0)
    app = scenes.Host(shown=first)
    spent = []
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        table = app.screen.query_one(TasksPane).query(KeyedTable).first()
        await pilot.press("j", "j", "j")
        highlighted = table.selection
        taken = first
        for round_ in range(ROUNDS):
            taken = changed(taken, round_)
            begun = time.thread_time()
            app.show(taken)
            await pilot.pause()
            spent.append((time.thread_time() - begun) * 1000)
            assert table.selection == highlighted, "the highlighted task stays highlighted"
    median = statistics.median(spent)
    print(f"\n1000 tasks, 1 % of them changed: {median:.1f} ms of the UI thread")  # noqa: T201
    assert median < LIMIT


def changed(taken: Snapshot, round_: int) -> Snapshot:
    """The next picture: one task in a hundred has another health."""
    tasks = taken.tasks.value
    assert tasks is not None
    health = "UNHEALTHY" if round_ % 2 else "HEALTHY"
    turned = tuple(
        replace(task, health=health) if n % CHANGED == CHANGED - 1 else task
        for n, task in enumerate(tasks.tasks)
    )
    part = taken.tasks.good(replace(tasks, tasks=turned), NOW)
    return replace(taken, generation=taken.generation + 1, tasks=part)


LIMIT = 50.0
"""Milliseconds: beyond it a key pressed meanwhile is felt to wait."""
