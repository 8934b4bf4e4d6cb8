"""Why the new side is not well: stopped tasks, their last words, and what ECS says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from bgconsole.domain.how_many import how_many
from bgconsole.domain.join import SideView, TaskRow
from bgconsole.domain.plain import plain
from bgconsole.domain.services import Service

NO_CAPACITY = re.compile(r"was unable to place a task\. Reason: Capacity is unavailable")
NO_ROOM = re.compile(r"was unable to stop or start tasks during a deployment")
STUCK = re.compile(
    r"was unable to (?:place a task|stop or start tasks during a deployment|reach steady state)"
    r"|is unable to consistently start tasks|operations are being throttled"
)
"""Service events that say ECS itself cannot go on (developer guide, service event messages)."""


def of_stopped(rows: tuple[TaskRow, ...], last_words: Mapping[str, str]) -> str:
    """`5 tasks exited 1 ("PG::UndefinedColumn …")`, or nothing where no task failed."""
    if not rows:
        return ""
    reason, count = Counter(row.ending for row in rows).most_common(1)[0]
    total = len(rows)
    many = f"{count} of {total} tasks" if count < total else how_many(total, "task")
    words = next((last_words[row.id] for row in rows if row.id in last_words), "")
    quoted = f' ("{shorten(words, 90)}")' if words else ""
    return f"{many} {_ended(reason)}{quoted}"


def of_unhealthy(side: SideView) -> str:
    """`2 tasks unhealthy: Health checks failed with these codes: [503]`, or nothing."""
    ill = [row for row in side.rows if row.health == "unhealthy"]
    if not ill:
        return ""
    reason = next((row.health_reason for row in ill if row.health_reason), "no reason given")
    return f"{how_many(len(ill), 'task')} unhealthy: {shorten(reason, 80)}"


def of_events(service: Service) -> str:
    """What ECS says keeps it from going on, if its newest events say so."""
    for event in service.events[:3]:
        if NO_CAPACITY.search(event.message):
            return f"AWS has no{_where(service)} capacity now{_missing(service)}"
        if NO_ROOM.search(event.message):
            return (
                f"minimumHealthyPercent {service.minimum_healthy_percent} and maximumPercent "
                f"{service.maximum_percent} of {how_many(service.desired, 'task')} leave no room "
                "to replace one: ECS waits for other values"
            )
        if STUCK.search(event.message):
            told = event.message.partition(") ")[2] or event.message
            return shorten(told.rstrip("."), 140)
    return ""


def _where(service: Service) -> str:
    return " Fargate" if service.launch_type in ("", "FARGATE") else ""


def _missing(service: Service) -> str:
    """` (4 of 4 tasks not placed)`, of what ECS works towards."""
    aim = service.primary
    if aim is None:
        return ""
    wanted = aim.desired or service.desired
    missing = max(0, wanted - aim.running - aim.pending)
    return f" ({missing} of {how_many(wanted, 'task')} not placed)" if missing else ""


def heart(reason: str) -> str:
    """AWS's reason without what it says of every failure of its kind, ARNs by their names.

    What is wrong stands at the end of such a reason, behind 150 characters of where it happened
    (developer guide, "Resolve Amazon ECS stopped task errors").
    """
    brief = _DIGEST.sub(r"\1", _ARN.sub(r"\1", _BOILERPLATE.sub("", reason)))
    return _TWICE.sub(r"\1", brief)


_BOILERPLATE = re.compile(
    r"(?:unable to pull secrets or registry auth|execution resource retrieval failed"
    r"|unable to retrieve secrets? from (?:asm|ssm)|unable to retrieve ecr registry auth"
    r"|(?:service call|pull image manifest|pull command) has been retried \d+ time\(s\)): "
)
_DIGEST = re.compile(r"(sha256:[0-9a-f]{8})[0-9a-f]{56}")
_TWICE = re.compile(r"(\S+: )\1")
_ARN = re.compile(r"arn:aws[\w-]*:[\w-]+:[\w-]*:\d*:(?:[\w-]+[:/])?([^\s,]+)")


def shorten(text: str, limit: int) -> str:
    """Plain, in one line, at most `limit` characters."""
    clean = plain(text).strip()
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def rolled_back_by(reason: str) -> str:
    """Who took a deployment back, from AWS's reason: empty where it says nothing of it."""
    for sign, who in _BY.items():
        if sign in reason:
            return who
    return ""


_BY = {
    "circuit breaker": "by the circuit breaker",
    "alarm": "by an alarm",
    "lifecycle hook": "by a lifecycle hook",
}
"""What AWS's reasons name, and who that is."""


def _ended(reason: str) -> str:
    if reason.startswith("exit "):
        return f"exited {shorten(reason.removeprefix('exit '), 80)}"
    return f"stopped: {shorten(heart(reason), 160)}" if reason else "stopped, no reason given"
