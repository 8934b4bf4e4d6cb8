"""Drift on demand: ask CloudFormation to compare a stack with what is there, and tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from textual.app import App

from bgconsole.domain.stacks import Stack
from bgconsole.gateway.port import Gateway
from bgconsole.ui.background import ask
from bgconsole.ui.messages import Answered
from bgconsole.ui.wiring import ConsoleResult

POLL = 2.0
"""Seconds between two looks at a check."""
LOOKS = 150


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """The ticket of one check."""

    stack: str


class Drifting:
    """Never by itself: a check takes AWS half a minute and more, and asks every service."""

    def __init__(self, app: App[ConsoleResult], done: Callable[[], None]) -> None:
        """`done` is called when a check has ended: the stacks are to be read again."""
        self._app = app
        self._done = done
        self._ended = Event()

    def check(self, gateway: Gateway, stack: Stack) -> None:
        """Begin a check of a stack; it changes nothing."""
        words = "CloudFormation compares it with what is there; that takes a while."
        self._app.notify(words, title=f"Drift of {stack.name}", markup=False)
        ask(self._app, DriftCheck(stack.name), lambda: checked(gateway, stack, self._ended.wait))

    def leave(self) -> None:
        """Wait for no check any more."""
        self._ended.set()

    def answered(self, answer: Answered) -> bool:
        """Tell how a check ended; False where the answer is something else's."""
        if not isinstance(answer.ticket, DriftCheck):
            return False
        title = f"Drift of {answer.ticket.stack}"
        if answer.error is not None:
            words = answer.error.what
            self._app.notify(words, title=title, severity="error", timeout=15, markup=False)
        else:
            self._app.notify(str(answer.value), title=title, timeout=30, markup=False)
        self._done()
        return True


def checked(gateway: Gateway, stack: Stack, wait: Callable[[float], object]) -> str:
    """Check a stack, wait for the end, and say what differs; blocks.

    Raises:
        GatewayError: AWS refuses, or could not be reached.
    """
    check = gateway.stack_changes.check_drift(stack.arn).created
    status = gateway.stacks.drift_check(check)
    for _ in range(LOOKS):
        if not status.startswith("DETECTION_IN_PROGRESS") or wait(POLL):
            break
        status = gateway.stacks.drift_check(check)
    if status.startswith("DETECTION_IN_PROGRESS"):
        return "CloudFormation is not through with it yet: look at the stack later."
    resources = gateway.stacks.resources(stack.arn)
    differing = [each for each in resources if each.drift in ("MODIFIED", "DELETED")]
    unchecked = sum(1 for each in resources if each.drift in ("", "NOT_CHECKED"))
    told = [f"{each.logical_id} ({each.kind}) {each.drift.lower()}" for each in differing]
    found = "\n".join(told) if told else "Nothing differs from the template."
    if not status.startswith("DETECTION_COMPLETE"):
        found = f"{status}\n{found}"
    rest = f"\n{unchecked} of {len(resources)} resources cannot be checked." if unchecked else ""
    return f"{found}{rest}"
