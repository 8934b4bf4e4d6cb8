"""The talk's service as domain values: what `tests/worlds.py` builds its worlds from.

A `Rollout` is one deployment of one revision of the task definition; every value is made from it.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from bgconsole.domain.images import Image
from bgconsole.domain.services import (
    CircuitBreaker,
    Container,
    ContainerDefinition,
    ContainerImage,
    Deployment,
    LogTarget,
    RevisionCount,
    ServiceDeployment,
    ServiceRef,
    ServiceRevision,
    Task,
    TaskDefinition,
)
from bgconsole.domain.stacks import Stack
from bgconsole.domain.targets import Route, Target, TargetGroup

NOW = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
ACCOUNT = "123456789012"
REGION = "us-east-1"
CLUSTER = "democluster-cluster"
SERVICE = "democluster-service"
REF = ServiceRef(CLUSTER, SERVICE)
FAMILY = "democluster-task-family"
CONTAINER = "democluster-container"
REPOSITORY = "demorepo"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
LOG_GROUP = "democluster"
ZONES = ("us-east-1a", "us-east-1b")
CLUSTER_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{CLUSTER}"
SERVICE_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{CLUSTER}/{SERVICE}"
_ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
GROUP_ARN = f"{_ELB}:targetgroup/democluster-blue/6d0ecf831eec9f09"
LISTENER_ARN = f"{_ELB}:listener/app/democluster/50dc6c495c0c9188/f2f7dc8efc522ab2"
RULE_ARN = f"{LISTENER_ARN.replace(':listener/', ':listener-rule/')}/9683b2d02a6cabee"
SECRET_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rails-AbCdEf"
URL = f"http://democluster-1234567890.{REGION}.elb.amazonaws.com"
BREAKER_WORDS = "Service deployment rolled back because the circuit breaker threshold was exceeded."


@dataclass(frozen=True, slots=True)
class Rollout:
    """One deployment: which revision of the task definition, when, under which number."""

    revision: int
    at: datetime
    number: str
    """What the deployment's id and the service revision's ARN share."""
    tag: str
    digest: str

    @property
    def definition_arn(self) -> str:
        """The task definition's."""
        return definition_arn(self.revision)

    @property
    def revision_arn(self) -> str:
        """The service revision's."""
        return service_arn("service-revision", self.number)

    @property
    def deployment_arn(self) -> str:
        """The service deployment's, which ends in 21 base64url characters."""
        token = urlsafe_b64encode(sha256(self.number.encode()).digest()).decode()[:21]
        return service_arn("service-deployment", token)

    @property
    def image(self) -> ContainerImage:
        """What its tasks run."""
        uri = f"{REGISTRY}/{REPOSITORY}:{self.tag}"
        return ContainerImage(CONTAINER, uri, self.digest)


POSTS = Rollout(
    1,
    NOW - timedelta(days=5),
    "6216346761948112104",
    "1f3c2aa",
    "sha256:9d1d599a" + sha256(b"posts").hexdigest()[8:],
)
"""Version 1: the heading reads Posts."""
MEOW = Rollout(
    2,
    NOW - timedelta(days=2, hours=3),
    "7054881239906417753",
    "8be01c9",
    "sha256:77ab10c2" + sha256(b"meow").hexdigest()[8:],
)
"""Version 2: the heading reads MEOW."""
BAD = Rollout(
    3,
    NOW - timedelta(minutes=6),
    "8471120934415586902",
    "bad0c0d",
    "sha256:0ff1ce00" + sha256(b"crash").hexdigest()[8:],
)
"""Version 3: the container exits with 1."""


def definition_arn(revision: int) -> str:
    """A task definition's ARN."""
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{FAMILY}:{revision}"


def service_arn(kind: str, last: str) -> str:
    """The ARN of a service-deployment or a service-revision of the service."""
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:{kind}/{CLUSTER}/{SERVICE}/{last}"


def definition(rollout: Rollout) -> TaskDefinition:
    """Its revision of the task definition."""
    return TaskDefinition(
        arn=rollout.definition_arn,
        family=FAMILY,
        revision=rollout.revision,
        status="ACTIVE",
        containers=(
            ContainerDefinition(
                name=CONTAINER,
                image=rollout.image.image,
                log=LogTarget(CONTAINER, "awslogs", LOG_GROUP, "ecs", REGION),
                secrets=(SECRET_ARN,),
            ),
        ),
        registered_at=rollout.at - timedelta(minutes=1),
        registered_by=f"arn:aws:iam::{ACCOUNT}:user/ops",
    )


def document(rollout: Rollout) -> dict[str, object]:
    """What its task definition says beyond `definition`, in AWS's names; the values are secret."""
    return {
        "cpu": "256",
        "memory": str(256 + 256 * rollout.revision),
        "networkMode": "awsvpc",
        "containerDefinitions": [
            {
                "name": CONTAINER,
                "image": rollout.image.image,
                "essential": True,
                "environment": [
                    {"name": "RAILS_ENV", "value": "production"},
                    {"name": "DATABASE_URL", "value": f"postgres://u:pw{rollout.revision}@db/x"},
                ],
                "secrets": [
                    {
                        "name": "SECRET_KEY_BASE",
                        "valueFrom": SECRET_ARN,
                    }
                ],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": LOG_GROUP,
                        "awslogs-stream-prefix": "ecs",
                        "awslogs-region": REGION,
                    },
                },
            }
        ],
    }


def revision(rollout: Rollout) -> ServiceRevision:
    """The service revision that it made."""
    return ServiceRevision(
        arn=rollout.revision_arn,
        task_definition=rollout.definition_arn,
        images=(rollout.image,),
        created_at=rollout.at,
        target_groups=(GROUP_ARN,),
    )


