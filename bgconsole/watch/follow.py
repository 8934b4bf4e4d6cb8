"""Follow what an operation started to its true end, and read back what really runs then.

ECS is asked every two seconds. A deployment that ECS rolled back is a failed one, one that another
deployment replaced is said to be so, and throttling or a lost connection only slows the asking:
AWS goes on either way. The end is proved by the running tasks, not by a status.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, TypeVar

from bgconsole.domain.errors import AccessDenied, Throttled, Unreachable
from bgconsole.domain.images import short_digest
from bgconsole.domain.services import (
    ContainerImage,
    Service,
    ServiceDeployment,
    ServiceRef,
    Task,
    revision_of,
)
from bgconsole.domain.versions import Version
from bgconsole.gateway.port import Gateway
from bgconsole.watch.progress import Stand, stand
from bgconsole.watch.silence import Silence

Found = TypeVar("Found")

SKEW = timedelta(minutes=10)
"""How far this machine's clock may be from AWS's; beyond five minutes AWS refuses signatures."""
PATIENCE = 15
"""Looks for which running tasks may still disagree with ECS's word that it is done."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the end must look like."""

    task_definition: str = ""
    """ARN; empty where any will do."""
    digests: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By container; those that are known."""
    parts: Mapping[str, tuple[str, ...] | None] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """By the digest of an image index: what its platforms' manifests are called instead; None
    where that is not known, and any digest will do."""
    stopping: str = ""
    """ARN of the service deployment that ECS was asked to roll back, where it was."""
    source: str = ""
    """ARN of the service revision that it is to go back to."""
    deployment: str = ""
    """Id (`ecs-svc/…`) of the deployment that an update started, where it did."""
    since: datetime | None = None
    """Service deployments created before this are not looked at."""

    def differs(self, task: Task) -> bool:
        """Whether a running task is not what was wanted, as far as it tells."""
        if self.task_definition and task.task_definition != self.task_definition:
            return True
        return any(
            container.digest and not self._means(self.digests[container.name], container.digest)
            for container in task.containers
            if container.name in self.digests
        )

    def _means(self, wanted: str, runs: str) -> bool:
        parts = self.parts.get(wanted, ())
        return wanted == runs or parts is None or runs in parts


Result = Literal["reached", "failed", "superseded", "different", "gave up", "left", "stopped"]
"""`left`: AWS goes on and nobody looks; `stopped`: nothing goes on."""


@dataclass(frozen=True, slots=True)
class End:
    """How it ended."""

    result: Result
    sentence: str
    at: datetime
    running: tuple[tuple[Version, int], ...] | None = None
    """What the running tasks themselves say, with their number; None where they were not asked."""
    unread: str = ""
    """Why they were not asked, or did not answer; empty where there was nothing to ask them."""
    deployment: str = ""
    """The id (`ecs-svc/…`) of the deployment that was PRIMARY then, where that was seen."""
    now: str = ""
    """What is now, in words, where it is not running tasks that tell."""
    exit_code: int = 0
    """Of the error that ended it, where one did."""

    @property
    def ok(self) -> bool:
        """Whether what was wanted is what runs."""
        return self.result == "reached"


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing worth telling; the last one carries the end."""

    kind: Literal["note", "milestone", "output", "end"]
    text: str
    end: End | None = None


def follow(
    gateway: Gateway,
    ref: ServiceRef,
    expected: Expected,
    clock: Callable[[], datetime],
    wait: Callable[[float], bool],
    *,
    until: datetime | None = None,
) -> Iterator[Seen]:
    """Tell what happens until it has ended; the last thing told carries the end.

    Args:
        gateway: only read.
        ref: the service.
        expected: what was started, and what is to come of it.
        clock: now, in UTC.
        wait: waits some seconds; true where nobody wants to know any more.
        until: when to give up looking; None looks for as long as it takes.

    Raises:
        CredentialsProblem: the credentials ended.
        AccessDenied: the service may not be read.
        NotThere: the service is gone.
    """
    teller, patience = _Teller(), PATIENCE

    def tell(seen: _Look) -> Iterator[Seen]:
        nonlocal patience
        yield from teller.tell(seen)
        if seen.stand.phase in ("reached", "failed", "superseded"):
            end = _end(gateway, ref, expected, seen, clock)
            if end.result != "different" or patience <= 0:
                yield Seen("end", end.sentence, end)
            patience -= 1

    yield from look_on(lambda: _look(gateway, ref, expected), tell, clock, wait, until)


def look_on(
    look: Callable[[], Found],
    tell: Callable[[Found], Iterator[Seen]],
    clock: Callable[[], datetime],
    wait: Callable[[float], bool],
    until: datetime | None,
) -> Iterator[Seen]:
    """Look again and again, and tell of it, up to what carries an end: the loop of every follower.

    Throttling and a lost connection, in `look` as in `tell`, are told once and slow it down.

    Args:
        look: asks AWS.
        tell: what there is to tell of an answer; nothing is looked at after an end.
        clock: now, in UTC.
        wait: waits some seconds; true where nobody wants to know any more.
        until: when to give up looking; None looks for as long as it takes.
    """
    silence = Silence()
    while True:
        try:
            found = look()
            if words := silence.ends():
                yield Seen("note", words)
            for seen in tell(found):
                yield seen
                if seen.end is not None:
                    return
        except (Throttled, Unreachable) as error:
            if words := silence.begins(error):
                yield Seen("note", words)
        if ending := _broken_off(clock, wait, silence.delay, until):
            yield Seen("end", ending.sentence, ending)
            return


