"""Stop task: end one task of the service; ECS starts another in its place."""

from __future__ import annotations

from collections.abc import Mapping

from bgconsole.domain.how_many import how_many
from bgconsole.domain.services import Task, revision_of
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations.count_steps import until_run
from bgconsole.operations.guards import unknown, unread
from bgconsole.operations.spec import (
    NO_EVIDENCE,
    Check,
    Evidence,
    Fact,
    No,
    Operation,
    Param,
    Params,
    Plan,
    Risk,
)
from bgconsole.operations.step import Step
from bgconsole.operations.words import at, command

_REASON = "Stopped with bgconsole"
_SHOWN = 6
"""Digits of an id that are shown, and enough to name it."""


def _allowed(snapshot: Snapshot) -> No | None:
    if no := unread(snapshot):
        return no
    if _running(snapshot):
        return None
    return unknown(snapshot.tasks, "The service's tasks") or No("No task of the service runs.")


def _gather(gateway: Gateway, snapshot: Snapshot, params: Params) -> Evidence:
    del gateway, snapshot, params
    return NO_EVIDENCE


def _running(snapshot: Snapshot) -> tuple[Task, ...]:
    tasks = snapshot.tasks.value.tasks if snapshot.tasks.value else ()
    return tuple(task for task in tasks if not task.stopped and task.desired_status == "RUNNING")


def _plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    del evidence
    service, wanted = snapshot.service.value, params.get("task", "")
    if service is None:
        return No("The service has not been read yet.")
    running = _running(snapshot)
    named = wanted.rpartition("/")[2]
    found = [task for task in running if named and task.id.startswith(named)]
    if len(found) != 1 or (len(named) < _SHOWN and wanted != found[0].arn):
        reason = f"No task {named} runs." if named else "Which task?"
        if len(found) > 1 or found:
            reason = f"{named} does not name one task: give at least {_SHOWN} digits."
        choices = tuple((t.id, f"{t.id[:_SHOWN]} · {_words(t, snapshot)}") for t in running)
        return No(reason, choices, param="task")
    task = found[0]
    alone = not [t for t in running if t is not task and t.last_status == "RUNNING"]
    ref, short = snapshot.ref, task.id[:_SHOWN]
    return Plan(
        summary=f"Stop task {short} of {ref.name}",
        facts=(
            Fact("task", task.id, aside=_words(task, snapshot)),
            Fact("then", _then(service.desired), decides=False),
        ),
        checks=(_others(running, task, alone=alone),),
        steps=(_stop(snapshot, task), until_run(ref, service.desired, gone=task.arn)),
        confirm=ref.name if alone else short,
        raised=Risk.DANGEROUS if alone else None,
        before=f"task {short} on revision {revision_of(task.task_definition)}",
        after=_then(service.desired),
    )


def _then(desired: int) -> str:
    return "ECS starts another in its place" if desired else "none is started: the service wants 0"


def _words(task: Task, snapshot: Snapshot) -> str:
    """`revision 43 · running · healthy · us-east-1a · since 13:40`."""
    since = f"since {at(task.started_at, snapshot)}" if task.started_at else ""
    told = (
        f"revision {revision_of(task.task_definition)}",
        task.last_status.lower(),
        task.health.lower() if task.health != "UNKNOWN" else "",
        task.zone,
        since,
    )
    return " · ".join(filter(None, told))


def _others(running: tuple[Task, ...], task: Task, *, alone: bool) -> Check:
    if alone:
        words = "it is the only one that runs: nothing serves until another has started"
        return Check(words, "warning")
    others = len([t for t in running if t is not task and t.last_status == "RUNNING"])
    return Check(f"{how_many(others, 'other task runs', 'other tasks run')} meanwhile", "ok")


def _stop(snapshot: Snapshot, task: Task) -> Step:
    ref = snapshot.ref

    def act(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.changes.stop_task(ref.cluster, task.arn, _REASON)

    def arrived(gateway: Gateway) -> bool:
        seen = gateway.services.task(ref.cluster, task.arn)
        return seen.stopped or seen.desired_status == "STOPPED"

    words = f"ecs stop-task --cluster {ref.cluster} --task {task.id} --reason '{_REASON}'"
    return Step(
        f"stop task {task.id[:_SHOWN]}", command(words, snapshot.place), act, arrived=arrived
    )


STOP_TASK = Operation(
    id="service.stop-task",
    title="Stop task",
    footer="stop task",
    key="",
    help="Stop one task of the service; ECS starts another in its place.",
    risk=Risk.DISRUPTIVE,
    allowed=_allowed,
    gather=_gather,
    plan=_plan,
    params=(Param("task", "The task's id, or its first digits", argument=True, row=True),),
)
