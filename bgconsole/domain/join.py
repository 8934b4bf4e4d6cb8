"""Tasks joined with targets and deployments: one row a task, and which side it is on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bgconsole.domain.images import ImageReference
from bgconsole.domain.services import (
    ContainerImage,
    Deployment,
    Service,
    ServiceRevision,
    Task,
    revision_of,
)
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.targets import Target


class Side(StrEnum):
    """Which side of a deployment something is on."""

    OLD = "old"
    NEW = "new"
    SOLE = "sole"
    """No deployment is under way: there is one side only."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task, ready to be shown; `key` is its ARN."""

    key: str
    id: str
    side: Side
    revision: str
    tag: str
    digest: str
    status: str
    """AWS's lastStatus, lower case."""
    health: str
    """The target's state where there is a load balancer, else the container health, lower case."""
    health_reason: str
    zone: str
    address: str
    since: datetime | None
    """When it started, or was created; when it stopped, for a stopped task."""
    stopped: bool = False
    ending: str = ""
    """Why it stopped: exit code and reason, for a stopped task."""
    failed: bool = False
    """Whether it stopped by itself or for bad health, not because ECS scaled it in."""


@dataclass(frozen=True, slots=True)
class SideView:
    """One side of the deployment as a whole."""

    side: Side
    number: str
    """The number that deployment id and service revision share; empty where not known."""
    task_definition: str
    revision: str
    tag: str
    digest: str
    requested: int
    running: int
    pending: int
    healthy: int
    """Tasks that pass their health checks (or run, where nothing checks them)."""
    rows: tuple[TaskRow, ...]
    stopped: tuple[TaskRow, ...]
    """Newest first."""

    @property
    def failed(self) -> tuple[TaskRow, ...]:
        """The stopped ones that were not stopped by a deployment or by scaling."""
        return tuple(row for row in self.stopped if row.failed)


@dataclass(frozen=True, slots=True)
class Sides:
    """Old and new. When nothing is under way `new` is the only side and `old` is None."""

    old: SideView | None
    new: SideView | None

    @property
    def rows(self) -> tuple[TaskRow, ...]:
        """Running rows, old before new."""
        return tuple(row for side in (self.old, self.new) if side for row in side.rows)

    def of_task(self, task_id: str) -> Side:
        """The side of a task by its id, `UNKNOWN` where it is not among the rows."""
        for side in (self.old, self.new):
            if side and any(row.id == task_id for row in (*side.rows, *side.stopped)):
                return side.side
        return Side.UNKNOWN


NO_CHECK = "no check"
"""The health of a running task that neither a load balancer nor a container check looks at."""


def sides(snapshot: Snapshot) -> Sides:
    """Put every known task on its side; the last snapshot's answer is kept, as panes ask alike.

    A task belongs to the deployment in its `startedBy`, whose number is the service revision's
    (observed). While a service deployment is under way its target revision is new, also while it is
    being rolled back; without one the PRIMARY deployment is new as long as another is left.
    """
    kept = _kept[0]
    if kept is not None and kept[0] is snapshot:
        return kept[1]
    joined = _join(snapshot)
    _kept[0] = (snapshot, joined)
    return joined


_kept: list[tuple[Snapshot, Sides] | None] = [None]


def _join(snapshot: Snapshot) -> Sides:
    service = snapshot.service.value
    new_number = _new_number(snapshot)
    tasks = snapshot.tasks.value.tasks if snapshot.tasks.value else ()
    if service is None:
        return Sides(None, None)
    if new_number is None:
        return Sides(None, _view(snapshot, service, Side.SOLE, _primary_number(service), tasks))
    new = tuple(task for task in tasks if _number(task) == new_number)
    old_number = _old_number(snapshot, service, new_number)
    old = tuple(task for task in tasks if _number(task) != new_number and _counts(task, service))
    return Sides(
        _view(snapshot, service, Side.OLD, old_number, old) if old_number or old else None,
        _view(snapshot, service, Side.NEW, new_number, new),
    )


