"""What there is to read behind a key: all facts of one row, the events, the deployments.

Pure: from a snapshot (and a time of day for ages) to labels and values; masked, made plain when
they are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from bgconsole.domain.duration import age, spell
from bgconsole.domain.images import short_digest
from bgconsole.domain.join import sides
from bgconsole.domain.masking import mask, mask_value
from bgconsole.domain.services import ServiceDeployment, Task, revision_of, short_name
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.traffic import traffic


@dataclass(frozen=True, slots=True)
class Fact:
    """One line; without a label it goes on with the line above, with `head` it begins a part."""

    label: str
    value: str
    head: bool = False


Facts = tuple[Fact, ...]


def of_task(snapshot: Snapshot, arn: str, now: datetime) -> Facts:
    """Everything known of one task; empty where it is not known any more."""
    tasks = snapshot.tasks.value
    task = next((t for t in tasks.tasks if t.arn == arn), None) if tasks else None
    if tasks is None or task is None:
        return ()
    both = sides(snapshot)
    rows = (row for side in (both.old, both.new) if side for row in (*side.rows, *side.stopped))
    row = next((row for row in rows if row.key == arn), None)
    definition = tasks.definitions.get(task.task_definition)
    told = [
        Fact("", f"task {task.id}", head=True),
        Fact("arn", task.arn),
        Fact("side", row.side.value if row else "not known"),
        Fact("status", f"{task.last_status}, wanted {task.desired_status}"),
        Fact("health", (row.health if row else task.health) or task.health),
    ]
    targets = list(_of_target(snapshot, task))
    if row and row.health_reason and not targets:
        told.append(Fact("", row.health_reason))
    told += targets
    if words := snapshot.last_words.get(task.id):
        told.append(Fact("last words", mask(words)))
    told += [
        Fact("zone", task.zone),
        Fact("address", task.address or "-"),
        Fact("launch type", task.launch_type or "-"),
        Fact("started by", task.started_by),
        Fact("", "timeline", head=True),
        *_times(task, now),
        Fact("", f"task definition {short_name(task.task_definition)}", head=True),
    ]
    for container in task.containers:
        ended = "" if container.exit_code is None else f", exit code {container.exit_code}"
        told += [
            Fact("", f"container {container.name}", head=True),
            Fact("status", f"{container.status}{ended}"),
            Fact("health", container.health),
            Fact("image", container.image),
            Fact("digest", container.digest or "-"),
        ]
        if container.reason:
            told.append(Fact("reason", mask(container.reason)))
    for written in definition.containers if definition else ():
        if written.log:
            told.append(Fact("log", f"{written.log.group or written.log.driver} ({written.name})"))
    return tuple(told)


def _times(task: Task, now: datetime) -> Iterator[Fact]:
    """Its life in order: each step with the time since the one before."""
    before: datetime | None = None
    for label, at in (
        ("created", task.created_at),
        ("pulling image", task.pull_started_at),
        ("image pulled", task.pull_stopped_at),
        ("started", task.started_at),
        ("stopping", task.stopping_at),
        ("containers ended", task.execution_stopped_at),
        ("stopped", task.stopped_at),
    ):
        if at is not None:
            told = _when(at, now)
            yield Fact(label, told if before is None else f"{told}   {spell(at - before)} later")
            before = at
    if task.stop_code or task.stopped_reason:
        yield Fact("why stopped", mask(f"{task.stop_code} {task.stopped_reason}".strip()))


def _of_target(snapshot: Snapshot, task: Task) -> Iterator[Fact]:
    """What the load balancer says of it, a line a group."""
    groups = snapshot.targets.value.groups if snapshot.targets.value else ()
    for group in groups:
        for target in group.targets:
            if task.address and target.address == task.address:
                yield Fact("target", f"{target.state} in {group.name} ({target.key})")
                if target.reason or target.description:
                    yield Fact("", f"{target.reason} {target.description}".strip())


def of_target(snapshot: Snapshot, key: str) -> Facts:
    """Everything known of one target, by `group ARN|address:port`."""
    arn, _, address = key.rpartition("|")
    groups = snapshot.targets.value.groups if snapshot.targets.value else ()
    group = next((g for g in groups if g.arn == arn), None)
    target = next((t for t in group.targets if t.key == address), None) if group else None
    if group is None or target is None:
        return ()
    return (
        Fact("", f"target {target.key}", head=True),
        Fact("state", target.state),
        Fact("reason", " ".join(filter(None, (target.reason, mask(target.description)))) or "-"),
        Fact("zone", target.zone or "-"),
        Fact("", f"target group {group.name}", head=True),
        Fact("arn", group.arn),
        Fact("takes", f"{group.protocol} on port {group.port}"),
        Fact("health check", group.health_path or "-"),
        Fact("healthy", f"{group.healthy} of {len(group.targets)}"),
        *(
            Fact(
                "test route" if route.test else "route",
                f"{route.protocol} {route.port}: weight {route.weight}, {route.share:.0f} %",
            )
            for route in group.routes
        ),
    )


def of_stack(snapshot: Snapshot, arn: str, now: datetime) -> Facts:
    """Everything known of one stack; outputs that may be secret are masked."""
    stack = next((s for s in snapshot.stacks.value or () if s.arn == arn), None)
    if stack is None:
        return ()
    told = [
        Fact("", f"stack {stack.name}", head=True),
        Fact("arn", stack.arn),
        Fact("status", stack.status),
        Fact("reason", mask(stack.reason) or "-"),
        Fact("description", stack.description or "-"),
    ]
    for label, at in (("created", stack.created_at), ("updated", stack.updated_at)):
        if at is not None:
            told.append(Fact(label, _when(at, now)))
    if stack.outputs:
        told.append(Fact("", "outputs", head=True))
        told += [Fact(name, mask_value(name, value)) for name, value in stack.outputs]
    return tuple(told)


def events(snapshot: Snapshot, now: datetime) -> Facts:
    """The service's events in AWS's words, newest first."""
    service = snapshot.service.value
    if service is None:
        return (Fact("", "the service is not known yet"),)
    return tuple(
        Fact(f"{event.at.astimezone(now.tzinfo):%H:%M:%S} {age(event.at, now)}", event.message)
        for event in service.events
    ) or (Fact("", "AWS keeps no events of this service"),)


def history(snapshot: Snapshot, now: datetime) -> Facts:
    """The service's deployments as AWS keeps them (90 days), newest first."""
    deployments = snapshot.deployments.value
    if deployments is None:
        return (Fact("", snapshot.deployments.absent or "the history is not known yet"),)
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
    yield Fact("begun", f"{_when(begun, now)}{took}")
    stage = f", {deployment.lifecycle_stage}" if deployment.lifecycle_stage else ""
    yield Fact("status", f"{deployment.status} ({deployment.strategy}{stage})")
    reasons = dict.fromkeys((deployment.status_reason, deployment.rollback_reason))
    told = "; ".join(reason for reason in reasons if reason)
    if told:
        yield Fact("why", mask(told))
    if deployment.rollback_revision:
        yield Fact("went back to", _revision(snapshot, deployment.rollback_revision))
    if deployment.breaker and deployment.breaker.failures:
        breaker = deployment.breaker
        yield Fact("breaker", f"{breaker.failures} of {breaker.threshold} failures")
    if deployment.alarms and deployment.alarms.triggered:
        yield Fact("alarms", ", ".join(deployment.alarms.triggered))


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


def _when(at: datetime, now: datetime) -> str:
    return f"{at.astimezone(now.tzinfo):%Y-%m-%d %H:%M:%S}, {age(at, now)} ago"