def image(rollout: Rollout) -> Image:
    """What the registry keeps for it."""
    pushed = rollout.at - timedelta(minutes=4)
    return Image(REPOSITORY, rollout.digest, (rollout.tag,), pushed, 61_341_696)


def deployment(
    rollout: Rollout, *, tasks: int = 4, running: int = 4, primary: bool = True, failed: int = 0
) -> Deployment:
    """Its entry in the service's `deployments`: done when it is alone, in the brief's words."""
    done = not primary or (running == tasks and not failed)
    words = "completed" if done else "in progress"
    return Deployment(
        id=f"ecs-svc/{rollout.number}",
        status="PRIMARY" if primary else "ACTIVE",
        task_definition=rollout.definition_arn,
        desired=tasks,
        running=running,
        pending=0 if failed else tasks - running,
        failed=failed,
        rollout_state="COMPLETED" if done else "IN_PROGRESS",
        rollout_reason=f"ECS deployment ecs-svc/{rollout.number} {words}.",
        created_at=rollout.at,
        updated_at=rollout.at + timedelta(minutes=3) if done else NOW,
    )


def service_deployment(
    rollout: Rollout,
    *sources: Rollout,
    status: str = "SUCCESSFUL",
    tasks: int = 4,
    running: int | None = None,
    failed: int = 0,
) -> ServiceDeployment:
    """Its entry in the history. With a ROLLBACK status it went back to the first source."""
    ended = status in ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
    back = "ROLLBACK" in status
    runs = tasks if running is None else running
    end = rollout.at + timedelta(minutes=3)
    return ServiceDeployment(
        arn=rollout.deployment_arn,
        status=status,
        status_reason=BREAKER_WORDS if back else "",
        target=RevisionCount(
            rollout.revision_arn,
            requested=tasks,
            running=runs,
            pending=0 if ended else tasks - runs,
        ),
        sources=tuple(
            RevisionCount(
                s.revision_arn, requested=tasks, running=tasks if back or not ended else 0
            )
            for s in sources
        ),
        created_at=rollout.at,
        started_at=rollout.at + timedelta(seconds=1),
        finished_at=end if ended else None,
        updated_at=end if ended else NOW,
        lifecycle_stage="" if ended else "SCALE_UP",
        breaker=CircuitBreaker(
            "TRIGGERED" if back else "MONITORING_COMPLETE" if ended else "MONITORING", failed, 3
        ),
        rollback_reason=BREAKER_WORDS if back else "",
        rollback_started_at=rollout.at + timedelta(minutes=2) if back else None,
        rollback_revision=sources[0].revision_arn if back else "",
    )


def task(rollout: Rollout, index: int, *, status: str = "RUNNING") -> Task:
    """One of its tasks; `index` gives id, address and zone, the same in every run."""
    begun = rollout.at + timedelta(seconds=15 + index)
    running = status == "RUNNING"
    return Task(
        arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{CLUSTER}/"
        + sha256(f"{rollout.number}/{index}".encode()).hexdigest()[:32],
        task_definition=rollout.definition_arn,
        started_by=f"ecs-svc/{rollout.number}",
        last_status=status,
        desired_status="RUNNING",
        health="UNKNOWN",
        zone=ZONES[index % 2],
        address=f"10.0.{index % 2}.{10 * (int(rollout.number) % 20) + index + 10}"
        if status not in ("PROVISIONING", "PENDING")
        else "",
        containers=(
            Container(
                CONTAINER,
                rollout.image.image,
                rollout.digest if running else "",
                "RUNNING" if running else "PENDING",
            ),
        ),
        created_at=begun,
        pull_started_at=begun + timedelta(seconds=2) if running else None,
        pull_stopped_at=begun + timedelta(seconds=4) if running else None,
        started_at=begun + timedelta(seconds=6) if running else None,
        launch_type="FARGATE",
    )


def crashed(rollout: Rollout, index: int, *, minutes: float = 1) -> Task:
    """One of its tasks whose container exited with 1, so long before NOW."""
    ended = NOW - timedelta(minutes=minutes)
    born = task(replace(rollout, at=ended - timedelta(seconds=40)), index)
    (container,) = born.containers
    return replace(
        born,
        last_status="STOPPED",
        desired_status="STOPPED",
        address="",
        containers=(replace(container, status="STOPPED", exit_code=1),),
        stopping_at=ended - timedelta(seconds=1),
        stopped_at=ended,
        stop_code="EssentialContainerExited",
        stopped_reason="Essential container in task exited",
    )


_TARGET_WORDS = {
    "initial": ("Elb.RegistrationInProgress", "Target registration is in progress"),
    "unhealthy": ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [500]"),
    "draining": ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
}


def target(of: Task, state: str = "healthy") -> Target:
    """One task's target, with the reason that AWS gives for its state."""
    return Target(of.address, 3000, of.zone, state, *_TARGET_WORDS.get(state, ("", "")))


def target_group(*targets: Target) -> TargetGroup:
    """The service's only group, which all production traffic goes to."""
    route = Route(LISTENER_ARN, RULE_ARN, 80, "HTTP", weight=1, share=100.0)
    return TargetGroup(GROUP_ARN, "democluster-blue", 3000, "HTTP", "/up", targets, (route,))


def stack(name: str, status: str, age: timedelta, **outputs: str) -> Stack:
    """One stack, last changed so long before NOW."""
    return Stack(
        name=name,
        arn=f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/"
        "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        status=status,
        created_at=NOW - age if status.startswith("CREATE") else NOW - timedelta(days=9),
        updated_at=None if status.startswith("CREATE") else NOW - age,
        outputs=tuple(sorted(outputs.items())),
    )
