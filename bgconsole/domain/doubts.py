"""What a verdict rests on and could not see: sources that fail, wait or are old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bgconsole.domain.duration import rounded
from bgconsole.domain.errors import CredentialsProblem
from bgconsole.domain.services import Service
from bgconsole.domain.snapshot import Snapshot, Source

MATTERS: tuple[Source, ...] = ("service", "deployments", "tasks", "targets")
"""The sources that a green verdict rests on."""
STALE_AFTER = 3.0
"""Polling intervals after which data without a failure counts as old (a poll that hangs)."""


def doubts(snapshot: Snapshot, service: Service, now: datetime) -> tuple[str, ...]:
    """Each in words, the service itself first.

    Sources that fail alike are told together, since the oldest of their last good answers. For
    credentials it says what to do: waiting brings none.
    """
    told: list[str] = []
    failing: dict[tuple[str, str], list[tuple[Source, datetime]]] = {}
    for source in MATTERS:
        part = snapshot.part(source)
        if source == "targets" and not service.load_balancing:
            continue
        if source == "deployments" and service.controller != "ECS":
            continue
        if part.failure:
            # From the last good answer on nothing is known; the failure was only noticed later.
            last = part.fetched_at or part.failure.since
            error = part.failure.error
            todo = error.hint if isinstance(error, CredentialsProblem) else ""
            failing.setdefault((error.brief, todo), []).append((source, last))
        elif part.waiting:
            told.append(f"{_NAMES[source]}: not read yet")
        elif (
            part.fetched_at
            and snapshot.interval
            and ((now - part.fetched_at).total_seconds() > STALE_AFTER * snapshot.interval + 10)
        ):
            told.append(f"{_NAMES[source]}: last read {rounded(now - part.fetched_at)} ago")
    return (*(_failing(*what, parts, now) for what, parts in failing.items()), *told)


def _failing(title: str, todo: str, parts: Sequence[tuple[Source, datetime]], now: datetime) -> str:
    names = ", ".join(_NAMES[source] for source, _ in parts)
    since = min(last for _, last in parts).astimezone(now.tzinfo)
    title, _, needed = title.partition(": needs ")
    words = f"{names}: {title} since {since:%H:%M:%S}{f', needs {needed}' if needed else ''}"
    return ". ".join(filter(None, (words, todo)))


_NAMES: dict[Source, str] = {
    "service": "service",
    "deployments": "deployment history",
    "tasks": "tasks",
    "targets": "target health",
}