def stopped_of(snapshot: Snapshot, number: str) -> tuple[TaskRow, ...]:
    """The failed tasks of a deployment by its number, also when the deployment is gone."""
    service, known = snapshot.service.value, snapshot.tasks.value
    if service is None or known is None:
        return ()
    container = main_container(service)
    health = _Health(snapshot, service)
    return tuple(
        _row(snapshot, health, Side.NEW, task, container)
        for task in known.tasks
        if task.stopped and _number(task) == number and failed(task)
    )


def main_container(service: Service | None) -> str:
    """The container that takes traffic; empty where the service has no load balancer."""
    return service.load_balancing[0].container if service and service.load_balancing else ""


def image_of(images: Iterable[ContainerImage], container: str) -> ContainerImage | None:
    """A container's image by its name, else the first."""
    listed = tuple(images)
    named = next((image for image in listed if image.container == container), None)
    return named or (listed[0] if listed else None)


def revision_by_number(snapshot: Snapshot, number: str) -> ServiceRevision | None:
    """The service revision with this number, where it is known."""
    known = snapshot.deployments.value
    if known is None or not number:
        return None
    return next((r for r in known.revisions.values() if r.number == number), None)


def tag_of(snapshot: Snapshot, image: str, digest: str) -> str:
    """The tag to show: as the image is written, else one that the registry has for the digest."""
    reference = ImageReference.parse(image) if image else None
    if reference and reference.tag:
        return reference.tag
    for known in snapshot.images.value or ():
        if known.digest == digest and known.tags:
            return known.tags[0]
    return ""


def _new_number(snapshot: Snapshot) -> str | None:
    service = snapshot.service.value
    history = snapshot.deployments.value
    current = history.current if history else None
    if current is not None and current.ongoing:
        return current.target.number
    if service is None or len(service.deployments) < 2:
        return None
    numbers = {deployment.number for deployment in service.deployments}
    if current and current.status.startswith("ROLLBACK") and current.target.number in numbers:
        return current.target.number
    return _primary_number(service) or None


def _old_number(snapshot: Snapshot, service: Service, new_number: str) -> str:
    others = [d for d in service.deployments if d.number != new_number]
    if others:
        return max(others, key=lambda d: (d.running, d.created_at)).number
    history = snapshot.deployments.value
    current = history.current if history else None
    sources = current.sources if current else ()
    return max(sources, key=lambda source: source.running).number if sources else ""


def _primary_number(service: Service) -> str:
    return service.primary.number if service.primary else ""


def _number(task: Task) -> str:
    return task.started_by.rpartition("/")[2]


def _counts(task: Task, service: Service) -> bool:
    """A task that stopped before the deployments that are left is history, not a side."""
    if not task.stopped:
        return True
    return _number(task) in {deployment.number for deployment in service.deployments}


def _view(
    snapshot: Snapshot, service: Service, side: Side, number: str, tasks: tuple[Task, ...]
) -> SideView:
    deployment = next((d for d in service.deployments if d.number == number), None)
    revision = revision_by_number(snapshot, number)
    definition = _definition(deployment, revision, tasks)
    container = main_container(service)
    image = image_of(revision.images, container) if revision else None
    if image is None or not image.digest:
        image = _running_image(tasks, container) or image
    health = _Health(snapshot, service)
    rows = tuple(_row(snapshot, health, side, task, container) for task in tasks)
    running = tuple(sorted((r for r in rows if not r.stopped), key=_row_order))
    stopped = sorted(
        (row for row in rows if row.stopped),
        key=lambda row: (row.since.timestamp() if row.since else 0.0, row.id),
        reverse=True,
    )
    return SideView(
        side=side,
        number=number,
        task_definition=definition,
        revision=revision_of(definition),
        tag=tag_of(snapshot, image.image, image.digest) if image else "",
        digest=image.digest if image else "",
        requested=deployment.desired if deployment else 0,
        running=deployment.running if deployment else sum(r.status == "running" for r in running),
        pending=deployment.pending if deployment else 0,
        healthy=sum(1 for row in running if _passes(row)),
        rows=running,
        stopped=tuple(stopped),
    )


