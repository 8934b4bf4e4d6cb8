"""Every service, a line each, worst first; below them the highlighted one in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import DataTable, Static

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain.overview import Area, Line, Overview, lines
from bgconsole.domain.overview_words import area_words
from bgconsole.domain.services import ServiceRef
from bgconsole.ui.keys import read
from bgconsole.ui.palette import Palette, Tone
from bgconsole.ui.panes.freshness import Freshness, freshness
from bgconsole.ui.panes.overview_words import header_line, row, sum_line, told
from bgconsole.ui.panes.pane import Pane, SnapshotWidget, now
from bgconsole.ui.widgets.fit import Piece, piece
from bgconsole.ui.widgets.keyed_table import Column, KeyedTable

TOLD = 2
"""Lines for the highlighted service's sentence."""


class OverviewWidget(SnapshotWidget):
    """Paints the screen's overview when it changes, and its ages once a second."""

    overview: reactive[Overview | None] = reactive(None, repaint=False, init=False)

    def watch_overview(self) -> None:
        """Show it at once."""
        if self.is_mounted:
            self.paint()


class ServicesHeader(OverviewWidget, Static):
    """One line: account, regions, clusters, and how fresh the picture is."""

    DEFAULT_CSS = """
    ServicesHeader { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    def paint(self) -> None:
        """Write the line as of now."""
        if self.overview is not None and self.size.width:
            palette = Palette.of(self.app)
            line = header_line(self.overview, now(self), palette, self.size.width)
            self.update(line, layout=False)


class ServicesSum(OverviewWidget, Static):
    """One line: how many are wrong, wait, cannot be told, deploy, run."""

    DEFAULT_CSS = """
    ServicesSum { height: 1; padding: 0 1; }
    """

    def paint(self) -> None:
        """Count as of now."""
        if self.overview is not None and self.size.width:
            listed = lines(self.overview, now(self))
            self.update(sum_line(listed, Palette.of(self.app), self.size.width), layout=False)


class ServicesPane(Pane, OverviewWidget):
    """The list. `enter` on a row is the table's `RowSelected`; `line` says which service it is."""

    DEFAULT_CSS = """
    ServicesPane > .told {
        height: auto;
        max-height: 3;
        padding: 0 1;
        border-top: solid $foreground 15%;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*read(KEYMAP, "mark", "mark")]
    NAME = "Services"
    line: Line | None = None
    """The highlighted one."""
    marks: frozenset[str] = frozenset()
    """The keys of the marked rows; a service that is gone loses its mark."""
    _wished: tuple[Area, ServiceRef] | None = None
    _lines: Mapping[str, Line] = MappingProxyType({})
    _painted: Content | None = None

    class Marked(Message):
        """A mark was set or taken away."""

    def body(self) -> ComposeResult:
        """The table, or words in its place; the sentence."""
        yield Static(classes="message", markup=False)
        yield KeyedTable(
            Column(2, 3, keep=10),
            Column(9, 20, keep=8),
            Column(14, 60, keep=7),
            Column(1, 60, keep=5),
            Column(7, 12, keep=9),
            Column(6, 32, keep=6),
            Column(1, 20, keep=3),
            Column(9, 24, keep=4),
            Column(1, 400, keep=1),
        )
        yield Static(classes="told", markup=False)

    def sought(self) -> Iterator[Widget]:
        """The table."""
        yield self._table

    @property
    def selection(self) -> str | None:
        """`region/cluster/service`, or `region/cluster` of one that could not be read."""
        return self._table.selection

    def narrow(self, text: str, *, only_wrong: bool) -> None:
        """Show only what holds the text, or only what is wrong."""
        self._table.narrow(text, only_wrong=only_wrong)

    def wish(self, area: Area, ref: ServiceRef) -> None:
        """Highlight this service: now, else with the first rows, and never later."""
        self._wished = (area, ref)
        if self._lines:
            self._grant()

    def _grant(self) -> None:
        wished, self._wished = self._wished, None
        found = (line.key for line in self._lines.values() if (line.area, line.ref) == wished)
        self._table.select(next(found, ""))

    def paint(self) -> None:
        """Show the services as of now."""
        if self.overview is None:
            return
        at = now(self)
        listed = lines(self.overview, at)
        where = area_words(self.overview.areas)
        self._lines = {line.key: line for line in listed}
        self.marks &= self._lines.keys()
        self._table.show(
            row(line, at, where.get(line.area, ""), marked=line.key in self.marks)
            for line in listed
        )
        if self._wished is not None and listed:
            self._grant()
        waiting = [area for area, part in self.overview.areas.items() if part.waiting]
        self.say(self._words(len(listed), len(waiting)))
        name = piece(99, f"{self.NAME} ({len(listed)})")
        self.dress([name, *self._marked_words()], self._fresh(), self._table.counts, named=False)
        self._tell()

    @property
    def listed(self) -> tuple[Line, ...]:
        """Every service there is, in the order of the list."""
        return tuple(line for line in self._lines.values() if line.ref.name)

    @property
    def marked(self) -> tuple[Line, ...]:
        """The marked services in the order of the list, those that the filter hides too."""
        return tuple(line for key, line in self._lines.items() if key in self.marks)

    def action_mark(self) -> None:
        """Mark the highlighted service, or take its mark away."""
        line = self.line
        if line is None or not line.ref.name:
            return
        self.marks ^= {line.key}
        self.paint()
        self.post_message(self.Marked())

    def action_clear_filter(self) -> None:
        """Show everything again; where nothing is hidden, take all marks away."""
        if self.clear_filter() or not self.marks:
            return
        self.marks = frozenset()
        self.paint()
        self.post_message(self.Marked())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """`esc` has marks to clear too."""
        allowed = super().check_action(action, parameters)
        return allowed or (action == "clear_filter" and bool(self.marks))

    def _marked_words(self) -> list[Piece]:
        if not self.marks:
            return []
        hidden = sum(1 for key in self.marks if not self._table.shows(key))
        words = f"{len(self.marks)} marked" + (f", {hidden} of them hidden" if hidden else "")
        style = Palette.of(self.app).style(Tone.WAITING, bold=True)
        return [piece(98, Content.styled(words, style))]

    def _words(self, count: int, waiting: int) -> str:
        """What stands where rows would."""
        if count or self.overview is None:
            return ""
        if waiting:
            return "asking for the services …"
        if not self.overview.areas:
            return "there is no cluster in this region"
        return "there is no service here"

    def _fresh(self) -> Freshness:
        """Of the areas the one that is worst off, named."""
        areas = self.overview.areas if self.overview else {}
        for area, part in areas.items():
            if part.failure is not None:
                found = freshness(part, now(self))
                return Freshness(f"{area}: {found.words}", found.tone, brief=found.words)
        return Freshness()

    @on(DataTable.RowHighlighted)
    def _moved(self) -> None:
        self._tell()

    def _tell(self) -> None:
        self.line = self._lines.get(self.selection or "")
        words = told(self.line, Palette.of(self.app), self.size.width - 4, TOLD)
        if self._painted is None or not words.is_same(self._painted):
            self._painted = words
            self.query_one(".told", Static).update(words)

    @property
    def _table(self) -> KeyedTable:
        return self.query_one(KeyedTable)
