"""One thing that happened, and how many such things become one list: ordered, once each, filtered.

The words are data from outside: secrets masked and control sequences taken out when it is made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from bgconsole.domain.masking import mask
from bgconsole.domain.plain import plain
from bgconsole.domain.severity import Severity

Kind = Literal[
    "event",
    "deployment",
    "stage",
    "hook",
    "alarm",
    "task",
    "stack",
    "change",
    "operation",
    "error",
    "probe",
]
"""What it is: a service event, a service deployment, its stage, a lifecycle hook, an alarm or the
circuit breaker, stopped tasks, a stack, a secret or a task definition that changed, an operation of
ours, an error line, a failed probe."""
KINDS: tuple[Kind, ...] = get_args(Kind)
WRONG = Severity.UNKNOWN
"""What is at least so severe is what `!` keeps: it failed, or it waits for somebody."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline. Make it with `moment`."""

    at: datetime
    kind: Kind
    source: str
    """Who did it, or who says so: a caller, a deployment's id, a stack, a task."""
    words: str
    severity: Severity = Severity.BUSY
    """GOOD ended well, BUSY is the ordinary course of things, the rest is wrong or waits."""

    @property
    def wrong(self) -> bool:
        """Whether it failed, or waits for somebody."""
        return self.severity >= WRONG

    def holds(self, text: str) -> bool:
        """Whether it says the text, whatever its case."""
        sought = text.casefold()
        return any(sought in part.casefold() for part in (self.kind, self.source, self.words))


def moment(
    at: datetime, kind: Kind, source: str, words: str, severity: Severity = Severity.BUSY
) -> Moment:
    """A moment that can be shown, saved and sent: one line, masked, acted on by no terminal."""
    said = " ".join(mask(plain(words)).split())
    return Moment(at, kind, mask(plain(source)), said, severity)


def merged(*groups: Iterable[Moment]) -> tuple[Moment, ...]:
    """All of them, oldest first, each once.

    Those of one instant stay in the order in which they are given: within a group the earlier one
    first, between groups the cause before what follows from it.
    """
    return tuple(
        sorted(dict.fromkeys(one for group in groups for one in group), key=lambda one: one.at)
    )


def selected(
    moments: Iterable[Moment],
    *,
    since: datetime | None = None,
    kinds: Collection[Kind] = (),
    at_least: Severity = Severity.GOOD,
    text: str = "",
) -> tuple[Moment, ...]:
    """Those that pass every filter; an empty filter lets all through."""
    return tuple(
        one
        for one in moments
        if (since is None or one.at >= since)
        and (not kinds or one.kind in kinds)
        and one.severity >= at_least
        and (not text or one.holds(text))
    )
