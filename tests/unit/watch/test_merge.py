"""Exactly once, whatever the windows bring again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bgconsole.domain.logs import LogLine
from bgconsole.watch.merge import Overlap


def line(at: int, event: int, lag: int = 0) -> LogLine:
    """One event."""
    return LogLine(at, at + lag, f"{event:08d}", "group", "ecs/web/task", f"line {event}")


EVENTS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 1_000)), max_size=60, unique_by=lambda e: e[1]
)


@given(EVENTS, st.lists(st.integers(0, 60), min_size=1, max_size=8))
def test_every_line_once_and_each_batch_in_order(
    events: list[tuple[int, int]], windows: list[int]
) -> None:
    overlap = Overlap()
    everything = [line(at, event) for at, event in events]
    taken: list[LogLine] = []
    for start in [*windows, 0]:
        batch = overlap.take(reversed([e for e in everything if e.timestamp >= start]))
        assert list(batch) == sorted(batch, key=lambda e: e.order)
        taken.extend(batch)
    assert sorted(taken, key=lambda e: e.order) == sorted(everything, key=lambda e: e.order)


def test_ids_are_forgotten_by_time_never_by_count() -> None:
    overlap = Overlap()
    many = [line(at, at) for at in range(30_000)]
    assert len(overlap.take(many)) == 30_000
    assert not overlap.forget(older_than=10)
    assert overlap.take(many[10:]) == ()
    assert overlap.take(many[:10]) == (), "what is forgotten may have been taken before"


def test_lag_is_the_99th_percentile() -> None:
    overlap = Overlap()
    assert overlap.lag_seconds() is None
    overlap.take([line(n, n, lag=1_000) for n in range(98)] + [line(99, 99, lag=9_000)] * 1)
    overlap.take([line(100, 100, lag=9_000)])
    assert overlap.lag_seconds() == 9.0
