"""A snapshot as plain JSON values, in the shape that `status.schema.json` lays down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bgconsole.cli.status_text import way_back_words
from bgconsole.domain.codedeploy import CodeDeployment
from bgconsole.domain.join import SideView, TaskRow, sides
from bgconsole.domain.masking import mask
from bgconsole.domain.services import ServiceDeployment, revision_of
from bgconsole.domain.snapshot import Part, Snapshot, Source
from bgconsole.domain.stacks import Stack
from bgconsole.domain.targets import TargetGroup
from bgconsole.domain.verdict import Verdict, verdict
from bgconsole.domain.versions import Version, live_version

SCHEMA = 1
"""Grows when the shape changes so that an old reader would misread it."""
SOURCES: tuple[Source, ...] = (
    "identity",
    "service",
    "deployments",
    "tasks",
    "targets",
    "stacks",
    "images",
)


def status_json(snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    """Everything that `status` knows. Parts that could not be read are null, with the reason."""
    both, identity = sides(snapshot), snapshot.identity.value
    targets, stacks = snapshot.targets.value, snapshot.stacks.value
    history = snapshot.deployments.value
    live = live_version(snapshot)
    return {
        "schema": SCHEMA,
        "at": now.isoformat(),
        "place": {
            "account": identity.account if identity else None,
            "alias": (identity.alias or None) if identity else None,
            "who": identity.arn if identity else None,
            "region": snapshot.place.region,
            "profile": snapshot.place.profile or None,
            "endpoint": snapshot.place.endpoint or None,
        },
        "verdict": _verdict(verdict(snapshot, now)),
        "service": _service(snapshot),
        "running": _version(live) if live else None,
        "old": _side(both.old) if both.old else None,
        "new": _side(both.new) if both.new else None,
        "codedeploy": _codedeploy(snapshot.codedeploy.value),
        "deployments": ([_deployment(d, snapshot) for d in history.history] if history else None),
        "url": (targets.url or None) if targets else None,
        "targets": [_group(group) for group in targets.groups] if targets else None,
        "stacks": [_stack(stack) for stack in stacks] if stacks is not None else None,
        "sources": {source: _source(snapshot.part(source)) for source in SOURCES},
    }


def _verdict(found: Verdict) -> dict[str, Any]:
    return {
        "severity": found.severity.name.lower(),
        "word": found.word,
        "sentence": mask(found.sentence),
        "since": (
            {"what": found.since.what, "at": found.since.at.isoformat()} if found.since else None
        ),
        "evidence": [mask(line) for line in found.evidence],
        "way_back": (
            {"to": found.way_back.to, "words": way_back_words(found.way_back)}
            if found.way_back
            else None
        ),
        "progress": (
            {
                "done": found.progress.done,
                "of": found.progress.of,
                "words": found.progress.words,
            }
            if found.progress
            else None
        ),
    }


def _service(snapshot: Snapshot) -> dict[str, Any]:
    service = snapshot.service.value
    told: dict[str, Any] = {"cluster": snapshot.ref.cluster, "name": snapshot.ref.name}
    if service is None:
        return told
    return told | {
        "arn": service.arn,
        "status": service.status,
        "controller": service.controller,
        "strategy": service.strategy,
        "launch_type": service.launch_type or None,
        "task_definition": service.task_definition,
        "desired": service.desired,
        "running": service.running,
        "pending": service.pending,
        "stack": service.stack or None,
    }


def _version(version: Version) -> dict[str, Any]:
    return {
        "revision": version.revision,
        "task_definition": version.task_definition,
        "service_revision": version.service_revision or None,
        "images": [
            {"container": i.container, "image": i.image, "digest": i.digest or None}
            for i in version.images
        ],
    }


def _side(side: SideView) -> dict[str, Any]:
    return {
        "side": side.side.value,
        "revision": side.revision,
        "task_definition": side.task_definition,
        "tag": side.tag or None,
        "digest": side.digest or None,
        "requested": side.requested,
        "running": side.running,
        "pending": side.pending,
        "healthy": side.healthy,
        "failed": len(side.failed),
        "tasks": [_task(row) for row in side.rows],
        "stopped": [_task(row) for row in side.stopped],
    }


def _task(row: TaskRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "arn": row.key,
        "revision": row.revision,
        "tag": row.tag or None,
        "digest": row.digest or None,
        "status": row.status,
        "health": row.health,
        "health_reason": row.health_reason or None,
        "zone": row.zone or None,
        "since": _time(row.since),
        "ending": mask(row.ending) or None,
    }


def _deployment(deployment: ServiceDeployment, snapshot: Snapshot) -> dict[str, Any]:
    known = snapshot.deployments.value.revisions if snapshot.deployments.value else {}
    target = known.get(deployment.target.arn)
    back = known.get(deployment.rollback_revision)
    return {
        "id": deployment.id,
        "arn": deployment.arn,
        "status": deployment.status,
        "reason": mask(deployment.status_reason) or None,
        "revision": revision_of(target.task_definition) if target else None,
        "service_revision": deployment.target.arn,
        "images": _version(Version(target.task_definition, target.images))["images"]
        if target
        else [],
        "stage": deployment.lifecycle_stage or None,
        "rolled_back_to": revision_of(back.task_definition) if back else None,
        "created_at": _time(deployment.created_at),
        "finished_at": _time(deployment.finished_at),
    }


def _codedeploy(deployment: CodeDeployment | None) -> dict[str, Any] | None:
    if deployment is None:
        return None
    return {
        "id": deployment.id,
        "status": deployment.status,
        "words": mask(deployment.words),
        "application": deployment.application or None,
        "group": deployment.group or None,
        "shifted": deployment.shifted,
        "rolled_back_by": deployment.back_id or None,
        "created_at": _time(deployment.created_at),
        "finished_at": _time(deployment.completed_at),
    }


def _group(group: TargetGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "arn": group.arn,
        "port": group.port,
        "protocol": group.protocol,
        "healthy": group.healthy,
        "production_share": group.production_share,
        "test_share": group.test_share,
        "targets": [
            {
                "address": target.address,
                "port": target.port,
                "zone": target.zone or None,
                "state": target.state,
                "reason": target.reason or None,
                "description": target.description or None,
            }
            for target in group.targets
        ],
    }


def _stack(stack: Stack) -> dict[str, Any]:
    return {
        "name": stack.name,
        "status": stack.status,
        "reason": mask(stack.reason) or None,
        "changed_at": _time(stack.changed_at),
    }


def _source(part: Part[Any]) -> Mapping[str, Any]:
    failure = part.failure
    return {
        "fresh": part.fresh,
        "fetched_at": _time(part.fetched_at),
        "absent": part.absent or None,
        "error": mask(str(failure.error)) if failure else None,
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
