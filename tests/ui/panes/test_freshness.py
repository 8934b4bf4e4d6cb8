"""What is asked at a pace of its own is not called late before that."""

from __future__ import annotations

from dataclasses import replace

from bgconsole.gateway.scripted import scripted_gateway
from bgconsole.ui.panes.freshness import late_after
from bgconsole.watch.once import read
from bgconsole.watch.schedule import Need, interval
from bgconsole.watch.sources import SOURCES
from tests import worlds
from tests.values import NOW, REF


def test_every_source_has_two_turns_before_it_is_late() -> None:
    snapshot = read(scripted_gateway(worlds.steady()), REF, lambda: NOW)
    for need in (Need(), Need(deploying=True), Need(focused=False)):
        paced = replace(snapshot, interval=interval("service", need))
        for source in SOURCES:
            late = late_after(source, paced)
            turn = interval(source, need)
            assert late is None or late.total_seconds() > 2 * turn, source
