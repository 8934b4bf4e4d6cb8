"""What ECS answers as domain values. Missing members and unknown words are taken as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from bgconsole.domain.services import (
    Alarms,
    CircuitBreaker,
    Container,
    ContainerDefinition,
    ContainerImage,
    Deployment,
    Hook,
    LoadBalancing,
    LogTarget,
    RevisionCount,
    Service,
    ServiceDeployment,
    ServiceEvent,
    ServiceRef,
    ServiceRevision,
    Task,
    TaskDefinition,
    TaskSet,
)
from bgconsole.gateway.aws.pieces import utc, utc_or_long_ago
from bgconsole.gateway.definition_document import OF_THE_REVISION

Answered = Mapping[str, Any]
"""A structure as botocore parsed it: any member may be missing."""

STACK_TAG = "aws:cloudformation:stack-name"


def service(ref: ServiceRef, raw: Answered) -> Service:
    """One of DescribeServices."""
    configuration = raw.get("deploymentConfiguration") or {}
    tags = {tag.get("key"): tag.get("value", "") for tag in raw.get("tags") or ()}
    controller = (raw.get("deploymentController") or {}).get("type", "ECS")
    described = raw.get("taskSets") or ()
    task_sets = sorted(map(_task_set, described), key=lambda one: one.created_at, reverse=True)
    balanced = [lb for one in (raw, *described) for lb in one.get("loadBalancers") or ()]
    return Service(
        ref=ref,
        arn=raw.get("serviceArn", ""),
        status=raw.get("status", ""),
        task_definition=raw.get("taskDefinition", ""),
        desired=raw.get("desiredCount", 0),
        running=raw.get("runningCount", 0),
        pending=raw.get("pendingCount", 0),
        deployments=_as_deployments(task_sets)
        if controller == "CODE_DEPLOY"
        else tuple(map(deployment, raw.get("deployments") or ())),
        events=tuple(map(_event, raw.get("events") or ())),
        load_balancing=tuple(
            dict.fromkeys(_load_balancing(lb) for lb in balanced if lb.get("targetGroupArn"))
        ),
        controller=controller,
        strategy=configuration.get("strategy", "ROLLING"),
        maximum_percent=configuration.get("maximumPercent", 200),
        minimum_healthy_percent=configuration.get("minimumHealthyPercent", 100),
        launch_type=raw.get("launchType", ""),
        created_at=utc(raw.get("createdAt")),
        stack=tags.get(STACK_TAG, ""),
        owner=_owner(tags),
        current_deployment=raw.get("currentServiceDeployment") or "",
        current_revisions=tuple(
            filter(None, (one.get("arn", "") for one in raw.get("currentServiceRevisions") or ()))
        ),
        task_sets=tuple(task_sets),
    )


def _owner(tags: Mapping[Any, str]) -> str:
    named = {str(key).casefold(): value for key, value in tags.items()}
    return named.get("owner") or named.get("team") or ""


def deployment(raw: Answered) -> Deployment:
    """One of `services[].deployments`."""
    return Deployment(
        id=raw.get("id", ""),
        status=raw.get("status", ""),
        task_definition=raw.get("taskDefinition", ""),
        desired=raw.get("desiredCount", 0),
        running=raw.get("runningCount", 0),
        pending=raw.get("pendingCount", 0),
        failed=raw.get("failedTasks", 0),
        rollout_state=raw.get("rolloutState", ""),
        rollout_reason=raw.get("rolloutStateReason", ""),
        created_at=utc_or_long_ago(raw.get("createdAt")),
        updated_at=utc_or_long_ago(raw.get("updatedAt") or raw.get("createdAt")),
    )


def _task_set(raw: Answered) -> TaskSet:
    """One of `services[].taskSets`."""
    return TaskSet(
        id=raw.get("id", ""),
        status=raw.get("status", ""),
        task_definition=raw.get("taskDefinition", ""),
        desired=raw.get("computedDesiredCount", 0),
        running=raw.get("runningCount", 0),
        pending=raw.get("pendingCount", 0),
        created_at=utc_or_long_ago(raw.get("createdAt")),
        updated_at=utc_or_long_ago(raw.get("updatedAt") or raw.get("createdAt")),
        external_id=raw.get("externalId", ""),
    )


def _as_deployments(newest_first: Sequence[TaskSet]) -> tuple[Deployment, ...]:
    """CodeDeploy's task sets in the words of ECS's deployments (see `Service.deployments`)."""
    return tuple(
        Deployment(
            id=one.id,
            status="ACTIVE" if number else "PRIMARY",
            task_definition=one.task_definition,
            desired=one.desired,
            running=one.running,
            pending=one.pending,
            failed=0,
            # One that runs whole and alone is all there is to come of a deployment.
            rollout_state="COMPLETED"
            if len(newest_first) == 1 and one.running >= one.desired
            else "",
            rollout_reason="",
            created_at=one.created_at,
            updated_at=one.updated_at,
        )
        for number, one in enumerate(newest_first)
    )


def service_deployment(raw: Answered) -> ServiceDeployment:
    """One of DescribeServiceDeployments."""
    rollback = raw.get("rollback") or {}
    breaker = raw.get("deploymentCircuitBreaker")
    configuration = raw.get("deploymentConfiguration") or {}
    return ServiceDeployment(
        arn=raw.get("serviceDeploymentArn", ""),
        status=raw.get("status", ""),
        status_reason=raw.get("statusReason", ""),
        target=_count(raw.get("targetServiceRevision") or {}),
        sources=tuple(map(_count, raw.get("sourceServiceRevisions") or ())),
        created_at=utc_or_long_ago(raw.get("createdAt")),
        started_at=utc(raw.get("startedAt")),
        finished_at=utc(raw.get("finishedAt")),
        stopped_at=utc(raw.get("stoppedAt")),
        updated_at=utc(raw.get("updatedAt")),
        lifecycle_stage=raw.get("lifecycleStage", ""),
        strategy=configuration.get("strategy", "ROLLING"),
        bake_minutes=configuration.get("bakeTimeInMinutes"),
        hooks=tuple(map(_hook, raw.get("lifecycleHookDetails") or ())),
        alarms=_alarms(raw.get("alarms")),
        breaker=CircuitBreaker(
            breaker.get("status", ""), breaker.get("failureCount", 0), breaker.get("threshold", 0)
        )
        if breaker
        else None,
        rollback_reason=rollback.get("reason", ""),
        rollback_started_at=utc(rollback.get("startedAt")),
        rollback_revision=rollback.get("serviceRevisionArn", ""),
    )


def _hook(raw: Answered) -> Hook:
    return Hook(
        id=raw.get("hookId", ""),
        kind=raw.get("targetType", ""),
        status=raw.get("status", ""),
        target=raw.get("targetArn", ""),
        expires_at=utc(raw.get("expiresAt")),
        timeout_action=raw.get("timeoutAction", ""),
    )


def _alarms(raw: Answered | None) -> Alarms | None:
    if not raw:
        return None
    return Alarms(
        raw.get("status", ""),
        tuple(raw.get("alarmNames") or ()),
        tuple(raw.get("triggeredAlarmNames") or ()),
    )


def service_revision(raw: Answered) -> ServiceRevision:
    """One of DescribeServiceRevisions."""
    resolved = (raw.get("resolvedConfiguration") or {}).get("loadBalancers")
    balancers = resolved or raw.get("loadBalancers") or ()
    return ServiceRevision(
        arn=raw.get("serviceRevisionArn", ""),
        task_definition=raw.get("taskDefinition", ""),
        images=tuple(
            ContainerImage(
                image.get("containerName", ""), image.get("image", ""), image.get("imageDigest", "")
            )
            for image in raw.get("containerImages") or ()
        ),
        created_at=utc_or_long_ago(raw.get("createdAt")),
        target_groups=tuple(filter(None, (lb.get("targetGroupArn", "") for lb in balancers))),
    )


def task(raw: Answered) -> Task:
    """One of DescribeTasks."""
    return Task(
        arn=raw.get("taskArn", ""),
        task_definition=raw.get("taskDefinitionArn", ""),
        started_by=raw.get("startedBy", ""),
        last_status=raw.get("lastStatus", ""),
        desired_status=raw.get("desiredStatus", ""),
        health=raw.get("healthStatus", "UNKNOWN"),
        zone=raw.get("availabilityZone", ""),
        address=_address(raw),
        containers=tuple(
            Container(
                name=container.get("name", ""),
                image=container.get("image", ""),
                digest=container.get("imageDigest", ""),
                status=container.get("lastStatus", ""),
                health=container.get("healthStatus", "UNKNOWN"),
                exit_code=container.get("exitCode"),
                reason=container.get("reason", ""),
            )
            for container in raw.get("containers") or ()
        ),
        created_at=utc(raw.get("createdAt")),
        pull_started_at=utc(raw.get("pullStartedAt")),
        pull_stopped_at=utc(raw.get("pullStoppedAt")),
        started_at=utc(raw.get("startedAt")),
        stopping_at=utc(raw.get("stoppingAt")),
        execution_stopped_at=utc(raw.get("executionStoppedAt")),
        stopped_at=utc(raw.get("stoppedAt")),
        stop_code=raw.get("stopCode", ""),
        stopped_reason=raw.get("stoppedReason", ""),
        launch_type=raw.get("launchType", ""),
        group=raw.get("group", ""),
        exec_enabled=bool(raw.get("enableExecuteCommand", False)),
        commands=tuple(
            (override.get("name", ""), tuple(override["command"]))
            for override in (raw.get("overrides") or {}).get("containerOverrides") or ()
            if override.get("command")
        ),
    )


def task_definition(raw: Answered) -> TaskDefinition:
    """DescribeTaskDefinition, without the environment and the secrets' names."""
    return TaskDefinition(
        arn=raw.get("taskDefinitionArn", ""),
        family=raw.get("family", ""),
        revision=raw.get("revision", 0),
        status=raw.get("status", ""),
        containers=tuple(
            ContainerDefinition(
                name=container.get("name", ""),
                image=container.get("image", ""),
                essential=container.get("essential", True),
                command=tuple(container.get("command") or ()),
                log=_log_target(container),
                secrets=tuple(
                    secret["valueFrom"]
                    for secret in container.get("secrets") or ()
                    if secret.get("valueFrom")
                ),
                entry_point=tuple(container.get("entryPoint") or ()),
            )
            for container in raw.get("containerDefinitions") or ()
        ),
        registered_at=utc(raw.get("registeredAt")),
        registered_by=raw.get("registeredBy", ""),
        content=_content(raw),
    )


