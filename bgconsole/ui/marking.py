"""From a write key on marked services to the one dialog about all of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from textual.app import App

from bgconsole.domain.errors import BgconsoleError
from bgconsole.domain.overview import Line
from bgconsole.gateway.port import Gateway
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.operations.spec import No, Operation
from bgconsole.ui.background import ask
from bgconsole.ui.messages import Answered
from bgconsole.ui.operating import Operating, Runnable
from bgconsole.ui.screens.services import ServicesScreen
from bgconsole.ui.wiring import ConsoleResult, Wiring
from bgconsole.watch.once import read, with_service


@dataclass(frozen=True, slots=True)
class Reading:
    """The ticket of one look at the marked services."""

    number: int
    operation: Operation
    screen: ServicesScreen
    """The screen that the key was pressed on; once it is left the answer comes too late."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why the operation is not proposed: a line for each service that cannot have it."""

    reasons: tuple[str, ...]


class Marking:
    """Reads every marked service, and asks once for all; if one cannot have it, for none."""

    def __init__(
        self,
        app: App[ConsoleResult],
        wiring: Wiring,
        operating: Operating,
        gateway: Callable[[str], Gateway],
    ) -> None:
        """`gateway` is to a region of which rows are shown."""
        self._app = app
        self._wiring = wiring
        self._operating = operating
        self._gateway = gateway
        self._number = 0

    def offer(self, operation_id: str, lines: tuple[Line, ...], screen: ServicesScreen) -> None:
        """Begin to read the services; the dialog opens once all of them are read."""
        operation = OPERATIONS[operation_id]
        if problem := self._why_not(operation, lines):
            self._app.notify(problem, title=operation.title, severity="warning", markup=False)
            return
        self._number += 1
        names = ", ".join(line.ref.name for line in lines)
        self._app.notify(f"Reading {names} …", title=operation.title, timeout=3, markup=False)
        wiring, clock = self._wiring, self._wiring.clock
        asked = tuple((self._gateway(line.area.region), line) for line in lines)
        ticket = Reading(self._number, operation, screen)
        if operation.discard is not None:
            self._operating.drafts.begun(("marked", ticket.number))
        ask(self._app, ticket, lambda: _proposed(operation, asked, wiring, clock))

    def answered(self, answer: Answered) -> bool:
        """Open the dialog; False where the answer is something else's."""
        ticket = answer.ticket
        if not isinstance(ticket, Reading):
            return False
        self._read(answer, ticket)
        self._operating.drafts.ended(("marked", ticket.number))
        return True

    def _read(self, answer: Answered, ticket: Reading) -> None:
        if ticket.number != self._number or self._app.screen is not ticket.screen:
            self._drop(answer.value)
            return
        title = ticket.operation.title
        if answer.error is not None:
            self._warn(title, answer.error.what)
        elif isinstance(answer.value, Unfit):
            self._warn(title, "\n".join(("Nothing was done.", *answer.value.reasons)))
        elif isinstance(answer.value, tuple) and not self._operating.sending:
            self._operating.offer_several(answer.value)
        else:
            self._drop(answer.value)

    def _drop(self, answer: object) -> None:
        """Nobody is asked about these any more: what was drafted for them is taken back."""
        for runner, proposal in answer if isinstance(answer, tuple) else ():
            self._operating.take_back(runner, proposal)

    def _why_not(self, operation: Operation, lines: tuple[Line, ...]) -> str:
        if not lines:
            return "Mark services with space first, or open one with enter."
        if not (operation.several or operation.shared):
            return "This is done to one service at a time: open it with enter."
        state = self._operating.state
        if self._operating.sending and state is not None:
            return f"Wait until this is sent: {state.proposal.plan.summary}"
        return ""

    def _warn(self, title: str, words: str) -> None:
        self._app.notify(words, title=title, severity="warning", timeout=15, markup=False)


def _proposed(
    operation: Operation,
    asked: tuple[tuple[Gateway, Line], ...],
    wiring: Wiring,
    clock: Callable[[], datetime],
) -> tuple[Runnable, ...] | Unfit:
    """The whole plan of each service, in their order; blocks on reads."""
    found: list[Runnable] = []
    reasons: list[str] = []
    for gateway, line in asked:
        runner = wiring.runner(gateway, line.ref)
        if operation not in runner.offered():
            reasons.append(f"{line.ref.name}: {wiring.why_read_only(line.ref)}")
            continue
        try:
            snapshot = with_service(read(gateway, line.ref, clock))
        except BgconsoleError as error:
            reasons.append(f"{line.ref.name}: {error.what}")
            continue
        answer = runner.propose(operation, snapshot, {})
        if not isinstance(answer, No):
            answer = runner.gather(answer)
        if not isinstance(answer, No):
            answer = runner.look_aside(answer)
        if isinstance(answer, No):
            aside = " Press the key on its own page to see the command." if answer.command else ""
            reasons.append(f"{line.ref.name}: {answer.reason}{aside}")
        else:
            found.append((runner, answer))
    if not reasons:
        return _once(tuple(found)) if operation.shared else tuple(found)
    for runner, proposal in found:
        with suppress(BgconsoleError):  # why nothing is done is what is to be told
            runner.discard(proposal)
    return Unfit(tuple(reasons))


def _once(found: tuple[Runnable, ...]) -> tuple[Runnable, ...] | Unfit:
    """What all of them ask for, to be done a single time; not where they ask for different things.

    The first one's plan is carried out, with what was checked for any of them.
    """
    (runner, first), *others = found
    if not others:
        return found
    plans = [proposal.plan for _, proposal in found]
    if len({plan.decides() for plan in plans}) > 1:
        told = (f"{proposal.ref.name}: {proposal.plan.summary}" for _, proposal in found)
        return Unfit(("They do not ask for the same thing. Open the one that is meant.", *told))
    names = ", ".join(proposal.ref.name for _, proposal in found)
    plan = replace(
        first.plan,
        checks=tuple(dict.fromkeys(check for plan in plans for check in plan.checks)),
        notes=(
            f"Done once, for {names} alike.",
            *dict.fromkeys(note for plan in plans for note in plan.notes),
        ),
    )
    return ((runner, replace(first, plan=plan)),)
