"""The audit record of a shell that is opened: who, where, in which task, with which command.

What is typed in it is not known here; AWS records it where the cluster's configuration says so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from bgconsole.domain.identity import Identity, Place
from bgconsole.domain.services import ServiceRef, Task
from bgconsole.operations.audit import Record


def shell_record(
    identity: Identity | None,
    place: Place,
    ref: ServiceRef,
    task: Task,
    command: str,
    at: datetime,
    surface: Literal["console", "cli"],
) -> Record:
    """One line for the audit log."""
    return {
        "at": at.isoformat(),
        "event": "started",
        "operation": "task.shell",
        "target": str(ref),
        "who": identity.arn if identity else "unknown",
        "account": identity.account if identity else "",
        "region": place.region,
        "profile": place.profile,
        "endpoint": place.endpoint,
        "surface": surface,
        "plan": [f"run {command} in task {task.id}"],
    }
