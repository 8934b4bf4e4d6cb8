"""How an operation that was started is going, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from bgconsole.domain.errors import BgconsoleError, GatewayError
from bgconsole.domain.exit_codes import EXIT_FAILED
from bgconsole.domain.plain import plain
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.superseded import WATCHED, superseded
from bgconsole.domain.versions import live_version
from bgconsole.operations.lookup import definitions_in
from bgconsole.operations.outcome import Outcome, Progress
from bgconsole.operations.spec import Proposal
from bgconsole.watch.telling import Amount

StepState = Literal["waits", "runs", "done", "failed"]

MOST_OUTPUT = 1000
"""Lines of a program's output that are kept, the newest."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened, and when it was heard."""

    at: datetime
    progress: Progress


@dataclass(frozen=True, slots=True)
class RunState:
    """One run, from the key that confirmed it to its end."""

    number: int
    proposal: Proposal
    started_at: datetime
    told: tuple[Told, ...] = ()
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    superseded: str = ""
    """What was deployed over it soon after its end, in words."""
    earlier: tuple[str, ...] = ()
    """How the services before it ended, in words, where several are done one after the other."""
    later: tuple[str, ...] = ()
    """The services that come after it; none of them where it ends badly."""
    amounts: Mapping[str, Amount] = field(default_factory=lambda: MappingProxyType({}))
    """How far the measurable parts of the step that runs are, by what they are of."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.ended_at is not None

    def over(self, snapshot: Snapshot) -> RunState:
        """Once a newer picture was seen: with what was deployed over it, if that was soon after."""
        outcome, ended = self.outcome, self.ended_at
        seen = snapshot.service.fetched_at
        if self.superseded or outcome is None or not outcome.ok or ended is None or seen is None:
            return self
        if snapshot.ref != self.proposal.ref or seen - ended > WATCHED:
            return self
        before = live_version(self.proposal.snapshot)
        tasks, evidence = self.proposal.snapshot.tasks.value, self.proposal.evidence
        words = superseded(
            snapshot,
            outcome.deployment,
            ended,
            before.task_definition if before else "",
            {**(tasks.definitions if tasks else {}), **definitions_in(evidence)},
        )
        return replace(self, superseded=words) if words else self

    @property
    def steps(self) -> tuple[StepState, ...]:
        """What became of each step of the plan."""
        states: list[StepState] = ["waits"] * len(self.proposal.plan.steps)
        for each in self.told:
            at = each.progress.step - 1
            if not 0 <= at < len(states):
                continue
            if each.progress.kind == "step started":
                states[at] = "runs"
            elif each.progress.kind == "step done":
                states[at] = "done"
        if self.outcome is not None:
            last: StepState = "done" if self.outcome.ok else "failed"
            states = [last if state == "runs" else state for state in states]
        return tuple(states)

    @property
    def said(self) -> tuple[tuple[str, str], ...]:
        """Each step's words and command: of one that began with what was made before it."""
        said = [(step.words, step.command) for step in self.proposal.plan.steps]
        for each in self.told:
            progress = each.progress
            if progress.kind == "step started" and 0 < progress.step <= len(said):
                said[progress.step - 1] = (progress.text, progress.command)
        return tuple(said)

    @property
    def submitted(self) -> bool:
        """Whether all is sent that changes anything: what is left is only looked at."""
        acting = [
            state
            for step, state in zip(self.proposal.plan.steps, self.steps, strict=True)
            if step.changes
        ]
        return all(state == "done" for state in acting)

    @property
    def sending(self) -> bool:
        """Whether not all of it is sent: it can be stopped, and nothing else begun beside it."""
        return not self.ended and (not self.submitted or bool(self.later))

    @property
    def not_begun(self) -> str:
        """Once it has ended: the services that were to come after it and do not."""
        return f"Not begun: {', '.join(self.later)}." if self.ended and self.later else ""

    @property
    def request_ids(self) -> tuple[str, ...]:
        """What AWS answered with, for its support."""
        told = (each.progress.request_id for each in self.told)
        return tuple(request for request in told if request)

    @property
    def current(self) -> int:
        """The step that runs, counted from 1; 0 while the world is read again."""
        return max((each.progress.step for each in self.told), default=0)

    @property
    def go_on(self) -> str:
        """The command that goes on from the step that runs; empty where none does."""
        begun = (e.progress for e in reversed(self.told) if e.progress.kind == "step started")
        return next((progress.go_on for progress in begun), "")

    def after(self, progress: Progress, at: datetime) -> RunState:
        """With one thing more."""
        if progress.amount is not None:
            amounts = {**self.amounts, progress.amount.of: progress.amount}
            return replace(self, amounts=MappingProxyType(amounts))
        ended = at if progress.kind == "end" else self.ended_at
        return replace(
            self,
            told=_bounded((*self.told, Told(at, progress))),
            amounts=MappingProxyType({}) if progress.kind == "step started" else self.amounts,
            outcome=progress.outcome or self.outcome,
            ended_at=ended,
        )

    def stopped(self, error: BgconsoleError | None, at: datetime) -> RunState:
        """Once its thread is through: with the error that ended it, where it had no end."""
        if self.ended:
            return self
        return replace(self, outcome=_outcome(error), ended_at=at)


def _bounded(told: tuple[Told, ...]) -> tuple[Told, ...]:
    """Without the oldest line of output, where there are too many."""
    if len(told) <= MOST_OUTPUT:
        return told
    output = [n for n, each in enumerate(told) if each.progress.kind == "output"]
    if len(output) <= MOST_OUTPUT:
        return told
    return told[: output[0]] + told[output[0] + 1 :]


def left_words(state: RunState) -> str:
    """One line for the terminal, once the console was left before the end."""
    summary, ref = plain(state.proposal.plan.summary), state.proposal.ref
    ids = ", ".join(map(plain, state.request_ids))
    sent = f"request id {ids}" if ids else "AWS has not answered yet; what was not sent is not sent"
    if state.go_on:
        return f"{summary}: left; {sent}; `{plain(state.go_on)}` goes on"
    status = f"bgconsole status --cluster {plain(ref.cluster)} --service {plain(ref.name)}"
    return f"{summary}: left; {sent}; `{status}` tells how it goes"


def _outcome(error: BgconsoleError | None) -> Outcome:
    if error is None:
        return Outcome(
            ok=False,
            title="Ended without a word",
            sentence="The run stopped and did not say how. Look at the service.",
            exit_code=EXIT_FAILED,
        )
    request = error.request_id if isinstance(error, GatewayError) else ""
    return Outcome(
        ok=False,
        title=error.title,
        sentence="\n".join(
            filter(None, (error.detail, error.hint, f"request id {request}" if request else ""))
        ),
        exit_code=error.exit_code,
    )
