"""What CloudFormation will do to a service whose stack is in the middle of a change."""

from __future__ import annotations

from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stacks import Stack
from bgconsole.operations.words import command

_ITSELF_BACK = ("UPDATE_ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS")


def owning_stack(snapshot: Snapshot, *, stopping: bool) -> str:
    """In words, with the command that stops it; empty where the stack is at rest.

    Args:
        snapshot: what is known.
        stopping: whether ECS is asked to roll back what is under way, rather than the service
            updated.
    """
    stack = _stack(snapshot)
    if stack is None or not stack.moving or stack.status.endswith("CLEANUP_IN_PROGRESS"):
        return ""
    named = f"the stack {stack.name} is {stack.status}"
    if stack.status in _ITSELF_BACK:
        return f"{named}: CloudFormation puts the revision of its last good template back itself"
    if stack.status == "CREATE_IN_PROGRESS":
        return (
            f"{named}: a deployment that goes back fails its creation, and CloudFormation then "
            "deletes what it made, this service included"
        )
    if stack.status == "DELETE_IN_PROGRESS":
        return f"{named}: CloudFormation takes the service away whatever is deployed"
    cancel = command(
        f"cloudformation cancel-update-stack --stack-name {stack.name}", snapshot.place
    )
    if stopping:
        return (
            f"{named} and waits for this service: CloudFormation will see its deployment fail and "
            "roll its own change back, which deploys the old revision once more. "
            f"Instead, the whole update: {cancel}"
        )
    return (
        f"{named}: CloudFormation may still deploy its own revision over this one. First: {cancel}"
    )


def _stack(snapshot: Snapshot) -> Stack | None:
    service = snapshot.service.value
    if service is None or not service.stack:
        return None
    return next((s for s in snapshot.stacks.value or () if s.name == service.stack), None)
