"""One service judged at a glance: from DescribeServices and its newest service deployment alone.

Words and severities are the verdict's. Two things differ, because less is known here:

- Nothing here reads target health. A service whose tasks all run is `RUNNING`, never `STEADY`:
  ECS counts its tasks, and nobody asked whether they answer. Screens do not paint it green.
- What ECS itself complains about in the last minutes (a target that fails its checks, a task it
  cannot place) is taken at its word, although the counts still look well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from bgconsole.domain import cause
from bgconsole.domain.duration import spell
from bgconsole.domain.how_many import how_many
from bgconsole.domain.rollout import STAGES
from bgconsole.domain.services import Deployment, Service, ServiceDeployment, revision_of
from bgconsole.domain.severity import Severity
from bgconsole.domain.since import RECENT, STEADY_EVENT

COMPLAINT = timedelta(minutes=3)
"""How long a complaint of ECS counts; one that goes on is repeated or becomes a lower count."""
_UNHEALTHY = re.compile(r"is unhealthy in|failed container health checks")
_BACK = re.compile(r"rolling back to deployment")
_STAGES = dict(STAGES)


@dataclass(frozen=True, slots=True)
class Glance:
    """What is said of one service."""

    severity: Severity
    word: str
    sentence: str


def moving(service: Service) -> bool:
    """Whether ECS works on a deployment, as far as the service itself tells."""
    return service.status == "ACTIVE" and (
        len(service.deployments) > 1
        or any(d.rollout_state == "IN_PROGRESS" for d in service.deployments)
    )


def before(service: Service) -> Deployment | None:
    """The deployment that still runs beside the primary one."""
    return next((d for d in service.deployments if d.status != "PRIMARY"), None)


def stage_words(newest: ServiceDeployment | None) -> str:
    """The lifecycle stage of a deployment of the blue/green family that is under way."""
    if newest is None or not newest.ongoing or newest.strategy == "ROLLING":
        return ""
    name = newest.lifecycle_stage
    return _STAGES.get(name, name.lower().replace("_", " "))


def glance(service: Service, newest: ServiceDeployment | None, now: datetime) -> Glance:
    """Judge a service.

    Args:
        service: as DescribeServices tells it.
        newest: its newest service deployment, None where it is not known.
        now: for how long ago something was.
    """
    if service.status != "ACTIVE":
        return Glance(
            Severity.BUSY,
            "BEING DELETED",
            f"ECS says {service.status}: {service.running} still run",
        )
    if newest is not None and newest.ongoing:
        return _under_way(service, newest, now)
    if moving(service):
        return _under_way(service, None, now)
    if newest is not None and newest.status == "ROLLBACK_FAILED":
        why = cause.shorten(newest.status_reason, 140) or "no reason given"
        return Glance(Severity.BAD, "ROLL BACK FAILED", f"the way back failed too: {why}")
    calm = _at_rest(service, now)
    back = _rolled_back(service, newest, now)
    return back if back is not None and calm.severity is Severity.GOOD else calm


def _under_way(service: Service, newest: ServiceDeployment | None, now: datetime) -> Glance:
    primary, old = service.primary, before(service)
    number = revision_of(primary.task_definition if primary else service.task_definition)
    new = f"revision {number}"
    to = f"revision {revision_of(old.task_definition)} → {number}" if old else new
    running, wanted = (primary.running, primary.desired) if primary else (0, 0)
    count = f"{running}/{wanted or service.desired} new tasks run"
    breaker = newest.breaker if newest else None
    if newest is not None and newest.status.startswith("ROLLBACK"):
        reason = newest.rollback_reason or newest.status_reason or "asked for"
        return Glance(
            Severity.BAD,
            "ROLLING BACK",
            f"a deployment is taken back: {cause.shorten(reason, 140)}",
        )
    if newest is None and primary is not None and "rolling back" in primary.rollout_reason:
        return Glance(Severity.BAD, "ROLLING BACK", f"back to {new}: {count}")
    if why := _why(service, newest, now):
        told = (
            f" · breaker {breaker.failures}/{breaker.threshold}"
            if breaker and breaker.failures
            else ""
        )
        word = "DEPLOYING, NOT WELL" if running else "FAILING"
        return Glance(Severity.BAD, word, f"{new} is not coming up: {why}{told}")
    waits = next((hook for hook in newest.hooks if hook.awaits_action), None) if newest else None
    if waits is not None:
        then = "goes on" if waits.timeout_action == "CONTINUE" else "goes back"
        when = f" in {spell(waits.expires_at - now)}" if waits.expires_at else ""
        return Glance(
            Severity.WAITING,
            "WAITING FOR YOU",
            f"{new} waits at {stage_words(newest) or 'a hook'}: {count}; it {then} by itself{when}",
        )
    stage = stage_words(newest)
    return Glance(Severity.BUSY, "DEPLOYING", f"{to}: {f'{stage} · ' if stage else ''}{count}")


def _why(service: Service, newest: ServiceDeployment | None, now: datetime) -> str:
    if newest is not None and newest.alarms and newest.alarms.triggered:
        return f"alarm {', '.join(newest.alarms.triggered)}"
    primary = service.primary
    failed = primary.failed if primary else 0
    if newest is not None and newest.breaker is not None:
        failed = max(failed, newest.breaker.failures)
    if failed:
        return f"{how_many(failed, 'task')} failed"
    return cause.of_events(service) or _complaint(service, now)


def _rolled_back(
    service: Service, newest: ServiceDeployment | None, now: datetime
) -> Glance | None:
    """Where ECS took a deployment back by itself within the hour; by hand is no news."""
    if newest is not None:
        ended = newest.finished_at or newest.updated_at or newest.created_at
        who = cause.rolled_back_by(newest.rollback_reason or newest.status_reason)
        if newest.status != "ROLLBACK_SUCCESSFUL" or not who or now - ended > RECENT:
            return None
        return _back(service, f"{who} {spell(now - ended)} ago")
    event = next((e for e in service.events if _BACK.search(e.message)), None)
    if event is None or now - event.at > RECENT:
        return None
    return _back(service, f"{spell(now - event.at)} ago, as its events say")


def _back(service: Service, how: str) -> Glance:
    return Glance(
        Severity.BAD, "ROLLED BACK", f"the newest revision was rolled back {how}. {_runs(service)}"
    )


def _at_rest(service: Service, now: datetime) -> Glance:
    primary = service.primary
    if service.desired == 0:
        left = f"; {service.running} still run" if service.running else ": nothing runs, as asked"
        return Glance(Severity.GOOD, "SCALED TO 0", f"it is set to 0 tasks{left}")
    if primary is not None and primary.rollout_state == "FAILED":
        why = cause.shorten(primary.rollout_reason, 140) or "no reason given"
        return Glance(Severity.BAD, "DEPLOY FAILED", f"{why}. {_runs(service)}")
    if service.running < service.desired:
        why = (
            cause.of_events(service)
            or _complaint(service, now)
            or (f"{service.pending} are starting" if service.pending else "ECS says nothing of why")
        )
        word = "DEGRADED" if service.running else "DOWN"
        return Glance(Severity.BAD, word, f"{service.running}/{service.desired} tasks run: {why}")
    if ill := _complaint(service, now):
        return Glance(Severity.BAD, "DEGRADED", f"{_runs(service)}, but {ill}")
    unread = "" if service.controller == "ECS" else f", nor what {service.controller} does"
    return Glance(Severity.GOOD, "RUNNING", f"{_runs(service)}; health is not read here{unread}")


def _complaint(service: Service, now: datetime) -> str:
    """What failed its checks lately, in AWS's words, unless ECS called the service steady since."""
    for event in service.events:
        if now - event.at > COMPLAINT or STEADY_EVENT in event.message:
            return ""
        if _UNHEALTHY.search(event.message):
            told = re.sub(r"\(target-group \S*?targetgroup/([^/)]+)\S*\)", r"\1", event.message)
            return cause.shorten(told.partition(") ")[2] or told, 120)
    return ""


def _runs(service: Service) -> str:
    primary = service.primary
    revision = revision_of(primary.task_definition if primary else service.task_definition)
    return f"revision {revision} runs {service.running}/{service.desired}"
