"""What the palette offers of stacks: ways back, and what can be done with the highlighted one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.app import App

from bgconsole.domain.stack_states import way_back
from bgconsole.domain.stacks import Stack
from bgconsole.operations.spec import Operation
from bgconsole.ui.commands import Command
from bgconsole.ui.drifting import Drifting
from bgconsole.ui.offers import Offers
from bgconsole.ui.operating import Operating
from bgconsole.ui.panes.pane import Pane
from bgconsole.ui.panes.stacks import StacksPane
from bgconsole.ui.session import Session
from bgconsole.ui.wiring import ConsoleResult, Wiring


class StackCommands:
    """By the name of the stack, as keys are of the service."""

    def __init__(
        self,
        app: App[ConsoleResult],
        wiring: Wiring,
        session: Session,
        offers: Offers,
        operating: Operating,
        drifting: Drifting,
    ) -> None:
        self._app = app
        self._wiring = wiring
        self._session = session
        self._offers = offers
        self._operating = operating
        self._drifting = drifting

    def commands(self, pane: Pane | None) -> Iterator[Command]:
        """Those that there are now; `pane` is the one in front."""
        offered = {operation.id: operation for operation in self._offers.existing()}
        selection = pane.selection if isinstance(pane, StacksPane) else None
        snapshot = self._session.snapshot
        stacks = snapshot.stacks.value or () if snapshot else ()
        for stack in stacks:
            yield from self._ways_back(stack, offered)
        for stack in stacks:
            if stack.arn == selection:
                yield from self._of_highlighted(stack, offered)

    def _ways_back(self, stack: Stack, offered: dict[str, Operation]) -> Iterator[Command]:
        """What can be done about a stack that is being changed, or is stuck."""
        way = way_back(stack.status, stack.name)
        for applies, name in (
            (way.cancels, "stacks.cancel-update"),
            (way.continues, "stacks.continue-rollback"),
        ):
            if applies and (operation := offered.get(name)) is not None:
                run = partial(self._operate, operation, stack.name)
                yield Command(f"{operation.title}: {stack.name}", operation.help, run)

    def _of_highlighted(self, stack: Stack, offered: dict[str, Operation]) -> Iterator[Command]:
        words = "Ask CloudFormation what differs from its template; changes nothing"
        yield Command(f"Check drift: {stack.name}", words, partial(self._check_drift, stack))
        if not stack.parent and (update := offered.get("stacks.up")) is not None:
            words = "Make it as its template says: the changes are shown first"
            run = partial(self._operate, update, stack.name)
            yield Command(f"Update: {stack.name}", words, run)

    def _check_drift(self, stack: Stack) -> None:
        if self._session.gateway is not None:
            self._drifting.check(self._session.gateway, stack)

    def _operate(self, operation: Operation, stack: str) -> None:
        snapshot, runner = self._session.snapshot, self._session.runner
        if snapshot is None or runner is None:
            return
        if no := self._offers.why_not(None) or self._wiring.why_no_stacks((stack,)):
            self._app.notify(no, title=operation.title, severity="warning")
        else:
            self._operating.offer(runner, operation, snapshot, {"items": stack})
