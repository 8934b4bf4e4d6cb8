"""The pages behind keys: all facts of a row, the events, the deployments, the keys themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from textual.app import App

from bgconsole.domain.join import Side
from bgconsole.domain.masking import mask
from bgconsole.domain.stacks import Stack
from bgconsole.domain.web_pages import web_page
from bgconsole.operations.spec import No, Operation
from bgconsole.ui import facts, help_text, history_facts, stack_facts
from bgconsole.ui.background import start
from bgconsole.ui.copying import copy
from bgconsole.ui.facts import Facts
from bgconsole.ui.line_facts import of_line
from bgconsole.ui.panes.logs import LogsPane
from bgconsole.ui.panes.pane import Pane
from bgconsole.ui.panes.probe import ProbePane
from bgconsole.ui.panes.stacks import StacksPane
from bgconsole.ui.panes.tasks import TasksPane
from bgconsole.ui.probe_facts import of_probe
from bgconsole.ui.screens.reading import ReadingScreen
from bgconsole.ui.screens.stack import StackScreen
from bgconsole.ui.screens.timeline import Story, TimelineScreen
from bgconsole.ui.session import Session
from bgconsole.ui.task_pages import TaskPages
from bgconsole.ui.wiring import ConsoleResult, Wiring

EARLIER = timedelta(seconds=5)
"""How long before the time of a stack's last change its first event may be."""


class Pages:
    """Opens them; each is told anew from the session's newest picture."""

    def __init__(self, app: App[ConsoleResult], wiring: Wiring, session: Session) -> None:
        self._app = app
        self._wiring = wiring
        self._session = session
        self.tasks = TaskPages(app, wiring, session)

    def open(self, pane: Pane, logs: LogsPane) -> None:
        """The row that a pane highlights."""
        selection = pane.selection
        if selection and isinstance(pane, TasksPane):
            self.tasks.open(selection, logs)
        elif selection and isinstance(pane, StacksPane):
            self._stack(selection)
        elif isinstance(pane, LogsPane):
            if (gap := pane.gap) is not None:
                pane.reread(gap)
            else:
                self._line(pane)
        else:
            self.describe(pane)

    def _stack(self, arn: str) -> None:
        """A stack with its resources and events."""
        gateway = self._session.gateway
        tell = partial(self._described, "stacks", arn)
        if gateway is None or not tell():
            return

        def seen() -> Stack | None:
            snapshot = self._session.snapshot
            stacks = snapshot.stacks.value if snapshot else None
            return next((stack for stack in stacks or () if stack.arn == arn), None)

        def read() -> stack_facts.Inside:
            stack = seen()
            since = stack.changed_at - EARLIER if stack and stack.changed_at else None
            events = gateway.stacks.events(arn, since)
            return stack_facts.read_inside(gateway, arn, events)

        def moving() -> bool:
            stack = seen()
            return stack is not None and stack.moving

        self._app.push_screen(
            StackScreen(
                f"stack {arn.split('/')[-2] if '/' in arn else arn}",
                tell,
                read=read,
                told_of=lambda inside: tuple(stack_facts.of_inside(inside, self._wiring.clock())),
                moving=moving,
            )
        )

    def show_logs(self, pane: Pane, logs: LogsPane) -> bool:
        """The logs of the row that a pane highlights; False where it names no task."""
        selection = pane.selection
        return bool(selection and self.tasks.show_logs(str(pane.id), selection, logs))

    def describe(self, pane: Pane) -> None:
        """All that is known of the row that a pane highlights; nothing where none is."""
        selection = pane.selection
        if isinstance(pane, ProbePane):
            self._probe(pane)
        elif isinstance(pane, LogsPane):
            self._line(pane)
        elif selection:
            tell = partial(self._described, str(pane.id), selection)
            if tell():
                self._app.push_screen(ReadingScreen("describe", tell))

    def _line(self, pane: LogsPane) -> None:
        line = pane.highlighted
        if line is not None:
            side = pane.sides.get(line.task, Side.UNKNOWN)
            told = of_line(line, pane.every, side, self._wiring.clock())
            self._app.push_screen(ReadingScreen("log line", lambda: told))

    def _probe(self, pane: ProbePane) -> None:
        def tell() -> Facts:
            return of_probe(pane.probe, self._wiring.clock())

        if tell():
            self._app.push_screen(ReadingScreen("probe", tell))

    def browse(self, pane: Pane) -> None:
        """The row's page in a browser; where none can be opened here, its address is copied."""
        snapshot = self._session.snapshot
        if snapshot is None:
            return
        page = web_page(snapshot, str(pane.id), pane.selection or "")
        if isinstance(pane, ProbePane) and pane.probe is not None:
            page = pane.probe.url
        if not page:
            self._app.notify("There is no address to open", severity="warning", markup=False)
        elif not self._wiring.browse:
            copy(self._app, page, f"No browser here: {mask(page)}")
        else:
            start(self._app, partial(self._wiring.browse, page), name="browse")
            self._app.notify(f"Opening {mask(page)}", timeout=3, markup=False)

    def events(self) -> None:
        """The service's events, in AWS's words."""
        self._read("events", facts.events)

    def history(self) -> None:
        """The service's deployments."""
        self._read("deployments", history_facts.history)

    def timeline(self) -> None:
        """What happened, by time."""
        session, snapshot = self._session, self._session.snapshot
        if snapshot is not None:

            def tell() -> Story:
                return Story(session.snapshot or snapshot, session.seen, session.hearing.heard)

            self._app.push_screen(
                TimelineScreen(tell, ours=self._wiring.ours, save=self._wiring.save)
            )

    def help(
        self,
        operations: tuple[tuple[Operation, No | None], ...],
        of_marked: tuple[Operation, ...] = (),
    ) -> None:
        """Every key; `of_marked` is what a list of services does to marked ones."""
        runner, ref = self._session.runner, self._session.ref
        told = help_text.facts(
            self._wiring.keymap,
            operations,
            {operation.id: runner.risk(operation) for operation, _ in operations} if runner else {},
            read_only=bool(ref and self._wiring.why_read_only(ref)),
            of_marked=of_marked,
        )
        self._app.push_screen(ReadingScreen("keys", lambda: told))

    def _described(self, pane: str, selection: str) -> Facts:
        snapshot = self._session.snapshot
        if snapshot is None:
            return ()
        if pane == "tasks":
            return facts.of_task(snapshot, selection, self._wiring.clock())
        if pane == "targets":
            return facts.of_target(snapshot, selection)
        if pane == "stacks":
            return stack_facts.of_stack(snapshot, selection, self._wiring.clock())
        return ()

    def _read(self, title: str, tell: Callable[..., Facts]) -> None:
        snapshot = self._session.snapshot
        if snapshot is not None:
            self._app.push_screen(
                ReadingScreen(
                    f"{title} · {snapshot.ref}",
                    lambda: tell(self._session.snapshot or snapshot, self._wiring.clock()),
                )
            )
