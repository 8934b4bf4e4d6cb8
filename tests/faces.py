"""A scripted world as AWS answers it: the bodies for `tests/loopback.py`, lists in short pages."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from bgconsole.domain.errors import NotThere, Rejected
from bgconsole.domain.services import (
    Deployment,
    Hook,
    RevisionCount,
    Service,
    ServiceDeployment,
    ServiceRef,
    ServiceRevision,
    Task,
    TaskDefinition,
)
from bgconsole.domain.targets import TargetGroup
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from tests.loopback import Answering, AwsError, Loopback, paged
from tests.stack_faces import stack_faces
from tests.values import ACCOUNT, CLUSTER_ARN, REGION, SERVICE

BALANCER_ARN = (
    f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/democluster/50dc6c495c0c9188"
)

Members = dict[str, Any]


def face(world: ScriptedWorld, server: Loopback) -> None:
    """Answer every operation that the ports use from this world."""
    for faces in (_ecs, _balancing, stack_faces, _others):
        for operation, answering in faces(world).items():
            server.answer(operation, answering)


def _ecs(world: ScriptedWorld) -> dict[str, Answering]:
    ports = scripted_gateway(world)

    def find(members: Members, name: str) -> ServiceRef:
        ref = ServiceRef(members["cluster"], name)
        if ref.cluster not in {r.cluster for r in world.services} | world.clusters:
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        if ref not in world.services:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        return ref

    def list_clusters(members: Members) -> Members:
        names = sorted({ref.cluster for ref in world.services} | world.clusters)
        arns = [f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{name}" for name in names]
        return paged("clusterArns", arns, members)

    def list_services(members: Members) -> Members:
        cluster = members["cluster"]
        if cluster not in {r.cluster for r in world.services} | world.clusters:
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        arns = [
            f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{ref.cluster}/{ref.name}"
            for ref in world.services
            if ref.cluster == cluster
        ]
        return paged("serviceArns", arns, members)

    def describe_services(members: Members) -> Members:
        if len(members["services"]) > 10:
            raise AwsError("InvalidParameterException", "Services cannot be more than 10.")
        found, failures = [], []
        for name in members["services"]:
            try:
                found.append(_service(world.services[find(members, name)]))
            except AwsError as error:
                if error.code == "ClusterNotFoundException":
                    raise
                arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{name}"
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"services": found, "failures": failures}

    def list_deployments(members: Members) -> Members:
        history = world.history.get(find(members, members["service"]), ())
        after = members.get("createdAt", {}).get("after", 0)
        briefs = [
            {"serviceDeploymentArn": sd.arn, "status": sd.status, "createdAt": sd.created_at}
            for sd in history
            if sd.created_at.timestamp() >= after
        ]
        return paged("serviceDeployments", briefs, members)

    def describe_deployments(members: Members) -> Members:
        wanted = members["serviceDeploymentArns"]
        every = [sd for history in world.history.values() for sd in history]
        found = [_service_deployment(sd) for sd in every if sd.arn in wanted]
        return {"serviceDeployments": found, "failures": []}

    def describe_revisions(members: Members) -> Members:
        wanted = members["serviceRevisionArns"]
        known = [arn for arn in wanted if arn in world.revisions]
        return {
            "serviceRevisions": [_revision(world.revisions[arn]) for arn in known],
            "failures": [{"arn": a, "reason": "MISSING"} for a in wanted if a not in known],
        }

    def list_tasks(members: Members) -> Members:
        wanted = members["desiredStatus"]
        if family := members.get("family"):
            some = ports.services.runs(members["cluster"], family)
        else:
            some = world.tasks.get(find(members, members["serviceName"]), ())
        tasks = [t.arn for t in some if t.desired_status == wanted]
        return paged("taskArns", tasks, members)

    def describe_tasks(members: Members) -> Members:
        every = [*world.runs, *(task for tasks in world.tasks.values() for task in tasks)]
        found = [_task(task) for task in every if task.arn in members["tasks"]]
        return {"tasks": found, "failures": []}

    def describe_definition(members: Members) -> Members:
        name = members["taskDefinition"]
        with suppress(NotThere):
            definition = ports.services.task_definition(name)
            said = {**_definition(definition), **world.documents.get(definition.arn, {})}
            return {"taskDefinition": said, "tags": []}
        raise AwsError("ClientException", "Unable to describe task definition.")

    def update(members: Members) -> Members:
        ref = find(members, members["service"])
        with _refusing():
            if "desiredCount" in members:
                ports.changes.scale(ref, members["desiredCount"])
                return {"service": _service(world.services[ref])}
            ports.changes.update(
                ref,
                task_definition=members.get("taskDefinition", ""),
                force=members.get("forceNewDeployment", False),
            )
        return {"service": _service(world.services[ref])}

    def run(members: Members) -> Members:
        (override,) = members["overrides"]["containerOverrides"]
        with _refusing():
            made = ports.changes.run_task(
                ServiceRef(members["cluster"], SERVICE),
                task_definition=members["taskDefinition"],
                container=override["name"],
                command=override["command"],
                started_by=members["startedBy"],
                token=members["clientToken"],
            )
        return {"tasks": [{"taskArn": made.created}], "failures": []}

    def stop(members: Members) -> Members:
        with _refusing():
            ports.changes.stop_deployment(members["serviceDeploymentArn"])
        return {"serviceDeploymentArn": members["serviceDeploymentArn"]}

    def stop_task(members: Members) -> Members:
        with _refusing():
            ports.changes.stop_task(members["cluster"], members["task"], members["reason"])
        return {"task": {"taskArn": members["task"]}}

    def answer_hook(members: Members) -> Members:
        with _refusing():
            ports.changes.answer_hook(
                members["serviceDeploymentArn"],
                members["hookId"],
                go_on=members.get("action", "CONTINUE") == "CONTINUE",
            )
        return {"serviceDeploymentArn": members["serviceDeploymentArn"]}

    def register(members: Members) -> Members:
        images = {c["name"]: c["image"] for c in members["containerDefinitions"]}
        newest = max(
            (d for d in world.definitions.values() if d.family == members["family"]),
            key=lambda d: d.revision,
        )
        size = {name: str(members.get(name, "")) for name in ("cpu", "memory")}
        made = ports.changes.register_pinned(newest.arn, images, **size).created
        return {"taskDefinition": _definition(world.definitions[made])}

    return {
        "ListClusters": list_clusters,
        "ListServices": list_services,
        "DescribeServices": describe_services,
        "ListServiceDeployments": list_deployments,
        "DescribeServiceDeployments": describe_deployments,
        "DescribeServiceRevisions": describe_revisions,
        "ListTasks": list_tasks,
        "DescribeTasks": describe_tasks,
        "DescribeTaskDefinition": describe_definition,
        "UpdateService": update,
        "StopServiceDeployment": stop,
        "ContinueServiceDeployment": answer_hook,
        "StopTask": stop_task,
        "RegisterTaskDefinition": register,
        "RunTask": run,
    }


def _balancing(world: ScriptedWorld) -> dict[str, Answering]:
    def groups() -> dict[str, TargetGroup]:
        return {group.arn: group for b in world.balancing.values() for group in b.groups}

    def host() -> str:
        url = next((b.url for b in world.balancing.values() if b.url), "http://localhost")
        return url.partition("://")[2].partition(":")[0]

    def describe_groups(members: Members) -> Members:
        wanted = _list(members, "TargetGroupArns")
        known = groups()
        if any(arn not in known for arn in wanted):
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        return {"TargetGroups": [_group(known[arn]) for arn in wanted]}

    def describe_balancers(_: Members) -> Members:
        balancer = {"LoadBalancerArn": BALANCER_ARN, "DNSName": host(), "Type": "application"}
        return {"LoadBalancers": [balancer]}

    def describe_listeners(_: Members) -> Members:
        every = {r.listener: r for group in groups().values() for r in group.routes}
        return {
            "Listeners": [
                {"ListenerArn": arn, "Port": route.port, "Protocol": route.protocol}
                for arn, route in every.items()
            ]
        }

    def describe_rules(members: Members) -> Members:
        listener = members["ListenerArn"]
        rules: dict[tuple[str, bool], list[Members]] = {}
        for group in groups().values():
            for route in group.routes:
                if route.listener == listener:
                    entry = {"TargetGroupArn": group.arn, "Weight": route.weight}
                    rules.setdefault((route.rule, route.default), []).append(entry)
        return {
            "Rules": [
                {
                    "RuleArn": rule,
                    "IsDefault": default,
                    "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": entries}}],
                }
                for (rule, default), entries in rules.items()
            ]
        }

    def health(members: Members) -> Members:
        group = groups().get(members["TargetGroupArn"])
        if group is None:
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        return {
            "TargetHealthDescriptions": [
                {
                    "Target": {"Id": t.address, "Port": t.port, "AvailabilityZone": t.zone},
                    "TargetHealth": {
                        "State": t.state,
                        "Reason": t.reason or None,
                        "Description": t.description or None,
                    },
                }
                for t in group.targets
            ]
        }

    return {
        "DescribeTargetGroups": describe_groups,
        "DescribeLoadBalancers": describe_balancers,
        "DescribeListeners": describe_listeners,
        "DescribeRules": describe_rules,
        "DescribeTargetHealth": health,
    }


def _others(world: ScriptedWorld) -> dict[str, Answering]:
    def describe_images(members: Members) -> Members:
        name = members["repositoryName"]
        if name not in world.images:
            raise AwsError(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id "
                f"'{ACCOUNT}'",
            )
        images = [
            {
                "repositoryName": i.repository,
                "imageDigest": i.digest,
                "imageTags": list(i.tags),
                "imagePushedAt": i.pushed_at,
                "imageSizeInBytes": i.size,
            }
            for i in world.images[name]
        ]
        for wanted in members.get("imageIds", ()):
            tag, digest = wanted.get("imageTag"), wanted.get("imageDigest")
            images = [
                i
                for i in images
                if tag in (None, *_sequence(i["imageTags"])) and digest in (None, i["imageDigest"])
            ]
            if not images:
                raise AwsError("ImageNotFoundException", "The image requested does not exist.")
            return {"imageDetails": images}
        return paged("imageDetails", images, members)

    def describe_repositories(members: Members) -> Members:
        (name,) = members["repositoryNames"]
        repository = scripted_gateway(world).images.repository(name)
        if repository is None:
            raise AwsError("RepositoryNotFoundException", f"no repository {name}")
        mutability = "IMMUTABLE" if repository.immutable else "MUTABLE"
        told = {
            "repositoryName": name,
            "repositoryUri": repository.uri,
            "imageTagMutability": mutability,
        }
        return {"repositories": [told]}

    def list_images(members: Members) -> Members:
        images = [{"imageDigest": i.digest} for i in world.images[members["repositoryName"]]]
        return paged("imageIds", images, members)

    def delete_images(members: Members) -> Members:
        name = members["repositoryName"]
        gone = {each["imageDigest"] for each in members["imageIds"]}
        with world.lock:
            world.images[name] = tuple(i for i in world.images[name] if i.digest not in gone)
        return {"imageIds": members["imageIds"], "failures": []}

    def token(_: Members) -> Members:
        words = base64.b64encode(b"AWS:password 1").decode()
        return {"authorizationData": [{"authorizationToken": words}]}

    def scalable(members: Members) -> Members:
        held = {f"service/{r.cluster}/{r.name}": b for r, b in world.autoscaling.items()}
        found = [held[name] for name in members["ResourceIds"] if name in held]
        return {
            "ScalableTargets": [{"MinCapacity": b.minimum, "MaxCapacity": b.maximum} for b in found]
        }

    def log_groups(members: Members) -> Members:
        prefix = members.get("logGroupNamePrefix", "")
        names = [{"logGroupName": n} for n in sorted(world.logs) if n.startswith(prefix)]
        return paged("logGroups", names, members)

    def filter_events(members: Members) -> Members:
        group = members["logGroupName"]
        if group not in world.logs:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        page = scripted_gateway(world).logs.page(
            group,
            start=members["startTime"],
            end=members.get("endTime"),
            token=members.get("nextToken"),
            newest_first=not members.get("startFromHead", True),
            limit=members.get("limit", 10_000),
            streams=members.get("logStreamNamePrefix", ""),
        )
        return {
            "events": [
                {
                    "timestamp": line.timestamp,
                    "ingestionTime": line.ingestion,
                    "eventId": line.event_id,
                    "logStreamName": line.stream,
                    "message": line.message,
                }
                for line in page.lines
            ],
            "nextToken": page.token,
        }

    def whoami(_: Members) -> Members:
        return {"Account": world.identity.account, "Arn": world.identity.arn, "UserId": "AIDA"}

    def aliases(_: Members) -> Members:
        return {"AccountAliases": [world.identity.alias], "IsTruncated": False}

    def describe_secret(asked: Members) -> Members:
        told = world.secrets[str(asked["SecretId"])]
        return {"ARN": told.reference, "Name": told.name, "LastChangedDate": told.changed_at}

    return {
        "DescribeSecret": describe_secret,
        "DescribeImages": describe_images,
        "DescribeRepositories": describe_repositories,
        "ListImages": list_images,
        "BatchDeleteImage": delete_images,
        "GetAuthorizationToken": token,
        "DescribeScalableTargets": scalable,
        "DescribeLogGroups": log_groups,
        "FilterLogEvents": filter_events,
        "GetCallerIdentity": whoami,
        "ListAccountAliases": aliases,
    }


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except Rejected as error:
        raise AwsError(error.code, error.detail) from error


def _sequence(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def _list(members: Members, name: str) -> list[str]:
    prefix = f"{name}.member."
    return [value for key, value in sorted(members.items()) if key.startswith(prefix)]


def _given(**members: Any) -> Members:
    """Without what AWS would leave out."""
    return {name: value for name, value in members.items() if value not in (None, "")}


def _service(service: Service) -> Members:
    return _given(
        serviceArn=service.arn,
        serviceName=service.ref.name,
        clusterArn=CLUSTER_ARN,
        status=service.status,
        taskDefinition=service.task_definition,
        desiredCount=service.desired,
        runningCount=service.running,
        pendingCount=service.pending,
        launchType=service.launch_type,
        createdAt=service.created_at,
        deployments=[_deployment(d) for d in service.deployments],
        events=[{"id": e.id, "createdAt": e.at, "message": e.message} for e in service.events],
        loadBalancers=[
            {
                "targetGroupArn": lb.target_group,
                "containerName": lb.container,
                "containerPort": lb.port,
            }
            for lb in service.load_balancing
        ],
        deploymentController={"type": service.controller},
        deploymentConfiguration={
            "maximumPercent": service.maximum_percent,
            "minimumHealthyPercent": service.minimum_healthy_percent,
            "strategy": service.strategy,
        },
        currentServiceDeployment=service.current_deployment or None,
        currentServiceRevisions=[{"arn": arn} for arn in service.current_revisions],
        tags=[
            {"key": "aws:cloudformation:stack-name", "value": service.stack},
            *([{"key": "Owner", "value": service.owner}] if service.owner else []),
        ],
    )


def _deployment(deployment: Deployment) -> Members:
    return _given(
        id=deployment.id,
        status=deployment.status,
        taskDefinition=deployment.task_definition,
        desiredCount=deployment.desired,
        runningCount=deployment.running,
        pendingCount=deployment.pending,
        failedTasks=deployment.failed,
        rolloutState=deployment.rollout_state,
        rolloutStateReason=deployment.rollout_reason,
        createdAt=deployment.created_at,
        updatedAt=deployment.updated_at,
    )


def _service_deployment(sd: ServiceDeployment) -> Members:
    return _given(
        serviceDeploymentArn=sd.arn,
        status=sd.status,
        statusReason=sd.status_reason,
        targetServiceRevision=_count(sd.target),
        sourceServiceRevisions=[_count(source) for source in sd.sources],
        createdAt=sd.created_at,
        startedAt=sd.started_at,
        finishedAt=sd.finished_at,
        updatedAt=sd.updated_at,
        lifecycleStage=sd.lifecycle_stage,
        deploymentConfiguration=_given(strategy=sd.strategy, bakeTimeInMinutes=sd.bake_minutes),
        lifecycleHookDetails=[_hook(hook) for hook in sd.hooks],
        alarms=sd.alarms
        and {
            "status": sd.alarms.status,
            "alarmNames": list(sd.alarms.names),
            "triggeredAlarmNames": list(sd.alarms.triggered),
        },
        deploymentCircuitBreaker=sd.breaker
        and {
            "status": sd.breaker.status,
            "failureCount": sd.breaker.failures,
            "threshold": sd.breaker.threshold,
        },
        rollback=sd.rollback_revision
        and _given(
            reason=sd.rollback_reason,
            startedAt=sd.rollback_started_at,
            serviceRevisionArn=sd.rollback_revision,
        ),
    )


def _hook(hook: Hook) -> Members:
    return _given(
        hookId=hook.id,
        targetType=hook.kind,
        status=hook.status,
        targetArn=hook.target,
        expiresAt=hook.expires_at,
        timeoutAction=hook.timeout_action,
    )


def _count(count: RevisionCount) -> Members:
    return {
        "arn": count.arn,
        "requestedTaskCount": count.requested,
        "runningTaskCount": count.running,
        "pendingTaskCount": count.pending,
    }


def _revision(revision: ServiceRevision) -> Members:
    return {
        "serviceRevisionArn": revision.arn,
        "taskDefinition": revision.task_definition,
        "createdAt": revision.created_at,
        "containerImages": [
            {"containerName": i.container, "image": i.image, "imageDigest": i.digest}
            for i in revision.images
        ],
        "loadBalancers": [{"targetGroupArn": arn} for arn in revision.target_groups],
    }


def _task(task: Task) -> Members:
    return _given(
        taskArn=task.arn,
        taskDefinitionArn=task.task_definition,
        startedBy=task.started_by,
        group=task.group,
        enableExecuteCommand=task.exec_enabled,
        overrides={
            "containerOverrides": [{"name": n, "command": list(c)} for n, c in task.commands]
        },
        lastStatus=task.last_status,
        desiredStatus=task.desired_status,
        healthStatus=task.health,
        availabilityZone=task.zone,
        launchType=task.launch_type,
        createdAt=task.created_at,
        pullStartedAt=task.pull_started_at,
        pullStoppedAt=task.pull_stopped_at,
        startedAt=task.started_at,
        stoppingAt=task.stopping_at,
        executionStoppedAt=task.execution_stopped_at,
        stoppedAt=task.stopped_at,
        stopCode=task.stop_code,
        stoppedReason=task.stopped_reason,
        attachments=[
            {
                "type": "ElasticNetworkInterface",
                "details": [{"name": "privateIPv4Address", "value": task.address}],
            }
        ]
        if task.address
        else [],
        containers=[
            _given(
                name=c.name,
                image=c.image,
                imageDigest=c.digest,
                lastStatus=c.status,
                healthStatus=c.health,
                exitCode=c.exit_code,
                reason=c.reason,
            )
            for c in task.containers
        ],
    )


def _definition(definition: TaskDefinition) -> Members:
    return {
        "taskDefinitionArn": definition.arn,
        "family": definition.family,
        "revision": definition.revision,
        "status": definition.status,
        "registeredAt": definition.registered_at,
        "registeredBy": definition.registered_by,
        "containerDefinitions": [
            {
                "name": c.name,
                "image": c.image,
                "essential": c.essential,
                "logConfiguration": c.log
                and {
                    "logDriver": c.log.driver,
                    "options": {
                        "awslogs-group": c.log.group,
                        "awslogs-stream-prefix": c.log.stream_prefix,
                        "awslogs-region": c.log.region,
                    },
                },
            }
            for c in definition.containers
        ],
    }


def _group(group: TargetGroup) -> Members:
    return {
        "TargetGroupArn": group.arn,
        "TargetGroupName": group.name,
        "Port": group.port,
        "Protocol": group.protocol,
        "HealthCheckPath": group.health_path,
        "LoadBalancerArns": [BALANCER_ARN],
    }
