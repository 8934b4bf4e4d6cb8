"""What is drafted at AWS to answer a question, and taken back where the answer is no.

Leaving the console waits for that, a few seconds: no change set stays that nobody asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import App

from bgconsole.operations.spec import Proposal
from bgconsole.ui.background import ask
from bgconsole.ui.messages import Answered
from bgconsole.ui.wiring import ConsoleResult, Running

PATIENCE = 8.0
"""Seconds that leaving waits at most: an answer may take a repeat, a dead line takes for ever."""
_UNFINISHED = "A draft change set named bgconsole-… may stay: it was still being made."


@dataclass(frozen=True, slots=True)
class TakingBack:
    """The ticket of deleting what was drafted."""

    number: int


class Drafts:
    """Knows every draft that may be there and is not wanted any more."""

    def __init__(self, app: App[ConsoleResult]) -> None:
        self._app = app
        self._number = 0
        self._open: dict[object, str] = {}
        self._stay: list[str] = []

    @property
    def open(self) -> bool:
        """Whether one is being made or deleted."""
        return bool(self._open)

    @property
    def left(self) -> tuple[str, ...]:
        """What stays, or may, where the console is left now: a line each."""
        return (*self._stay, *dict.fromkeys(self._open.values()))

    def begun(self, look: object) -> None:
        """A look that may draft something began; it is named until it has `ended`."""
        self._open[look] = _UNFINISHED

    def ended(self, look: object) -> None:
        """What it drafted is in its answer, and taken back by now where nobody wants that."""
        self._open.pop(look, None)

    def take_back(self, runner: Running | None, proposal: Proposal) -> None:
        """Delete what was drafted to show a plan that is not carried out."""
        if runner is None or proposal.evidence is None or not proposal.evidence.drafts:
            return
        self._number += 1
        ticket = TakingBack(self._number)
        drafts = (f"{name} of the stack {stack}" for stack, name in proposal.evidence.drafts)
        self._open[ticket] = f"Not known to be deleted: the draft change set {', '.join(drafts)}."
        ask(self._app, ticket, lambda: runner.discard(proposal))

    def answered(self, answer: Answered) -> bool:
        """Take the end of a deletion; False where the answer is something else's."""
        if not isinstance(answer.ticket, TakingBack):
            return False
        told = self._open.pop(answer.ticket, "")
        if answer.error is not None:
            why = answer.error.what
            self._stay.append(f"{told} ({why})")
            self._app.notify(why, title="A draft stays", severity="warning", markup=False)
        return True
