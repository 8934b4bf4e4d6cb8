"""The services screen: every service of the clusters that are watched, worst first."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import DataTable

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain.overview import Area, Line, Overview
from bgconsole.domain.services import ServiceRef
from bgconsole.ui.keys import read
from bgconsole.ui.panes.services import ServicesHeader, ServicesPane, ServicesSum
from bgconsole.ui.run_state import RunState
from bgconsole.ui.screens.service import Reminder
from bgconsole.ui.widgets.steady_footer import SteadyFooter


class ServicesScreen(Screen[None]):
    """Only looks: what changes a service is done on the service's own screen.

    `esc` clears the filter and does nothing else: there is nothing to go back to.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "open", "open", footer=True),
        *read(KEYMAP, "copy", "copy"),
        *read(KEYMAP, "pick", "app.pick", footer=True),
        *read(KEYMAP, "refresh", "app.refresh"),
    ]

    overview: reactive[Overview | None] = reactive(None, repaint=False)
    run_state: reactive[RunState | None] = reactive(None, repaint=False)
    """The operation that runs or ran last, for the line that reminds of it."""

    class Opened(Message):
        """Somebody wants to see this service."""

        def __init__(self, line: Line) -> None:
            super().__init__()
            self.line = line

    def __init__(self, first: tuple[Area, ServiceRef] | None = None) -> None:
        """`first` is the service to highlight when the rows come."""
        super().__init__()
        self._first = first

    def compose(self) -> ComposeResult:
        """How many are wrong, then which."""
        yield ServicesHeader(id="header").data_bind(ServicesScreen.overview)
        yield ServicesSum(id="sum").data_bind(ServicesScreen.overview)
        yield Reminder(id="reminder")
        yield ServicesPane(id="services").data_bind(ServicesScreen.overview)
        yield SteadyFooter()

    def on_mount(self) -> None:
        """Start in the list."""
        self.query_one(Reminder).show(self.run_state)
        self.pane.focus()
        if self._first is not None:
            self.pane.wish(*self._first)

    def watch_run_state(self, state: RunState | None) -> None:
        """Remind of what runs."""
        for reminder in self.query(Reminder):
            reminder.show(state)

    @property
    def pane(self) -> ServicesPane:
        """The list."""
        return self.query_one(ServicesPane)

    @on(DataTable.RowSelected)
    def action_open(self) -> None:
        """Open the highlighted service."""
        line = self.pane.line
        if line is None:
            return
        if line.ref.name:
            self.post_message(self.Opened(line))
        else:
            self.app.notify(line.sentence, title=line.word, severity="warning")

    def action_copy(self) -> None:
        """Copy the ARN of what is highlighted."""
        line = self.pane.line
        if line is not None:
            self.app.copy_to_clipboard(line.arn or line.key)
            self.app.notify("Copied", timeout=3, markup=False)
