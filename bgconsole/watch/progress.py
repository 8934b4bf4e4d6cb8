"""Where a deployment that somebody started stands, by ECS's own record: a pure judgement.

The service deployment's status decides where it may be read, since a service that rolled back looks
as steady as one that succeeded. The classic deployments tell when the old tasks are gone, which is
later (SUCCESSFUL was seen 38 s before the classic deployment completed).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bgconsole.domain.how_many import how_many
from bgconsole.domain.services import Deployment, Service, ServiceDeployment, revision_of

Phase = Literal["working", "going back", "reached", "failed", "superseded"]

_SHIFTED = frozenset({"POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP"})
"""Stages in which the new revision has all production traffic."""
_GOING_BACK = frozenset({"STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})
_ENDED_BADLY = frozenset({"ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "STOPPED"})


@dataclass(frozen=True, slots=True)
class Stand:
    """How far it is."""

    phase: Phase
    words: str = ""
    """Counts, while it works."""
    sentence: str = ""
    """How it ended, once it has."""
    milestones: tuple[str, ...] = ()
    """All that have been passed, in order."""
    number: str = ""
    """The deployment's own number, which its tasks' `startedBy` carries."""


def stand(
    service: Service,
    history: tuple[ServiceDeployment, ...] | None,
    *,
    deployment: str = "",
    stopping: str = "",
    source: str = "",
) -> Stand:
    """Judge one look.

    Args:
        service: as described now.
        history: its service deployments, newest first; None where they may not be read.
        deployment: the id (`ecs-svc/…`) of the deployment that was started, or
        stopping: the ARN of the service deployment that ECS was asked to roll back, and
        source: the ARN of the service revision it is to go back to.
    """
    number = deployment.rpartition("/")[2]
    record = next(
        (
            d
            for d in history or ()
            if (d.arn == stopping if stopping else d.target.number == number)
        ),
        None,
    )
    if record is None:
        goal = source.rpartition("/")[2] if stopping else number
        return _by_deployments(service, goal, stopping=bool(stopping))
    newer = [d for d in history or () if d.created_at > record.created_at]
    if newer:
        return _superseded(service, newer[0].target.number)
    return _stopping(service, record, source) if stopping else _by_record(service, record)


def _by_record(service: Service, record: ServiceDeployment) -> Stand:
    number = record.target.number
    ours = _of(service, number)
    milestones = _milestones(service, record)
    if record.status in _GOING_BACK:
        words = f"going back · {_counts(service, number)}"
        return Stand("going back", words, milestones=milestones, number=number)
    if record.status in _ENDED_BADLY:
        if record.status == "ROLLBACK_SUCCESSFUL" and not _settled(service):
            words = f"rolled back, tasks are still leaving · {_counts(service, number)}"
            return Stand("going back", words, milestones=milestones, number=number)
        sentence = _failure(service, record)
        return Stand("failed", sentence=sentence, milestones=milestones, number=number)
    if record.status == "SUCCESSFUL":
        primary = service.primary
        if primary is not None and primary.number != number:
            return _superseded(service, primary.number)
        if _settled(service):
            milestones = (*milestones, "deployment finished")
            named = f"Revision {revision_of(ours.task_definition)}" if ours else "It"
            return Stand("reached", "", f"{named} is deployed.", milestones, number)
    stage = f"{record.lifecycle_stage} · " if record.lifecycle_stage else ""
    if any(hook.awaits_action for hook in record.hooks):
        stage = f"waits at {record.lifecycle_stage or 'a hook'} for an approval · "
    words = f"{stage}{_counts(service, number)}"
    return Stand("working", words, milestones=milestones, number=number)


def _stopping(service: Service, record: ServiceDeployment, source: str) -> Stand:
    goal = (record.rollback_revision or source).rpartition("/")[2]
    number = record.target.number
    words = f"going back · {_counts(service, goal, 'new')}"
    if record.status == "ROLLBACK_SUCCESSFUL":
        primary = service.primary
        if not _settled(service) or primary is None:
            return Stand("going back", words, number=number)
        if goal and primary.number != goal:
            return _superseded(service, primary.number)
        back = f"Revision {revision_of(primary.task_definition)} is back."
        return Stand("reached", "", back, ("deployment rolled back",), number)
    if record.status == "SUCCESSFUL":
        late = "The deployment finished before it could be stopped: what it brought is live."
        return Stand("failed", sentence=late, number=number)
    if record.status in _ENDED_BADLY:
        return Stand("failed", sentence=_failure(service, record), number=number)
    asked = ("roll back accepted",) if record.status in _GOING_BACK else ()
    return Stand("going back", words, milestones=asked, number=number)


def _by_deployments(service: Service, number: str, *, stopping: bool) -> Stand:
    """Without a record: by the deployment's own roll-out state."""
    ours, primary = _of(service, number), service.primary
    words = _counts(service, number, "new" if stopping else "old")
    if ours is None or primary is None:
        return _not_shown(service, number)
    if ours.rollout_state == "FAILED":
        why = f": {ours.rollout_reason}" if ours.rollout_reason else "."
        return Stand("failed", sentence=f"The deployment failed{why}", number=number)
    if ours is not primary:
        if stopping or (service.by_codedeploy and ours.created_at > primary.created_at):
            return Stand("going back" if stopping else "working", words, number=number)
        return _superseded(service, primary.number)
    if _settled(service) and ours.rollout_state == "COMPLETED":
        done = f"Revision {revision_of(ours.task_definition)} is deployed."
        return Stand("reached", "", done, ("deployment finished",), number)
    return Stand("working", words, number=number)


