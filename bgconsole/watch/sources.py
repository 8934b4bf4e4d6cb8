"""How each source is asked: from the gateway's ports to one part of the snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bgconsole.domain.errors import BgconsoleError, GatewayError, NotThere, Rejected
from bgconsole.domain.images import Image, ImageReference
from bgconsole.domain.masking import mask
from bgconsole.domain.rollout import stage_began
from bgconsole.domain.snapshot import Deployments, Snapshot, Source, Tasks
from bgconsole.gateway.port import Gateway

if TYPE_CHECKING:
    from bgconsole.domain.activity import Activity
    from bgconsole.domain.codedeploy import CodeDeployment
    from bgconsole.domain.metrics import Metrics
    from bgconsole.domain.secrets import SecretChange
    from bgconsole.domain.services import Service


@dataclass(frozen=True, slots=True)
class Nothing:
    """AWS answered, and there is nothing; `why` in words."""

    why: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """Another source must answer first."""


MOST_ALARMS = 5
"""Alarms whose history is read: those of the newest deployments, a call each."""
Ask = Callable[[Gateway, Snapshot], Any]


def ask(source: Source, gateway: Gateway, snapshot: Snapshot) -> Any:
    """The value of one source now, `Nothing`, or `NotYet`.

    Raises:
        GatewayError: the poll failed; a bug of ours fails the one source that met it.
    """
    try:
        return _ASK[source](gateway, snapshot)
    except BgconsoleError:
        raise
    except Exception as bug:
        told = f"{type(bug).__name__}: {bug}"
        raise GatewayError("A bug of bgconsole", mask(told), "The rest goes on") from bug


def waves(sources: Iterable[Source]) -> tuple[tuple[Source, ...], ...]:
    """Some sources in the order in which they can be asked; those of one wave side by side."""
    listed = tuple(sources)
    depths = {source: _depth(source) for source in listed}
    return tuple(
        tuple(source for source in listed if depths[source] == depth)
        for depth in sorted(set(depths.values()))
    )


def _depth(source: Source) -> int:
    feeding = [feeder for feeder, fed in FEEDS.items() if source in fed]
    return 1 + max(map(_depth, feeding)) if feeding else 0


FEEDS: Mapping[Source, tuple[Source, ...]] = MappingProxyType(
    {
        "service": ("targets", "codedeploy"),
        "deployments": ("activity",),
        "tasks": ("images", "secrets"),
        "targets": ("metrics",),
    }
)
"""Which sources wait for which."""


def _identity(gateway: Gateway, snapshot: Snapshot) -> Any:
    del snapshot
    return gateway.identities.whoami()


def _service(gateway: Gateway, snapshot: Snapshot) -> Service | Nothing:
    try:
        return gateway.services.describe(snapshot.ref)
    except NotThere as error:
        return Nothing(str(error))


def _deployments(gateway: Gateway, snapshot: Snapshot) -> Deployments | Nothing:
    try:
        history = gateway.services.service_deployments(snapshot.ref)
    except NotThere as error:
        return Nothing(str(error))
    named = {d.target.arn: None for d in history}
    named.update({source.arn: None for d in history for source in d.sources})
    revisions = gateway.services.revisions([arn for arn in named if arn])
    read = Deployments(history, MappingProxyType({r.arn: r for r in revisions}))
    seen = snapshot.deployments.value
    before = (seen.current, seen.stage_since) if seen else (None, None)
    return replace(read, stage_since=stage_began(before, read.current))


def _tasks(gateway: Gateway, snapshot: Snapshot) -> Tasks | Nothing:
    try:
        tasks = gateway.services.tasks(snapshot.ref)
    except NotThere as error:
        return Nothing(str(error))
    arns = dict.fromkeys(task.task_definition for task in tasks)
    if snapshot.service.value:
        arns[snapshot.service.value.task_definition] = None
    definitions = {arn: gateway.services.task_definition(arn) for arn in arns}
    return Tasks(tasks, MappingProxyType(definitions))


def _targets(gateway: Gateway, snapshot: Snapshot) -> Any:
    service = snapshot.service.value
    if service is None:
        return Nothing(snapshot.service.absent) if snapshot.service.absent else NotYet()
    if not service.load_balancing:
        return Nothing("the service has no load balancer")
    return gateway.targets.balancing(service)


def _codedeploy(gateway: Gateway, snapshot: Snapshot) -> CodeDeployment | Nothing | NotYet:
    service = snapshot.service.value
    if service is None:
        return Nothing(snapshot.service.absent) if snapshot.service.absent else NotYet()
    if not service.by_codedeploy:
        return Nothing("CodeDeploy does not deploy this service")
    from bgconsole.domain.codedeploy import newest_id

    newest = newest_id(service)
    if not newest:
        return Nothing("no task set of the service names a CodeDeploy deployment")
    return gateway.codedeploy.deployment(newest)


def _stacks(gateway: Gateway, snapshot: Snapshot) -> Any:
    del snapshot
    return gateway.stacks.stacks() or Nothing("no stacks in this region")


def _images(gateway: Gateway, snapshot: Snapshot) -> tuple[Image, ...] | Nothing | NotYet:
    tasks = snapshot.tasks.value
    if tasks is None:
        return NotYet()
    from bgconsole.domain.join import main_container

    container = main_container(snapshot.service.value)
    repositories = {
        reference.repository: None
        for definition in tasks.definitions.values()
        for written in definition.containers
        if not container or written.name == container
        for reference in [ImageReference.parse(written.image)]
        if in_ecr(reference)
    }
    if not repositories:
        return Nothing("the images are not in ECR")
    try:
        return tuple(image for name in repositories for image in gateway.images.images(name))
    except NotThere as error:
        return Nothing(str(error))


def _secrets(gateway: Gateway, snapshot: Snapshot) -> tuple[SecretChange, ...] | Nothing | NotYet:
    tasks = snapshot.tasks.value
    if tasks is None:
        return NotYet()
    references = {
        reference: None
        for definition in tasks.definitions.values()
        for container in definition.containers
        for reference in container.secrets
    }
    if not references:
        return Nothing("the task definitions name no secrets")
    try:
        return gateway.secrets.changes(tuple(references))
    except (NotThere, Rejected) as error:
        return Nothing(str(error))


def _activity(gateway: Gateway, snapshot: Snapshot) -> Activity | Nothing | NotYet:
    if snapshot.deployments.waiting:
        return NotYet()
    known = snapshot.deployments.value
    alarms = dict.fromkeys(
        name
        for deployment in (known.history if known else ())
        for name in (deployment.alarms.names if deployment.alarms else ())
    )
    try:
        return gateway.activity.recent(snapshot.ref, tuple(alarms)[:MOST_ALARMS])
    except (NotThere, Rejected) as error:
        return Nothing(str(error))


def _metrics(gateway: Gateway, snapshot: Snapshot) -> Metrics | Nothing | NotYet:
    targets = snapshot.targets
    if targets.waiting:
        return NotYet()
    groups = targets.value.groups if targets.value else ()
    now = targets.fetched_at
    if now is None:
        return NotYet()
    try:
        return gateway.metrics.read(snapshot.ref, groups, _running(snapshot), now)
    except Rejected as error:
        return Nothing(str(error))


def _running(snapshot: Snapshot) -> Mapping[str, tuple[str, ...]]:
    from bgconsole.domain.join import sides

    both = sides(snapshot)
    return {
        view.side.value: tuple(row.id for row in view.rows)
        for view in (both.old, both.new)
        if view and view.rows
    }


def in_ecr(reference: ImageReference) -> bool:
    """Whether a registry may be ECR: its own names, and a loopback one (an emulated account's)."""
    host = reference.registry.partition(":")[0]
    return ".dkr.ecr" in host or host in ("127.0.0.1", "localhost")


_ASK: Mapping[Source, Ask] = MappingProxyType(
    {
        "identity": _identity,
        "service": _service,
        "deployments": _deployments,
        "tasks": _tasks,
        "targets": _targets,
        "stacks": _stacks,
        "images": _images,
        "secrets": _secrets,
        "metrics": _metrics,
        "activity": _activity,
        "codedeploy": _codedeploy,
    }
)
SOURCES: tuple[Source, ...] = tuple(_ASK)
DECIDING: tuple[Source, ...] = tuple(source for source in SOURCES if source != "activity")
"""What a verdict or a plan rests on; the rest is for who reads the timeline."""
