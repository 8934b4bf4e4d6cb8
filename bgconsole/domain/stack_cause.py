"""Why a stack's change failed, from its events, in one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bgconsole.domain.masking import mask
from bgconsole.domain.plain import plain
from bgconsole.domain.stacks import StackEvent

_HANDLER = re.compile(
    r"^Resource handler returned message: \"?(?P<words>.*?)\"? \(RequestToken: [^)]*\)$", re.DOTALL
)
_OUTER = re.compile(r"^Error occurred during operation '(?P<words>.*)'\.?$", re.DOTALL)
_CONSEQUENCES = ("Resource creation cancelled", "Resource update cancelled")


def first_failure(events: Iterable[StackEvent]) -> StackEvent | None:
    """The event that the others follow from: the earliest failed one of a resource.

    What CloudFormation cancelled because another failed is no cause; a stack's own event is the
    last resort.

    Args:
        events: of one operation, in any order.
    """
    failed = sorted((e for e in events if e.status.endswith("_FAILED")), key=lambda e: e.at)
    own = [e for e in failed if not e.of_stack and not e.reason.startswith(_CONSEQUENCES)]
    return next(iter(own or failed), None)


def cause(events: Iterable[StackEvent]) -> str:
    """`Service (AWS::ECS::Service): ECS Deployment Circuit Breaker was triggered`, or empty."""
    event = first_failure(events)
    if event is None:
        return ""
    words = reason_words(event.reason) or "AWS gives no reason"
    return f"{plain(event.logical_id)} ({plain(event.kind)}): {words}"


def reason_words(reason: str) -> str:
    """A reason without the wrapping of CloudFormation's handlers, secrets masked."""
    for wrapping in (_HANDLER, _OUTER):
        if match := wrapping.match(reason.strip()):
            reason = match["words"]
    return mask(plain(" ".join(reason.split()))).rstrip(".")
