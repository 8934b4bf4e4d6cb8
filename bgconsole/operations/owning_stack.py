"""The stack that owns a service, and what CloudFormation does in the middle of a change of it."""

from __future__ import annotations

from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stack_states import way_back
from bgconsole.domain.stacks import Stack
from bgconsole.operations.words import command

THROUGH = "through"
"""The parameter that says what is changed: the `service` itself, or the `stack` that owns it."""
PARAMETER = "image-parameter"
"""The parameter that names the stack's parameter that holds the image."""
WAY = (THROUGH, PARAMETER)
_ITSELF_BACK = ("UPDATE_ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS")


def owning_stack(snapshot: Snapshot, *, stopping: bool) -> str:
    """In words, with the command that stops it; empty where the stack is at rest.

    Args:
        snapshot: what is known.
        stopping: whether ECS is asked to roll back what is under way, rather than the service
            updated.
    """
    stack = root_stack(snapshot)
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


def drifts(stack: str) -> tuple[str, ...]:
    """In words, what comes of changing a service past the stack that owns it; none without one."""
    if not stack:
        return ()
    return (
        f"CloudFormation: the stack {stack} will drift: its template still names another "
        "revision, and its next update deploys that.",
    )


def cancelled(stack: Stack, *, stopping: bool) -> str:
    """In words, what comes of cancelling the update that the owning stack is in.

    Args:
        stack: the owning one.
        stopping: whether a deployment of the service is under way.
    """
    named = f"the stack {stack.name} is {stack.status}: once that is cancelled CloudFormation"
    if stopping:
        return (
            f"{named} no longer waits for this service, deploys its old revision once more, and "
            "puts all else that the update changed back as well"
        )
    return (
        f"{named} puts all that the update changed back, this service too where the update had "
        "reached it"
    )


def cancellable(snapshot: Snapshot) -> Stack | None:
    """The owning stack where an update of it is under way that can be cancelled."""
    stack = root_stack(snapshot)
    return stack if stack is not None and way_back(stack.status).cancels else None


def root_stack(snapshot: Snapshot) -> Stack | None:
    """The stack that is updated to change the service: of nested ones the outermost that is seen.

    None where no stack owns the service, or the stacks were not read.
    """
    service = snapshot.service.value
    stacks = snapshot.stacks.value or ()
    if service is None or not service.stack:
        return None
    found = next((stack for stack in stacks if stack.name == service.stack), None)
    outer = {stack.arn: stack for stack in stacks}
    while found is not None and found.parent in outer:
        found = outer[found.parent]
    return found
