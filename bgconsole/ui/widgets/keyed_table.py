"""A table that is fed whole row sets by key and changes only what differs.

DataTable's cursor is a line number; here the highlight belongs to a key. It stays on its row when
rows are sorted, come or go, and moves to the nearest neighbour only when its own row is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar, Literal

from rich.cells import cell_len
from rich.text import Text
from textual.binding import BindingType
from textual.message import Message
from textual.theme import Theme
from textual.widgets import DataTable

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain.diff import RowChanges, diff_rows
from bgconsole.domain.plain import plain
from bgconsole.ui.keys import read
from bgconsole.ui.palette import Palette, Tone

BULK = 32
"""From so many removed rows on, filling anew is cheaper than removing one by one (O(n) each)."""

TELLING = 5
"""Text that is cut to fewer cells says nothing and is left out."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Text from anywhere (it is made plain when it is drawn), and what its colour means."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Column:
    """Widths in cells, gap included. Where room lacks, the lowest `keep` shrinks first."""

    least: int
    most: int
    keep: int = 5

    @property
    def fixed(self) -> bool:
        """Whether it has one width, such as that of a glyph."""
        return self.least == self.most


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `wrong` rows are those that `narrow(only_wrong=True)` keeps."""

    key: str
    cells: tuple[Cell, ...]
    wrong: bool = False

    def holds(self, text: str) -> bool:
        """Whether one of its cells holds the text, whatever its case."""
        return any(text in cell.text.casefold() for cell in self.cells)


class KeyedTable(DataTable[Text], inherit_bindings=False):
    """Rows in the order they are given, columns of fixed widths, one highlighted row."""

    DEFAULT_CSS = """
    KeyedTable {
        height: 1fr;
        background: transparent;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-color: $foreground 25%;
        &.-stale { text-opacity: 55%; }
        & > .datatable--cursor { background: $panel; color: $foreground; text-style: none; }
        &:focus { background-tint: $foreground 0%; }
        &:focus > .datatable--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: bold;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "move.down", "cursor_down"),
        *read(KEYMAP, "move.up", "cursor_up"),
        *read(KEYMAP, "move.first", "scroll_top"),
        *read(KEYMAP, "move.last", "scroll_bottom"),
        *read(KEYMAP, "move.page-down", "page_down"),
        *read(KEYMAP, "move.page-up", "page_up"),
        *read(KEYMAP, "open", "select_cursor"),
    ]

    class AtEdge(Message):
        """The user went on past the first or last row."""

        def __init__(self, table: KeyedTable, step: Literal[-1, 1]) -> None:
            super().__init__()
            self.table = table
            self.step = step

        @property
        def control(self) -> KeyedTable:
            """The table, for `@on` selectors."""
            return self.table

    def __init__(self, *columns: Column, id: str | None = None, classes: str | None = None) -> None:
        """Columns are as wide as their widest cell since they were empty, within their bounds."""
        super().__init__(
            id=id, classes=classes, cursor_type="row", show_header=False, cell_padding=0
        )
        self._specs = columns
        self._names = tuple(str(n) for n in range(len(columns)))
        self._natural = [column.least for column in columns]
        self._widths = list(self._natural)
        for name, column in zip(self._names, columns, strict=True):
            self.add_column(name, key=name, width=column.least)
        self._given: tuple[Row, ...] = ()
        self._shown: dict[str, Row] = {}
        self._text = ""
        self._only_wrong = False

    @property
    def selection(self) -> str | None:
        """The key of the highlighted row."""
        if not self.row_count:
            return None
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value

    @property
    def counts(self) -> tuple[int, int]:
        """Rows that are shown, rows that there are."""
        return len(self._shown), len(self._given)

    def show(self, rows: Iterable[Row]) -> None:
        """Make these the rows; cells that did not change are not touched."""
        self._given = tuple(rows)
        self._apply()

    def narrow(self, text: str = "", *, only_wrong: bool = False) -> None:
        """Show only rows that hold the text, or only what is wrong."""
        self._text = text.casefold()
        self._only_wrong = only_wrong
        self._apply()

    def shows(self, key: str) -> bool:
        """Whether a row of this key is shown, that is: there and not hidden."""
        return key in self._shown

    def select(self, key: str) -> bool:
        """Highlight a row by its key; False where it is not shown."""
        if not self.shows(key):
            return False
        self.move_cursor(row=self.get_row_index(key), animate=False)
        return True

    def on_mount(self) -> None:
        """A new theme has other colours."""
        self.app.theme_changed_signal.subscribe(self, self._themed)

    def on_resize(self) -> None:
        """Columns share the new width."""
        if self._resized():
            self._redraw()

    def action_cursor_down(self) -> None:
        """One row on; past the last one the pane is told."""
        if self.cursor_row >= self.row_count - 1:
            self.post_message(self.AtEdge(self, 1))
        else:
            super().action_cursor_down()

    def action_cursor_up(self) -> None:
        """One row back; past the first one the pane is told."""
        if self.cursor_row <= 0:
            self.post_message(self.AtEdge(self, -1))
        else:
            super().action_cursor_up()

    def _apply(self) -> None:
        wanted = {row.key: row for row in self._given if self._keeps(row)}
        changes = diff_rows(self._shown.values(), wanted.values(), key=attrgetter("key"))
        if not changes and list(self._shown) == list(wanted):
            return
        highlighted, before = self.selection, tuple(self._shown)
        self._measure((*changes.added, *changes.changed))
        self._give_up_what_is_empty(wanted.values())
        with self.app.batch_update():
            self._change(changes, wanted)
            self._shown = wanted
            self._order(wanted)
            if self._resized():
                self._redraw()
            if highlighted is not None and wanted:
                heir = nearest(highlighted, before, wanted)
                row = self.get_row_index(heir) if heir is not None else 0
                if row != self.cursor_row:
                    self.move_cursor(row=row, animate=False)

    def _keeps(self, row: Row) -> bool:
        return (row.wrong or not self._only_wrong) and (not self._text or row.holds(self._text))

    def _change(self, changes: RowChanges[Row], wanted: Mapping[str, Row]) -> None:
        if len(changes.removed) >= BULK and len(changes.removed) * 2 > len(self._shown):
            scroll = self.scroll_y
            self.clear()
            for row in wanted.values():
                self._add(row)
            self.call_after_refresh(self.scroll_to, y=scroll, animate=False)
            return
        for key in changes.removed:
            self.remove_row(key)
        for row in changes.added:
            self._add(row)
        for row in changes.changed:
            before = self._shown[row.key].cells
            for n, (cell, old) in enumerate(zip(row.cells, before, strict=True)):
                if cell != old:
                    self.update_cell(row.key, self._names[n], self._drawn(n, cell))

    def _order(self, wanted: Mapping[str, Row]) -> None:
        if [row.key.value for row in self.ordered_rows] == list(wanted):
            return
        # `sort` hands over cells, not keys: the first cell's identity says which row it is.
        first = self._names[0]
        rank = {id(self.get_cell(key, first)): n for n, key in enumerate(wanted)}
        self.sort(first, key=lambda text: rank[id(text)])

    def _add(self, row: Row) -> None:
        self.add_row(*(self._drawn(n, cell) for n, cell in enumerate(row.cells)), key=row.key)

    def _drawn(self, column: int, cell: Cell) -> Text:
        text = Text(plain(cell.text), Palette.of(self.app).rich(cell.tone), no_wrap=True, end="")
        room = self._widths[column] - 1
        if text.cell_len > room and room < TELLING:
            return Text(end="")
        text.truncate(max(1, room), overflow="ellipsis")
        return text

    def _measure(self, rows: Iterable[Row]) -> None:
        for row in rows:
            for n, cell in enumerate(row.cells):
                if self._natural[n] < self._specs[n].most:
                    wide = min(self._specs[n].most, cell_len(plain(cell.text)) + 1)
                    self._natural[n] = max(self._natural[n], wide)

    def _give_up_what_is_empty(self, rows: Collection[Row]) -> None:
        """A column in which no row says anything any more leaves its room to the others."""
        for n, spec in enumerate(self._specs):
            if rows and not any(row.cells[n].text for row in rows):
                self._natural[n] = spec.least

    def _resized(self) -> bool:
        """Whether the columns' widths are others than before."""
        width = self.size.width
        if not width:
            return False
        widths = shared(self._specs, self._natural, width)
        if widths == self._widths:
            return False
        self._widths = widths
        for column, wide in zip(self.ordered_columns, widths, strict=True):
            column.width = wide
        return True

    def _redraw(self) -> None:
        self.notify_style_update()
        for row in self._shown.values():
            for n, cell in enumerate(row.cells):
                self.update_cell(row.key, self._names[n], self._drawn(n, cell))

    def _themed(self, _: Theme) -> None:
        self._redraw()


def shared(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int]:
    """How wide each column is where all have `width` cells; wider gaps where there is room."""
    widths = list(natural)
    middle = range(1, len(columns) - 1)
    if sum(widths[:-1]) + columns[-1].least + len(middle) <= width:
        for n in middle:
            widths[n] += 1
    excess = sum(widths) - width
    by_keep = sorted(range(len(columns)), key=lambda n: columns[n].keep)
    # Where even the least is too much, `…` says so: a figure cut at the edge is another figure.
    for whole in (True, False):
        for n in by_keep:
            least = columns[n].least if whole or columns[n].fixed else 1
            give = max(0, min(excess, widths[n] - least))
            widths[n] -= give
            excess -= give
    return widths


def nearest(gone: str, before: Sequence[str], left: Container[Any]) -> str | None:
    """Who is highlighted after `gone`: itself where it is left, else the next, else the one before.

    None where nobody is left of those who were there.
    """
    if gone in left:
        return gone
    at = before.index(gone)
    after = (key for key in before[at + 1 :] if key in left)
    return next(after, None) or next((key for key in before[:at][::-1] if key in left), None)
