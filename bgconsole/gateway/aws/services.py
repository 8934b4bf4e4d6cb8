"""ECS, read: lists paged to the end, what cannot change any more kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from typing import Any

from bgconsole.domain.errors import NotThere
from bgconsole.domain.services import (
    Bounds,
    Service,
    ServiceDeployment,
    ServiceRef,
    ServiceRevision,
    Task,
    TaskDefinition,
    short_name,
)
from bgconsole.gateway.aws import ecs_values
from bgconsole.gateway.aws.abreast import abreast
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import LONG_AGO, chunked
from bgconsole.gateway.definition_document import masked_document

ENDED = frozenset({"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"})
"""Service deployments with these statuses do not change any more."""
SERVICES_A_CALL = 10
AT_ONCE = 4
"""Calls under way for one list of services: sixty are there in two rounds."""
TASKS_A_CALL = 100
DEPLOYMENTS_A_CALL = 20
"""DescribeServiceDeployments and DescribeServiceRevisions take no more."""
DEFINITION_KEPT = 300.0
"""Seconds: a task definition never changes but for ACTIVE, which a roll back asks anew."""


@dataclass(slots=True)
class AwsServices:
    """The `Services` port."""

    clients: Clients
    clock: Callable[[], float] = time.monotonic
    mark_key: bytes = field(default_factory=lambda: token_bytes(16), repr=False)
    """Marks masked values so that equal ones are seen to be equal; known to nobody else."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: dict[str, ServiceDeployment] = field(default_factory=dict)
    _revisions: dict[str, ServiceRevision] = field(default_factory=dict)
    _stopped: dict[ServiceRef, dict[str, Task]] = field(default_factory=dict)
    _definitions: dict[str, tuple[float, TaskDefinition]] = field(default_factory=dict)

    def clusters(self) -> tuple[str, ...]:
        """ListClusters."""
        with self.clients.reading("ecs:ListClusters"):
            pages = self.clients.client("ecs").get_paginator("list_clusters").paginate()
            return tuple(sorted(short_name(arn) for page in pages for arn in page["clusterArns"]))

    def services(self, cluster: str) -> tuple[ServiceRef, ...]:
        """ListServices."""
        with self.clients.reading("ecs:ListServices", f"cluster {cluster}"):
            pages = (
                self.clients.client("ecs")
                .get_paginator("list_services")
                .paginate(cluster=cluster, PaginationConfig={"PageSize": 100})
            )
            names = sorted(short_name(arn) for page in pages for arn in page["serviceArns"])
        return tuple(ServiceRef(cluster, name) for name in names)

    def describe(self, ref: ServiceRef) -> Service:
        """DescribeServices, with tags."""
        with self.clients.reading("ecs:DescribeServices", _service_words(ref)):
            answer = self.clients.client("ecs").describe_services(
                cluster=ref.cluster, services=[ref.name], include=["TAGS"]
            )
        found = [raw for raw in answer.get("services", ()) if raw.get("status") != "INACTIVE"]
        if not found:
            gone = " (it was deleted)" if answer.get("services") else ""
            raise NotThere(
                "No such service",
                f"{ref.name} in cluster {ref.cluster}{gone}",
                f"Looked in {self.clients.region} as {self.clients.caller.whom}",
            )
        return ecs_values.service(ref, found[0])

    def describe_all(self, cluster: str, names: Sequence[str] | None = None) -> tuple[Service, ...]:
        """ListServices where no names are given, then DescribeServices, with tags."""
        wanted = names if names is not None else [ref.name for ref in self.services(cluster)]
        pieces = tuple(chunked(sorted(set(wanted)), SERVICES_A_CALL))

        def describe(some: Sequence[str]) -> tuple[Service, ...]:
            answer = self.clients.client("ecs").describe_services(
                cluster=cluster, services=list(some), include=["TAGS"]
            )
            return tuple(
                ecs_values.service(ServiceRef(cluster, raw.get("serviceName", "")), raw)
                for raw in answer.get("services", ())
                if raw.get("status") != "INACTIVE"
            )

        with self.clients.reading("ecs:DescribeServices", f"the services of cluster {cluster}"):
            found = abreast(describe, pieces, AT_ONCE)
        return tuple(sorted((one for some in found for one in some), key=lambda one: one.ref))

    def deployments(self, arns: Sequence[str]) -> tuple[ServiceDeployment, ...]:
        """DescribeServiceDeployments for those that still move or were not read yet."""
        known = self._deployments(tuple(dict.fromkeys(arns)), "the services' deployments")
        return tuple(known[arn] for arn in dict.fromkeys(arns) if arn in known)

    def service_deployments(
        self, ref: ServiceRef, since: datetime | None = None
    ) -> tuple[ServiceDeployment, ...]:
        """ListServiceDeployments, then DescribeServiceDeployments for those that still move."""
        with self.clients.reading("ecs:ListServiceDeployments", _service_words(ref)):
            arns = self._deployment_arns(ref, since)
        known = self._deployments(arns, _service_words(ref))
        newest_first = sorted(known.values(), key=lambda sd: sd.created_at, reverse=True)
        return tuple(sd for sd in newest_first if since is None or sd.created_at > since)

    def _deployments(self, arns: Sequence[str], subject: str) -> dict[str, ServiceDeployment]:
        """By ARN; what has ended is asked for once."""
        with self._lock:
            known = {arn: self._ended[arn] for arn in arns if arn in self._ended}
        wanted = [arn for arn in arns if arn not in known]
        with self.clients.reading("ecs:DescribeServiceDeployments", subject):
            for some in chunked(wanted, DEPLOYMENTS_A_CALL):
                answer = self.clients.client("ecs").describe_service_deployments(
                    serviceDeploymentArns=list(some)
                )
                for raw in answer.get("serviceDeployments", ()):
                    found = ecs_values.service_deployment(raw)
                    known[found.arn] = found
        with self._lock:
            self._ended.update({a: sd for a, sd in known.items() if sd.status in ENDED})
        return known

    def revisions(self, arns: Sequence[str]) -> tuple[ServiceRevision, ...]:
        """DescribeServiceRevisions, each once that all its digests are known."""
        wanted = tuple(dict.fromkeys(arns))
        with self._lock:
            missing = [arn for arn in wanted if not _complete(self._revisions.get(arn))]
        with self.clients.reading("ecs:DescribeServiceRevisions", "the service's revisions"):
            for some in chunked(missing, DEPLOYMENTS_A_CALL):
                answer = self.clients.client("ecs").describe_service_revisions(
                    serviceRevisionArns=list(some)
                )
                found = map(ecs_values.service_revision, answer.get("serviceRevisions", ()))
                with self._lock:
                    self._revisions.update({revision.arn: revision for revision in found})
        with self._lock:
            return tuple(self._revisions[arn] for arn in wanted if arn in self._revisions)

    def tasks(self, ref: ServiceRef) -> tuple[Task, ...]:
        """ListTasks of this service by either desired status, then DescribeTasks."""
        with self.clients.reading("ecs:ListTasks", _service_words(ref)):
            arns = [*self._task_arns(ref, "RUNNING"), *self._task_arns(ref, "STOPPED")]
        arns = list(dict.fromkeys(arns))  # a task may move from one list to the other in between
        with self._lock:
            kept = self._stopped.get(ref, {})
        known = {arn: kept[arn] for arn in arns if arn in kept}
        wanted = [arn for arn in arns if arn not in known]
        with self.clients.reading("ecs:DescribeTasks", _service_words(ref)):
            for some in chunked(wanted, TASKS_A_CALL):
                answer = self.clients.client("ecs").describe_tasks(
                    cluster=ref.cluster, tasks=list(some)
                )
                for raw in answer.get("tasks", ()):
                    found = ecs_values.task(raw)
                    known[found.arn] = found
        with self._lock:
            self._stopped[ref] = {arn: task for arn, task in known.items() if task.stopped}
        return tuple(known[arn] for arn in arns if arn in known)

    def autoscaling(self, ref: ServiceRef) -> Bounds | None:
        """DescribeScalableTargets of the service's desired count."""
        with self.clients.reading(
            "application-autoscaling:DescribeScalableTargets", _service_words(ref)
        ):
            answer: Mapping[str, Any] = self.clients.client(
                "application-autoscaling"
            ).describe_scalable_targets(
                ServiceNamespace="ecs",
                ResourceIds=[f"service/{ref.cluster}/{ref.name}"],
                ScalableDimension="ecs:service:DesiredCount",
            )
        found: Mapping[str, Any] | None = next(iter(answer.get("ScalableTargets", ())), None)
        if found is None:
            return None
        state = found.get("SuspendedState") or {}
        suspended = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended")
        return Bounds(
            found.get("MinCapacity", 0),
            found.get("MaxCapacity", 0),
            all(state.get(name) for name in suspended),
        )

    def task(self, cluster: str, arn: str) -> Task:
        """DescribeTasks of one."""
        words = f"task {short_name(arn)} in cluster {cluster}"
        with self.clients.reading("ecs:DescribeTasks", words):
            answer = self.clients.client("ecs").describe_tasks(cluster=cluster, tasks=[arn])
        found = answer.get("tasks", ())
        if not found:
            raise NotThere("No such task", f"{words}: ECS forgets a stopped task after an hour")
        return ecs_values.task(found[0])

    def runs(self, cluster: str, family: str) -> tuple[Task, ...]:
        """ListTasks of the family by either desired status, then DescribeTasks."""
        words = f"tasks of {family} in cluster {cluster}"
        found: dict[str, Task] = {}
        with self.clients.reading("ecs:ListTasks", words):
            arns = [
                arn
                for desired in ("RUNNING", "STOPPED")
                for arn in self._list_tasks(cluster, {"family": family, "desiredStatus": desired})
            ]
        with self.clients.reading("ecs:DescribeTasks", words):
            for some in chunked(list(dict.fromkeys(arns)), TASKS_A_CALL):
                answer = self.clients.client("ecs").describe_tasks(
                    cluster=cluster, tasks=list(some)
                )
                found.update({raw["taskArn"]: ecs_values.task(raw) for raw in answer["tasks"]})
        ours = [task for task in found.values() if not task.group.startswith("service:")]
        return tuple(sorted(ours, key=lambda task: task.created_at or LONG_AGO, reverse=True))

    def task_definition(self, arn: str, *, anew: bool = False) -> TaskDefinition:
        """DescribeTaskDefinition; kept where the name is that of one revision."""
        with self._lock:
            until, kept = self._definitions.get(arn, (0.0, None))
        if kept is not None and self.clock() < until and not anew:
            return kept
        with self.clients.reading("ecs:DescribeTaskDefinition", f"task definition {arn}"):
            answer = self.clients.client("ecs").describe_task_definition(taskDefinition=arn)
        found = ecs_values.task_definition(answer.get("taskDefinition", {}))
        if found.status == "ACTIVE" and arn in (found.arn, found.name):
            with self._lock:
                self._definitions[arn] = (self.clock() + DEFINITION_KEPT, found)
        return found

    def definition_document(self, arn: str) -> Mapping[str, object]:
        """DescribeTaskDefinition, masked."""
        with self.clients.reading("ecs:DescribeTaskDefinition", f"task definition {arn}"):
            answer = self.clients.client("ecs").describe_task_definition(taskDefinition=arn)
        return masked_document(answer.get("taskDefinition", {}), self.mark_key)

    def _deployment_arns(self, ref: ServiceRef, since: datetime | None) -> list[str]:
        arns: list[str] = []
        request: dict[str, Any] = {"cluster": ref.cluster, "service": ref.name, "maxResults": 100}
        if since is not None:
            request["createdAt"] = {"after": since}
        while True:  # botocore has no paginator for it
            answer = self.clients.client("ecs").list_service_deployments(**request)
            arns += [
                brief["serviceDeploymentArn"] for brief in answer.get("serviceDeployments", ())
            ]
            token = answer.get("nextToken")
            if not token:
                return arns
            request["nextToken"] = token

    def _task_arns(self, ref: ServiceRef, desired: str) -> list[str]:
        return self._list_tasks(ref.cluster, {"serviceName": ref.name, "desiredStatus": desired})

    def _list_tasks(self, cluster: str, which: Mapping[str, Any]) -> list[str]:
        paginator = self.clients.client("ecs").get_paginator("list_tasks")
        pages = paginator.paginate(cluster=cluster, **which)
        return [arn for page in pages for arn in page["taskArns"]]


def _complete(revision: ServiceRevision | None) -> bool:
    """Whether a revision says all that it ever will.

    ECS resolves an image's digest only when the first task starts; where it never does (a registry
    that tells none), an hour is enough to ask again.
    """
    if revision is None:
        return False
    resolved = bool(revision.images) and all(image.digest for image in revision.images)
    return resolved or datetime.now(UTC) - revision.created_at > timedelta(hours=1)


def _service_words(ref: ServiceRef) -> str:
    return f"service {ref.name} in cluster {ref.cluster}"
