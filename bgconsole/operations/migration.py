"""What migrating is made of: the task that is run, the one that runs already, waiting for its end.

The operation `migrate` and the migration inside a deploy are the same steps.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from shlex import quote
from uuid import uuid4

from bgconsole.domain.join import main_container
from bgconsole.domain.migrations import DEFAULT_COMMAND, mentions
from bgconsole.domain.services import ServiceRef, Task, TaskDefinition, short_name
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations.lookup import about_runs
from bgconsole.operations.spec import NO_EVIDENCE, Check, Evidence, No, Params, not_checked
from bgconsole.operations.step import Bench, Step, Told
from bgconsole.operations.words import at, command
from bgconsole.watch.task_run import follow_task

TASK = "migration task"
"""The name under which the step that runs the task hands its ARN on."""
COPY = "migration task definition"
"""The name under which a copy of another task definition with the new image is handed on."""
STARTED_BY = "bgconsole-migrate"
STARTED_BY_LENGTH = 128
"""ECS takes no more (API reference: RunTask)."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What is run: one command in one container, where the service runs."""

    ref: ServiceRef
    definition: str
    """The task definition, or the name under which an earlier step hands it on."""
    shown: str
    """The same in words."""
    container: str
    command: tuple[str, ...]


def command_of(params: Params) -> tuple[str, ...] | No:
    """The command that is wanted, as a shell would split it; it is run without a shell."""
    text = params.get("command") or DEFAULT_COMMAND
    try:
        words = shlex.split(text)
    except ValueError as error:
        return No(f"The command cannot be read: {error}: {text}")
    return tuple(words) if words else No("The command is empty.")


def container_of(snapshot: Snapshot, definition: TaskDefinition, params: Params) -> str | No:
    """The container that the command is run in: as wanted, that with the traffic, or the first."""
    names = [container.name for container in definition.containers]
    if wanted := params.get("container"):
        if wanted in names:
            return wanted
        return No(f"{definition.name} has no container {wanted}; it has {', '.join(names)}.")
    main = main_container(snapshot.service.value)
    essential = [container.name for container in definition.containers if container.essential]
    return main if main in names else next(iter(essential or names), "")


def started_by(ref: ServiceRef) -> str:
    """By this a migration is found again, by whichever console."""
    name = f"{STARTED_BY}/{ref.name}"
    if len(name) <= STARTED_BY_LENGTH:
        return name
    return f"{name[: STARTED_BY_LENGTH - 17]}-{sha256(name.encode()).hexdigest()[:16]}"


def run_step(
    migration: Migration,
    snapshot: Snapshot,
    go_on: Callable[[Mapping[str, str]], str] | None = None,
    new_token: Callable[[], str] = lambda: uuid4().hex,
) -> Step:
    """The step that starts the task."""
    ref = migration.ref

    tokens: list[str] = []

    def act(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        if not tokens:
            tokens.append(new_token())
        return gateway.changes.run_task(
            ref,
            task_definition=made.get(migration.definition, migration.definition),
            container=migration.container,
            command=migration.command,
            started_by=started_by(ref),
            token=tokens[0],
        )

    overrides = {
        "containerOverrides": [{"name": migration.container, "command": list(migration.command)}]
    }
    return Step(
        f"run `{shlex.join(migration.command)}` as a task of {migration.shown}, where the service "
        "runs",
        command(
            f"ecs run-task --cluster {ref.cluster} --task-definition {quote(migration.shown)} "
            f"--started-by {started_by(ref)} --network-configuration '<as the service has it>' "
            f"--overrides {quote(json.dumps(overrides))}",
            snapshot.place,
        ),
        act,
        makes=TASK,
        effect="prepares",
        go_on=go_on,
        repeats=True,  # with one token it starts nothing twice
        stand_ins={migration.shown: migration.definition},
    )


def wait_step(
    ref: ServiceRef,
    container: str,
    task: str = "",
    go_on: Callable[[Mapping[str, str]], str] | None = None,
) -> Step:
    """The step that follows a task to its end, for as long as it takes.

    Args:
        ref: the service.
        container: whose exit code counts.
        task: the ARN of the task; that of the step before, where it is empty.
        go_on: how to go on where it ends early.
    """

    def work(bench: Bench) -> Told:
        arn = task or bench.made[TASK]
        return follow_task(bench.gateway, ref.cluster, arn, container, bench.onlooker)

    named = f"task {short_name(task)[:8]}" if task else "it"
    return Step(
        f"follow {named} to its end, however long it takes: only exit code 0 is a success",
        work=work,
        effect="looks",
        go_on=go_on
        or (lambda made: f"bgconsole migrate --follow {short_name(task or made[TASK])}"),
    )


def under_way(evidence: Evidence | None, families: Sequence[str]) -> tuple[Task, ...]:
    """The migrations that run now, as far as was looked."""
    return tuple(
        task for task in runs_in(evidence, families) if not task.stopped and is_migration(task)
    )


def runs_in(evidence: Evidence | None, families: Sequence[str]) -> Iterator[Task]:
    """The tasks of these families that no service started, as far as was looked."""
    known = evidence or NO_EVIDENCE
    for family in families:
        yield from known.answer(about_runs(family)) or ()


def is_migration(task: Task) -> bool:
    """Whether a task that no service started migrates: by who started it, or by its command."""
    if task.started_by.startswith(STARTED_BY):
        return True
    return any(mentions(words) for _, words in task.commands)


def task_words(task: Task, snapshot: Snapshot) -> str:
    """`task 5c1f03aa since 14:02, by ci: rails db:migrate`."""
    since = f" since {at(task.created_at, snapshot)}" if task.created_at else ""
    by = f", by {task.started_by}" if task.started_by else ""
    commands = "; ".join(shlex.join(words) for _, words in task.commands)
    return f"task {task.id[:8]}{since}{by}" + (f": {commands}" if commands else "")


def other_check(evidence: Evidence | None, families: Sequence[str]) -> Check:
    """Whether another migration runs; one that does refuses the plan before this is shown."""
    if evidence is None:
        return Check("that no other migration runs", "checking")
    for family in families:
        if why := evidence.why_not(about_runs(family)):
            return not_checked("whether another migration runs", why)
    return Check("no other migration runs", "ok")


def other_no(tasks: Sequence[Task], snapshot: Snapshot) -> No | None:
    """The refusal while one runs, with the choice to follow it."""
    if not tasks:
        return None
    told = "; ".join(task_words(task, snapshot) for task in tasks)
    return No(
        f"A migration runs already: {told}.",
        tuple((task.id, f"follow {task_words(task, snapshot)}") for task in tasks),
        param="follow",
    )
