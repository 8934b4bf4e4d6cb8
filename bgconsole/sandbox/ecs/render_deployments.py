"""Deployments, service deployments and revisions as the API shows them."""

from __future__ import annotations

from ..api import Response
from .batches import breaker_threshold
from .counts import counts_of
from .stages import Hook
from .state import Deployment, Revision, Service, ServiceDeployment

PLATFORM_VERSION = "1.4.0"
PLATFORM_FAMILY = "Linux"


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


def deployment(owner: Service, record: Deployment) -> Response:
    """One of a service's `deployments`."""
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


def task_set(owner: Service, record: Deployment) -> Response:
    """The same of a service that CodeDeploy deploys."""
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


def revision_counts(owner: Service, record: Revision) -> Response:
    """One of a service's `currentServiceRevisions`."""
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
