"""What was seen to change between two pictures and AWS keeps no record of: stages, hooks, weights.

Blue/green stages are no service events, and a service deployment tells only the stage it is in now.
Whoever takes pictures one after the other keeps a `Seen` and hands it each new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from bgconsole.domain.moments import Moment, moment
from bgconsole.domain.rollout import STAGES
from bgconsole.domain.services import Hook, ServiceDeployment, revision_of
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stacks import Stack

KEPT = 1000
"""The newest moments that are kept."""

_STAGE_WORDS = dict(STAGES)
_STATUS = {
    "STOP_REQUESTED": "a stop was asked for",
    "ROLLBACK_REQUESTED": "a roll back was asked for",
    "ROLLBACK_IN_PROGRESS": "ECS takes it back",
}
_HOOK = {
    "IN_PROGRESS": ("runs", Severity.BUSY),
    "AWAITING_ACTION": ("waits for somebody", Severity.WAITING),
    "SUCCEEDED": ("passed", Severity.GOOD),
    "FAILED": ("failed", Severity.BAD),
    "TIMED_OUT": ("timed out", Severity.BAD),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was seen to change so far, oldest first."""

    moments: tuple[Moment, ...] = ()
    _last: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By what it is of: how it was when last looked at."""

    def after(self, snapshot: Snapshot) -> Seen:
        """The same with what this picture shows that the ones before did not.

        A change is dated by AWS where AWS tells, else by the read that showed it. Of a deployment
        that had ended before it was first seen nothing is told: its record says how it ended.
        """
        facts = [*_of_deployments(snapshot, self._last), *_of_stacks(snapshot)]
        news = [
            one.told
            for one in facts
            if one.told is not None and self._last.get(one.of, one.before) != one.now
        ]
        last = {**self._last, **{one.of: one.now for one in facts}}
        if not news and last == self._last:
            return self
        return Seen((*self.moments, *news)[-KEPT:], MappingProxyType(last))


@dataclass(frozen=True, slots=True)
class _Fact:
    """How something is now, and what there is to tell if that is new."""

    of: str
    now: str
    told: Moment | None
    before: str = ""
    """What it counts to have been where it was never looked at."""


def _of_deployments(snapshot: Snapshot, last: Mapping[str, str]) -> Iterator[_Fact]:
    known = snapshot.deployments
    for deployment in reversed(known.value.history[:3] if known.value else ()):
        watched = f"{deployment.arn} status" in last
        if (deployment.ongoing or watched) and known.fetched_at is not None:
            dated = f"{deployment.arn} updated"
            stamp = str(deployment.updated_at or "")
            # What changed while AWS's own time stood still was not changed at that time.
            aws_tells = deployment.updated_at and last.get(dated) != stamp
            at = deployment.updated_at if aws_tells else None
            yield from _of_deployment(
                deployment, _name(snapshot, deployment), at or known.fetched_at
            )
            yield _Fact(dated, stamp, None)


def _of_deployment(deployment: ServiceDeployment, name: str, at: datetime) -> Iterator[_Fact]:
    arn, source = deployment.arn, f"ecs-svc/{deployment.target.number}"
    status = _STATUS.get(deployment.status, "")
    if deployment.status == "ROLLBACK_IN_PROGRESS" and deployment.rollback_started_at:
        status = ""  # the record itself dates it, and says why
    yield _Fact(
        f"{arn} status",
        deployment.status,
        moment(at, "deployment", source, f"{name}: {status}", Severity.BAD) if status else None,
    )
    stage = deployment.lifecycle_stage if deployment.strategy != "ROLLING" else ""
    if stage:
        words = f"{name}: stage {_stage(stage)}"
        yield _Fact(f"{arn} stage", stage, moment(at, "stage", source, words))
    yield from _weights(deployment, name, source, at)
    for hook in deployment.hooks:
        words, severity = _HOOK.get(hook.status, (hook.status, Severity.UNKNOWN))
        told = f"{name}: {_hook(hook, stage)} {words}{_until(hook)}"
        yield _Fact(
            f"{arn} hook {hook.id}", hook.status, moment(at, "hook", source, told, severity)
        )
    if breaker := deployment.breaker:
        triggered = ", triggered" if breaker.status == "TRIGGERED" else ""
        count = f"{breaker.failures}/{breaker.threshold}{triggered}"
        words = f"{name}: circuit breaker at {count}"
        bad = moment(at, "alarm", source, words, Severity.BAD) if breaker.failures else None
        yield _Fact(f"{arn} breaker", count, bad)
    if deployment.alarms:
        named = ", ".join(deployment.alarms.triggered)
        bad = moment(at, "alarm", source, f"{name}: alarm {named}", Severity.BAD) if named else None
        yield _Fact(f"{arn} alarms", named, bad)


def _weights(
    deployment: ServiceDeployment, name: str, source: str, at: datetime
) -> Iterator[_Fact]:
    """The shares that ECS asks the listener for; the first picture's zero is not worth a line."""
    for which, weight in (
        ("test", deployment.target.test_weight),
        ("production", deployment.target.production_weight),
    ):
        if weight is not None and deployment.strategy != "ROLLING":
            words = f"{name}: {weight:g} % of {which} traffic"
            if which == "production" and weight == 100:
                words += " (traffic shifted)"
            told = moment(at, "stage", source, words)
            yield _Fact(f"{deployment.arn} {which}", f"{weight:g}", told, before="0")


def _of_stacks(snapshot: Snapshot) -> Iterator[_Fact]:
    at = snapshot.stacks.fetched_at
    for stack in snapshot.stacks.value or ():
        told = stack_moment(stack, at, f"now {_spoken(stack.status)}") if at else None
        # The first look says nothing of when: the stack's own time does.
        yield _Fact(f"stack {stack.arn}", stack.status, told, before=stack.status)


def stack_moment(stack: Stack, at: datetime, words: str) -> Moment:
    """A line on a stack, as bad as its status is."""
    severity = Severity.BUSY
    if stack.failed or "ROLLBACK" in stack.status:
        severity = Severity.BAD
    elif not stack.moving and stack.status.endswith("COMPLETE"):
        severity = Severity.GOOD
    reason = f": {stack.reason}" if stack.reason else ""
    return moment(at, "stack", stack.name, f"stack {stack.name}: {words}{reason}", severity)


def _name(snapshot: Snapshot, deployment: ServiceDeployment) -> str:
    known = snapshot.deployments.value
    revision = known.revisions.get(deployment.target.arn) if known else None
    return f"revision {revision_of(revision.task_definition)}" if revision else "new revision"


def _stage(name: str) -> str:
    return _STAGE_WORDS.get(name, _spoken(name))


def _hook(hook: Hook, stage: str) -> str:
    kind = "pause" if hook.kind == "PAUSE" else "hook"
    named = f" {hook.target.rpartition(':')[2]}" if hook.target else ""
    return f"{kind}{named} at {_stage(stage)}" if stage else f"{kind}{named}"


def _until(hook: Hook) -> str:
    if not hook.awaits_action or hook.expires_at is None:
        return ""
    then = "goes on" if hook.timeout_action == "CONTINUE" else "goes back"
    return f"; it {then} by itself at {hook.expires_at:%H:%M:%S} UTC"


def _spoken(constant: str) -> str:
    return constant.replace("_", " ").lower()
