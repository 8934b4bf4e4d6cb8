"""Pane 1: the service's tasks, old on the left, new on the right, and why new ones stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.widget import Widget
from textual.widgets import Static

from bgconsole.domain.duration import age
from bgconsole.domain.images import short_digest
from bgconsole.domain.join import Side, Sides, SideView, TaskRow, sides
from bgconsole.domain.metrics import usage
from bgconsole.domain.plain import plain
from bgconsole.ui.palette import SIDE, Look, Palette, Tone, health_look, task_look
from bgconsole.ui.panes.freshness import freshness, late_after, nothing
from bgconsole.ui.panes.pane import Pane, now
from bgconsole.ui.panes.stopped import group_rows
from bgconsole.ui.widgets.fit import Piece, piece
from bgconsole.ui.widgets.keyed_table import Cell, Column, KeyedTable, Row
from bgconsole.ui.widgets.repaint import retell

WIDE = 110
"""From so many columns on, old and new stand side by side."""
NOT_KNOWN = "not known"
"""A task's health while target health could not be read: counting it would be a guess."""
SHORT_ID = 6
"""Digits of a task's id that are shown, here and in the logs."""
COLUMNS = (
    Column(2, 2),
    Column(SHORT_ID + 1, SHORT_ID + 1),
    Column(8, 15, keep=7),
    Column(8, 19, keep=8),
    Column(4, 16, keep=2),
    Column(6, 12, keep=6),
    Column(1, 400, keep=1),
)


class TaskBox(Vertical):
    """One side: why tasks of it failed, and those that it has."""

    DEFAULT_CSS = """
    TaskBox {
        height: 1fr;
    }
    """

    def compose(self) -> ComposeResult:
        """The table, or words in its place."""
        yield Static(classes="message")
        yield KeyedTable(*COLUMNS)

    def on_resize(self) -> None:
        """The title has more or less room."""
        self.query_ancestor(TasksPane).paint()

    @property
    def table(self) -> KeyedTable:
        """Its rows."""
        return self.query_one(KeyedTable)

    def fill(
        self,
        view: SideView | None,
        at: datetime,
        message: str,
        last_words: Mapping[str, str],
        *,
        stale: bool,
    ) -> None:
        """Show one side as of `at`; without one there is only the message."""
        rows = [task_row(row, at) for row in view.rows] if view else []
        # What failed stands first: however many tasks run, it is seen.
        self.table.show([*(group_rows(view, last_words, at) if view else ()), *rows])
        said = self.query_one(".message", Static)
        retell(said, Content(message))
        said.set_class(bool(message), "-said")
        self.table.set_class(stale, "-stale")


