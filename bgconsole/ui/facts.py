"""What there is to read behind a key: all facts of one row, or the events.

Pure: from a snapshot (and a time of day for ages) to labels and values; masked, made plain when
they are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bgconsole.domain.duration import age, spell
from bgconsole.domain.join import Side, TaskRow, sides
from bgconsole.domain.masking import mask
from bgconsole.domain.services import Container, Task, short_name
from bgconsole.domain.snapshot import Part, Snapshot


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
        Fact("status", f"{task.last_status}, wanted {task.desired_status}"),
        *_ending(snapshot, task),
        Fact("side", _side(row)),
        Fact("revision", short_name(task.task_definition)),
        Fact("health", (row.health if row else task.health) or task.health),
    ]
    targets = list(_of_target(snapshot, task))
    if row and row.health_reason and not targets:
        told.append(Fact("", row.health_reason))
    told += targets
    for container in task.containers:
        told += _container(container)
        written = (
            [c for c in definition.containers if c.name == container.name] if definition else []
        )
        for log in (c.log for c in written if c.log):
            told.append(Fact("log", log.group or log.driver))
    told += [
        Fact("", "timeline", head=True),
        *_times(task, now),
        Fact("", "where", head=True),
        Fact("zone", task.zone),
        Fact("address", task.address or "-"),
        Fact("launch type", task.launch_type or "-"),
        Fact("started by", task.started_by),
        Fact("task definition", task.task_definition),
        Fact("arn", task.arn),
    ]
    return tuple(told)


def _side(row: TaskRow | None) -> str:
    if row is None:
        return "not known"
    return "neither: no deployment is under way" if row.side is Side.SOLE else row.side.value


def _ending(snapshot: Snapshot, task: Task) -> Iterator[Fact]:
    """Why it stopped, and what it said last."""
    if task.stop_code or task.stopped_reason:
        yield Fact("why stopped", mask(f"{task.stop_code} {task.stopped_reason}".strip()))
    if words := snapshot.last_words.get(task.id):
        yield Fact("last words", mask(words))


def _container(container: Container) -> Iterator[Fact]:
    ended = "" if container.exit_code is None else f", exit code {container.exit_code}"
    yield Fact("", f"container {container.name}", head=True)
    yield Fact("status", f"{container.status}{ended}")
    if container.reason:
        yield Fact("reason", mask(container.reason))
    if container.health != "UNKNOWN":
        yield Fact("health check", container.health)
    yield Fact("image", container.image)
    yield Fact("digest", container.digest or "-")


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
            told = when(at, now)
            yield Fact(label, told if before is None else f"{told}   {spell(at - before)} later")
            before = at


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


def events(snapshot: Snapshot, now: datetime) -> Facts:
    """The service's events in AWS's words, newest first."""
    service = snapshot.service.value
    if service is None:
        return not_read(snapshot.service, "the service")
    return tuple(
        Fact(
            f"{event.at.astimezone(now.tzinfo):%H:%M:%S} {age(event.at, now)}", mask(event.message)
        )
        for event in service.events
    ) or (Fact("", "AWS keeps no events of this service"),)


def not_read(part: Part[Any], what: str) -> Facts:
    """Why a page has nothing to tell of a source."""
    if part.failure is not None:
        return (Fact("", f"{what} could not be read: {mask(str(part.failure.error))}"),)
    return (Fact("", part.absent or f"{what} is not known yet"),)


def when(at: datetime, now: datetime) -> str:
    """A time of day and how long ago it is."""
    return f"{at.astimezone(now.tzinfo):%Y-%m-%d %H:%M:%S}, {age(at, now)} ago"