def _broken_off(
    clock: Callable[[], datetime],
    wait: Callable[[float], bool],
    delay: float,
    until: datetime | None,
) -> End | None:
    """Wait for the next look; gives the end where there is to be none."""
    if until is not None and clock() >= until:
        words = "The wait was as long as asked; AWS goes on, and this is not followed."
        return End("gave up", words, clock(), unread="the wait ended before it did")
    if wait(delay):
        words = "AWS goes on; this is not followed any more."
        return End("left", words, clock(), unread="it was left before its end")
    return None


@dataclass(frozen=True, slots=True)
class _Look:
    service: Service
    stand: Stand


def _look(gateway: Gateway, ref: ServiceRef, expected: Expected) -> _Look:
    """One look at the service and its deployments; those that may not be read are done without."""
    service = gateway.services.describe(ref)
    history: tuple[ServiceDeployment, ...] | None
    try:
        history = gateway.services.service_deployments(ref, expected.since)
    except AccessDenied:
        history = None
    return _Look(
        service,
        stand(
            service,
            history,
            deployment=expected.deployment,
            stopping=expected.stopping,
            source=expected.source,
        ),
    )


class _Teller:
    """Says each thing once, and only what is new."""

    def __init__(self) -> None:
        self._words = ""
        self._told: set[str] = set()

    def tell(self, look: _Look) -> Iterator[Seen]:
        stand = look.stand
        for milestone in stand.milestones:
            if milestone not in self._told:
                self._told.add(milestone)
                yield Seen("milestone", milestone)
        if stand.words and stand.words != self._words:
            self._words = stand.words
            yield Seen("note", stand.words)


def _end(
    gateway: Gateway,
    ref: ServiceRef,
    expected: Expected,
    look: _Look,
    clock: Callable[[], datetime],
) -> End:
    """Read back what runs, and say how it ended."""
    result: Result = "reached"
    if look.stand.phase == "superseded":
        result = "superseded"
    elif look.stand.phase == "failed":
        result = "failed"
    primary = look.service.primary
    deployment = primary.id if primary else ""
    try:
        tasks = gateway.services.tasks(ref)
    except AccessDenied as error:
        unread = error.brief
        sentence = f"{look.stand.sentence} But the tasks could not be read back ({unread})."
        return End(result, sentence, clock(), unread=unread, deployment=deployment)
    live = [t for t in tasks if t.last_status == "RUNNING" and t.desired_status == "RUNNING"]
    end = End(result, look.stand.sentence, clock(), running_versions(live), deployment=deployment)
    if result == "failed":
        return replace(end, sentence=_why(end.sentence, tasks, look.stand.number))
    if result == "reached":
        wrong = [task for task in live if expected.differs(task)]
        if wrong or len(live) < look.service.desired:
            return replace(end, result="different", sentence=_differs(wrong, live, look.service))
    return end


def _differs(wrong: list[Task], live: list[Task], service: Service) -> str:
    if wrong:
        task = wrong[0]
        digest = next((c.digest for c in task.containers if c.digest), "")
        what = f"revision {revision_of(task.task_definition)}" + (
            f" · sha256:{short_digest(digest)}" if digest else ""
        )
        return (
            f"ECS says that it is done, but {len(wrong)} of {len(live)} running tasks run {what}."
        )
    return f"ECS says that it is done, but {len(live)} of {service.desired} tasks run."


def _why(sentence: str, tasks: tuple[Task, ...], number: str) -> str:
    """A failure with what its stopped tasks say, the commonest reason first."""
    reasons = Counter(
        _ending(task) for task in tasks if task.stopped and task.started_by.endswith(f"/{number}")
    )
    reasons.pop("", None)
    if not reasons:
        return sentence
    reason, count = reasons.most_common(1)[0]
    return f"{sentence} {count} of its tasks stopped: {reason}."


def _ending(task: Task) -> str:
    """Why a task ended by itself; empty where ECS only scaled it in."""
    if task.stopped_reason.startswith("Scaling activity"):
        return ""
    codes = [f"exit {c.exit_code}" for c in task.containers if c.exit_code]
    words = [c.reason for c in task.containers if c.reason] or [task.stopped_reason]
    return ", ".join(filter(None, (*codes, *words))).rstrip(".")


def running_versions(tasks: list[Task]) -> tuple[tuple[Version, int], ...]:
    """What some tasks run, most of them first."""
    counted = Counter(
        Version(
            task.task_definition,
            tuple(
                ContainerImage(c.name, c.image, c.digest)
                for c in sorted(task.containers, key=lambda c: c.name)
            ),
        )
        for task in tasks
    )
    return tuple(counted.most_common())
