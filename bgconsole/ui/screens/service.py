"""The main screen: verdict on top, five panes, keys below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import DataTable, Static

from bgconsole.config.keymap import KEYMAP, shown
from bgconsole.domain.probe import ProbeRecord
from bgconsole.domain.snapshot import Snapshot
from bgconsole.ui.copying import copy
from bgconsole.ui.keys import read
from bgconsole.ui.panes.logs import LogsPane
from bgconsole.ui.panes.pane import Pane, now
from bgconsole.ui.panes.probe import ProbePane
from bgconsole.ui.panes.stacks import StacksPane
from bgconsole.ui.panes.targets import TargetsPane
from bgconsole.ui.panes.tasks import TasksPane
from bgconsole.ui.panes.top import Header, Top
from bgconsole.ui.run_state import RunState
from bgconsole.ui.screens.run import headline
from bgconsole.ui.widgets.line_view import CAPACITY, LineView
from bgconsole.ui.widgets.pane_tabs import PaneTabs
from bgconsole.ui.widgets.steady_footer import SteadyFooter
from bgconsole.ui.wiring import no_folder
from bgconsole.watch.batch import LogBatch

PANES = ("tasks", "targets", "stacks", "logs", "probe")
"""The ids of the panes, in the order of their numbers."""
_MIDDLE = ("targets", "stacks", "probe")
_SHARES_ROOM = "logs"
"""The pane that stays below the chosen one where there is room for one and the logs."""


OF_THE_LOGS = (
    *("find", "match.next", "match.previous", "error.next", "error.previous", "level", "side"),
    *("fold", "wrap", "times", "jump", "mark", "hold"),
)
"""Keys of the table that act in the logs: in another pane they only say so."""


class ServiceScreen(Screen[None]):
    """Holds the snapshot that its panes show.

    `-one` (small terminals): one pane, chosen by its number, and the logs below. `-zoomed`: one
    pane has all the room. The chosen pane carries `-chosen`.
    """

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  Textual declares it, and not as a class variable
        (0, "-narrow"),
        (100, "-comfortable"),
        (160, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            replace(tasks, show=True, key_display="1-5", description="pane")
            for tasks in read(KEYMAP, "pane.tasks", "pane('tasks')")
        ),
        *read(KEYMAP, "pane.targets", "pane('targets')"),
        *read(KEYMAP, "pane.stacks", "pane('stacks')"),
        *read(KEYMAP, "pane.logs", "pane('logs')"),
        *read(KEYMAP, "pane.probe", "pane('probe')"),
        *read(KEYMAP, "pane.next", "next_pane(1)"),
        *read(KEYMAP, "pane.previous", "next_pane(-1)"),
        *read(KEYMAP, "pane.zoom", "zoom(True)"),
        *read(KEYMAP, "pane.unzoom", "zoom(False)"),
        *read(KEYMAP, "describe", "app.describe"),
        *read(KEYMAP, "open", "app.open"),
        *read(KEYMAP, "logs-of-row", "app.logs_of_row"),
        *read(KEYMAP, "definition-diff", "app.definition_diff"),
        *read(KEYMAP, "events", "app.events"),
        *read(KEYMAP, "history", "app.history"),
        *read(KEYMAP, "timeline", "app.timeline"),
        *read(KEYMAP, "browse", "app.browse"),
        *read(KEYMAP, "shell", "app.shell"),
        *read(KEYMAP, "copy", "copy"),
        *read(KEYMAP, "pick", "app.pick"),
        *read(KEYMAP, "refresh", "app.refresh"),
        *read(KEYMAP, "back", "unzoom_or_all", footer=False),
    ]

    snapshot: reactive[Snapshot | None] = reactive(None, repaint=False)
    probe: reactive[ProbeRecord | None] = reactive(None, repaint=False)
    run_state: reactive[RunState | None] = reactive(None, repaint=False)
    """The operation that runs or ran last, for the line that reminds of it."""

    def __init__(
        self,
        *,
        read_only: bool = False,
        keys: Mapping[str, str] | None = None,
        probe_off: bool = False,
        save: Callable[[str, str], str] = no_folder,
        log_lines: int = CAPACITY,
    ) -> None:
        super().__init__()
        self._save = save
        self._log_lines = log_lines
        self._read_only = read_only
        self._keys = keys
        self._probe_off = probe_off

    def compose(self) -> ComposeResult:
        """From the answer at the top to the evidence at the bottom."""
        header = Header(id="header").data_bind(ServiceScreen.snapshot)
        header.set_reactive(Header.read_only, self._read_only)
        yield header
        top = Top(id="top").data_bind(ServiceScreen.snapshot, ServiceScreen.probe)
        top.keys = top.keys if self._keys is None else self._keys
        yield top
        yield Reminder(id="reminder")
        yield PaneTabs(id="tabs")
        with Container(id="body"):
            yield TasksPane(id="tasks").data_bind(ServiceScreen.snapshot)
            with Horizontal(id="middle"):
                yield TargetsPane(id="targets").data_bind(ServiceScreen.snapshot)
                yield StacksPane(id="stacks").data_bind(ServiceScreen.snapshot)
                yield ProbePane(off=self._probe_off, id="probe").data_bind(
                    ServiceScreen.snapshot, ServiceScreen.probe
                )
            yield LogsPane(capacity=self._log_lines, save=self._save, id="logs").data_bind(
                ServiceScreen.snapshot
            )
        yield SteadyFooter()

    def on_mount(self) -> None:
        """Start in the tasks."""
        self.query_one(Reminder).show(self.run_state)
        self._choose("tasks", focus=True)

    def add_lines(self, batch: LogBatch) -> None:
        """Hand new log lines on."""
        self.query_one(LogsPane).add(batch)

    def watch_run_state(self, state: RunState | None) -> None:
        """Remind of what runs."""
        for reminder in self.query(Reminder):
            reminder.show(state)

    @property
    def pane(self) -> Pane:
        """The pane that has the focus, else the chosen one."""
        focused: Widget | None = self.focused
        for node in focused.ancestors_with_self if focused else ():
            if isinstance(node, Pane):
                return node
        return self.query_one(".-chosen", Pane)

    @property
    def logs(self) -> LogsPane:
        """The logs pane."""
        return self.query_one(LogsPane)

    def action_pane(self, pane_id: str) -> None:
        """Show and focus one pane."""
        self._choose(pane_id, focus=True)

    def action_next_pane(self, step: int) -> None:
        """Focus the next pane, or the one before."""
        at = PANES.index(str(self.pane.id))
        self._choose(PANES[(at + step) % len(PANES)], focus=True)

    def action_zoom(self, zoomed: bool) -> None:
        """Give the pane with the focus all the room, or take it back."""
        self._choose(str(self.pane.id), focus=False)
        self.set_class(zoomed, "-zoomed")

    def action_unzoom_or_all(self) -> None:
        """`esc` where this pane has no filter to clear: all logs, all panes, else every service."""
        if self.logs.narrowed_to:
            self.logs.clear_filter()
        elif self.has_class("-zoomed"):
            self.remove_class("-zoomed")
        else:
            self.app.call_later(self.app.run_action, "leave_service")

    def action_copy(self) -> None:
        """Copy what is highlighted."""
        copied = self.pane.copied
        if copied:
            copy(self.app, copied)

    @on(Pane.Aged)
    def _aged(self) -> None:
        stale = frozenset(str(pane.id) for pane in self.query(Pane) if pane.stale)
        self.query_one(PaneTabs).stale = stale

    @on(DataTable.RowSelected)
    @on(LineView.Opened)
    def _opened(self) -> None:
        self.app.call_later(self.app.run_action, "open")

    def on_descendant_focus(self) -> None:
        """A pane that was clicked or tabbed to is the chosen one."""
        self._choose(str(self.pane.id), focus=False)

    def _choose(self, pane_id: str, *, focus: bool) -> None:
        small = self.has_class("-narrow") or self.has_class("-short")
        # On a small screen the logs stay below the chosen pane: going there to scroll keeps both.
        keep = small and pane_id == _SHARES_ROOM and not focus
        if not keep:
            for each in self.query(Pane):
                each.set_class(each.id == pane_id, "-chosen")
            self.set_class(pane_id in _MIDDLE, "-middle-chosen")
            self.query_one(PaneTabs).chosen = pane_id
        if focus:
            self.query_one(f"#{pane_id}", Pane).focus()


class Reminder(Static):
    """One line on the operation that goes on behind; its key or a click opens it."""

    DEFAULT_CSS = """
    Reminder { height: 1; display: none; background: $panel; padding: 0 1; text-wrap: nowrap; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._state: RunState | None = None

    def on_mount(self) -> None:
        """The seconds run."""
        self.set_interval(1.0, self._paint)

    def show(self, state: RunState | None) -> None:
        """Remind of this run, or of none."""
        self._state = state
        self._paint()

    def on_click(self, _: Click) -> None:
        """Open it."""
        self.app.call_later(self.app.run_action, "show_run")

    def _paint(self) -> None:
        state = self._state
        self.display = state is not None
        if state is not None:
            hint = f"   {_open_key(self.app)}: open"
            room = max(1, self.size.width - len(hint)) if self.size.width else 0
            self.update(Content.assemble(headline(state, now(self), room), (hint, "dim")))

    def on_resize(self) -> None:
        """Another width."""
        self._paint()


def _open_key(app: App[object]) -> str:
    """The key that opens the run, as the user's keymap has it."""
    bindings = (each.binding for each in app.active_bindings.values())
    key = next((each.key for each in bindings if each.id == "operation"), "")
    return shown(key) if key else "click"
