"""Follow a deployment of CodeDeploy's to its true end: there, or back where it was asked to stop.

To go back CodeDeploy stops the one and makes another. Its word is not enough either way: the task
set that serves, and the tasks that run, are read back at the end. That the old task set is gone is
no end: hooks may still fail, and take it all back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol

from bgconsole.domain.codedeploy import CodeDeployment
from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.how_many import how_many
from bgconsole.domain.services import Service, ServiceRef, TaskSet, revision_of
from bgconsole.gateway.port import Gateway
from bgconsole.watch.follow import running_versions
from bgconsole.watch.onlooker import PATIENCE, Onlooker, Teller
from bgconsole.watch.telling import End, Story


@dataclass(frozen=True, slots=True)
class Back:
    """What is followed, and what its end must look like."""

    deployment: str
    """The id (`d-…`) of the deployment that was asked to stop."""
    to: TaskSet
    """The task set that is to serve again."""


Said = tuple[Iterable[str], str]
"""The milestones that are passed, and how it stands in a line."""


class Judge(Protocol):
    """How a deployment ended; None while it goes on, or while ECS may still catch up."""

    def __call__(
        self, deployment: CodeDeployment, service: Service, at: datetime, *, late: bool
    ) -> End | None: ...


def follow_codedeploy(gateway: Gateway, ref: ServiceRef, back: Back, onlooker: Onlooker) -> Story:
    """Tell what happens until it has ended; the last thing told is the end.

    Args:
        gateway: only read.
        ref: the service.
        back: what was asked to stop, and what is to serve again.
        onlooker: who wants to know, and for how long.

    Raises:
        CredentialsProblem: the credentials ended.
        AccessDenied: the deployment or the service may not be read.
        NotThere: the service is gone.
    """

    def say(deployment: CodeDeployment, service: Service) -> Said:
        return _milestones(deployment), f"{deployment.words} · {_counts(service, back)}"

    return _follow(gateway, ref, back.deployment, onlooker, say, partial(_judge, back))


def follow_brought(gateway: Gateway, ref: ServiceRef, name: str, onlooker: Onlooker) -> Story:
    """Tell what happens until a deployment has ended; the last thing told is the end.

    Args:
        gateway: only read.
        ref: the service.
        name: the deployment's id (`d-…`).
        onlooker: who wants to know, and for how long.

    Raises:
        CredentialsProblem: the credentials ended.
        AccessDenied: the deployment or the service may not be read.
        NotThere: the service is gone.
    """

    def say(deployment: CodeDeployment, service: Service) -> Said:
        shifted = ["traffic shifted"] if deployment.shifted else []
        sets = " · ".join(_runs(one) for one in service.task_sets)
        words = " · ".join(filter(None, (deployment.words, sets)))
        return [*shifted, *_milestones(deployment)], words

    return _follow(gateway, ref, name, onlooker, say, _brought)


def _follow(
    gateway: Gateway,
    ref: ServiceRef,
    name: str,
    onlooker: Onlooker,
    say: Callable[[CodeDeployment, Service], Said],
    judge: Judge,
) -> Story:
    teller, patience = Teller(), PATIENCE

    def look() -> tuple[CodeDeployment, Service]:
        return gateway.codedeploy.deployment(name), gateway.services.describe(ref)

    def tell(found: tuple[CodeDeployment, Service]) -> Story:
        nonlocal patience
        deployment, service = found
        yield from teller.tell(*say(deployment, service))
        end = judge(deployment, service, onlooker.clock(), late=patience <= 0)
        if end is not None:
            yield _read_back(gateway, ref, end)
        elif not deployment.ongoing and not deployment.going_back:
            patience -= 1

    return onlooker.look_on(look, tell)


def _runs(task_set: TaskSet) -> str:
    return f"revision {revision_of(task_set.task_definition)}: {how_many(task_set.running, 'task')}"


def _brought(
    deployment: CodeDeployment, service: Service, at: datetime, *, late: bool
) -> End | None:
    """How one ended that was to bring something; None while ECS or CodeDeploy may catch up."""
    if deployment.ongoing or deployment.going_back:
        return None
    serves = next((one for one in service.task_sets if one.status == "PRIMARY"), None)
    live = f"Revision {_revision(serves)} is live."
    if deployment.status != "Succeeded":
        known = deployment.back is not None
        return End("failed", f"{deployment.words}. {live}", at) if known or late else None
    if deployment.takes_back:
        return End("failed", f"{deployment.id} took {deployment.takes_back} back. {live}", at)
    brought = serves is not None and serves.external_id in (deployment.id, "")
    if serves is not None and brought and serves.running >= service.desired:
        words = f"Revision {_revision(serves)} is deployed."
        return End("reached", words, at, deployment=serves.id)
    if not late:
        return None
    runs = f"{serves.running} of {service.desired} of its tasks run" if serves else "nothing runs"
    return End("different", f"{deployment.words}, but ECS says: {live} {runs}.", at)


def _milestones(deployment: CodeDeployment) -> Iterator[str]:
    if deployment.status in ("Stopped", "Failed"):
        yield f"{deployment.id} is stopped"
    if deployment.back_id:
        yield f"{deployment.back_id} takes it back"
    if deployment.went_back:
        yield f"{deployment.back_id} has taken it back"


def _counts(service: Service, back: Back) -> str:
    old = next((one for one in service.task_sets if one.id == back.to.id), None)
    rest = sum(one.running for one in service.task_sets if one.id != back.to.id)
    told = f"revision {revision_of(back.to.task_definition)}: "
    told += f"{old.running}/{service.desired} run" if old else "its task set is gone"
    if rest:
        told += f" · {how_many(rest, 'new task still runs', 'new tasks still run')}"
    return told


def _judge(
    back: Back, deployment: CodeDeployment, service: Service, at: datetime, *, late: bool
) -> End | None:
    """How it ended; None while it goes on, or while ECS may still catch up with CodeDeploy."""
    if deployment.status == "Succeeded":
        words = (
            f"{deployment.id} finished before it could be stopped: what it brought is live. "
            "R names the command that deploys what was before."
        )
        return End("failed", words, at)
    if deployment.ongoing or deployment.going_back:
        return None
    if deployment.back is not None and not deployment.went_back:
        return End("failed", f"{deployment.words}.", at)
    return _by_task_sets(deployment, service, back, at, late=late)


def _by_task_sets(
    deployment: CodeDeployment, service: Service, back: Back, at: datetime, *, late: bool
) -> End | None:
    """What serves by ECS's account, once CodeDeploy is through."""
    serves = next((one for one in service.task_sets if one.status == "PRIMARY"), None)
    others = [one for one in service.task_sets if one.id != back.to.id]
    revision = revision_of(back.to.task_definition)
    is_back = serves is not None and serves.id == back.to.id
    whole = is_back and serves is not None and serves.running >= service.desired
    if whole and (late or not others):
        left = sum(one.running for one in others)
        rest = f" {left} tasks of the other revision still run." if left else ""
        # Watched over from here on only where nothing newer is there already.
        alone = "" if others else back.to.id
        return End("reached", f"Revision {revision} is back.{rest}", at, deployment=alone)
    if not late:
        return None
    if is_back and serves is not None:
        told = f"only {serves.running} of {service.desired} of its tasks run"
    else:
        told = f"ECS still says that revision {_revision(serves)} serves"
    words = f"{deployment.words}, but revision {revision} is not whole again: {told}."
    return End("different", words, at)


def _revision(task_set: TaskSet | None) -> str:
    return revision_of(task_set.task_definition) if task_set else "none"


def _read_back(gateway: Gateway, ref: ServiceRef, end: End) -> End:
    """With what the running tasks themselves say."""
    try:
        tasks = gateway.services.tasks(ref)
    except AccessDenied as error:
        return replace(end, unread=error.brief)
    return replace(end, running=running_versions([task for task in tasks if task.runs]))
