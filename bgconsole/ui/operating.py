"""From a write key to the end of the operation: propose, ask, gather beside it, run, remember."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from threading import Event
from types import MappingProxyType

from textual.app import App

from bgconsole.domain.errors import BgconsoleError
from bgconsole.domain.probe import ProbeRecord
from bgconsole.domain.probe_words import since_key
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot
from bgconsole.operations.outcome import PlanChanged
from bgconsole.operations.several import several
from bgconsole.operations.spec import (
    No,
    Operation,
    Params,
    Plan,
    Proposal,
    Risk,
    not_checked,
)
from bgconsole.ui.background import ask, start
from bgconsole.ui.drafts import Drafts
from bgconsole.ui.messages import Answered, OperationEnded, OperationMoved
from bgconsole.ui.run_state import RunState
from bgconsole.ui.screens.chooser import ChooserScreen
from bgconsole.ui.screens.confirm import ConfirmScreen, Instead
from bgconsole.ui.screens.named_command import NamedCommandScreen
from bgconsole.ui.screens.run import RunScreen
from bgconsole.ui.wiring import ConsoleResult, Running

PAINT = 0.15
"""Seconds between two paintings of a program's output."""
_NOTHING: Params = MappingProxyType({})


Runnable = tuple[Running, Proposal]
"""What is carried out, and by whom."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """The ticket of one look for evidence; what only the reader wants to know comes after it."""

    number: int
    aside: bool = False


class Operating:
    """One operation at a time; its state is here, screens only show it."""

    def __init__(
        self,
        app: App[ConsoleResult],
        *,
        clock: Callable[[], datetime],
        settle: float,
        changed: Callable[[], None],
    ) -> None:
        self._app = app
        self._clock = clock
        self._settle = settle
        self._changed = changed
        self._gathering = 0
        self._dialog: ConfirmScreen | None = None
        self._screen: RunScreen | None = None
        self._cancelled = Event()
        self._runs = 0
        self._painting = False
        self._runner: Running | None = None
        self._current: Running | None = None
        self._asked: tuple[Runnable, ...] = ()
        self._later: tuple[Runnable, ...] = ()
        self.drafts = Drafts(app)
        """What was drafted to show plans."""
        self.state: RunState | None = None
        """The run that goes on or was the last one."""
        self.seen = True
        """Whether its end was looked at."""
        self.probed: tuple[ServiceRef, ProbeRecord] | None = None
        """What the probe of the service that is shown has seen; read from a run's thread."""

    @property
    def running(self) -> bool:
        """Whether an operation goes on."""
        return self.state is not None and not self.state.ended

    @property
    def sending(self) -> bool:
        """Whether one goes on of which not all is sent yet: nothing else may begin beside it."""
        return self.state is not None and self.state.sending

    def is_of(self, operation: Operation, ref: ServiceRef | None) -> bool:
        """Whether what goes on is this operation on this service."""
        state = self.state
        if state is None or not self.running:
            return False
        return state.proposal.operation.id == operation.id and state.proposal.ref == ref

    @property
    def busy(self) -> bool:
        """Whether one goes on or is asked about."""
        return self.running or self._dialog is not None

    def offer(
        self,
        runner: Running,
        operation: Operation,
        snapshot: Snapshot,
        params: Params = _NOTHING,
    ) -> None:
        """Open the operation's dialog at once, and look for evidence beside it.

        Another one that is only followed by now stays in view until this one is confirmed.
        """
        self._runner = runner
        if not params and (which := runner.asks_first(operation, snapshot)) is not None:
            self._refused(runner, operation, snapshot, params, which)
            return
        answer = runner.propose(operation, snapshot, params)
        if isinstance(answer, No):
            self._refused(runner, operation, snapshot, params, answer)
        elif answer.risk is Risk.SAFE and not self.running:
            self._start(answer)
        else:
            self._ask(answer)
            self._gathering += 1
            ticket = Gathering(self._gathering)
            if operation.discard is not None:
                self.drafts.begun(ticket)
            ask(self._app, ticket, lambda: runner.gather(answer))

    def offer_several(self, asked: tuple[Runnable, ...]) -> None:
        """Open one dialog for operations that are gathered already, done one after the other."""
        self._gathering += 1  # what another dialog still looks up is not of this one
        proposals = tuple(proposal for _, proposal in asked)
        whole = proposals[0] if len(proposals) == 1 else several(proposals).whole
        if whole.risk is Risk.SAFE and not self.running:
            self._begin(asked)
        else:
            self._ask(whole)
            self._asked = asked

    def answered(self, answer: Answered) -> bool:
        """Take gathered evidence; False where the answer is something else's."""
        if self.drafts.answered(answer):
            return True
        if not isinstance(answer.ticket, Gathering):
            return False
        self._gathered(answer, answer.ticket)
        self.drafts.ended(answer.ticket)
        return True

    def _gathered(self, answer: Answered, ticket: Gathering) -> None:
        dialog = self._dialog
        if dialog is None or ticket.number != self._gathering:
            if isinstance(answer.value, Proposal):
                self.take_back(self._runner, answer.value)
            return
        if answer.error is not None:
            dialog.show(_unchecked(dialog.proposal, answer.error))
        elif isinstance(answer.value, No):
            self._denied(dialog, answer.value)
        elif isinstance(answer.value, Proposal):
            found = answer.value
            dialog.show(found)
            runner = self._runner
            if found.operation.aside is not None and not ticket.aside and runner is not None:
                aside = Gathering(self._gathering, aside=True)
                ask(self._app, aside, lambda: runner.look_aside(found))

    def moved(self, message: OperationMoved) -> None:
        """Take what the run tells."""
        if self.state is None or message.run != self.state.number:
            return
        progress = message.progress
        state = self.state.after(progress, self._clock())
        if progress.kind == "output" or progress.amount is not None:
            self._put_soon(state)
        else:
            self._put(state)

    def ended(self, message: OperationEnded) -> None:
        """The run's thread is through."""
        state = self.state
        if state is None or message.run != state.number:
            return
        if isinstance(message.error, PlanChanged):
            self._plan_changed(state, message.error)
            return
        if message.error is not None:
            self.take_back(self._current, state.proposal)
        ended = state.stopped(message.error, self._clock())
        if ended.outcome and ended.outcome.ok and self._later and not self._cancelled.is_set():
            done = (*ended.earlier, f"{ended.proposal.plan.summary}: {ended.outcome.title}")
            self._begin(self._later, earlier=done)
            return
        self._drop_later()
        self._put(ended)
        self.seen = self._screen is not None and self._screen.is_current
        if not self.seen and self.state and self.state.outcome:
            outcome = self.state.outcome
            told = (state.proposal.plan.summary, self.state.not_begun)
            self._app.notify(
                " ".join(filter(None, told)),
                title=outcome.title,
                severity="information" if outcome.ok else "error",
                timeout=15,
                markup=False,
            )
        self._changed()

    def _plan_changed(self, state: RunState, changed: PlanChanged) -> None:
        """Nothing was done: ask about the plan as it is now."""
        self._drop_later()
        if state.later:
            left = f"Not begun: {', '.join(state.later)}."
            self._app.notify(left, title="The plan has changed", markup=False)
        self._runner = self._current
        self.state, self.seen = None, True
        self._close_screen()
        self._ask(changed.proposal, changed_from=state.proposal.plan)

    def _drop_later(self) -> None:
        """What was to come after is not begun: take back what was drafted for it."""
        for runner, proposal in self._later:
            self.take_back(runner, proposal)
        self._later = ()

    def watch_over(self, snapshot: Snapshot) -> None:
        """Tell, for a while after the end, if something else is deployed over it."""
        state = self.state
        later = state.over(snapshot) if state is not None else None
        if later is None or later is state:
            return
        self.seen = False
        self._put(later)
        summary = later.proposal.plan.summary
        self._app.notify(
            summary, title=later.superseded, severity="error", timeout=60, markup=False
        )

    def _noticed(self, proposal: Proposal, since: datetime) -> str:
        """How users of the service fared, where it is what the operation is about."""
        probed = self.probed
        if probed is None or probed[0] != proposal.ref or proposal.operation.about != "service":
            return ""
        return since_key(probed[1], since)

    def show(self) -> None:
        """Open the screen of the run that goes on, or of the last one."""
        if self.state is None or (self._screen is not None and self._screen.is_attached):
            return
        self._screen = RunScreen(self.state, self._clock)
        self._app.push_screen(self._screen, self._left)

    def stop(self) -> None:
        """Begin no further step of what goes on."""
        self._cancelled.set()

    def leave(self) -> None:
        """The console is about to end: what was not sent yet is not sent any more."""
        self._cancelled.set()

    def drop_question(self) -> None:
        """A question that is open is not answered any more: its draft is taken back."""
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.refuse("the console is being left")
            self._not_wanted(dialog.proposal)

    def _not_wanted(self, proposal: Proposal) -> None:
        self.take_back(self._runner, proposal)
        for runner, each in self._asked:
            self.take_back(runner, each)

    def _denied(self, dialog: ConfirmScreen, no: No) -> None:
        """The look-ups say no: there is something else to choose, or only leaving is left."""
        if not (no.choices or no.command) or self._runner is None:
            dialog.refuse(no.reason)
            return
        proposal = dialog.proposal
        dialog.dismiss(None)
        self._refused(self._runner, proposal.operation, proposal.snapshot, proposal.params, no)

    def _refused(
        self,
        runner: Running,
        operation: Operation,
        snapshot: Snapshot,
        params: Params,
        no: No,
    ) -> None:
        if no.command:
            told = NamedCommandScreen(operation.title, no.reason, no.command)
            self._app.push_screen(told)
            return
        if not no.choices:
            self._app.notify(no.reason, title=operation.title, severity="warning", markup=False)
            return

        def chosen(value: str | None) -> None:
            if value is not None:
                self.offer(runner, operation, snapshot, {**params, no.param: value})

        screen = ChooserScreen(
            operation.title, lambda: (), about=no.reason, known=no.choices, free=no.free
        )
        self._app.push_screen(screen, chosen)

    def _ask(self, proposal: Proposal, changed_from: Plan | None = None) -> None:
        self._asked = ()
        self._dialog = ConfirmScreen(
            proposal,
            settle=self._settle,
            clock=self._clock,
            changed_from=changed_from,
            beside=(lambda: self.state) if self.running else (lambda: None),
        )
        self._app.push_screen(self._dialog, self._decided)
        self._changed()

    def _decided(self, proposal: Proposal | Instead | None) -> None:
        dialog, self._dialog = self._dialog, None
        if not isinstance(proposal, Proposal) and dialog is not None:
            self._not_wanted(dialog.proposal)
        if isinstance(proposal, Instead):
            if self._runner is not None:
                was = proposal.proposal
                self.offer(self._runner, was.operation, was.snapshot, proposal.params)
        elif proposal is not None and self._asked:
            self._begin(self._asked)
        elif proposal is not None:
            self._start(proposal)
        self._changed()

    def take_back(self, runner: Running | None, proposal: Proposal) -> None:
        """Delete what was drafted to show a plan that is not carried out."""
        self.drafts.take_back(runner, proposal)

    def _start(self, proposal: Proposal) -> None:
        if self._runner is not None:
            self._begin(((self._runner, proposal),))

    def _begin(self, what: tuple[Runnable, ...], earlier: tuple[str, ...] = ()) -> None:
        """Carry out the first; those after it once it has ended well."""
        if self.sending and not earlier:
            return
        (runner, proposal), *rest = what
        self._current, self._later = runner, tuple(rest)
        # What the one before sent goes on; its thread writes down that nobody follows it any more.
        self._cancelled.set()
        self._runs += 1
        number, app = self._runs, self._app
        cancelled = self._cancelled = Event()
        noticed = partial(self._noticed, proposal)

        def work() -> None:
            problem: BgconsoleError | None = None
            try:
                for progress in runner.run(proposal, cancelled, noticed):
                    app.post_message(OperationMoved(number, progress))
            except BgconsoleError as error:
                problem = error
            app.post_message(OperationEnded(number, problem))

        self.state, self.seen = (
            RunState(
                number,
                proposal,
                self._clock(),
                earlier=earlier,
                later=tuple(each.ref.name for _, each in self._later),
            ),
            False,
        )
        if self._screen is not None:
            self._screen.show(self.state)
        self.show()
        start(app, work, name=f"operation {proposal.operation.id}")

    def _put_soon(self, state: RunState) -> None:
        """For what comes by the hundred: painted a few times a second."""
        self.state = state
        if not self._painting:
            self._painting = True
            self._app.set_timer(PAINT, self._paint)

    def _paint(self) -> None:
        self._painting = False
        if self._screen is not None and self.state is not None:
            self._screen.show(self.state)

    def _put(self, state: RunState) -> None:
        self.state = state
        if self._screen is not None:
            self._screen.show(state)
        self._changed()

    def _left(self, _: None) -> None:
        self._screen = None
        self.seen = self.state is not None and self.state.ended
        self._changed()

    def _close_screen(self) -> None:
        if self._screen is not None and self._screen.is_current:
            self._screen.dismiss(None)


def _unchecked(proposal: Proposal, error: BgconsoleError) -> Proposal:
    """The look-ups failed as a whole: each open check says so."""
    checks = tuple(
        not_checked(check.words, error.what) if check.state == "checking" else check
        for check in proposal.plan.checks
    )
    return replace(proposal, plan=replace(proposal.plan, checks=checks))
