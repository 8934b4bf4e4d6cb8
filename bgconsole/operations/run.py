"""One run of a confirmed plan: its steps in order, one call that changes what serves, then looking.

Whatever happens after that call, it was submitted: it is never called failed for want of looking.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bgconsole.domain.errors import GatewayError, Unreachable
from bgconsole.domain.services import Deployment
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations.outcome import Outcome, Progress
from bgconsole.operations.receipt import Facts, receipt
from bgconsole.operations.record import Recorder
from bgconsole.operations.spec import Proposal, Step
from bgconsole.watch.follow import SKEW, End, Expected, Result, follow

EXIT_FAILED = 1
EXIT_GAVE_UP = 5
EXIT_INTERRUPTED = 130

_TITLES: Mapping[Result, str] = {
    "reached": "Done",
    "failed": "Failed",
    "superseded": "Superseded",
    "different": "Not what was wanted",
    "gave up": "Gave up waiting",
    "left": "Submitted, not followed",
}
_CODES: Mapping[Result, int] = {"reached": 0, "gave up": EXIT_GAVE_UP, "left": EXIT_INTERRUPTED}


@dataclass(slots=True)
class Run:
    """What is done and known while it goes on."""

    gateway: Gateway
    proposal: Proposal
    recorder: Recorder
    clock: Callable[[], datetime]
    wait: Callable[[float], bool]
    cancelled: threading.Event
    submitted: Callable[[], None]
    """Called once all is sent that changes anything."""
    give_up_after: timedelta | None = None
    unlocked: str = ""
    """Why other consoles on this machine are not kept away, where they are not."""
    made: dict[str, str] = field(default_factory=dict)
    answers: list[Submitted] = field(default_factory=list)

    def progress(self) -> Iterator[Progress]:
        """Do it all; the last progress carries the outcome."""
        try:
            yield from self._progress()
        except (GeneratorExit, KeyboardInterrupt):
            self.recorder.write("left", reason="nobody waits any more; what was sent goes on")
            raise

    def _progress(self) -> Iterator[Progress]:
        plan, started = self.proposal.plan, self.clock()
        self.recorder.write(
            "started",
            plan=[step.words for step in plan.steps],
            commands=[step.command for step in plan.steps if step.command],
            facts={fact.label: fact.value for fact in plan.facts},
            params=dict(self.proposal.params),
            before=plan.before,
            after=plan.after,
            unlocked=self.unlocked,
        )
        if self.unlocked:
            yield Progress("note", 1, self.unlocked)
        number = 0
        for number, step in enumerate(plan.steps, 1):
            yield Progress("step started", number, step.words)
            if step.act is None:
                break
            if self.cancelled.is_set():
                yield self._stopped(number)
                return
            before = self._primary()
            try:
                answer = step.act(self.gateway, self.made)
            except Unreachable as error:
                found = self._arrived(before, step)
                if found is None:
                    yield self._failed(number, error)
                    return
                answer = found
                yield Progress("note", number, "no answer came back, but ECS shows that it arrived")
            except GatewayError as error:
                yield self._failed(number, error)
                return
            self._keep(step, answer)
            self.recorder.write(
                "submitted",
                step=number,
                words=step.words,
                request_id=answer.request_id,
                deployment=answer.deployment,
                created=answer.created,
            )
            yield Progress("step done", number, step.words, request_id=answer.request_id)
        yield from self._follow(number, started)

    def _follow(self, number: int, started: datetime) -> Iterator[Progress]:
        self.submitted()
        expected = self._expected(started)
        if expected is None:
            yield self._ended(number, started, _unasked(self.clock()))
            return
        until = started + self.give_up_after if self.give_up_after else None
        try:
            for seen in follow(
                self.gateway,
                self.proposal.ref,
                expected,
                self.clock,
                self.wait,
                until=until,
            ):
                if seen.kind != "end":
                    yield Progress(seen.kind, number, seen.text)
                elif seen.end is not None:
                    yield self._ended(number, started, seen.end)
        except GatewayError as error:
            yield self._unfollowed(number, started, error)

    def _expected(self, started: datetime) -> Expected | None:
        expect = self.proposal.plan.expect
        if expect is None:
            return None
        last = self.answers[-1] if self.answers else Submitted("")
        return replace(
            expect,
            task_definition=self.made.get(expect.task_definition, expect.task_definition),
            deployment="" if expect.stopping else last.deployment,
            since=expect.since or started - SKEW,
        )

    def _primary(self) -> Deployment | None:
        service = self.proposal.snapshot.service.value
        return service.primary if service else None

    def _arrived(self, before: Deployment | None, step: Step) -> Submitted | None:
        """Whether a call that got no answer took effect; it is never sent again."""
        if step.makes:
            return None
        try:
            service = self.gateway.services.describe(self.proposal.ref)
            expect = self.proposal.plan.expect
            if expect is not None and expect.stopping:
                history = self.gateway.services.service_deployments(self.proposal.ref, expect.since)
                status = next((d.status for d in history if d.arn == expect.stopping), "")
                return Submitted("") if "ROLLBACK" in status or "STOP" in status else None
        except GatewayError:
            return None
        primary = service.primary
        if primary is None or before is None or primary.id == before.id:
            return None
        wanted = expect.task_definition if expect else ""
        wanted = self.made.get(wanted, wanted)
        if wanted and primary.task_definition != wanted:
            return None
        return Submitted("", deployment=primary.id)

    def _keep(self, step: Step, answer: Submitted) -> None:
        self.answers.append(answer)
        if step.makes:
            self.made[step.makes] = answer.created

    @property
    def _requests(self) -> tuple[str, ...]:
        return tuple(answer.request_id for answer in self.answers if answer.request_id)

    def _stopped(self, number: int) -> Progress:
        self.recorder.write("left", step=number, reason="stopped before it was sent")
        sentence = "Stopped before anything that serves was changed."
        return _end(number, Outcome(False, "Stopped", sentence, EXIT_INTERRUPTED))

    def _failed(self, number: int, error: GatewayError) -> Progress:
        self.recorder.write("failed", step=number, error=str(error), request_id=error.request_id)
        unknown = isinstance(error, Unreachable)
        so_far = (
            "Whether the call arrived is not known; it was not repeated, and ECS shows no effect."
            if unknown
            else "What serves was not changed."
        )
        if self.made:
            so_far += f" Made before it: {', '.join(self.made.values())}."
        if error.request_id:
            so_far += f" Request id {error.request_id}."
        sentence = f"{error}. {so_far}".replace("..", ".")
        return _end(number, Outcome(False, "Failed", sentence, error.exit_code))

    def _unfollowed(self, number: int, started: datetime, error: GatewayError) -> Progress:
        ids = ", ".join(self._requests) or "unknown"
        sentence = f"Submitted (request id {ids}), AWS goes on, not followed: {error}"
        self.recorder.write("left", reason=sentence)
        end = End("left", sentence, self.clock(), unread=error.title)
        outcome = Outcome(
            False, _TITLES["left"], sentence, error.exit_code, self._receipt(started, end)
        )
        return _end(number, outcome)

    def _ended(self, number: int, started: datetime, end: End) -> Progress:
        self.recorder.write(
            "finished" if end.ok else "left" if end.result in ("left", "gave up") else "failed",
            result=end.result,
            sentence=end.sentence,
            before=self.proposal.plan.before,
            after="; ".join(f"{version.words} ({count})" for version, count in end.running or ()),
            request_ids=list(self._requests),
            receipt=list(lines := self._receipt(started, end)),
        )
        outcome = Outcome(
            end.ok, _TITLES[end.result], end.sentence, _CODES.get(end.result, EXIT_FAILED), lines
        )
        return _end(number, outcome)

    def _receipt(self, started: datetime, end: End) -> tuple[str, ...]:
        facts = Facts(
            title=self.proposal.operation.title,
            target=str(self.proposal.ref),
            before=self.proposal.plan.before,
            who=self.recorder.who,
            where=self.recorder.where,
            surface=self.recorder.surface,
            started=started,
            request_ids=self._requests,
            left_to_do=tuple(
                filter(
                    None,
                    (*self.proposal.plan.left_to_do, self.recorder.trouble, self.unlocked),
                )
            ),
        )
        return receipt(facts, end)


def _unasked(at: datetime) -> End:
    return End("reached", "AWS took it all.", at, unread="nothing was to be followed")


def _end(number: int, outcome: Outcome) -> Progress:
    return Progress("end", number, outcome.sentence, outcome=outcome)
