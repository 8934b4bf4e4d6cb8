"""Pane 5: what the site itself answers: how many failed, how quick, and which version spoke."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from textual.app import ComposeResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from bgconsole.domain.duration import spell
from bgconsole.domain.masking import mask
from bgconsole.domain.plain import plain
from bgconsole.domain.probe import ProbeRecord, Run
from bgconsole.domain.probe_words import serves, spell_ms
from bgconsole.domain.snapshot import Snapshot
from bgconsole.ui.palette import Palette, Tone
from bgconsole.ui.panes.freshness import Freshness
from bgconsole.ui.panes.pane import Pane, now
from bgconsole.ui.panes.probe_lines import probe_lines
from bgconsole.ui.widgets.fit import Piece, piece
from bgconsole.ui.widgets.keyed_table import Cell, Column, KeyedTable, Row
from bgconsole.ui.widgets.repaint import retell

LATE = timedelta(seconds=20)
"""Without an answer for so long, and for several intervals, the probe itself hangs or slept."""


class ProbePane(Pane):
    """Counts, latency, a strip of the last answers by version; below, what changed and when."""

    NUMBER = "5"
    NAME = "Probe"
    DEFAULT_CSS = """
    ProbePane {
        & > .facts { height: auto; max-height: 100%; padding: 0 1; text-wrap: nowrap; }
        & > .facts.-stale { text-opacity: 55%; }
    }
    """

    probe: reactive[ProbeRecord | None] = reactive(None, repaint=False, init=False)

    def __init__(self, *, off: bool = False, id: str | None = None) -> None:
        """`off`: the configuration says that nothing is asked."""
        super().__init__(id=id, classes="-off" if off else None)
        self._off = off

    def body(self) -> ComposeResult:
        """The facts, then every change."""
        yield Static(classes="facts", markup=False)
        yield Static(classes="message")
        yield KeyedTable(
            Column(2, 2),
            Column(9, 9, keep=4),
            Column(8, 60, keep=6),
            Column(4, 24, keep=5),
            Column(6, 10, keep=3),
            Column(1, 20, keep=2),
        )

    def sought(self) -> Iterator[Widget]:
        """The table."""
        yield self._table

    @property
    def selection(self) -> str | None:
        """The site's URL."""
        return mask(self.probe.url) if self.probe else None

    def narrow(self, text: str, *, only_wrong: bool) -> None:
        """Show only changes that hold the text, or only failures."""
        self._table.narrow(text, only_wrong=only_wrong)

    def watch_probe(self) -> None:
        """Show it at once."""
        if self.is_mounted:
            self.paint()

    def paint(self) -> None:
        """Show the record as of now."""
        record, at = self.probe, now(self)
        fresh = _freshness(record, at)
        facts = self.query_one(".facts", Static)
        width = max(8, self.size.width - 2)
        healthy = serves(self.snapshot) if self.snapshot else None
        lines = probe_lines(record, Palette.of(self.app), width, healthy=healthy) if record else []
        retell(facts, Content("\n").join(lines))
        facts.display = bool(lines)
        for widget in (facts, self._table):
            widget.set_class(fresh.dimmed, "-stale")
        runs = record.runs if record else ()
        self._table.show(run_row(run, at) for run in reversed(runs))
        self.say("" if record else self._why_nothing(self.snapshot))
        self.dress(_title(record), fresh, self._table.counts)

    def _why_nothing(self, snapshot: Snapshot | None) -> str:
        if self._off:
            return "off, as the configuration says (`probe: off`)"
        targets = snapshot.targets if snapshot else None
        if targets is None or targets.waiting:
            return "waiting to learn what to ask"
        why = plain(targets.absent) or "no production listener was found"
        return f"it is not known what to ask: {why}; `probe_url` in the configuration names a site"

    @property
    def _table(self) -> KeyedTable:
        return self.query_one(KeyedTable)


def run_row(run: Run, at: datetime) -> Row:
    """Answers in a row that were the same, as a row: since when, what, who, how many, how long."""
    tone = Tone.BAD if run.failed else Tone.PLAIN
    lasted = run.last.done - run.first.at
    return Row(
        run.first.at.isoformat(),
        (
            Cell("✖" if run.failed else "●", Tone.BAD if run.failed else Tone.GOOD),
            Cell(f"{run.first.at.astimezone(at.tzinfo):%H:%M:%S}", Tone.QUIET),
            Cell(run.first.words, tone),
            Cell(run.first.version),
            Cell(f"× {run.count}", Tone.QUIET),
            Cell(spell(lasted) if lasted >= timedelta(seconds=1) else spell_ms(_ms(lasted))),
        ),
        wrong=run.failed,
    )


def _title(record: ProbeRecord | None) -> list[Piece]:
    if record is None:
        return []
    url = plain(mask(record.url))
    host, _, path = url.partition("://")[2].partition("/")
    return [piece(5, url, f"{host}/{path}", f"…/{path}", "")]


def _freshness(record: ProbeRecord | None, at: datetime) -> Freshness:
    if record is None or record.latest is None:
        return Freshness()
    silent = at - record.latest.done
    if silent <= max(LATE, timedelta(seconds=3 * record.interval)):
        return Freshness()
    return Freshness(f"last answer {spell(silent)} ago", Tone.WAITING, dimmed=True)


def _ms(span: timedelta) -> float:
    return span.total_seconds() * 1000
