"""A new task: its ids, its place in a subnet, its containers; and what the runtime is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..clock import Clock
from ..names import Names
from ..runtime.port import Address, ContainerSpec, ImageInfo
from .state import Cluster, ContainerState, Deployment, Revision, Service, Task

DEFAULT_STOP_TIMEOUT = 30.0
"""Seconds between SIGTERM and SIGKILL unless the container definition says otherwise."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What RunTask starts."""

    revision: Revision
    """Of no service: it carries the task definition, the network and the digests."""
    group: str
    started_by: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    exec_enabled: bool = False


class Births:
    """Makes tasks; spreads them over the subnets and gives each an address of its own."""

    def __init__(self, clock: Clock, names: Names) -> None:
        self._clock = clock
        self._names = names
        self._hosts = 10

    def of_service(self, service: Service, deployment: Deployment) -> Task:
        """A task of one deployment of a service."""
        live = [task for task in service.tasks_of(deployment) if task.live]
        task = self._task(service.cluster, deployment.revision, live)
        task.service, task.deployment = service, deployment
        task.group, task.started_by = f"service:{service.name}", deployment.id
        task.exec_enabled = bool(service.settings.get("enableExecuteCommand"))
        return task

    def standalone(self, cluster: Cluster, launch: Launch) -> Task:
        """A task that no service looks after."""
        live = [t for t in cluster.standalone if t.live and t.group == launch.group]
        task = self._task(cluster, launch.revision, live)
        task.group, task.started_by = launch.group, launch.started_by
        task.overrides, task.tags = dict(launch.overrides), dict(launch.tags)
        task.exec_enabled = launch.exec_enabled
        return task

    def _task(self, cluster: Cluster, revision: Revision, live: list[Task]) -> Task:
        task_id = self._names.hex(32)
        subnets = _subnets(revision)
        index = min(
            range(len(subnets)), key=lambda i: sum(task.subnet == subnets[i] for task in live)
        )
        self._hosts += 1
        block, host = divmod(self._hosts, 240)
        address = f"10.{block // 31}.{index + block % 31 * 8}.{host + 10}"
        return Task(
            id=task_id,
            arn=self._names.ecs(f"task/{cluster.name}/{task_id}"),
            cluster=cluster,
            revision=revision,
            zone=f"{self._names.region}{'abcdef'[index % 6]}",
            subnet=subnets[index],
            address=address,
            mac=self._names.mac_address(),
            interface=f"eni-{self._names.hex(17)}",
            attachment=self._names.hex(32),
            created_at=self._clock.now(),
            containers=[
                ContainerState(
                    definition["name"],
                    definition["image"],
                    f"{task_id}-{self._names.rng.randrange(10**9, 10**10)}",
                    bool(definition.get("essential", True)),
                )
                for definition in revision.task_definition.containers
            ],
        )


def container_spec(task: Task, definition: dict[str, Any], info: ImageInfo) -> ContainerSpec:
    """What the runtime starts: image, task definition and overrides, the later over the earlier."""
    override = override_of(task, definition["name"])
    environment = dict(info.environment)
    for pair in [*definition.get("environment", []), *override.get("environment", [])]:
        environment[pair["name"]] = pair.get("value", "")
    ports = definition.get("portMappings") or []
    address: Address | None = (task.address, int(ports[0]["containerPort"])) if ports else None
    command = override.get("command") or definition.get("command") or []
    return ContainerSpec(
        task_id=task.id,
        name=definition["name"],
        image=definition["image"],
        info=info,
        environment=environment,
        address=address,
        stop_timeout=float(definition.get("stopTimeout") or DEFAULT_STOP_TIMEOUT),
        entry_point=tuple(definition.get("entryPoint") or ()),
        command=tuple(command),
        secrets={each["name"]: each["valueFrom"] for each in definition.get("secrets") or ()},
        memory=_memory(task, definition),
    )


def _memory(task: Task, definition: dict[str, Any]) -> int | None:
    """MiB that the container may use: its own limit, else the task's."""
    limit = definition.get("memory") or task.revision.task_definition.request.get("memory")
    return int(limit) if limit else None


def override_of(task: Task, container: str) -> dict[str, Any]:
    """The overrides of one container, empty when there are none."""
    given = task.overrides.get("containerOverrides") or []
    found: dict[str, Any] = next((one for one in given if one.get("name") == container), {})
    return found


def _subnets(revision: Revision) -> list[str]:
    network = revision.settings.get("networkConfiguration") or {}
    subnets: list[str] = (network.get("awsvpcConfiguration") or {}).get("subnets") or []
    return subnets or ["subnet-0a", "subnet-0b"]
