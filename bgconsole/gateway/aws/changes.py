"""ECS, written: one request a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bgconsole.domain.errors import Rejected
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import accepted, request_id
from bgconsole.gateway.port import Submitted


@dataclass(frozen=True, slots=True)
class AwsChanges:
    """The `ServiceChanges` port."""

    clients: Clients

    def update(
        self, ref: ServiceRef, *, task_definition: str = "", force: bool = False
    ) -> Submitted:
        """UpdateService. It has no client token: after a lost answer it is not sent again."""
        request: dict[str, Any] = {"cluster": ref.cluster, "service": ref.name}
        if task_definition:
            request["taskDefinition"] = task_definition
        if force:
            request["forceNewDeployment"] = True
        answer: Mapping[str, Any] = self.clients.writing(
            "ecs:UpdateService",
            f"service {ref.name} in cluster {ref.cluster}",
            lambda: self.clients.client("ecs", write=True).update_service(**request),
        )
        deployments = answer.get("service", {}).get("deployments", ())
        primary: Mapping[str, Any] = next(
            (d for d in deployments if d.get("status") == "PRIMARY"), {}
        )
        return Submitted(request_id(answer), deployment=str(primary.get("id", "")))

    def stop_deployment(self, service_deployment: str) -> Submitted:
        """StopServiceDeployment(ROLLBACK)."""
        answer = self.clients.writing(
            "ecs:StopServiceDeployment",
            f"service deployment {service_deployment}",
            lambda: self.clients.client("ecs", write=True).stop_service_deployment(
                serviceDeploymentArn=service_deployment, stopType="ROLLBACK"
            ),
        )
        return Submitted(
            request_id(answer), deployment=answer.get("serviceDeploymentArn", service_deployment)
        )

    def run_task(
        self,
        ref: ServiceRef,
        *,
        task_definition: str,
        container: str,
        command: Sequence[str],
        started_by: str,
        token: str,
    ) -> Submitted:
        """DescribeServices for its network, then RunTask.

        Raises:
            Rejected: ECS placed no task, and says why.
        """
        words = f"service {ref.name} in cluster {ref.cluster}"
        with self.clients.reading("ecs:DescribeServices", words):
            described: Mapping[str, Any] = self.clients.client("ecs").describe_services(
                cluster=ref.cluster, services=[ref.name]
            )
        request = {
            **placement(next(iter(described.get("services", ())), {})),
            "cluster": ref.cluster,
            "taskDefinition": task_definition,
            "overrides": {"containerOverrides": [{"name": container, "command": list(command)}]},
            "count": 1,
            "startedBy": started_by,
            "clientToken": token,
        }
        answer: Mapping[str, Any] = self.clients.writing(
            "ecs:RunTask",
            f"task definition {task_definition} in cluster {ref.cluster}",
            lambda: self.clients.client("ecs", write=True).run_task(**request),
        )
        sent = request_id(answer)
        if not answer.get("tasks"):
            raise Rejected("ECS placed no task", _why(answer), request_id=sent)
        return Submitted(sent, created=str(answer["tasks"][0].get("taskArn", "")))

    def answer_hook(self, service_deployment: str, hook: str, *, go_on: bool) -> Submitted:
        """ContinueServiceDeployment. A hook that was answered takes no second answer."""
        answer = self.clients.writing(
            "ecs:ContinueServiceDeployment",
            f"hook {hook} of service deployment {service_deployment}",
            lambda: self.clients.client("ecs", write=True).continue_service_deployment(
                serviceDeploymentArn=service_deployment,
                hookId=hook,
                action="CONTINUE" if go_on else "ROLLBACK",
            ),
        )
        return Submitted(
            request_id(answer), deployment=answer.get("serviceDeploymentArn", service_deployment)
        )

    def scale(self, ref: ServiceRef, count: int) -> Submitted:
        """UpdateService of the desired count alone."""
        answer = self.clients.writing(
            "ecs:UpdateService",
            f"service {ref.name} in cluster {ref.cluster}",
            lambda: self.clients.client("ecs", write=True).update_service(
                cluster=ref.cluster, service=ref.name, desiredCount=count
            ),
        )
        return Submitted(request_id(answer))

    def stop_task(self, cluster: str, task: str, reason: str) -> Submitted:
        """StopTask."""
        answer = self.clients.writing(
            "ecs:StopTask",
            f"task {task} in cluster {cluster}",
            lambda: self.clients.client("ecs", write=True).stop_task(
                cluster=cluster, task=task, reason=reason
            ),
        )
        return Submitted(request_id(answer))

    def register_pinned(
        self,
        task_definition: str,
        images: Mapping[str, str],
        *,
        cpu: str = "",
        memory: str = "",
    ) -> Submitted:
        """DescribeTaskDefinition, then RegisterTaskDefinition of the same with other images.

        Raises:
            Rejected: the task definition has no container of a given name.
        """
        words = f"task definition {task_definition}"
        with self.clients.reading("ecs:DescribeTaskDefinition", words):
            client = self.clients.client("ecs")
            described: Mapping[str, Any] = client.describe_task_definition(
                taskDefinition=task_definition, include=["TAGS"]
            )
            known = accepted(client, "RegisterTaskDefinition")
        size = {"cpu": cpu, "memory": memory}
        request = {
            **registration(described, known, images),
            **{name: value for name, value in size.items() if value},
        }
        answer: Mapping[str, Any] = self.clients.writing(
            "ecs:RegisterTaskDefinition",
            f"a copy of {words}",
            lambda: self.clients.client("ecs", write=True).register_task_definition(**request),
        )
        made = answer.get("taskDefinition", {}).get("taskDefinitionArn", "")
        return Submitted(request_id(answer), created=made)


def placement(service: Mapping[str, Any]) -> dict[str, Any]:
    """Where a task must run to reach what a described service reaches, as RunTask takes it.

    A capacity provider strategy stands in place of a launch type, never beside it.
    """
    names = ["networkConfiguration", "platformVersion"]
    names.append(
        "capacityProviderStrategy" if service.get("capacityProviderStrategy") else "launchType"
    )
    return {name: service[name] for name in names if service.get(name)}


def _why(answer: Mapping[str, Any]) -> str:
    """`RESOURCE:ENI (…)`: the failures of a RunTask that started nothing."""
    told = [
        f"{failure.get('reason', 'no reason')}"
        + (f" ({failure['detail']})" if failure.get("detail") else "")
        for failure in answer.get("failures", ())
    ]
    return "; ".join(told) or "and it does not say why"


def registration(
    described: Mapping[str, Any], known: frozenset[str], images: Mapping[str, str]
) -> dict[str, Any]:
    """The request that registers a described task definition again with some images replaced.

    Members that only AWS writes (status, revision …) are those that a registration does not know;
    every other one is kept. Tags under `aws:` are AWS's own and cannot be given.

    Raises:
        Rejected: the task definition has no container of a given name.
    """
    old: Mapping[str, Any] = described["taskDefinition"]
    names = {container["name"] for container in old["containerDefinitions"]}
    if strangers := sorted(set(images) - names):
        raise Rejected(
            "No such container",
            f"{', '.join(strangers)} in {old.get('family')}:{old.get('revision')}",
            f"It has {', '.join(sorted(names))}",
        )
    request = {name: value for name, value in old.items() if name in known}
    request["containerDefinitions"] = [
        {**container, "image": images.get(container["name"], container["image"])}
        for container in old["containerDefinitions"]
    ]
    tags = [tag for tag in described.get("tags", ()) if not tag["key"].startswith("aws:")]
    if tags:
        request["tags"] = tags
    return request
