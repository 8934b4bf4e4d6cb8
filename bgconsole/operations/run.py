"""One run of a confirmed plan: its steps in order, and at the end only looking.

What was submitted is never called failed for want of looking; what was not reached is said to be
untouched.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from bgconsole.domain.errors import BgconsoleError, GatewayError, Unreachable
from bgconsole.domain.exit_codes import EXIT_FAILED, EXIT_GAVE_UP, EXIT_INTERRUPTED
from bgconsole.domain.images import ImageReference
from bgconsole.domain.services import Deployment
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations.lost_answer import found_out
from bgconsole.operations.masked import masked_progress
from bgconsole.operations.outcome import Outcome, Progress
from bgconsole.operations.receipt import Facts, receipt
from bgconsole.operations.record import Recorder
from bgconsole.operations.spec import Proposal
from bgconsole.operations.step import Bench, Step, Told
from bgconsole.watch.follow import SKEW, Expected, follow
from bgconsole.watch.onlooker import Onlooker
from bgconsole.watch.telling import End, Note, Result

_TITLES: Mapping[Result, str] = {
    "reached": "Done",
    "failed": "Failed",
    "superseded": "Superseded",
    "different": "Not what was wanted",
    "gave up": "Gave up waiting",
    "left": "Submitted, not followed",
    "stopped": "Stopped",
}
_CODES: Mapping[Result, int] = {
    "reached": 0,
    "gave up": EXIT_GAVE_UP,
    "left": EXIT_INTERRUPTED,
    "stopped": EXIT_INTERRUPTED,
}
_LEFT = ("left", "gave up", "stopped")


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
    begun: datetime | None = None
    """When it was confirmed; None for when its first step begins."""
    noticed: Callable[[datetime], str] = lambda _: ""
    """How users fared since a moment, in words; empty where nothing watched them."""
    made: dict[str, str] = field(default_factory=dict)
    answers: list[Submitted] = field(default_factory=list)
    done: list[Step] = field(default_factory=list)
    unlooked: str = ""
    """Why it could not be looked whether a call without an answer arrived, where it could not."""

    def progress(self) -> Iterator[Progress]:
        """Do it all; the last progress carries the outcome."""
        try:
            yield from map(masked_progress, self._progress())
        except (GeneratorExit, KeyboardInterrupt):
            self.recorder.write("left", reason="nobody waits any more; what was sent goes on")
            raise

    def _progress(self) -> Iterator[Progress]:
        plan, started = self.proposal.plan, self.begun or self.clock()
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
        if not plan.steps:
            yield self._ended(1, started, End("reached", "Nothing to do.", self.clock()))
        for number, planned in enumerate(plan.steps, 1):
            step = planned.known(self.made)
            go_on = step.go_on(self.made) if step.go_on else ""
            yield Progress("step started", number, step.words, go_on=go_on, command=step.command)
            if not any(later.changes for later in plan.steps[number - 1 :]):
                self.submitted()
            if step.follows:
                yield from self._follow(number, started)
                return
            if self.cancelled.is_set() and step.changes:
                yield self._early(self._stopped(number), step)
                return
            end = yield from self._do(number, step, started)
            if end is None:
                return
            self.done.append(step)
            if number == len(plan.steps):
                yield self._ended(number, started, end)

    def _do(
        self, number: int, step: Step, started: datetime
    ) -> Generator[Progress, None, End | None]:
        """Do one step; gives how it ended, or None where the run has ended with it."""
        end = _unasked(self.clock())
        before, request_id = self._primary(), ""
        try:
            for told in self._work(step, started):
                if isinstance(told, Submitted):
                    self._keep(number, step, told)
                    request_id = told.request_id
                    if step.work and request_id:
                        yield Progress("note", number, "AWS took it", request_id=request_id)
                elif isinstance(told, Note):
                    yield Progress(told.kind, number, told.text, amount=told.amount)
                else:
                    end = told
        except Unreachable as error:
            found = yield from self._lost(number, step, before, error)
            if isinstance(found, GatewayError):
                yield self._broken(number, step, started, found)
                return None
            self._keep(number, step, found)
            request_id = found.request_id
        except BgconsoleError as error:
            yield self._broken(number, step, started, error)
            return None
        if not end.ok:
            words = f"{end.sentence} {self._so_far(number)}".strip()
            ended = self._ended(number, started, replace(end, sentence=words))
            yield self._early(ended, step, left=end.result in _LEFT)
            return None
        yield Progress("step done", number, step.words, request_id="" if step.work else request_id)
        return end

    def _work(self, step: Step, started: datetime) -> Told:
        if step.act:
            yield step.act(self.gateway, self.made)
        elif step.work:
            until = self._until(started)
            yield from step.work(
                Bench(self.gateway, self.made, self.clock, self.wait, self.cancelled, until)
            )

    def _follow(self, number: int, started: datetime) -> Iterator[Progress]:
        expected = self._expected(started)
        if expected is None:
            yield self._ended(number, started, _unasked(self.clock()))
            return
        onlooker = Onlooker(self.clock, self.wait, self._until(started))
        try:
            for told in follow(self.gateway, self.proposal.ref, expected, onlooker):
                if isinstance(told, End):
                    yield self._ended(number, started, told)
                else:
                    yield Progress(told.kind, number, told.text)
        except GatewayError as error:
            yield self._unfollowed(number, started, error)

    def _until(self, started: datetime) -> datetime | None:
        """When looking is given up."""
        return started + self.give_up_after if self.give_up_after else None

    def _expected(self, started: datetime) -> Expected | None:
        expect = self.proposal.plan.expect
        if expect is None:
            return None
        last = self.answers[-1] if self.answers else Submitted("")
        return replace(
            expect,
            task_definition=self._known(expect.task_definition),
            digests={
                name: digest
                for name, value in expect.digests.items()
                if (digest := self._digest(value))
            },
            deployment="" if expect.stopping else expect.deployment or last.deployment,
            since=expect.since or started - SKEW,
        )

    def _known(self, name: str) -> str:
        """What an earlier step made by that name, or the value itself."""
        return self.made.get(name, name)

    def _digest(self, value: str) -> str:
        """The digest, of a reference that an earlier step made as well."""
        made = self.made.get(value)
        return ImageReference.parse(made).digest if made else value

    def _primary(self) -> Deployment | None:
        service = self.proposal.snapshot.service.value
        return service.primary if service else None

    def _lost(
        self, number: int, step: Step, before: Deployment | None, lost: Unreachable
    ) -> Generator[Progress, None, Submitted | GatewayError]:
        """What came of a call that got no answer, or why that is not known.

        It is sent again only where the step says that this does nothing twice.
        """
        act, tell = step.act, partial(Progress, "note", number)
        if act is None or (lost.write == "not sent" and not step.repeats):
            return lost
        sends = partial(act, self.gateway, self.made)
        asks: Callable[[], Submitted | Unreachable | None]
        if step.repeats:
            words, asks = "no answer came back: asking again, which does nothing twice", sends
        elif lost.write == "none":
            words, asks = "no answer yet, and nothing was sent", partial(_read_first, sends)
        elif step.found is not None or step.effect == "serves":
            words = "no answer came back: looking whether it arrived"
            asks = (
                partial(step.found, self.gateway, self.made)
                if step.found is not None
                else partial(self._arrived, before, step)
            )
        else:
            return lost
        yield tell(words)
        looking: Generator[Progress, None, Submitted | Unreachable | None]
        looking = found_out(asks, self.clock, self.wait, tell)
        try:
            found = yield from looking
        except GatewayError as error:
            self.unlooked = error.brief
            return lost if lost.write == "not known" and not step.repeats else error
        if isinstance(found, Unreachable):
            return (yield from self._lost(number, step, before, found))
        if found is None:
            return lost
        if asks is not sends and lost.write == "not known":
            yield tell("AWS shows that it arrived")
        return found

    def _arrived(self, before: Deployment | None, step: Step) -> Submitted | None:
        """Look whether a call took effect."""
        if step.arrived is not None:
            return Submitted("") if step.arrived(self.gateway) else None
        primary = self.gateway.services.describe(self.proposal.ref).primary
        if primary is None or before is None or primary.id == before.id:
            return None
        expect = self.proposal.plan.expect
        wanted = self._known(expect.task_definition) if expect else ""
        if wanted and primary.task_definition != wanted:
            return None
        return Submitted("", deployment=primary.id)

    def _keep(self, number: int, step: Step, answer: Submitted) -> None:
        self.answers.append(answer)
        if step.makes and answer.created:
            self.made[step.makes] = answer.created
        self.recorder.write(
            "submitted",
            step=number,
            words=step.words,
            command=step.command,
            request_id=answer.request_id,
            deployment=answer.deployment,
            created=answer.created,
        )

    @property
    def _requests(self) -> tuple[str, ...]:
        return tuple(answer.request_id for answer in self.answers if answer.request_id)

    def _stopped(self, number: int) -> Progress:
        self.recorder.write("left", step=number, reason="stopped before it was sent")
        sentence = f"Stopped before step {number}. {self._so_far(number)}"
        if not self.done:
            sentence = "Stopped before anything that serves was changed."
        return _end(number, Outcome(False, "Stopped", sentence, EXIT_INTERRUPTED))

    def _early(self, end: Progress, step: Step, *, left: bool = False) -> Progress:
        """The end of a run that ends early, with the command that goes on.

        `left` says that what the step looks at goes on.
        """
        outcome = end.outcome
        if outcome is None or step.go_on is None or not (left or self._more(end.step)):
            return end
        return replace(end, outcome=replace(outcome, go_on=step.go_on(self.made)))

    def _more(self, number: int) -> bool:
        """Whether a step from here on changes anything."""
        return any(later.changes for later in self.proposal.plan.steps[number - 1 :])

    def _so_far(self, number: int) -> str:
        """What stays as it was and what was made, where a run ends before all was sent."""
        if not self._more(number):
            return ""
        told = []
        if any(done.effect == "serves" for done in self.done):
            words = "; ".join(done.words for done in self.done if done.effect == "serves")
            told.append(f"Done before it: {words}.")
        else:
            told.append("What serves was not changed.")
        if self.made:
            told.append(f"Made before it: {', '.join(self.made.values())}.")
        return " ".join(told)

    def _broken(
        self, number: int, step: Step, started: datetime, error: BgconsoleError
    ) -> Progress:
        """An error ends it: before a call it failed, after one it is only not followed any more."""
        if step.effect == "looks" and isinstance(error, GatewayError):
            return self._early(self._unfollowed(number, started, error), step, left=True)
        return self._early(self._failed(number, step, error), step)

    def _failed(self, number: int, step: Step, error: BgconsoleError) -> Progress:
        request = error.request_id if isinstance(error, GatewayError) else ""
        self.recorder.write("failed", step=number, error=str(error), request_id=request)
        so_far = self._so_far(number)
        unsure = isinstance(error, Unreachable) and error.write == "not known"
        if unsure and step.effect == "serves":
            seen = (
                f"AWS could not be asked ({self.unlooked})"
                if self.unlooked
                else "AWS shows no effect"
            )
            so_far = so_far.replace(
                "What serves was not changed.",
                f"Whether the call arrived is not known; it was not repeated, and {seen}.",
            )
        if request:
            so_far += f" Request id {request}."
        sentence = f"{error}. {so_far}".replace("..", ".")
        return _end(number, Outcome(False, "Failed", sentence, error.exit_code))

    def _unfollowed(self, number: int, started: datetime, error: GatewayError) -> Progress:
        ids = ", ".join(self._requests) or "unknown"
        sentence = f"Submitted (request id {ids}), AWS goes on, not followed: {error}"
        if so_far := self._so_far(number):
            sentence = f"{sentence.rstrip('.')}. {so_far}"
        self.recorder.write("left", reason=sentence)
        end = End("left", sentence, self.clock(), unread=error.brief)
        outcome = Outcome(
            False, _TITLES["left"], sentence, error.exit_code, self._receipt(started, end)
        )
        return _end(number, outcome)

    def _ended(self, number: int, started: datetime, end: End) -> Progress:
        self.recorder.write(
            "finished" if end.ok else "left" if end.result in _LEFT else "failed",
            result=end.result,
            sentence=end.sentence,
            before=self.proposal.plan.before,
            after="; ".join(f"{version.words} ({count})" for version, count in end.running or ()),
            request_ids=list(self._requests),
            receipt=list(lines := self._receipt(started, end)),
        )
        code = end.exit_code or _CODES.get(end.result, EXIT_FAILED)
        outcome = Outcome(
            end.ok, _TITLES[end.result], end.sentence, code, lines, deployment=end.deployment
        )
        return _end(number, outcome)

    def _receipt(self, started: datetime, end: End) -> tuple[str, ...]:
        facts = Facts(
            title=self.proposal.operation.title,
            target=self.proposal.target,
            before=self.proposal.plan.before,
            who=self.recorder.who,
            where=self.recorder.where,
            surface=self.recorder.surface,
            started=started,
            request_ids=self._requests,
            noticed=self.noticed(started),
            left_to_do=tuple(
                filter(
                    None,
                    (*self.proposal.plan.left_to_do, self.recorder.trouble, self.unlocked),
                )
            ),
        )
        return receipt(facts, end)


def _read_first(sends: Callable[[], Submitted]) -> Submitted | Unreachable:
    """Try once more what met a dead line before anything was sent; a write that is lost is given.

    Raises:
        Unreachable: again before anything was sent.
    """
    try:
        return sends()
    except Unreachable as error:
        if error.write == "none":
            raise
        return error


def _unasked(at: datetime) -> End:
    return End("reached", "AWS took it all.", at, unread="nothing was to be followed")


def _end(number: int, outcome: Outcome) -> Progress:
    return Progress("end", number, outcome.sentence, outcome=outcome)
