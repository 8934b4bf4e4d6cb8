"""The incident as one list: what AWS, the tasks, the logs and we ourselves did, in time's order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from bgconsole.domain.activity import Activity
from bgconsole.domain.duration import spell
from bgconsole.domain.images import named_digest
from bgconsole.domain.join import ending, failed, image_of, main_container, tag_of
from bgconsole.domain.last_words import telling
from bgconsole.domain.logs import LogLine
from bgconsole.domain.moments import Moment, merged, moment, selected
from bgconsole.domain.seen import Seen, stack_moment
from bgconsole.domain.services import ServiceDeployment, Task, revision_of
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Snapshot, Source

Heard = Mapping[str, LogLine]
"""By task id: the first of its lines that tells of an error."""
NOTHING_HEARD: Heard = MappingProxyType({})
HEARD = 500
"""Tasks whose first error line is kept."""

_STEADY = "has reached a steady state."
_PREFIX = re.compile(r"^\(service [^,()]+\) ")
_BAD = re.compile(r"unhealthy|failed|was unable|is unable|rolling back|being throttled")
_GOOD = re.compile(r"steady state\.$|deployment completed\.$")
_SOURCES: tuple[tuple[Source, str], ...] = (
    ("service", "service events"),
    ("deployments", "deployment history"),
    ("tasks", "tasks"),
    ("stacks", "stacks"),
    ("activity", "scaling and alarms"),
    ("secrets", "changes of secrets"),
)


def timeline(
    snapshot: Snapshot,
    *,
    seen: Seen | None = None,
    heard: Heard = NOTHING_HEARD,
    ours: Iterable[Moment] = (),
    since: datetime | None = None,
) -> tuple[Moment, ...]:
    """Everything that is known to have happened, oldest first.

    Args:
        snapshot: events, history, tasks and stacks are read from it.
        seen: what was seen to change; without it, what this one picture shows.
        heard: first error lines by task, where logs were read.
        ours: operations of ours, failed probes: whatever else belongs in it.
        since: nothing older; what is counted or folded is so among what is left.
    """
    told = merged(
        ours,
        _of_deployments(snapshot),
        (seen or Seen().after(snapshot)).moments,
        _of_events(snapshot, since),
        _of_tasks(snapshot, since),
        _of_errors(snapshot, heard, since),
        _of_stacks(snapshot),
        _of_changes(snapshot),
    )
    return selected(told, since=since)


def unseen(snapshot: Snapshot) -> tuple[str, ...]:
    """What the list lacks because it could not be read, in words."""
    told = []
    for source, name in _SOURCES:
        part = snapshot.part(source)
        if part.failure is not None:
            told.append(moment(datetime.min, "event", "", f"{name}: {part.failure.error}").words)
        elif part.waiting:
            told.append(f"{name}: not read yet")
    return tuple(told)


def hear(known: Heard, lines: Iterable[LogLine]) -> Heard:
    """The first telling line of each task, of what is known already and these; they may be late."""
    found: dict[str, LogLine] = {}
    for line in lines:
        before = found.get(line.task_id) or known.get(line.task_id)
        if line.task_id and (before is None or line.order < before.order) and telling(line.message):
            found[line.task_id] = line
    if not found:
        return known
    return MappingProxyType(dict([*{**known, **found}.items()][-HEARD:]))


def _of_events(snapshot: Snapshot, since: datetime | None) -> Iterator[Moment]:
    """AWS's words; a steady state that is only said again is folded into the first."""
    service = snapshot.service.value
    events = (
        [e for e in reversed(service.events) if since is None or e.at >= since] if service else []
    )
    at = 0
    while at < len(events):
        first, words = events[at], _PREFIX.sub("", events[at].message)
        last = at
        if words == _STEADY:
            while last + 1 < len(events) and events[last + 1].message.endswith(_STEADY):
                last += 1
            if last > at:
                when = events[last].at.astimezone(UTC)
                words += f" (said {last - at + 1} times, last at {when:%Y-%m-%d %H:%M:%S} UTC)"
        severity = Severity.BUSY
        if _BAD.search(words):
            severity = Severity.BAD
        elif words.startswith(_STEADY) or _GOOD.search(words):
            severity = Severity.GOOD
        yield moment(first.at, "event", "ECS", words, severity)
        at = last + 1


def _of_changes(snapshot: Snapshot) -> Iterator[Moment]:
    """What was changed beside the deployments: who, where AWS tells."""
    for secret in snapshot.secrets.value or ():
        if secret.changed_at is not None:
            words = f"secret {secret.name} was changed"
            yield moment(secret.changed_at, "change", secret.by or "somebody", words)
    activity = snapshot.activity.value or Activity()
    for scaling in activity.scaling:
        told = ": ".join(filter(None, (scaling.description.rstrip("."), scaling.cause)))
        if scaling.status != "Successful":
            told += f" ({' '.join(filter(None, (_spoken(scaling.status), scaling.message)))})"
        severity = Severity.BAD if scaling.failed else Severity.BUSY
        yield moment(scaling.at, "change", "autoscaling", told, severity)
    for alarm in activity.alarms:
        summary = alarm.summary.removeprefix("Alarm ")
        words = ": ".join(filter(None, (alarm.name, summary, alarm.reason)))
        severity = _ALARMED.get(alarm.state, Severity.BUSY)
        yield moment(alarm.at, "alarm", alarm.name, words, severity)
    tasks = snapshot.tasks.value
    for definition in tasks.definitions.values() if tasks else ():
        if definition.registered_at is not None:
            who = definition.registered_by.rpartition("/")[2] or "somebody"
            words = f"task definition {definition.name} was registered"
            yield moment(definition.registered_at, "change", who, words)


