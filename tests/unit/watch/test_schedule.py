"""How often each source is asked."""

from __future__ import annotations

from random import Random

import pytest

from bgconsole.domain.snapshot import Source
from bgconsole.watch.schedule import CAP, Need, backoff, interval

DEPLOYING = Need(deploying=True)
AWAY = Need(focused=False)


@pytest.mark.parametrize(
    ("source", "need", "seconds"),
    [
        ("service", Need(), 10),
        ("service", DEPLOYING, 2),
        ("targets", AWAY, 30),
        ("tasks", Need(deploying=True, focused=False), 2),
        ("tasks", Need(deploying=True, operating=True), 4),
        ("stacks", Need(), 30),
        ("stacks", DEPLOYING, 30),
        ("stacks", Need(stacks_moving=True), 5),
        ("images", DEPLOYING, 60),
        ("identity", DEPLOYING, 300),
    ],
)
def test_polling_follows_need(source: Source, need: Need, seconds: float) -> None:
    assert interval(source, need) == seconds


def test_back_off_doubles_is_jittered_and_capped() -> None:
    random = Random(1)
    waits = [backoff(attempts, 2.0, random) for attempts in range(1, 12)]
    for attempt, wait in enumerate(waits):
        full = min(CAP, 2.0 * 2**attempt)
        assert 0.75 * full <= wait <= full
    assert backoff(10_000, 2.0, random) <= CAP
