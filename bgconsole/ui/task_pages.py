"""What opens from the tasks: one task, the stopped ones, and the task-definition diff."""

from __future__ import annotations

from functools import partial

from textual.app import App

from bgconsole.domain.definition_diff import Compared, compared
from bgconsole.domain.join import sides
from bgconsole.domain.stopped import GROUP, grouped
from bgconsole.gateway.port import Gateway
from bgconsole.ui import facts
from bgconsole.ui.facts import Facts
from bgconsole.ui.panes.logs import LogsPane
from bgconsole.ui.panes.stopped import OTHERS
from bgconsole.ui.panes.tasks import SHORT_ID
from bgconsole.ui.screens.definition_diff import DefinitionDiffScreen, Documents
from bgconsole.ui.screens.stopped import StoppedScreen
from bgconsole.ui.screens.task import TaskScreen
from bgconsole.ui.session import Session
from bgconsole.ui.wiring import ConsoleResult, Wiring


class TaskPages:
    """Opens them; each is told anew from the session's newest picture."""

    def __init__(self, app: App[ConsoleResult], wiring: Wiring, session: Session) -> None:
        self._app = app
        self._wiring = wiring
        self._session = session

    def open(self, selection: str, logs: LogsPane) -> None:
        """A row of the tasks pane: a task, or a group of stopped ones."""
        if selection.startswith(GROUP):
            self._stopped(logs)
        else:
            self._task(selection, logs)

    def show_logs(self, pane: str, selection: str, logs: LogsPane) -> bool:
        """Let the logs show the lines of a row alone; False where the row names no task."""
        snapshot = self._session.snapshot
        if snapshot is None:
            return False
        line = logs.highlighted
        if pane == "logs":
            if line is not None and line.task:
                logs.only(frozenset({line.task}), line.task[:SHORT_ID])
            return False
        both = sides(snapshot)
        views = [view for view in (both.old, both.new) if view]
        if pane == "targets":
            address = selection.rpartition("|")[2].rpartition(":")[0]
            found = [row.id for view in views for row in view.rows if row.address == address]
        elif selection.startswith(GROUP):
            groups = [group for view in views for group in grouped(view.failed)]
            wanted = [g for g in groups if selection in (g.key, OTHERS)]
            found = [row.id for group in wanted for row in group.rows]
        elif pane == "tasks":
            found = [selection.rpartition("/")[2]]
        else:
            found = []
        if not found:
            return False
        whose = found[0][:SHORT_ID] if len(found) == 1 else f"{len(found)} stopped tasks"
        logs.only(frozenset(found), whose)
        return True

    def diff(self) -> None:
        """Old against new task definition."""
        snapshot, gateway = self._session.snapshot, self._session.gateway
        what = compared(snapshot) if snapshot else None
        if what is None or gateway is None:
            self._app.notify(
                "No deployment on record changed the service", title="Nothing to compare"
            )
            return
        self._app.push_screen(DefinitionDiffScreen(what, partial(_documents, gateway, what)))

    def _task(self, arn: str, logs: LogsPane) -> None:
        task_id = arn.rpartition("/")[2]
        tell = partial(self._facts, arn)
        if tell():
            lines, of = logs.lines_of(task_id), dict(logs.sides)
            self._app.push_screen(TaskScreen(task_id, tell, lines=lines, sides=of))

    def _stopped(self, logs: LogsPane) -> None:
        self._app.push_screen(
            StoppedScreen(
                lambda: self._session.snapshot,
                self._wiring.clock,
                lambda arn: self._task(arn, logs),
            )
        )

    def _facts(self, arn: str) -> Facts:
        snapshot = self._session.snapshot
        return facts.of_task(snapshot, arn, self._wiring.clock()) if snapshot else ()


def _documents(gateway: Gateway, what: Compared) -> Documents:
    """Blocks."""
    ask = gateway.services.definition_document
    old = ask(what.old.task_definition)
    if what.old.task_definition == what.new.task_definition:
        return old, old
    return old, ask(what.new.task_definition)
