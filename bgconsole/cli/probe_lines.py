"""What `bgconsole probe` prints: a line for each change, and the summary, for people or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any, Protocol

import click

from bgconsole.domain.masking import mask
from bgconsole.domain.plain import plain
from bgconsole.domain.probe import Answer, During, ProbeRecord, Run, Tally
from bgconsole.domain.probe_words import counted, deployment_sentence, spell_ms


class Lines(Protocol):
    """Where it is told."""

    def tell(self, record: ProbeRecord) -> None:
        """Print the changes that were not printed yet."""

    def ended(self, status: str) -> None:
        """The deployment that was followed has ended so, in AWS's word."""

    def summary(self, record: ProbeRecord) -> None:
        """Print what it comes to."""


class _News:
    """Tells each run of answers once."""

    def __init__(self) -> None:
        self._told: Run | None = None

    def of(self, record: ProbeRecord) -> Iterator[tuple[Run | None, Run]]:
        """The runs that began since, each with the one before it."""
        before: Run | None = None
        for run in record.runs:
            if self._told is None or run.first.at > self._told.first.at:
                yield before, run
            before = run
        self._told = before or self._told


class TextLines:
    """For people."""

    def __init__(self) -> None:
        self._news = _News()
        self._status = ""

    def tell(self, record: ProbeRecord) -> None:
        """`14:02:31  ● HTTP 200 · MEOW · 12 ms`."""
        for before, run in self._news.of(record):
            first = run.first
            words = [first.words, first.version, spell_ms(first.latency_ms)]
            said = " · ".join(filter(None, words))
            if before is not None and before.failed:
                lasted = (run.first.at - before.first.at).total_seconds() * 1000
                said += f" (after {before.count} × {before.first.words}, {spell_ms(lasted)})"
            _print(f"{first.at.astimezone():%H:%M:%S}  {'✖' if run.failed else '●'} {said}")

    def ended(self, status: str) -> None:
        """Kept for the summary."""
        self._status = status

    def summary(self, record: ProbeRecord) -> None:
        """Three lines at most."""
        p50, p95 = record.percentile(50), record.percentile(95)
        if p50 is not None and p95 is not None:
            slowest = spell_ms(record.tally.slowest_ms)
            _print(f"latency p50 {spell_ms(p50)}, p95 {spell_ms(p95)}, slowest {slowest}")
        if record.versions:
            _print(f"answered by {', then '.join(record.versions)}")
        if record.during is None:
            _print(f"{counted(record.tally)}: {record.url}")
            return
        status = f" ({self._status.replace('_', ' ').lower()})" if self._status else ""
        _print(f"{deployment_sentence(record.during)}{status}: {record.url}")


class JsonLines:
    """For programs: one object a line, `event` says what it is."""

    def __init__(self) -> None:
        self._news = _News()
        self._status = ""

    def tell(self, record: ProbeRecord) -> None:
        """`{"event": "change", …}`."""
        for _, run in self._news.of(record):
            _print(json.dumps({"event": "change", **_answer(run.first), "failed": run.failed}))

    def ended(self, status: str) -> None:
        """Kept for the summary."""
        self._status = status

    def summary(self, record: ProbeRecord) -> None:
        """`{"event": "summary", …}`."""
        p50, p95 = record.percentile(50), record.percentile(95)
        told = {
            "event": "summary",
            "url": record.url,
            **_tally(record.tally),
            "p50_ms": None if p50 is None else round(p50, 1),
            "p95_ms": None if p95 is None else round(p95, 1),
            "slowest_ms": round(record.tally.slowest_ms, 1),
            "versions": list(record.versions),
            "deployment": _during(record.during, self._status) if record.during else None,
        }
        _print(json.dumps(told))


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "at": answer.at.astimezone(UTC).isoformat(),
        "status": answer.status or None,
        "error": answer.error or None,
        "location": answer.location or None,
        "version": answer.version or None,
        "latency_ms": round(answer.latency_ms, 1),
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "asked": tally.asked,
        "failed": tally.failed,
        "longest_gap_ms": round(tally.longest_gap_ms, 1),
        "baseline": tally.baseline.words if tally.baseline else None,
    }


def _during(during: During, status: str) -> dict[str, Any]:
    return {
        "arn": during.key or None,
        "status": status or None,
        **_tally(during.tally),
        "sentence": deployment_sentence(during),
    }


def _print(line: str) -> None:
    click.echo(plain(mask(line)))
