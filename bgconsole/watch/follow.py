"""Follow what an operation started to its true end, and read back what really runs then.

ECS is asked every two seconds. A deployment that ECS rolled back is a failed one, one that another
deployment replaced is said to be so, and throttling or a lost connection only slows the asking:
AWS goes on either way. The end is proved by the running tasks, not by a status.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.images import named_digest
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
from bgconsole.watch.onlooker import PATIENCE, Onlooker, Teller
from bgconsole.watch.progress import Stand, stand
from bgconsole.watch.telling import End, Result, Story

SKEW = timedelta(minutes=10)
"""How far this machine's clock may be from AWS's; beyond five minutes AWS refuses signatures."""


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
    codedeploy: str = ""
    """Id (`d-…`) of the deployment of CodeDeploy's, where that deploys the service."""
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


def follow(gateway: Gateway, ref: ServiceRef, expected: Expected, onlooker: Onlooker) -> Story:
    """Tell what happens until it has ended; the last thing told is the end.

    Args:
        gateway: only read.
        ref: the service.
        expected: what was started, and what is to come of it.
        onlooker: who wants to know, and for how long.

    Raises:
        CredentialsProblem: the credentials ended.
        AccessDenied: the service may not be read.
        NotThere: the service is gone.
    """
    teller, patience = Teller(), PATIENCE

    def tell(seen: _Look) -> Story:
        nonlocal patience
        yield from teller.tell(seen.stand.milestones, seen.stand.words)
        if seen.stand.phase in ("reached", "failed", "superseded"):
            end = _end(gateway, ref, expected, seen, onlooker.clock)
            if end.result != "different" or patience <= 0:
                yield end
            patience -= 1

    return onlooker.look_on(lambda: _look(gateway, ref, expected), tell)


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
    live = [task for task in tasks if task.runs]
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
            f" · {named_digest(digest)}" if digest else ""
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
