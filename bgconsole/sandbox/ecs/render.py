"""Records as the API shows them."""

from __future__ import annotations

from typing import Any

from ..api import Response
from .batches import breaker_threshold
from .births import override_of
from .container_health import task_health
from .counts import counts_of
from .stages import Hook
from .state import (
    Cluster,
    ContainerState,
    Deployment,
    Revision,
    Service,
    ServiceDeployment,
    Task,
    TaskDefinition,
)

PLATFORM_VERSION = "1.4.0"
PLATFORM_FAMILY = "Linux"


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
        sets = [_task_set(record, one) for one in record.deployments]
        parts: dict[str, Any] = {"taskSets": sets, "deployments": []}
    else:
        parts = {
            "deployments": [_deployment(record, one) for one in record.deployments],
            "currentServiceDeployment": current,
            "currentServiceRevisions": [
                _revision_counts(record, one.revision) for one in record.deployments
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


def service_deployment_brief(record: ServiceDeployment) -> Response:
    """A service deployment as ListServiceDeployments shows it."""
    return {
        "serviceDeploymentArn": record.arn,
        "serviceArn": record.service.arn,
        "clusterArn": record.service.cluster.arn,
        "startedAt": record.started_at,
        "createdAt": record.created_at,
        "finishedAt": record.finished_at,
        "targetServiceRevisionArn": record.target.arn,
        "status": record.status,
        "statusReason": record.status_reason,
    }


def service_deployment(record: ServiceDeployment) -> Response:
    """A service deployment in full."""
    breaker = record.configuration.get("deploymentCircuitBreaker") or {}
    threshold = breaker_threshold(breaker, record.service.desired) if breaker.get("enable") else 0
    rollback = record.rollback
    return {
        **{k: v for k, v in service_deployment_brief(record).items() if k in _SHARED},
        "stoppedAt": record.stopped_at,
        "updatedAt": record.updated_at,
        "sourceServiceRevisions": [_recorded_counts(record, one) for one in record.sources],
        "targetServiceRevision": _recorded_counts(record, record.target),
        "lifecycleStage": record.lifecycle_stage,
        "lifecycleHookDetails": [_hook(one) for one in record.hooks] or None,
        "deploymentConfiguration": record.configuration,
        "rollback": rollback
        and {
            "reason": rollback.reason,
            "startedAt": rollback.started_at,
            "serviceRevisionArn": rollback.revision.arn,
        },
        "deploymentCircuitBreaker": {
            "status": record.breaker_status,
            "failureCount": record.failure_count,
            "threshold": threshold,
        },
        "alarms": {
            "status": record.alarm_status,
            "alarmNames": record.alarm_names or None,
            "triggeredAlarmNames": record.alarms_raised or None,
        },
    }


def _hook(record: Hook) -> Response:
    return {
        "hookId": record.id,
        "targetType": "PAUSE",
        "status": record.status,
        "expiresAt": record.expires_at,
        "timeoutAction": record.timeout_action,
    }


_SHARED = (
    "serviceDeploymentArn",
    "serviceArn",
    "clusterArn",
    "startedAt",
    "createdAt",
    "finishedAt",
    "status",
    "statusReason",
)


def revision(record: Revision, owner: Service) -> Response:
    """A service revision with the digests that its tags meant."""
    return {
        "serviceRevisionArn": record.arn,
        "serviceArn": owner.arn,
        "clusterArn": owner.cluster.arn,
        "taskDefinition": record.task_definition.arn,
        **{k: v for k, v in record.settings.items() if k in _REVISION_MEMBERS},
        "platformFamily": PLATFORM_FAMILY,
        "platformVersion": PLATFORM_VERSION,
        "containerImages": [
            {
                "containerName": definition["name"],
                "image": definition["image"],
                "imageDigest": _digest(record, definition["name"]),
            }
            for definition in record.task_definition.containers
        ],
        "guardDutyEnabled": False,
        "createdAt": record.created_at,
        "resolvedConfiguration": {
            "loadBalancers": [
                {
                    "targetGroupArn": balancer["targetGroupArn"],
                    "productionListenerRule": balancer.get("productionListenerRule"),
                }
                for balancer in record.balancers
            ]
        },
    }


_REVISION_MEMBERS = (
    "launchType",
    "loadBalancers",
    "networkConfiguration",
    "capacityProviderStrategy",
    "serviceRegistries",
)


def _digest(record: Revision, container: str) -> str | None:
    info = record.images.get(container)
    return info.digest if info else None


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


def _deployment(owner: Service, record: Deployment) -> Response:
    tasks = owner.tasks_of(record)
    own_count = record is owner.deployments[0] or owner.shift is not None
    return {
        "id": record.id,
        "status": record.status,
        "taskDefinition": record.revision.task_definition.arn,
        "desiredCount": record.desired if own_count else sum(t.live for t in tasks),
        "pendingCount": sum(t.pending for t in tasks),
        "runningCount": sum(t.running for t in tasks),
        "failedTasks": record.failed_tasks,
        "createdAt": record.created_at,
        "updatedAt": record.updated_at,
        "launchType": owner.settings["launchType"],
        "platformVersion": PLATFORM_VERSION,
        "platformFamily": PLATFORM_FAMILY,
        "networkConfiguration": record.revision.settings.get("networkConfiguration"),
        "rolloutState": record.rollout_state,
        "rolloutStateReason": record.rollout_reason,
    }


def _task_set(owner: Service, record: Deployment) -> Response:
    tasks = owner.tasks_of(record)
    running = sum(task.running for task in tasks)
    steady = running == owner.desired and all(t.healthy for t in tasks if t.running)
    path = f"{owner.cluster.name}/{owner.name}/{record.id}"
    return {
        "id": record.id,
        "taskSetArn": owner.arn.rpartition(":service/")[0] + f":task-set/{path}",
        "serviceArn": owner.arn,
        "clusterArn": owner.cluster.arn,
        "status": record.status,
        "taskDefinition": record.revision.task_definition.arn,
        "computedDesiredCount": owner.desired,
        "pendingCount": sum(task.pending for task in tasks),
        "runningCount": running,
        "createdAt": record.created_at,
        "updatedAt": record.updated_at,
        "launchType": owner.settings["launchType"],
        "platformVersion": PLATFORM_VERSION,
        "platformFamily": PLATFORM_FAMILY,
        "networkConfiguration": record.revision.settings.get("networkConfiguration"),
        "loadBalancers": record.revision.settings.get("loadBalancers") or [],
        "serviceRegistries": [],
        "scale": {"value": 100.0, "unit": "PERCENT"},
        "stabilityStatus": "STEADY_STATE" if steady else "STABILIZING",
        "stabilityStatusAt": record.updated_at,
        "tags": [],
    }


def _revision_counts(owner: Service, record: Revision) -> Response:
    return _counts(record, counts_of(owner, record))


def _recorded_counts(record: ServiceDeployment, one: Revision) -> Response:
    counts = record.final_counts.get(one.arn) or counts_of(record.service, one)
    production, test = record.traffic.get(one.arn, (None, None))
    return {
        **_counts(one, counts),
        "requestedProductionTrafficWeight": production,
        "requestedTestTrafficWeight": test,
    }


def _counts(record: Revision, counts: tuple[int, int, int]) -> Response:
    requested, running, pending = counts
    return {
        "arn": record.arn,
        "requestedTaskCount": requested,
        "runningTaskCount": running,
        "pendingTaskCount": pending,
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
