"""The page behind the probe: all its figures, and the answers that were not like the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bgconsole.domain.masking import mask
from bgconsole.domain.probe import ProbeRecord
from bgconsole.domain.probe_words import counted, deployment_sentence, spell_ms
from bgconsole.ui.facts import Fact, Facts

RUNS = 50


def of_probe(record: ProbeRecord | None, now: datetime) -> Facts:
    """Everything known of the site; empty where nothing was ever asked."""
    if record is None or record.tally.baseline is None:
        return ()
    return (
        Fact("", f"probe {mask(record.url)}", head=True),
        *_figures(record),
        *_runs(record, now),
    )


def _figures(record: ProbeRecord) -> Iterator[Fact]:
    tally = record.tally
    yield Fact("asked", f"every {record.interval:g} s, {tally.asked} times")
    yield Fact("so far", counted(tally))
    if tally.baseline is not None:
        yield Fact("at first", tally.baseline.words)
    for name, percent in (("p50", 50.0), ("p95", 95.0)):
        value = record.percentile(percent)
        if value is not None:
            yield Fact(name, f"{spell_ms(value)} (of the last {len(record.answers)} answers)")
    yield Fact("slowest", spell_ms(tally.slowest_ms))
    yield Fact("versions", ", then ".join(record.versions) or "the answers do not say")
    if record.during is not None:
        yield Fact("deployment", deployment_sentence(record.during))
        if record.during.key:
            yield Fact("", record.during.key)


def _runs(record: ProbeRecord, now: datetime) -> Iterator[Fact]:
    yield Fact("", "what changed, newest first", head=True)
    for run in reversed(record.runs[-RUNS:]):
        version = f" · {run.first.version}" if run.first.version else ""
        failed = "✖ " if run.failed else ""
        yield Fact(
            f"{run.first.at.astimezone(now.tzinfo):%H:%M:%S}",
            f"{failed}{run.first.words}{version} × {run.count}",
        )
