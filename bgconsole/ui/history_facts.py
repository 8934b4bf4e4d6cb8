"""The service's deployments to read: what each brought, how it ended, and who is live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from bgconsole.domain.duration import spell
from bgconsole.domain.images import short_digest
from bgconsole.domain.join import sides
from bgconsole.domain.masking import mask
from bgconsole.domain.services import ServiceDeployment, revision_of, short_name
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.traffic import traffic
from bgconsole.ui.facts import Fact, Facts, not_read, when


def history(snapshot: Snapshot, now: datetime) -> Facts:
    """The service's deployments as AWS keeps them (90 days), newest first."""
    deployments = snapshot.deployments.value
    if deployments is None:
        return not_read(snapshot.deployments, "the history")
    marks = dict(_marks(snapshot))
    told: list[Fact] = []
    for each in deployments.history:
        # Several deployments may have brought the same revision: the newest good one counts.
        good = each.ongoing or each.status == "SUCCESSFUL"
        mark = marks.pop(each.target.number, "") if good else ""
        told += _deployment(snapshot, each, now, mark)
    return tuple(told) or (Fact("", "AWS has no record of a deployment"),)


def _deployment(
    snapshot: Snapshot, deployment: ServiceDeployment, now: datetime, mark: str
) -> Iterator[Fact]:
    to = _revision(snapshot, deployment.target.arn)
    word = _OUTCOMES.get(deployment.status, deployment.status.lower().replace("_", " "))
    yield Fact("", f"{to}   {word}   {mark}".rstrip(), head=True)
    came = ", ".join(_revision(snapshot, source.arn) for source in deployment.sources)
    yield Fact("from", came or "nothing: the first")
    begun = deployment.started_at or deployment.created_at
    ended = deployment.finished_at or deployment.stopped_at
    took = f", took {spell(ended - begun)}" if ended else f", under way for {spell(now - begun)}"
    yield Fact("begun", f"{when(begun, now)}{took}")
    stage = f", {deployment.lifecycle_stage}" if deployment.lifecycle_stage else ""
    yield Fact("status", f"{deployment.status} ({deployment.strategy}{stage})")
    told = "; ".join(_once(deployment.status_reason, deployment.rollback_reason))
    if told:
        yield Fact("why", mask(told))
    if deployment.rollback_revision:
        yield Fact("went back to", _revision(snapshot, deployment.rollback_revision))
    if deployment.breaker and deployment.breaker.failures:
        breaker = deployment.breaker
        yield Fact("breaker", f"{breaker.failures} of {breaker.threshold} failures")
    if deployment.alarms and deployment.alarms.triggered:
        yield Fact("alarms", ", ".join(deployment.alarms.triggered))


def _once(*reasons: str) -> list[str]:
    """What ECS says, without what it says twice: with a full stop, a prefix or none of them."""
    stems = {reason.rstrip(". ").casefold(): reason for reason in reasons if reason}
    return [
        reason
        for stem, reason in stems.items()
        if not any(stem != other and stem in other for other in stems)
    ]


_OUTCOMES = {
    "SUCCESSFUL": "succeeded",
    "ROLLBACK_SUCCESSFUL": "rolled back",
    "ROLLBACK_FAILED": "roll back failed",
    "ROLLBACK_IN_PROGRESS": "going back",
    "ROLLBACK_REQUESTED": "going back",
    "STOPPED": "stopped",
    "STOP_REQUESTED": "stopping",
    "IN_PROGRESS": "under way",
    "PENDING": "about to begin",
}


def _marks(snapshot: Snapshot) -> Mapping[str, str]:
    """By the number of a deployment: how much of the traffic what it brought gets now."""
    both, routes = sides(snapshot), traffic(snapshot)
    told = {}
    for view in (both.old, both.new):
        share = routes.production.get(view.side, 0.0) if view else 0.0
        if view and share:
            told[view.number] = "● live" if share >= 99.5 else f"● live {share:.0f} %"
        elif view and not routes.balanced and view.healthy:
            told[view.number] = "● runs"
    return told


def _revision(snapshot: Snapshot, arn: str) -> str:
    deployments = snapshot.deployments.value
    known = deployments.revisions.get(arn) if deployments else None
    if known is None:
        return f"revision not known ({short_name(arn)})"
    images = ", ".join(
        " ".join(filter(None, (image.image.rpartition(":")[2], short_digest(image.digest))))
        for image in known.images
    )
    return f"revision {revision_of(known.task_definition)} ({images})"