def _not_shown(service: Service, number: str) -> Stand:
    primary = service.primary
    if primary is None or not service.by_codedeploy:
        return Stand("working", "not shown by ECS yet", number=number)
    # Its task set was there when the following began: only going back takes it away.
    live = revision_of(primary.task_definition)
    back = f"CodeDeploy took the deployment back. Revision {live} is live."
    return Stand("failed", sentence=back, number=number)


def _milestones(service: Service, record: ServiceDeployment) -> tuple[str, ...]:
    ours = _of(service, record.target.number)
    found = []
    if ours is not None and ours.desired and ours.running >= ours.desired:
        found.append("all new tasks run")
    # On the way back the stage reads as the way there: CLEAN_UP is passed without any shift.
    going_on = record.status in ("PENDING", "IN_PROGRESS", "SUCCESSFUL")
    passed = going_on and record.lifecycle_stage in _SHIFTED
    shifted = record.target.production_weight == 100 or passed
    if shifted and service.strategy != "ROLLING":
        found.append("traffic shifted")
    elif found and sum(d.running for d in service.deployments if d is not ours) == 0:
        found.append("only new tasks serve")
    # Told at the end too: between two looks the way back may have begun and ended.
    if record.status in (_GOING_BACK | _ENDED_BADLY) - {"STOPPED"}:
        why = record.rollback_reason or record.status_reason
        found.append(f"ECS rolls it back: {why}" if why else "ECS rolls it back")
    return tuple(found)


def _superseded(service: Service, number: str) -> Stand:
    other = _of(service, number)
    what = f" to revision {revision_of(other.task_definition)}" if other else ""
    sentence = f"SUPERSEDED: another deployment{what} (ecs-svc/{number}) has taken its place."
    return Stand("superseded", sentence=sentence, number=number)


def _failure(service: Service, record: ServiceDeployment) -> str:
    primary = service.primary
    live = f" Revision {revision_of(primary.task_definition)} is live." if primary else ""
    why = record.status_reason or record.rollback_reason
    reason = f": {why.rstrip('.')}" if why else ""
    what = {
        "ROLLBACK_SUCCESSFUL": "The deployment failed and was rolled back",
        "ROLLBACK_FAILED": "The roll back failed",
    }.get(record.status, "The deployment was stopped")
    return f"{what}{reason}.{live}"


def _counts(service: Service, number: str, leaving: str = "old") -> str:
    ours = _of(service, number)
    if ours is None:
        return "not shown by ECS yet"
    rest = sum(d.running for d in service.deployments if d is not ours)
    parts = [f"revision {revision_of(ours.task_definition)}: {ours.running}/{service.desired} run"]
    if ours.pending:
        parts.append(f"{ours.pending} pending")
    if ours.failed:
        parts.append(f"{ours.failed} failed")
    if rest:
        parts.append(how_many(rest, f"{leaving} task still runs", f"{leaving} tasks still run"))
    return " · ".join(parts)


def _of(service: Service, number: str) -> Deployment | None:
    return next((d for d in service.deployments if d.number == number), None)


def _settled(service: Service) -> bool:
    """Whether only the PRIMARY deployment is left and ECS calls it complete."""
    primary = service.primary
    return (
        primary is not None
        and len(service.deployments) == 1
        and primary.rollout_state in ("COMPLETED", "")
    )
