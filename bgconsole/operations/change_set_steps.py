"""A change set on its way: drafted, looked at, carried out, and followed to the stack's end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from bgconsole.domain.change_set import ChangeSet
from bgconsole.domain.errors import GatewayError, Rejected, Unreachable
from bgconsole.operations.lost_answer import found_out
from bgconsole.operations.stack_drafts import discard, draft
from bgconsole.operations.stack_layout import Turn
from bgconsole.operations.step import Bench, Told
from bgconsole.watch.stack_follow import GOOD, follow_stack
from bgconsole.watch.telling import End, Note

_SENDING = Note("")
"""Not told: from here on the change set may be carried out."""
_REFUSED = Note("")
"""Not told: AWS answered that it is not."""


@dataclass(slots=True)
class CarryingOut:
    """What the step that sends a change set leaves for the step that follows it."""

    look: Callable[[ChangeSet], Told]
    """Tells what it would do; raises where that may not be done."""
    again: str
    """The command that goes on."""
    idle: bool = False
    """Whether there was nothing to change."""
    _arn: str = ""
    _since: datetime | None = None
    _total: int = 0

    def change(self, bench: Bench, turn: Turn) -> Told:
        """Draft it, or find the draft again, and carry it out; what is not sent is deleted.

        Raises:
            GatewayError: AWS refuses, or could not be reached.
        """
        sent = False
        try:
            for told in self._carried_out(bench, turn, draft(bench.gateway, turn, bench.wait)):
                if told is _SENDING or told is _REFUSED:
                    sent = told is _SENDING
                else:
                    yield told
        finally:
            if not sent:
                with suppress(GatewayError):  # what ends it is what is to be told
                    discard(bench.gateway, turn.stack, turn.draft_name)

    def follow(self, bench: Bench, stack: str) -> Told:
        """Tell the stack's events until it rests."""
        if self.idle:
            now = f"{stack} is as it should be"
            yield End("reached", f"{now}.", bench.clock(), now=now)
            return
        good = GOOD - {"DELETE_COMPLETE"}
        yield from follow_stack(
            bench.gateway, self._arn, self._since, bench.onlooker, total=self._total, good=good
        )

    def _carried_out(self, bench: Bench, turn: Turn, found: ChangeSet) -> Told:
        if found.empty:
            self.idle = True
            yield Note(f"{turn.stack}: nothing to change")
            return
        if not found.ready:
            raise Rejected(
                f"The change set of {turn.stack} failed", found.reason or found.status, self.again
            )
        yield from self.look(found)
        if bench.cancelled.is_set():
            yield End("stopped", f"Stopped before {turn.stack} was changed.", bench.clock())
            return
        self._arn, self._since = found.stack, newest_event(bench, found.stack)
        self._total = len(found.changes)
        yield _SENDING
        try:
            yield bench.gateway.stack_changes.execute(turn.stack, found.id)
        except Unreachable:
            yield Note("no answer came back: looking whether it arrived")
            looks = partial(self._arrived, bench, turn)
            if not (yield from found_out(looks, bench.clock, bench.wait, Note)):
                raise
            yield Note("AWS shows that it arrived")
        except GatewayError:
            yield _REFUSED
            raise

    def _arrived(self, bench: Bench, turn: Turn) -> bool | None:
        """Whether CloudFormation has begun with it; None where nothing tells of it yet."""
        was = turn.present.status if turn.present else "REVIEW_IN_PROGRESS"
        status = bench.gateway.stacks.stack(self._arn).status
        return status != was or newest_event(bench, self._arn) != self._since or None


def newest_event(bench: Bench, arn: str) -> datetime | None:
    """When the newest event so far was: what follows is new."""
    return next((event.at for event in bench.gateway.stacks.events(arn)), None)
