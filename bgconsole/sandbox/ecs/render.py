"""Records as the API shows them."""

from __future__ import annotations

from typing import Any

from ..api import Response
from .births import override_of
from .container_health import task_health
from .render_deployments import (
    PLATFORM_FAMILY,
    PLATFORM_VERSION,
    deployment,
    revision_counts,
    task_set,
)
from .state import (
    Cluster,
    ContainerState,
    Service,
    Task,
    TaskDefinition,
)


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags as key/value members."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def tag_dict(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """Key/value members as a dictionary."""
    return {tag["key"]: tag.get("value", "") for tag in tags or []}


def cluster(record: Cluster, *, tags: bool, settings: bool) -> Response:
    """A cluster with its counts."""
    tasks = record.all_tasks()
    return {
        "clusterArn": record.arn,
        "clusterName": record.name,
        "status": record.status,
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": sum(t.running for t in tasks),
        "pendingTasksCount": sum(t.pending for t in tasks),
        "activeServicesCount": sum(s.status == "ACTIVE" for s in record.services.values()),
        "statistics": [],
        "tags": tag_list(record.tags) if tags else [],
        "settings": record.settings.get("settings", []) if settings else [],
        "capacityProviders": record.settings.get("capacityProviders", []),
        "defaultCapacityProviderStrategy": record.settings.get(
            "defaultCapacityProviderStrategy", []
        ),
    }


def task_definition(record: TaskDefinition, caller: str) -> Response:
    """A task definition as it was registered, with AWS's additions."""
    shown = {key: value for key, value in record.request.items() if key != "tags"}
    return {
        **shown,
        "taskDefinitionArn": record.arn,
        "revision": record.revision,
        "volumes": record.request.get("volumes", []),
        "status": record.status,
        "placementConstraints": record.request.get("placementConstraints", []),
        "compatibilities": ["EC2", "FARGATE"],
        "registeredAt": record.registered_at,
        "registeredBy": caller,
        "deregisteredAt": record.deregistered_at,
        "containerDefinitions": [_container_definition(c) for c in record.containers],
    }


def service(record: Service, *, tags: bool, caller: str) -> Response:
    """A service with deployments and events, newest first."""
    current = record.history[0].arn if record.history else None
    if record.by_code_deploy:
        sets = [task_set(record, one) for one in record.deployments]
        parts: dict[str, Any] = {"taskSets": sets, "deployments": []}
    else:
        parts = {
            "deployments": [deployment(record, one) for one in record.deployments],
            "currentServiceDeployment": current,
            "currentServiceRevisions": [
                revision_counts(record, one.revision) for one in record.deployments
            ],
        }
    return {
        **record.settings,
        **parts,
        "serviceArn": record.arn,
        "serviceName": record.name,
        "clusterArn": record.cluster.arn,
        "status": record.status,
        "desiredCount": record.desired,
        "runningCount": sum(task.running for task in record.tasks),
        "pendingCount": sum(task.pending for task in record.tasks),
        "events": [
            {"id": event.id, "createdAt": event.at, "message": event.message}
            for event in record.events
        ],
        "createdAt": record.created_at,
        "createdBy": caller,
        "tags": tag_list(record.tags) if tags else None,
    }


def task(record: Task, *, tags: bool) -> Response:
    """A task with its containers and its network interface."""
    definition = record.revision.task_definition
    shown = record.tags
    if record.service and record.service.settings.get("propagateTags") == "SERVICE":
        shown = record.service.tags
    return {
        "attachments": [_interface(record)],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "availabilityZone": record.zone,
        "clusterArn": record.cluster.arn,
        "connectivity": "CONNECTED" if record.connectivity_at else None,
        "connectivityAt": record.connectivity_at,
        "containers": [_container(record, one) for one in record.containers],
        "cpu": definition.request.get("cpu"),
        "createdAt": record.created_at,
        "desiredStatus": record.desired_status,
        "enableExecuteCommand": record.exec_enabled,
        "executionStoppedAt": record.execution_stopped_at,
        "group": record.group,
        "healthStatus": task_health(record),
        "lastStatus": record.last_status,
        "launchType": record.revision.settings["launchType"],
        "memory": definition.request.get("memory"),
        "overrides": {
            "inferenceAcceleratorOverrides": [],
            **record.overrides,
            "containerOverrides": [
                {**override_of(record, one.name), "name": one.name} for one in record.containers
            ],
        },
        "platformVersion": PLATFORM_VERSION,
        "platformFamily": PLATFORM_FAMILY,
        "pullStartedAt": record.pull_started_at,
        "pullStoppedAt": record.pull_stopped_at,
        "startedAt": record.started_at,
        "startedBy": record.started_by,
        "stopCode": record.stop_code,
        "stoppedAt": record.stopped_at,
        "stoppedReason": record.stopped_reason,
        "stoppingAt": record.stopping_at,
        "tags": tag_list(shown) if tags else [],
        "taskArn": record.arn,
        "taskDefinitionArn": definition.arn,
        "version": record.version,
        "ephemeralStorage": {"sizeInGiB": 20},
    }


def _container_definition(definition: dict[str, Any]) -> Response:
    return {
        "cpu": 0,
        "portMappings": [],
        "essential": True,
        "environment": [],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
        **definition,
    }


def _interface(record: Task) -> Response:
    waiting = record.last_status == "PROVISIONING"
    gone = record.last_status == "STOPPED"
    status = "PRECREATED" if waiting else "DELETED" if gone else "ATTACHED"
    return {
        "id": record.attachment,
        "type": "ElasticNetworkInterface",
        "status": status,
        "details": [
            {"name": "subnetId", "value": record.subnet},
            {"name": "networkInterfaceId", "value": record.interface},
            {"name": "macAddress", "value": record.mac},
            {
                "name": "privateDnsName",
                "value": f"ip-{record.address.replace('.', '-')}.ec2.internal",
            },
            {"name": "privateIPv4Address", "value": record.address},
        ],
    }


def _container(owner: Task, record: ContainerState) -> Response:
    started = record.digest is not None
    return {
        "containerArn": owner.arn.replace(":task/", ":container/") + f"/{record.name}",
        "taskArn": owner.arn,
        "name": record.name,
        "image": record.image,
        "imageDigest": record.digest,
        "runtimeId": record.runtime_id if started else None,
        "lastStatus": record.status,
        "exitCode": record.exit_code,
        "reason": record.reason,
        "networkBindings": [],
        "networkInterfaces": [
            {"attachmentId": owner.attachment, "privateIpv4Address": owner.address}
        ]
        if owner.connectivity_at
        else [],
        "healthStatus": record.health,
        "managedAgents": None,
        "cpu": "0",
    }