def _of_deployments(snapshot: Snapshot) -> Iterator[Moment]:
    history = snapshot.deployments.value
    if history is not None and history.history:
        for deployment in reversed(history.history):
            yield from _of_deployment(snapshot, deployment)
    elif snapshot.service.value is not None:
        # Not recorded, or not to be read: the deployments that are left tell when they began.
        for left in reversed(snapshot.service.value.deployments):
            revision = revision_of(left.task_definition)
            yield moment(left.created_at, "deployment", left.id, f"revision {revision}: began")


def _of_deployment(snapshot: Snapshot, deployment: ServiceDeployment) -> Iterator[Moment]:
    source = f"ecs-svc/{deployment.target.number}"
    name, short = (
        _revision(snapshot, deployment.target.arn),
        _short(snapshot, deployment.target.arn),
    )
    came = ", ".join(_short(snapshot, source.arn) for source in deployment.sources)
    how = "" if deployment.strategy == "ROLLING" else f" ({_spoken(deployment.strategy)})"
    words = f"{name}: deployment began" + (f" in place of {came}" if came else "") + how
    yield moment(deployment.created_at, "deployment", source, words)
    if deployment.rollback_started_at is not None:
        to = _short(snapshot, deployment.rollback_revision) if deployment.rollback_revision else ""
        words = f"{short}: roll back" + (f" to {to}" if to else "") + " began"
        why = f": {deployment.rollback_reason}" if deployment.rollback_reason else ""
        yield moment(
            deployment.rollback_started_at, "deployment", source, words + why, Severity.BAD
        )
    ended = deployment.finished_at or deployment.stopped_at
    if ended is None or deployment.ongoing:
        return
    took = f" after {spell(ended - (deployment.started_at or deployment.created_at))}"
    why = f": {deployment.status_reason}" if deployment.status_reason else ""
    good = deployment.status == "SUCCESSFUL"
    yield moment(
        ended,
        "deployment",
        source,
        f"{short}: {_ENDS.get(deployment.status, _spoken(deployment.status))}{took}{why}",
        Severity.GOOD if good else Severity.BAD,
    )


_ALARMED = {"ALARM": Severity.BAD, "OK": Severity.GOOD}
_ENDS = {
    "SUCCESSFUL": "deployed",
    "ROLLBACK_SUCCESSFUL": "rolled back",
    "ROLLBACK_FAILED": "the roll back failed",
    "STOPPED": "stopped",
}


def _of_tasks(snapshot: Snapshot, since: datetime | None) -> Iterator[Moment]:
    """The first stopped task of each reason, with the number of those that followed it."""
    known = snapshot.tasks.value
    container = main_container(snapshot.service.value)
    groups: dict[tuple[str, str, bool], list[tuple[datetime, Task]]] = {}
    for task in known.tasks if known else ():
        if task.stopped and task.stopped_at and (since is None or task.stopped_at >= since):
            why = (task.started_by, ending(task, container), failed(task))
            groups.setdefault(why, []).append((task.stopped_at, task))
    for (started_by, reason, bad), group in groups.items():
        group.sort(key=lambda pair: pair[0])
        (begun, first), (ended, _) = group[0], group[-1]
        many = "1 task" if len(group) == 1 else f"{len(group)} tasks within {spell(ended - begun)}"
        words = f"revision {revision_of(first.task_definition)}: {many} stopped"
        said = next(
            (snapshot.last_words[t.id] for _, t in group if t.id in snapshot.last_words), ""
        )
        quoted = f' ("{said}")' if said and bad else ""
        yield moment(
            begun,
            "task",
            started_by,
            f"{words}: {reason or 'no reason given'}{quoted}; first {first.id}",
            Severity.BAD if bad else Severity.BUSY,
        )


def _of_errors(snapshot: Snapshot, heard: Heard, since: datetime | None) -> Iterator[Moment]:
    """The first error line of each side: of each deployment whose tasks are still listed."""
    tasks = {task.id: task for task in snapshot.tasks.value.tasks} if snapshot.tasks.value else {}
    told: set[str] = set()
    for line in sorted(heard.values(), key=lambda line: line.order):
        at = line.written_at
        task = tasks.get(line.task_id)
        side = task.started_by if task else ""
        if side in told or (since is not None and at < since):
            continue
        told.add(side)
        whose = f"revision {revision_of(task.task_definition)}" if task else "a task not listed"
        words = f"{whose}: first error line: {telling(line.message)}"
        yield moment(at, "error", f"task {line.task_id}", words, Severity.BAD)


def _of_stacks(snapshot: Snapshot) -> Iterator[Moment]:
    """CloudFormation dates a stack's change by its beginning, and tells how it stands by now."""
    for stack in snapshot.stacks.value or ():
        if stack.changed_at is not None:
            yield stack_moment(
                stack, stack.changed_at, f"a change began, {_spoken(stack.status)} by now"
            )


def _revision(snapshot: Snapshot, arn: str) -> str:
    """`revision 3 (bad0c0d · sha256:0ff1ce00)`, as far as it is known."""
    known = snapshot.deployments.value.revisions.get(arn) if snapshot.deployments.value else None
    image = image_of(known.images, main_container(snapshot.service.value)) if known else None
    if known is None or image is None:
        return _short(snapshot, arn)
    tag = tag_of(snapshot, image.image, image.digest)
    digest = named_digest(image.digest) if image.digest else ""
    told = " · ".join(filter(None, (tag, digest)))
    return _short(snapshot, arn) + (f" ({told})" if told else "")


def _short(snapshot: Snapshot, arn: str) -> str:
    known = snapshot.deployments.value.revisions.get(arn) if snapshot.deployments.value else None
    return f"revision {revision_of(known.task_definition)}" if known else "a revision not known"


def _spoken(constant: str) -> str:
    return constant.replace("_", " ").lower()