def _content(raw: Answered) -> str:
    """A hash over what a task definition says apart from its images (`TaskDefinition.content`)."""
    said = {name: value for name, value in raw.items() if name not in OF_THE_REVISION}
    said["containerDefinitions"] = [
        {name: value for name, value in container.items() if name != "image"}
        for container in raw.get("containerDefinitions") or ()
    ]
    return sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _event(raw: Answered) -> ServiceEvent:
    at = utc_or_long_ago(raw.get("createdAt"))
    return ServiceEvent(raw.get("id", ""), at, raw.get("message", ""))


def _load_balancing(raw: Answered) -> LoadBalancing:
    advanced = raw.get("advancedConfiguration") or {}
    return LoadBalancing(
        target_group=raw.get("targetGroupArn", ""),
        container=raw.get("containerName", ""),
        port=raw.get("containerPort", 0),
        alternate_target_group=advanced.get("alternateTargetGroupArn", ""),
        production_rule=advanced.get("productionListenerRule", ""),
        test_rule=advanced.get("testListenerRule", ""),
    )


def _count(raw: Answered) -> RevisionCount:
    return RevisionCount(
        arn=raw.get("arn", ""),
        requested=raw.get("requestedTaskCount", 0),
        running=raw.get("runningTaskCount", 0),
        pending=raw.get("pendingTaskCount", 0),
        production_weight=raw.get("requestedProductionTrafficWeight"),
        test_weight=raw.get("requestedTestTrafficWeight"),
    )


def _address(raw: Answered) -> str:
    """Of the awsvpc attachment; else of the first container that has an interface of its own."""
    for attachment in raw.get("attachments") or ():
        for detail in attachment.get("details") or ():
            if detail.get("name") == "privateIPv4Address":
                return str(detail.get("value", ""))
    for container in raw.get("containers") or ():
        for interface in container.get("networkInterfaces") or ():
            if interface.get("privateIpv4Address"):
                return str(interface["privateIpv4Address"])
    return ""


def _log_target(container: Answered) -> LogTarget | None:
    configuration = container.get("logConfiguration")
    if not configuration:
        return None
    options = configuration.get("options") or {}
    return LogTarget(
        container=container.get("name", ""),
        driver=configuration.get("logDriver", ""),
        group=options.get("awslogs-group", ""),
        stream_prefix=options.get("awslogs-stream-prefix", ""),
        region=options.get("awslogs-region", ""),
    )