def _row_order(row: TaskRow) -> tuple[float, str]:
    return (row.since.timestamp() if row.since else float("inf"), row.id)


def _passes(row: TaskRow) -> bool:
    return row.status == "running" and row.health in ("healthy", NO_CHECK)


def _definition(
    deployment: Deployment | None, revision: ServiceRevision | None, tasks: tuple[Task, ...]
) -> str:
    if deployment:
        return deployment.task_definition
    if revision:
        return revision.task_definition
    return tasks[0].task_definition if tasks else ""


def _running_image(tasks: tuple[Task, ...], container: str) -> ContainerImage | None:
    for task in tasks:
        images = [ContainerImage(c.name, c.image, c.digest) for c in task.containers if c.digest]
        if found := image_of(images, container):
            return found
    return None


def _row(snapshot: Snapshot, health: _Health, side: Side, task: Task, container: str) -> TaskRow:
    images = [ContainerImage(c.name, c.image, c.digest) for c in task.containers]
    image = image_of(images, container)
    state, reason = health.of(task)
    return TaskRow(
        key=task.arn,
        id=task.id,
        side=side,
        revision=revision_of(task.task_definition),
        tag=tag_of(snapshot, image.image, image.digest) if image else "",
        digest=image.digest if image else "",
        status=task.last_status.lower(),
        health=state,
        health_reason=reason,
        zone=task.zone,
        address=task.address,
        since=task.stopped_at if task.stopped else task.started_at or task.created_at,
        stopped=task.stopped,
        ending=ending(task, container) if task.stopped else "",
        failed=task.stopped and failed(task),
    )


class _Health:
    """Looks a task's health up where it is known best."""

    def __init__(self, snapshot: Snapshot, service: Service) -> None:
        self._balanced = bool(service.load_balancing)
        self._known = snapshot.targets.value is not None
        self._targets = _by_address(snapshot)

    def of(self, task: Task) -> tuple[str, str]:
        """State and reason, lower case words."""
        if task.stopped:
            return "", ""
        if self._balanced and not self._known:
            return "not known", ""
        if self._balanced:
            target = self._targets.get(task.address) if task.address else None
            if target is None:
                return "not registered", ""
            return target.state, target.description or target.reason
        if task.health != "UNKNOWN":
            return task.health.lower(), ""
        return NO_CHECK, ""


def _by_address(snapshot: Snapshot) -> Mapping[str, Target]:
    found: dict[str, Target] = {}
    groups = snapshot.targets.value.groups if snapshot.targets.value else ()
    for group in groups:
        for target in group.targets:
            # One address can be in both groups of a pair for a while; the one that serves counts.
            if target.address not in found or target.state == "healthy":
                found[target.address] = target
    return found


SCALED_IN = "Scaling activity initiated by"
"""stoppedReason of a task that a deployment or a lower desired count replaced (observed)."""


BY_ITSELF = "Essential container in task exited"
"""stoppedReason that says no more than the exit code does."""


def failed(task: Task) -> bool:
    """Whether a stopped task ended badly: by itself, unplaced, unhealthy or reclaimed."""
    if task.stop_code == "UserInitiated":
        return False
    return not task.stopped_reason.startswith(SCALED_IN)


def ending(task: Task, container: str = "") -> str:
    """Why a task stopped, in few words: its container's exit code first."""
    named = [c for c in task.containers if c.name == container] or list(task.containers)
    exited = next((c for c in named if c.exit_code is not None), None)
    reason = next((c.reason for c in named if c.reason), "") or task.stopped_reason
    if exited is None:
        return reason or task.stop_code
    if reason.startswith(BY_ITSELF):
        return f"exit {exited.exit_code}"
    return f"exit {exited.exit_code}" + (f" · {reason}" if reason else "")
