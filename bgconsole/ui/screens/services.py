"""The services screen: every service of the clusters that are watched, worst first."""

from __future__ import annotations

from collections.abc import Callable
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
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.operations.spec import Operation
from bgconsole.ui.copying import copy
from bgconsole.ui.keys import read
from bgconsole.ui.panes.services import ServicesHeader, ServicesPane, ServicesSum
from bgconsole.ui.run_state import RunState
from bgconsole.ui.screens.service import Reminder
from bgconsole.ui.widgets.steady_footer import SteadyFooter

OF_A_SERVICE = (
    *("describe", "definition-diff", "logs-of-row", "events", "history", "timeline"),
    *("shell", "browse"),
)
"""Keys of the table that look at one service: here they only say so."""


class ServicesScreen(Screen[None]):
    """Looks, and changes marked services only, several as one plan.

    `esc` clears the filter, then the marks, and does nothing else: there is nothing to go back to.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "open", "open", footer=True),
        *read(KEYMAP, "copy", "copy"),
        *read(KEYMAP, "pick", "app.pick", footer=True),
        *read(KEYMAP, "refresh", "app.refresh"),
        *(
            binding
            for operation in OPERATIONS.values()
            if operation.key and operation.about == "service"
            for binding in read(
                KEYMAP, operation.id, f"operate_marked('{operation.id}')", footer=True
            )
        ),
    ]

    overview: reactive[Overview | None] = reactive(None, repaint=False)
    run_state: reactive[RunState | None] = reactive(None, repaint=False)
    """The operation that runs or ran last, for the line that reminds of it."""

    class Opened(Message):
        """Somebody wants to see this service."""

        def __init__(self, line: Line) -> None:
            super().__init__()
            self.line = line

    class Operated(Message):
        """A write key was pressed; `lines` are the services that were marked then."""

        def __init__(self, operation_id: str, lines: tuple[Line, ...]) -> None:
            super().__init__()
            self.operation_id = operation_id
            self.lines = lines

    def __init__(
        self,
        first: tuple[Area, ServiceRef] | None = None,
        *,
        why_read_only: Callable[[ServiceRef], str] = lambda _: "",
    ) -> None:
        """`first` is the service to highlight when the rows come."""
        super().__init__()
        self._first = first
        self._why_read_only = why_read_only

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Write keys are for marked services, of which one at least may be operated."""
        if action != "operate_marked":
            return True
        operation = OPERATIONS[str(parameters[0])]
        marked = operation.several or operation.shared
        return marked and self.operable and bool(self.pane.marks)

    @property
    def operable(self) -> bool:
        """Whether any of the services may be changed from here."""
        listed = self.pane.listed if self.query(ServicesPane) else ()
        return any(not self._why_read_only(line.ref) for line in listed)

    @property
    def of_marked(self) -> tuple[Operation, ...]:
        """What can be done to marked services, as one plan; nothing where none may be operated."""
        offered = (op for op in OPERATIONS.values() if op.several and op.about == "service")
        return tuple(offered) if self.operable else ()

    def action_operate_marked(self, operation_id: str) -> None:
        """Ask about all marked services at once."""
        self.post_message(self.Operated(operation_id, self.pane.marked))

    @on(ServicesPane.Marked)
    def _mark_changed(self) -> None:
        self.refresh_bindings()

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
            copy(self.app, line.arn or line.key)
