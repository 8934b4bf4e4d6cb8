"""What one frame costs before anything is painted: join and verdict over many tasks."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import pytest

from bgconsole.domain.join import sides
from bgconsole.domain.verdict import verdict
from bgconsole.gateway.scripted import scripted_gateway
from bgconsole.watch.once import read
from tests import worlds
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
