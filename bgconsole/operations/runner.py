"""The one place where the world is changed, whoever asked.

A plan is proposed from what is known, completed by reads, shown, and, once confirmed, made again
from fresh reads: only where it still says the same is it carried out, followed to its true end and
recorded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Literal
from uuid import uuid4

from bgconsole.domain.errors import GatewayError, Refused
from bgconsole.domain.plain import plain
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.port import Gateway
from bgconsole.operations.audit import AuditLog, Record
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.operations.lock import only_one
from bgconsole.operations.masked import masked_no, masked_plan
from bgconsole.operations.outcome import Outcome, PlanChanged, Progress
from bgconsole.operations.record import Recorder, is_of
from bgconsole.operations.run import Run
from bgconsole.operations.spec import (
    NO_EVIDENCE,
    Evidence,
    No,
    Operation,
    Params,
    Plan,
    Proposal,
    Risk,
)
from bgconsole.watch.once import read, read_account

__all__ = ["Outcome", "PlanChanged", "Progress", "Runner"]

NO_RISKS: Mapping[str, Risk] = MappingProxyType({})
NO_DEFAULTS: Mapping[str, Params] = MappingProxyType({})
_ORDER = (Risk.SAFE, Risk.DISRUPTIVE, Risk.DANGEROUS)


class Runner:
    """Proposes, completes and carries out operations on one gateway.

    Args:
        gateway: the account and region.
        audit: where every run is recorded.
        clock: now, in UTC.
        surface: who asks.
        risks: levels that the configuration raises or lowers, by operation id.
        defaults: parameters that the configuration gives, by operation id.
        read_only: why nothing may be changed, in words; empty where it may. True is "read-only".
        no_stacks: why stacks of those names may not be changed, in words; empty where they may.
        locks: the folder of lock files; None locks nothing.
        give_up_after: how long an end is waited for; None for as long as it takes.
        wait: waits for an event or some seconds; true where the event was set.
        new_id: makes the id that joins one run's records.
        operations: what there is.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        audit: AuditLog,
        clock: Callable[[], datetime],
        surface: Literal["console", "cli"],
        risks: Mapping[str, Risk] = NO_RISKS,
        defaults: Mapping[str, Params] = NO_DEFAULTS,
        read_only: bool | str = False,
        no_stacks: Callable[[tuple[str, ...]], str] = lambda _: "",
        locks: Path | None = None,
        give_up_after: timedelta | None = None,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
        new_id: Callable[[], str] = lambda: uuid4().hex[:12],
        operations: Mapping[str, Operation] = OPERATIONS,
    ) -> None:
        self._gateway = gateway
        self._audit = audit
        self._clock = clock
        self._surface: Literal["console", "cli"] = surface
        self._risks = risks
        self._defaults = defaults
        self._read_only = "This console is read-only." if read_only is True else read_only or ""
        self._no_stacks = no_stacks
        self._locks = locks
        self._give_up_after = give_up_after
        self._wait = wait
        self._new_id = new_id
        self._registry = operations

    def offered(self) -> tuple[Operation, ...]:
        """The operations that exist here: in read-only those that change nothing."""
        return tuple(filter(self.offers, self._registry.values()))

    def offers(self, operation: Operation) -> bool:
        """Whether an operation exists here: in read-only only one that changes nothing."""
        return operation.id in self._registry and (
            not self._read_only or self.risk(operation) is Risk.SAFE
        )

    def operations(self, snapshot: Snapshot) -> tuple[tuple[Operation, No | None], ...]:
        """The service's operations that exist here, each with why it may not run now."""
        return tuple(
            (operation, operation.allowed(snapshot))
            for operation in self.offered()
            if operation.about == "service"
        )

    def risk(self, operation: Operation) -> Risk:
        """How hard it asks, as the configuration says."""
        return self._risks.get(operation.id, operation.risk)

    def asks_first(self, operation: Operation, snapshot: Snapshot) -> No | None:
        """What is to be chosen before anything is proposed; None where nothing is."""
        if operation.ask_first is None or operation.allowed(snapshot) is not None:
            return None
        return operation.ask_first(snapshot, self._defaults.get(operation.id, {}))

    def propose(self, operation: Operation, snapshot: Snapshot, params: Params) -> Proposal | No:
        """The plan as far as the snapshot tells; no call is made."""
        given = {**self._defaults.get(operation.id, {}), **params}
        return self._plan(operation, snapshot, given, None)

    def gather(self, proposal: Proposal) -> Proposal | No:
        """The same with everything looked up that decides; blocks on reads.

        A look-up that fails is a check "not checked", never an error.
        """
        operation, snapshot, params = proposal.operation, proposal.snapshot, proposal.params
        evidence = operation.gather(self._gateway, snapshot, params)
        if evidence.drafts:
            recorder = Recorder(self._audit, self._clock, self._new_id(), proposal, self._surface)
            recorder.write("drafted", stacks=[stack for stack, _ in evidence.drafts])
        found = self._plan(operation, snapshot, params, evidence, proposal.aside)
        if isinstance(found, No) and operation.discard is not None:
            operation.discard(self._gateway, evidence)
        return found

    def look_aside(self, proposal: Proposal) -> Proposal | No:
        """The same with what only the reader wants to know; blocks on reads that may take long."""
        operation, snapshot, params = proposal.operation, proposal.snapshot, proposal.params
        evidence = proposal.evidence
        if operation.aside is None or evidence is None:
            return proposal
        found = operation.aside(self._gateway, snapshot, params, evidence)
        aside = found.joined(Evidence(ours=self._ours(snapshot)))
        return self._plan(operation, snapshot, params, evidence, aside)

    def _ours(self, snapshot: Snapshot) -> tuple[Record, ...]:
        """What this machine's audit log holds of the service; a log that is unreadable, nothing."""
        try:
            return tuple(r for r in self._audit.records() if is_of(r, snapshot))
        except OSError:
            return ()

    def run(
        self,
        proposal: Proposal,
        cancelled: threading.Event,
        noticed: Callable[[datetime], str] = lambda _: "",
        *,
        at_once: bool = False,
    ) -> Iterator[Progress]:
        """Read everything again, and do what was proposed if it is still what would be done.

        The service is locked until all is sent, not while it is followed: another console may want
        to roll it back. Where its lock cannot be had for want of a disk the run goes on unlocked
        and says so: a full disk must not keep the old version from coming back. Before the call
        that changes what serves, `cancelled` stops it; after that it only ends the following. The
        last progress carries the outcome. `noticed` tells, for the receipt, how users fared since
        a moment. `at_once` says that it was gathered this moment and nobody was asked since: then
        what is made of no one service, such as an image, is not looked up twice.

        Raises:
            PlanChanged: the plan is another one now; nothing was done.
            Refused: a guard says no; nothing was done.
            GatewayError: the fresh reads failed; nothing was done.
        """
        recorder = Recorder(self._audit, self._clock, self._new_id(), proposal, self._surface)
        begun = self._clock()
        with ExitStack() as held:
            try:
                unlocked = self._lock(held, recorder, proposal)
                known = at_once and proposal.operation.shared
                fresh = proposal if known else self._again(proposal)
            except Refused as refusal:
                recorder.write("refused", reason=str(refusal))
                # What stays was drafted only; that it is refused is what is to be told.
                with suppress(GatewayError):
                    self._outdated(proposal, refusal)
                raise
            except GatewayError as error:
                recorder.write("not started", error=str(error), request_id=error.request_id)
                raise
            except KeyboardInterrupt:
                recorder.write("not started", reason="interrupted before anything was sent")
                raise
            run = Run(
                self._gateway,
                fresh,
                recorder.of(fresh),
                clock=self._clock,
                wait=lambda seconds: self._wait(cancelled, seconds),
                cancelled=cancelled,
                submitted=held.close,
                give_up_after=self._give_up_after,
                unlocked=unlocked,
                begun=begun,
                noticed=noticed,
            )
            try:
                yield from run.progress()
            finally:
                # What stays was drafted only; the run's own end is what is to be told.
                with suppress(GatewayError):
                    self.discard(fresh)

    def _lock(self, held: ExitStack, recorder: Recorder, proposal: Proposal) -> str:
        """Keep other consoles of this machine away until `held` is closed.

        Gives why they are not kept away, in words; empty where they are.

        Raises:
            Refused: another one is at work.
        """
        words = f"{proposal.plan.summary}, from the {self._surface}"
        try:
            held.enter_context(only_one(self._locks, recorder.service, words))
        except OSError as error:
            why = plain(f"{error.strerror or error}: {error.filename or self._locks}")
            return f"Not locked against other consoles on this machine ({why})."
        return ""

    def discard(self, proposal: Proposal) -> None:
        """Take back what was drafted for a plan that is not carried out; what is gone is fine.

        Raises:
            GatewayError: something stays; it says what.
        """
        discard, evidence = proposal.operation.discard, proposal.evidence
        if discard is not None and evidence is not None:
            discard(self._gateway, evidence)

    def _outdated(self, proposal: Proposal, refusal: Refused) -> None:
        """Take back what was drafted for a plan that is another one now, or none."""
        discard, evidence = proposal.operation.discard, proposal.evidence
        now = refusal.proposal.evidence if isinstance(refusal, PlanChanged) else None
        kept = now.drafts if now is not None else ()
        old = tuple(each for each in (evidence or NO_EVIDENCE).drafts if each not in kept)
        if discard is not None and old:
            discard(self._gateway, Evidence(drafts=old))

    def _fresh(self, proposal: Proposal) -> Snapshot:
        if proposal.operation.about == "stacks":
            return replace(read_account(self._gateway, self._clock), ref=proposal.ref)
        snapshot = read(self._gateway, proposal.ref, self._clock, proposal.operation.sources)
        if snapshot.service.failure is not None:
            raise snapshot.service.failure.error
        return snapshot

    def _again(self, proposal: Proposal) -> Proposal:
        """The same proposal from fresh reads.

        Raises:
            Refused: a guard says no now, or the plan has changed.
            GatewayError: the service could not be read.
        """
        snapshot = self._fresh(proposal)
        first = self._plan(proposal.operation, snapshot, proposal.params, None, proposal.aside)
        fresh = first if isinstance(first, No) else self.gather(first)
        if isinstance(fresh, No):
            raise Refused("Refused", fresh.reason, fresh.command)
        changed = _changed(proposal, fresh)
        if changed:
            raise PlanChanged(fresh, changed)
        return fresh

    def _plan(
        self,
        operation: Operation,
        snapshot: Snapshot,
        params: Params,
        evidence: Evidence | None,
        aside: Evidence = NO_EVIDENCE,
    ) -> Proposal | No:
        if not self.offers(operation):
            return No(self._read_only)
        known = evidence.joined(aside) if evidence is not None else None
        plan = operation.allowed(snapshot) or operation.plan(snapshot, params, known)
        if isinstance(plan, No):
            return masked_no(plan)
        if plan.stacks and (why := self._no_stacks(plan.stacks)):
            return No(why)
        plan = masked_plan(plan)
        if evidence is not None and (problem := _problem(plan)):
            return No(problem)
        return Proposal(
            operation=operation,
            ref=snapshot.ref,
            params=MappingProxyType(dict(params)),
            plan=plan,
            snapshot=snapshot,
            evidence=evidence,
            aside=aside,
            risk=_higher(self.risk(operation), plan.raised)
            if not plan.steps or any(step.changes for step in plan.steps)
            else Risk.SAFE,
        )


def _problem(plan: Plan) -> str:
    return " ".join(check.words for check in plan.checks if check.state == "problem")


def _higher(risk: Risk, raised: Risk | None) -> Risk:
    return max(risk, raised or risk, key=_ORDER.index)


def _changed(old: Proposal, new: Proposal) -> tuple[str, ...]:
    """The labels of deciding facts that differ, and `risk` where more is asked than was."""
    before, after = dict(old.plan.decides()), dict(new.plan.decides())
    labels = [label for label in {**before, **after} if before.get(label) != after.get(label)]
    if _higher(old.risk, new.risk) is not old.risk:
        labels.append("risk")
    return tuple(labels)
