"""Where the containers of a service log to, as both of its task definitions say. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bgconsole.domain.join import main_container, sides
from bgconsole.domain.logs import LogGroup
from bgconsole.domain.services import LogTarget, TaskDefinition
from bgconsole.domain.snapshot import Snapshot

_ELSEWHERE = {
    "awsfirelens": "FireLens: its router decides where the lines go",
    "splunk": "Splunk",
    "fluentd": "Fluentd",
    "gelf": "a GELF server",
    "syslog": "a syslog server",
    "json-file": "files on the container instance, read by `docker logs` there",
    "journald": "the journal of the container instance",
    "logentries": "Logentries",
    "none": "nowhere: the driver `none` drops them",
}
"""What a log driver of ECS that is not CloudWatch's does with the lines."""
NO_CONFIGURATION = "no log configuration: the containers' output goes nowhere"


@dataclass(frozen=True, slots=True)
class LogPlaces:
    """All groups of a service."""

    groups: tuple[LogGroup, ...] = ()
    """The main container's first."""
    differing: tuple[LogGroup, ...] = ()
    """Those that not every task definition in use logs to."""
    other_drivers: tuple[str, ...] = ()
    """`web: splunk, Splunk`: containers whose lines are not in CloudWatch, and where they are."""
    note: str = ""
    """Why there is no group, in words."""


def log_places(snapshot: Snapshot) -> LogPlaces:
    """Every group that the task definitions in use name, of every container, in every region."""
    tasks = snapshot.tasks.value
    if tasks is None:
        return LogPlaces(note=snapshot.tasks.absent or "looking for the log group")
    used = _in_use(snapshot, tasks.definitions.values())
    main = main_container(snapshot.service.value)
    by_definition = [_groups(definition, main, snapshot.place.region) for definition in used]
    groups = tuple(dict.fromkeys(group for found in by_definition for group in found))
    differing = tuple(g for g in groups if any(g not in found for found in by_definition))
    others = tuple(
        dict.fromkeys(
            f"{container.name}: {where_logs_go(container.log.driver)}"
            for definition in used
            for container in definition.containers
            if container.log and not _in_cloudwatch(container.log)
        )
    )
    note = ""
    if not groups:
        note = (
            f"The logs are not in CloudWatch · {' · '.join(others)}" if others else NO_CONFIGURATION
        )
    return LogPlaces(groups, differing, others, note)


def where_logs_go(driver: str) -> str:
    """A log driver and where it takes the lines, in words."""
    where = _ELSEWHERE.get(driver)
    return f"{driver}, {where}" if where else driver


def log_target(snapshot: Snapshot) -> tuple[LogTarget | None, str]:
    """Where the service's main container logs to; else None and the reason in words."""
    tasks = snapshot.tasks.value
    if tasks is None:
        return None, snapshot.tasks.absent or "looking for the log group"
    name = main_container(snapshot.service.value)
    newest = sorted(tasks.definitions.values(), key=lambda definition: -definition.revision)
    for definition in newest:
        for container in definition.containers:
            wanted = not name or container.name == name
            if wanted and container.log and _in_cloudwatch(container.log):
                return container.log, ""
    drivers = {c.log.driver for d in newest for c in d.containers if c.log}
    if drivers:
        return None, f"logs go to {', '.join(sorted(drivers))}, not to CloudWatch"
    return None, NO_CONFIGURATION


def _in_use(
    snapshot: Snapshot, definitions: Iterable[TaskDefinition]
) -> tuple[TaskDefinition, ...]:
    """Newest first: those of the sides, else all that are known."""
    every = sorted(definitions, key=lambda definition: -definition.revision)
    both = sides(snapshot)
    named = {side.task_definition for side in (both.old, both.new) if side}
    return tuple(d for d in every if d.arn in named) or tuple(every)


def _groups(definition: TaskDefinition, main: str, home: str) -> tuple[LogGroup, ...]:
    first = sorted(definition.containers, key=lambda container: container.name != main)
    return tuple(
        dict.fromkeys(
            LogGroup(c.log.group, "" if c.log.region == home else c.log.region)
            for c in first
            if c.log and _in_cloudwatch(c.log)
        )
    )


def _in_cloudwatch(log: LogTarget) -> bool:
    return log.driver == "awslogs" and bool(log.group)
