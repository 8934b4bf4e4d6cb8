"""Which deployment is under way, and what its end must look like: read from AWS alone."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType

from bgconsole.domain.codedeploy import CodeDeployment
from bgconsole.domain.services import Deployment, Service, ServiceDeployment
from bgconsole.domain.snapshot import Deployments, Snapshot
from bgconsole.watch.follow import SKEW, Expected


def under_way(snapshot: Snapshot) -> Expected | None:
    """The deployment that ECS works on, or that has ended while tasks still come and go."""
    service, history = snapshot.service.value, snapshot.deployments.value
    if service is None:
        return None
    if service.by_codedeploy and (deployment := snapshot.codedeploy.value) is not None:
        return _by_codedeploy(deployment)
    current = history.current if history else None
    if current is not None and history is not None:
        if current.ongoing:
            return _by_record(history, current)
        if _at_rest(service):
            return None
        return _by_deployment(service) if _newer(service, current) else _by_record(history, current)
    return None if _at_rest(service) else _by_deployment(service)


def which(snapshot: Snapshot, *, since: Snapshot) -> Expected | None:
    """The newest deployment, if it was not there before: it may have ended already."""
    service, history, before = (
        snapshot.service.value,
        snapshot.deployments.value,
        since.deployments.value,
    )
    if (deployment := snapshot.codedeploy.value) is not None:
        was_newest = since.codedeploy.value
        if was_newest is None or deployment.id != was_newest.id:
            return Expected(codedeploy=deployment.id)
        return None
    if history is not None and before is not None:
        latest = history.latest
        known = {deployment.arn for deployment in before.history}
        new = latest is not None and latest.arn not in known
        return _by_record(history, latest) if new and latest is not None else None
    was = since.service.value
    if service is None or was is None or service.primary is None or was.primary is None:
        return None
    return _by_deployment(service) if service.primary.id != was.primary.id else None


def _by_codedeploy(deployment: CodeDeployment) -> Expected | None:
    """The one that runs, or is being taken back: task sets come and go in it."""
    if deployment.ongoing or deployment.going_back:
        return Expected(codedeploy=deployment.id)
    return Expected(codedeploy=deployment.another.id) if deployment.another else None


def _by_record(history: Deployments, deployment: ServiceDeployment) -> Expected:
    revision = history.revisions.get(deployment.target.arn)
    images = revision.images if revision else ()
    return Expected(
        task_definition=revision.task_definition if revision else "",
        digests=MappingProxyType({i.container: i.digest for i in images if i.digest}),
        deployment=f"ecs-svc/{deployment.target.number}",
        since=deployment.created_at - SKEW,
    )


def _by_deployment(service: Service) -> Expected | None:
    primary = service.primary
    if primary is None:
        return None
    # A task set of CodeDeploy's is newest long before it is the one that serves.
    ours = max(service.deployments, key=_created) if service.by_codedeploy else primary
    return Expected(
        task_definition=ours.task_definition,
        deployment=ours.id,
        since=ours.created_at - SKEW,
    )


def _created(deployment: Deployment) -> datetime:
    return deployment.created_at


def _newer(service: Service, recorded: ServiceDeployment) -> bool:
    """Whether the service works on a deployment whose record is not listed yet."""
    primary = service.primary
    return (
        primary is not None
        and primary.number != recorded.target.number
        and primary.created_at > recorded.created_at
        and not recorded.rollback_revision.endswith(f"/{primary.number}")
    )


def _at_rest(service: Service) -> bool:
    primary = service.primary
    return primary is None or (
        len(service.deployments) == 1 and primary.rollout_state != "IN_PROGRESS"
    )
