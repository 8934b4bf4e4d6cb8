"""The tasks that stopped, by the way they ended; one can be opened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import DataTable, Static

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain.join import sides
from bgconsole.domain.plain import plain
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stopped import StoppedGroup, grouped
from bgconsole.ui.copying import copy
from bgconsole.ui.keys import read
from bgconsole.ui.palette import Palette, Tone
from bgconsole.ui.panes.stopped import COLUMNS, page_rows
from bgconsole.ui.widgets.keyed_table import KeyedTable
from bgconsole.ui.widgets.steady_footer import SteadyFooter


class StoppedScreen(Screen[None]):
    """A row a task. What ECS has forgotten (after about an hour) is gone here too."""

    DEFAULT_CSS = """
    StoppedScreen {
        & > #groups { height: auto; max-height: 40%; padding: 1 1; }
        & > KeyedTable { height: 1fr; margin: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "back", "leave", footer=True),
        *read(KEYMAP, "open", "open", footer=True),
        *read(KEYMAP, "describe", "open", footer=False),
        *read(KEYMAP, "copy", "copy", footer=True),
    ]

    def __init__(
        self,
        snapshot: Callable[[], Snapshot | None],
        clock: Callable[[], datetime],
        opened: Callable[[str], None],
    ) -> None:
        """`opened` is told the ARN of the task that shall be shown."""
        super().__init__()
        self._snapshot = snapshot
        self._clock = clock
        self._opened = opened
        self._composed = False

    def compose(self) -> ComposeResult:
        """Title, a line a reason, the tasks, keys."""
        yield Static(Content.styled("stopped tasks", "bold"), classes="title")
        yield Static(id="groups")
        yield KeyedTable(*COLUMNS)
        yield SteadyFooter()

    def on_mount(self) -> None:
        """Fill it."""
        self._composed = True
        self.renew()
        self.query_one(KeyedTable).focus()

    def renew(self) -> None:
        """Show what is known now."""
        snapshot = self._snapshot()
        if snapshot is None or not self._composed:
            return
        both = sides(snapshot)
        groups = grouped(row for side in (both.old, both.new) if side for row in side.stopped)
        known = snapshot.tasks.value
        tasks = {task.arn: task for task in known.tasks} if known else {}
        rows = page_rows(groups, tasks, snapshot.last_words, self._clock())
        self.query_one(KeyedTable).show(rows)
        palette = Palette.of(self.app)
        lines = [_line(group, palette) for group in groups] or [Content("no task has stopped")]
        self.query_one("#groups", Static).update(Content("\n").join(lines))

    def action_leave(self) -> None:
        """Back to where one came from."""
        self.dismiss(None)

    def action_open(self) -> None:
        """The highlighted task."""
        if key := self.query_one(KeyedTable).selection:
            self._opened(key)

    def action_copy(self) -> None:
        """Copy the highlighted task's ARN."""
        if key := self.query_one(KeyedTable).selection:
            copy(self.app, key)

    @on(DataTable.RowSelected)
    def _row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.action_open()


def _line(group: StoppedGroup, palette: Palette) -> Content:
    """`✖ 3 × revision 3, exit 1: OutOfMemoryError …`."""
    tone = Tone.BAD if group.failed else Tone.QUIET
    reason = f": {plain(group.reason)}" if group.reason else ""
    return Content.assemble(
        ("✖ " if group.failed else "◌ ", palette.style(tone)),
        (f"{len(group.rows)} × ", palette.style(tone, bold=True)),
        f"revision {plain(group.revision)}, {plain(group.exit_words)}{reason}",
    )
