"""What the tasks of a service say that a stack failed on: AWS itself names the breaker alone."""

from __future__ import annotations

from collections import Counter

from bgconsole.domain.cause import shorten
from bgconsole.domain.errors import GatewayError
from bgconsole.domain.how_many import how_many
from bgconsole.domain.join import ending, failed, main_container
from bgconsole.domain.masking import mask
from bgconsole.domain.services import ServiceRef, revision_of
from bgconsole.domain.stack_cause import first_failure
from bgconsole.domain.stacks import StackEvent
from bgconsole.gateway.port import Gateway

SERVICE = "AWS::ECS::Service"
LONGEST = 160


def _physical(gateway: Gateway, stack: str, path: str) -> str:
    """The physical id of a resource, `Service` or in a nested stack `Cluster/Service`."""
    found = stack
    for name in path.split("/"):
        resources = gateway.stacks.resources(found)
        found = next((r.physical_id for r in resources if r.logical_id == name), "")
        if not found:
            return ""
    return found


def stopped_words(gateway: Gateway, stack: str, events: tuple[StackEvent, ...]) -> str:
    """`4 tasks of revision 3 stopped: exit 1`; empty where the cause is something else.

    Args:
        gateway: only read; what it refuses is left unsaid: the events have said what failed.
        stack: the stack's ARN.
        events: of the operation that failed; tasks that stopped before it are not looked at.
    """
    first = first_failure(events)
    if first is None or first.kind != SERVICE:
        return ""
    try:
        arn = _physical(gateway, stack, first.logical_id)
        _, _, named = arn.rpartition(":service/")
        cluster, _, name = named.partition("/")
        if not name:
            return ""
        ref = ServiceRef(cluster, name)
        container = main_container(gateway.services.describe(ref))
        tasks = gateway.services.tasks(ref)
    except GatewayError:
        return ""
    begun = min(event.at for event in events)
    reasons = Counter(
        (revision_of(task.task_definition), ending(task, container))
        for task in tasks
        if task.stopped and failed(task) and task.stopped_at and task.stopped_at >= begun
    )
    if not reasons:
        return ""
    (revision, reason), count = reasons.most_common(1)[0]
    which = f"{how_many(count, 'task')} of revision {revision}"
    return f"{which} stopped: {shorten(mask(reason), LONGEST)}"
