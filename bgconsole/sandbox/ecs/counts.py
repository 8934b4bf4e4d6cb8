"""Questions about the tasks of a service: how many, which to stop first, which to forget."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from .state import STOPPED_KEPT, Revision, Service, Task


def counts_of(service: Service, revision: Revision) -> tuple[int, int, int]:
    """Requested, running and pending tasks of a revision now."""
    tasks = [task for task in service.tasks if task.revision is revision]
    deployment = next((d for d in service.deployments if d.revision is revision), None)
    if deployment is not None and (
        deployment is service.deployments[0] or service.shift is not None
    ):
        requested = deployment.desired
    else:
        requested = sum(task.live for task in tasks)
    return requested, sum(t.running for t in tasks), sum(t.pending for t in tasks)


def first_to_go(tasks: Iterable[Task]) -> list[Task]:
    """The order in which tasks stop: those that serve nobody, then the fuller zone's oldest."""
    waiting = list(tasks)
    order: list[Task] = []
    while waiting:
        zones = [task.zone for task in waiting]
        chosen = min(waiting, key=lambda t: (t.healthy, -zones.count(t.zone), t.created_at))
        waiting.remove(chosen)
        order.append(chosen)
    return order


def still_described(tasks: Iterable[Task], now: datetime) -> list[Task]:
    """Those of these tasks that did not stop too long ago."""
    return [t for t in tasks if t.stopped_at is None or now - t.stopped_at < STOPPED_KEPT]