class TasksPane(Pane):
    """One box when steady; old and new while deploying, beside or above each other."""

    NUMBER = "1"
    NAME = "Tasks"
    DEFAULT_CSS = """
    TasksPane {
        layout: vertical;
        border: none;
        &:focus-within { border: none; }
        & > TaskBox {
            border: round $foreground 25%;
            border-title-color: $foreground 80%;
            border-subtitle-color: $foreground 70%;
            &:focus-within { border: round $primary; border-title-color: $foreground; }
        }
        & > #old {
            display: none;
            height: auto;
            max-height: 50%;
            border-bottom: none;
            & > KeyedTable { height: auto; }
        }
        &.-wide > #old {
            height: 1fr;
            max-height: 100%;
            border-bottom: round $foreground 25%;
            &:focus-within { border-bottom: round $primary; }
            & > KeyedTable { height: 1fr; }
        }
        &.-both > #old { display: block; }
        &.-wide { layout: grid; grid-size: 2; grid-rows: 1fr; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "side('old')", "Old side", show=False),
        Binding("right", "side('new')", "New side", show=False),
    ]

    def body(self) -> ComposeResult:
        """Old first, as it is read."""
        yield TaskBox(id="old")
        yield TaskBox(id="new")

    def on_mount(self) -> None:
        """The new side has the highlight until the user goes over."""
        self._old.table.show_cursor = False

    def sought(self) -> Iterator[Widget]:
        """The side that has the highlight."""
        yield self._active.table

    @property
    def selection(self) -> str | None:
        """The highlighted task's ARN, or the key of a group of stopped ones."""
        return self._active.table.selection

    def narrow(self, text: str, *, only_wrong: bool) -> None:
        """Show only tasks that hold the text, or only those that are not well."""
        for box in (self._old, self._new):
            box.table.narrow(text, only_wrong=only_wrong)

    def action_side(self, side: str) -> None:
        """Take the highlight to one side."""
        if self.has_class("-both"):
            box = self._old if side == "old" else self._new
            self._activate(box)
            box.table.focus()

    def paint(self) -> None:
        """Show both sides as of now."""
        snapshot = self.snapshot
        if snapshot is None:
            return
        at = now(self)
        both = sides(snapshot) if snapshot.tasks.value is not None else Sides(None, None)
        fresh = freshness(snapshot.tasks, at, late_after("tasks", snapshot))
        self._arrange(both)
        for box, view in ((self._old, both.old), (self._new, both.new)):
            empty = _nobody(view) if view and not view.rows else ""
            empty = nothing(snapshot.tasks, fresh, empty) if box is self._new else empty
            box.fill(view, at, empty, snapshot.last_words, stale=fresh.dimmed)
            title = side_pieces(view, Palette.of(self.app)) if view else []
            if view and (used := usage(snapshot.metrics.value, view.side, alone=both.old is None)):
                title.append(piece(1, used, ""))
            self.dress(
                title,
                fresh,
                box.table.counts,
                box=box,
                named=box is self._old or both.old is None,
            )

    def _arrange(self, both: Sides) -> None:
        two = both.old is not None
        if not two and self._active is self._old:
            self._activate(self._new)
        self.set_class(two, "-both")
        self.set_class(two and self.size.width >= WIDE, "-wide")

    @property
    def _old(self) -> TaskBox:
        return self.query_one("#old", TaskBox)

    @property
    def _new(self) -> TaskBox:
        return self.query_one("#new", TaskBox)

    @property
    def _active(self) -> TaskBox:
        return self._old if self._old.table.show_cursor else self._new

    def _activate(self, box: TaskBox) -> None:
        other = self._new if box is self._old else self._old
        box.table.show_cursor = True
        other.table.show_cursor = False
        if other.table.has_focus:
            box.table.focus()

    @on(KeyedTable.AtEdge)
    def _over_the_edge(self, event: KeyedTable.AtEdge) -> None:
        """The new side goes on where the old one ends."""
        event.stop()
        if not self.has_class("-both"):
            return
        if event.step > 0 and event.table is self._old.table:
            self._activate(self._new)
            self._new.table.move_cursor(row=0)
        elif event.step < 0 and event.table is self._new.table:
            self._activate(self._old)
            self._old.table.move_cursor(row=self._old.table.row_count - 1)

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        for box in (self._old, self._new):
            if event.widget is box.table and box is not self._active:
                self._activate(box)


def side_pieces(view: SideView, palette: Palette) -> list[Piece]:
    """`old · revision 1 · 9d1d599a · tag 1f3c2aa`."""
    told: list[Piece] = []
    if view.side in (Side.OLD, Side.NEW):
        word = Content.styled(view.side.value, palette.style(SIDE[view.side], bold=True))
        told.append(piece(98, word))
    number = plain(view.revision)
    told.append(piece(97, f"revision {number}", f"rev {number}"))
    if view.digest:
        told.append(piece(3, short_digest(plain(view.digest)), ""))
    if view.tag:
        told.append(piece(4, f"tag {plain(view.tag)}", plain(view.tag), ""))
    if view.requested and not any(row.health == NOT_KNOWN for row in view.rows):
        told.append(piece(2, f"{view.healthy}/{view.requested} healthy", ""))
    return told


def task_row(row: TaskRow, at: datetime) -> Row:
    """One task as a row."""
    look = task_look(row.status, row.health)
    health = health_look(row.health) if row.health else Look("", Tone.QUIET)
    reason = "" if health.tone is Tone.GOOD else row.health_reason
    return Row(
        row.key,
        (
            Cell(look.glyph, look.tone),
            Cell(row.id[:SHORT_ID]),
            Cell(row.status, Tone.PLAIN if row.status == "running" else look.tone),
            Cell(row.health, Tone.PLAIN if health.tone is Tone.GOOD else health.tone),
            Cell(row.zone, Tone.QUIET),
            Cell(age(row.since, at), Tone.QUIET),
            Cell(reason, health.tone),
        ),
        wrong=look.wrong or health.wrong,
    )


def _nobody(view: SideView) -> str:
    if view.side is Side.OLD:
        return "no old task is left"
    if not view.requested and view.side is Side.NEW:
        return "no new task has started yet"
    if not view.requested:
        return "no task is running, and none is asked for"
    return f"no task is running yet; {view.requested} are asked for"
