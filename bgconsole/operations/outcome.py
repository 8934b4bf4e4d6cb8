"""What a run of an operation tells while it goes on, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bgconsole.domain.errors import WorldChanged
from bgconsole.operations.spec import Proposal
from bgconsole.watch.telling import Amount

ProgressKind = Literal["step started", "step done", "note", "output", "milestone", "end"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run."""

    ok: bool
    title: str
    """A few words: `Rolled back`, `Superseded`, `Submitted, not followed`."""
    sentence: str
    exit_code: int
    receipt: tuple[str, ...] = ()
    """At most eight lines."""
    go_on: str = ""
    """The command that goes on from where it ended early; empty where none does."""
    deployment: str = ""
    """The id (`ecs-svc/…`) of the deployment that was PRIMARY at the end, where that was seen."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing that happened. `step` counts from 1, as the plan's steps are shown."""

    kind: ProgressKind
    step: int
    text: str
    request_id: str = ""
    outcome: Outcome | None = None
    """With `end` only."""
    go_on: str = ""
    """With `step started`: the command that goes on from this step, where one does."""
    command: str = ""
    """With `step started`: the `aws …` command that does the same, with what was made by now."""
    amount: Amount | None = None
    """How far something measurable is."""


class PlanChanged(WorldChanged):
    """What would be done now is not what was confirmed: the new plan is to be confirmed."""

    def __init__(self, proposal: Proposal, changed: tuple[str, ...]) -> None:
        super().__init__(
            "The plan has changed",
            "; ".join(changed),
            "Nothing was done. Read the new plan and confirm it",
        )
        self.proposal = proposal
        self.changed = changed
        """The labels of the facts that differ, to be marked."""
