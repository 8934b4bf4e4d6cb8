"""The operations that exist for the service that is shown: which may begin now, and why not."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import App

from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stopped import GROUP
from bgconsole.operations.spec import No, Operation, Params
from bgconsole.ui.operating import Operating
from bgconsole.ui.panes.pane import Pane
from bgconsole.ui.panes.tasks import TasksPane
from bgconsole.ui.screens.run import RunScreen
from bgconsole.ui.session import Session
from bgconsole.ui.wiring import ConsoleResult


class Offers:
    """As the newest picture says."""

    def __init__(self, app: App[ConsoleResult], session: Session, operating: Operating) -> None:
        self._app = app
        self._session = session
        self._operating = operating
        self.listed: tuple[tuple[Operation, No | None], ...] = ()
        """In footer order, each with why the picture forbids it."""

    def clear(self) -> None:
        """No service is shown."""
        self.listed = ()

    def renew(self, snapshot: Snapshot) -> None:
        """Look at a new picture."""
        before, runner = self._allowed(), self._session.runner
        self.listed = runner.operations(snapshot) if runner else ()
        if before != self._allowed():
            self._app.refresh_bindings()

    def _allowed(self) -> list[tuple[str, bool]]:
        return [(operation.id, no is None) for operation, no in self.listed]

    def existing(self) -> Iterator[Operation]:
        """Those that exist, whatever the picture says: in read-only the safe ones."""
        yield from self._session.runner.offered() if self._session.runner else ()

    def begin(self, operation_id: str, pane: Pane | None) -> None:
        """Open an operation's dialog, or its run where that goes on.

        Once another one is sent and only followed, this one may begin: nobody waits for a
        deployment to fail before it is rolled back.
        """
        snapshot, runner = self._session.snapshot, self._session.runner
        found = next((o for o, _ in self.listed if o.id == operation_id), None)
        if found is None or snapshot is None or runner is None:
            return
        if self._operating.is_of(found, self._session.ref):
            self._operating.show()
        elif no := self.why_not(None):
            self._app.notify(no, title=found.title, severity="warning")
        elif (params := self._params(found, pane)) is not None:
            self._operating.offer(runner, found, snapshot, params)

    def _params(self, operation: Operation, pane: Pane | None) -> Params | None:
        """What the highlighted row gives an operation; None, told so, where it needs one."""
        names = [param.name for param in operation.params if param.row]
        if not names:
            return {}
        row = pane.selection if isinstance(pane, TasksPane) else None
        if row is None:
            words = "Highlight a task first: it acts on that row alone."
            self._app.notify(words, title=operation.title, severity="warning")
            return None
        # A row of stopped tasks names none: the operation asks which one is meant.
        return {} if row.startswith(GROUP) else {names[0]: row}

    def why_not(self, no: No | None) -> str:
        """Why an operation may not begin now, in words; empty where it may.

        Args:
            no: what the picture says against it.
        """
        screen, sent = self._app.screen, self._operating.state
        shown = screen.state.proposal.ref if isinstance(screen, RunScreen) else None
        if shown is not None and shown != self._session.ref:
            return f"This page is about {shown}; the console shows {self._session.ref}. Go back."
        if self._operating.sending and sent is not None:
            return f"Wait until this is sent: {sent.proposal.plan.summary}"
        return no.reason if no is not None else ""

    def may_press(self, operation_id: str) -> bool:
        """Whether an operation's key does something: begin it, or show it."""
        for operation, no in self.listed:
            if operation.id == operation_id:
                return self._operating.is_of(operation, self._session.ref) or not self.why_not(no)
        return False

    def is_passing(self, operation_id: str) -> bool:
        """Whether an operation is offered only while something passes, and hidden before."""
        return any(o.passing for o, _ in self.listed if o.id == operation_id)
