"""One task: everything that is known of it above, its own log lines below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import count

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from bgconsole.domain.join import Side
from bgconsole.domain.logs import LogLine
from bgconsole.ui.facts import Facts
from bgconsole.ui.panes.log_entry import Entry, entries_of
from bgconsole.ui.panes.log_lines import LogLines
from bgconsole.ui.panes.tasks import SHORT_ID
from bgconsole.ui.screens.reading import Page, ReadingScreen
from bgconsole.ui.widgets.hanging_text import HangingText
from bgconsole.ui.widgets.steady_footer import SteadyFooter

CAPACITY = 5_000
"""Lines of the one task that are kept."""


class TaskScreen(ReadingScreen):
    """Follows the task's lines; `tab` goes from the facts to the lines and back."""

    DEFAULT_CSS = """
    TaskScreen {
        & > Page { height: 3fr; min-height: 6; }
        & > .about-lines { height: 1; padding: 0 1; background: $panel; color: $text-muted; }
        & > LogLines { height: 2fr; min-height: 4; margin: 0 1; }
    }
    """

    def __init__(
        self,
        task_id: str,
        tell: Callable[[], Facts],
        *,
        lines: Iterable[Entry] = (),
        sides: Mapping[str, Side],
    ) -> None:
        """`lines` are those that are already known; they are numbered anew here."""
        super().__init__(f"task {task_id[:SHORT_ID]}", tell)
        self._task_id = task_id
        self._sides = sides
        self._numbers = count()
        self._known = [replace(line, sequence=next(self._numbers)) for line in lines]

    def compose(self) -> ComposeResult:
        """Title, facts, lines, keys."""
        yield Static(Content.styled(self._title, "bold"), classes="title")
        with Page():
            yield HangingText(id="facts")
        yield Static(classes="about-lines")
        yield LogLines(CAPACITY)
        yield SteadyFooter()

    def on_mount(self) -> None:
        """Show the lines that are known."""
        super().on_mount()
        lines = self.query_one(LogLines)
        lines.sides = self._sides
        lines.add(self._known)
        self._say()

    def add(self, lines: Iterable[LogLine]) -> None:
        """Take what the tail read: only this task's lines are shown."""
        mine = [line for line in lines if line.task_id == self._task_id]
        entries = [entry for line in mine for entry in entries_of(line, self._numbers)]
        if entries and self._composed:
            self.query_one(LogLines).add(entries)
            self._say()

    def _say(self) -> None:
        lines = self.query_one(LogLines)
        told = len(lines.ring) + lines.waiting
        words = "its log" if told else "its log: no line of it was read yet"
        self.query_one(".about-lines", Static).update(Content(words))
