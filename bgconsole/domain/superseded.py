"""Whether something else was deployed over what an operation brought, soon after its end."""

from __future__ import annotations

from datetime import datetime, timedelta

from bgconsole.domain.identity import principal
from bgconsole.domain.services import revision_of
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.versions import Definitions

WATCHED = timedelta(minutes=15)
"""How long after its end an operation is watched over."""


def superseded(
    snapshot: Snapshot, deployment: str, ended: datetime, before: str, definitions: Definitions
) -> str:
    """`SUPERSEDED by role/ci at 03:14: deploying 43 again`; empty while what was brought stays.

    Args:
        snapshot: a picture from after the end; an older one tells nothing.
        deployment: the id of the deployment that was PRIMARY at the end.
        ended: when that was.
        before: the task definition (ARN) that the operation took away.
        definitions: task definitions that are known, for who registered them.
    """
    part = snapshot.service
    primary = part.value.primary if part.value else None
    if primary is None or not deployment or primary.id == deployment:
        return ""
    if part.fetched_at is None or part.fetched_at <= ended:
        return ""
    known = {**definitions, **(snapshot.tasks.value.definitions if snapshot.tasks.value else {})}
    again = " again" if primary.task_definition == before else ""
    return (
        f"SUPERSEDED by {_who(snapshot, known, primary.task_definition)} at "
        f"{primary.created_at.astimezone():%H:%M}: deploying "
        f"{revision_of(primary.task_definition)}{again}"
    )


def _who(snapshot: Snapshot, definitions: Definitions, task_definition: str) -> str:
    """The stack where it moves, else whoever registered what is deployed: ECS tells no more."""
    service = snapshot.service.value
    owner = service.stack if service else ""
    if owner and any(s.name == owner and s.moving for s in snapshot.stacks.value or ()):
        return f"the stack {owner}"
    definition = definitions.get(task_definition)
    by = definition.registered_by if definition else ""
    return principal(by) if by else "somebody"
