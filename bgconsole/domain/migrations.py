"""Database migrations on ECS: how a task of one ended, and images that migrate when they start."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from bgconsole.domain.duration import spell

if TYPE_CHECKING:
    from bgconsole.domain.logs import LogLine
    from bgconsole.domain.services import Container, Task, TaskDefinition

DEFAULT_COMMAND = "bundle exec rails db:migrate"

_ON_START = re.compile(r"\bdb:(?:migrate|prepare)\b(?!:)")
_DATABASE = re.compile(r"\bdb:\w+")
_MIGRATED = re.compile(r"^== (\d+) (\w+): migrated\b")
LOG_MARK = ": migrated ("
"""In every line that `_MIGRATED` matches: what a log is searched for."""
_SIGNALS = {137: "SIGKILL: out of memory, or killed", 143: "SIGTERM: it was asked to stop"}
_INTERRUPTED = {
    "UserInitiated": "somebody stopped it",
    "ServiceSchedulerInitiated": "the service's scheduler stopped it",
    "SpotInterruption": "its Spot capacity was taken away",
    "TerminationNotice": "its host was about to be terminated",
    "InfrastructureHealth": "its host became unhealthy",
}
"""ECS's stop codes (API reference: Task.stopCode) under which a program did not end by itself."""

Ending = Literal["succeeded", "failed", "not started", "interrupted"]


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """What became of a task that ran one command."""

    ending: Ending
    sentence: str


def judge(task: Task, container: str) -> TaskEnd:
    """How a stopped task ended, by its stop code and the exit code of the container of that name.

    An exit code that is missing is never taken for one: the container did not run, or AWS does not
    say.
    """
    ran = next((c for c in task.containers if c.name == container), None)
    code = ran.exit_code if ran else None
    took = _took(task)
    if why := _INTERRUPTED.get(task.stop_code):
        told = f" ({task.stopped_reason.rstrip('.')})" if task.stopped_reason else ""
        return TaskEnd(
            "interrupted",
            f"The migration was interrupted{took}: {why}{told}. What it did to the schema is not "
            "known: run `rails db:migrate:status`.",
        )
    if code == 0:
        return TaskEnd("succeeded", f"The migration ended with exit code 0{took}.")
    if code is not None:
        signal = f" ({_SIGNALS[code]})" if code in _SIGNALS else ""
        return TaskEnd("failed", f"The migration ended with exit code {code}{signal}{took}.")
    reasons = [task.stopped_reason, ran.reason if ran else ""]
    why = ": ".join(dict.fromkeys(reason.rstrip(".") for reason in reasons if reason))
    if task.stop_code == "EssentialContainerExited":
        others = _others(task, container)
        return TaskEnd("failed", f"The migration's container told no exit code{others}: {why}.")
    return TaskEnd("not started", f"The migration did not start: {why or 'ECS does not say why'}.")


@dataclass(frozen=True, slots=True)
class Migration:
    """One that ran, as a log line tells."""

    version: str
    name: str
    at: datetime


def told_in(lines: Iterable[LogLine]) -> tuple[Migration, ...]:
    """Those that log lines tell of, by version, each once with the time it was told first."""
    found: dict[str, Migration] = {}
    for line in sorted(lines, key=lambda line: line.timestamp):
        if match := _MIGRATED.match(line.message):
            at = line.written_at
            found.setdefault(match[1], Migration(match[1], match[2], at))
    return tuple(found[version] for version in sorted(found))


def applied(lines: Iterable[str]) -> tuple[str, ...]:
    """The migrations that Rails says it applied: `AddSummaryToPosts (20260108153002)`."""
    found = (_MIGRATED.match(line) for line in lines)
    return tuple(f"{match[2]} ({match[1]})" for match in found if match)


def mentions(command: Iterable[str]) -> bool:
    """Whether a command is one of Rails' database tasks."""
    return _DATABASE.search(" ".join(command)) is not None


def on_start(definition: TaskDefinition | None) -> str:
    """The container that migrates when it starts, with the words that say so; empty for none."""
    for container in definition.containers if definition else ():
        words = " ".join((*container.entry_point, *container.command))
        if found := _ON_START.search(words):
            return f"{container.name} ({found[0]})"
    return ""


def on_start_words(definition: TaskDefinition | None, tasks: int) -> str:
    """What migrating on start risks when several tasks start at once; empty where none does.

    Rails takes an advisory lock and does not wait for it: who loses raises
    ConcurrentMigrationError and exits with 1, which counts for the circuit breaker.
    """
    who = on_start(definition)
    if not who:
        return ""
    if tasks < 2:
        return f"{who} migrates when it starts: a long migration eats the health check's grace."
    return (
        f"{who} migrates when it starts: of {tasks} tasks started at once up to {tasks - 1} can "
        "end with ConcurrentMigrationError, and the circuit breaker counts them"
    )


def _took(task: Task) -> str:
    began = task.started_at or task.created_at
    ended = task.execution_stopped_at or task.stopped_at
    if began is None or ended is None or ended < began:
        return ""
    return f" after {spell(max(ended - began, timedelta(seconds=1)))}"


def _others(task: Task, container: str) -> str:
    """The containers beside it that ended badly."""
    others: list[Container] = [c for c in task.containers if c.name != container and c.exit_code]
    return "".join(f", {c.name} ended with {c.exit_code}" for c in others)
