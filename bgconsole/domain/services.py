"""An ECS service as it is described: deployments, revisions, tasks, task definitions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ONGOING = frozenset(
    {"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"}
)
"""Service deployment statuses that are not an end (API reference: ServiceDeployment.status)."""


@dataclass(frozen=True, slots=True, order=True)
class ServiceRef:
    """Names one service. `cluster` and `name` are short names, never ARNs."""

    cluster: str
    name: str

    def __str__(self) -> str:
        return f"{self.cluster}/{self.name}"


NO_SERVICE = ServiceRef("", "")
"""In place of a service where there is none, as in an account that is still empty."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One entry of `services[].deployments`. `id` is `ecs-svc/<number>`."""

    id: str
    status: str
    """PRIMARY, ACTIVE or INACTIVE."""
    task_definition: str
    desired: int
    running: int
    pending: int
    failed: int
    rollout_state: str
    rollout_reason: str
    created_at: datetime
    updated_at: datetime

    @property
    def number(self) -> str:
        """Shared with the service revision's ARN (observed)."""
        return self.id.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class TaskSet:
    """One of `services[].taskSets`: tasks of one task definition where CodeDeploy deploys."""

    id: str
    """`ecs-svc/<number>`, which its tasks' `startedBy` carries."""
    status: str
    """PRIMARY serves production traffic, ACTIVE does not, DRAINING is being stopped."""
    task_definition: str
    desired: int
    running: int
    pending: int
    created_at: datetime
    updated_at: datetime
    external_id: str = ""
    """The id (`d-…`) of the CodeDeploy deployment that made it, empty where none did."""


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """A service event, in AWS's words."""

    id: str
    at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class LoadBalancing:
    """One entry of `services[].loadBalancers`."""

    target_group: str
    container: str
    port: int
    alternate_target_group: str = ""
    production_rule: str = ""
    test_rule: str = ""

    @property
    def target_groups(self) -> tuple[str, ...]:
        """The ARNs of the one or two groups."""
        return tuple(filter(None, (self.target_group, self.alternate_target_group)))


@dataclass(frozen=True, slots=True)
class Service:
    """DescribeServices, the part that the console reads."""

    ref: ServiceRef
    arn: str
    status: str
    task_definition: str
    desired: int
    running: int
    pending: int
    deployments: tuple[Deployment, ...]
    """Where CodeDeploy deploys, one for each task set: the newest is PRIMARY, as it is what is
    worked towards, whichever of them serves."""
    events: tuple[ServiceEvent, ...]
    """Newest first, at most 100."""
    load_balancing: tuple[LoadBalancing, ...] = ()
    controller: str = "ECS"
    """ECS, CODE_DEPLOY or EXTERNAL."""
    strategy: str = "ROLLING"
    """ROLLING, BLUE_GREEN, LINEAR or CANARY."""
    maximum_percent: int = 200
    minimum_healthy_percent: int = 100
    launch_type: str = ""
    created_at: datetime | None = None
    stack: str = ""
    """The CloudFormation stack that owns it, from the aws:cloudformation:stack-name tag."""
    owner: str = ""
    """Whose it is, from the tag `owner`, else `team`, whatever their case."""
    current_deployment: str = ""
    """ARN of the newest service deployment; empty where AWS names none."""
    current_revisions: tuple[str, ...] = ()
    """ARNs of the service revisions that have tasks."""
    task_sets: tuple[TaskSet, ...] = ()
    """Newest first; where CodeDeploy deploys, in place of deployments of ECS's own."""

    @property
    def by_codedeploy(self) -> bool:
        """Whether AWS CodeDeploy deploys it."""
        return self.controller == "CODE_DEPLOY"

    @property
    def primary(self) -> Deployment | None:
        """The deployment that ECS works towards."""
        return next((d for d in self.deployments if d.status == "PRIMARY"), None)

    @property
    def target_groups(self) -> tuple[str, ...]:
        """Every target group's ARN, in the service's order, once each."""
        return tuple(dict.fromkeys(arn for lb in self.load_balancing for arn in lb.target_groups))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between how many tasks Application Auto Scaling holds a service."""

    minimum: int
    maximum: int
    suspended: bool = False
    """Whether it does neither scale in nor out at present."""


@dataclass(frozen=True, slots=True)
class RevisionCount:
    """ServiceRevisionSummary: a revision's part in a service deployment."""

    arn: str
    requested: int = 0
    running: int = 0
    pending: int = 0
    production_weight: float | None = None
    test_weight: float | None = None

    @property
    def number(self) -> str:
        """Shared with the deployment's id."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """The breaker of one service deployment."""

    status: str
    failures: int
    threshold: int


@dataclass(frozen=True, slots=True)
class Hook:
    """One lifecycle hook of a service deployment, as lifecycleHookDetails tells it."""

    id: str
    kind: str
    """AWS_LAMBDA or PAUSE."""
    status: str
    """AWAITING_ACTION, IN_PROGRESS, SUCCEEDED, FAILED or TIMED_OUT."""
    target: str = ""
    expires_at: datetime | None = None
    timeout_action: str = ""
    """ROLLBACK or CONTINUE: what ECS does when nobody acts in time."""

    @property
    def awaits_action(self) -> bool:
        """Whether somebody must say go on or go back."""
        return self.status == "AWAITING_ACTION"


@dataclass(frozen=True, slots=True)
class Alarms:
    """The CloudWatch alarms that watch a service deployment."""

    status: str
    """TRIGGERED, MONITORING, MONITORING_COMPLETE or DISABLED."""
    names: tuple[str, ...] = ()
    triggered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceDeployment:
    """DescribeServiceDeployments: one attempt to bring a revision to serve."""

    arn: str
    status: str
    status_reason: str
    target: RevisionCount
    sources: tuple[RevisionCount, ...]
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    updated_at: datetime | None = None
    lifecycle_stage: str = ""
    """AWS's word; it may be one that is not known here. Empty for a rolling deployment."""
    strategy: str = "ROLLING"
    bake_minutes: int | None = None
    """Minutes that both sides run after the shift; None where none is configured."""
    hooks: tuple[Hook, ...] = ()
    alarms: Alarms | None = None
    breaker: CircuitBreaker | None = None
    rollback_reason: str = ""
    rollback_started_at: datetime | None = None
    rollback_revision: str = ""
    """ARN of the service revision that is rolled back to."""

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def ongoing(self) -> bool:
        """Whether ECS still works on it. An unknown status counts as ended."""
        return self.status in ONGOING


@dataclass(frozen=True, slots=True)
class ContainerImage:
    """What a revision really runs: the image as written, and the digest it was resolved to."""

    container: str
    image: str
    digest: str


@dataclass(frozen=True, slots=True)
class ServiceRevision:
    """DescribeServiceRevisions: immutable, so fetched once."""

    arn: str
    task_definition: str
    images: tuple[ContainerImage, ...]
    created_at: datetime
    target_groups: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        """Shared with the deployment's id."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a task."""

    name: str
    image: str
    digest: str
    status: str
    health: str = "UNKNOWN"
    exit_code: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """DescribeTasks, the part that the console reads."""

    arn: str
    task_definition: str
    started_by: str
    """The deployment's id for a service's task."""
    last_status: str
    desired_status: str
    health: str
    zone: str
    address: str
    """The private IPv4 address of its network interface, empty while it has none."""
    containers: tuple[Container, ...]
    created_at: datetime | None = None
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_code: str = ""
    stopped_reason: str = ""
    launch_type: str = ""
    pull_started_at: datetime | None = None
    pull_stopped_at: datetime | None = None
    execution_stopped_at: datetime | None = None
    """When its containers had ended; it is STOPPED only when its network is taken down too."""
    group: str = ""
    """`service:NAME` for a service's task, `family:NAME` for one that RunTask started."""
    exec_enabled: bool = False
    """Whether ECS Exec can open a shell in it."""
    commands: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The commands that RunTask gave in place of the task definition's, by container."""

    @property
    def id(self) -> str:
        """The last part of the ARN: 32 hex digits."""
        return self.arn.rpartition("/")[2]

    @property
    def runs(self) -> bool:
        """Whether it runs, and is to go on."""
        return self.last_status == "RUNNING" and self.desired_status == "RUNNING"

    @property
    def stopped(self) -> bool:
        """Whether it has ended."""
        return self.last_status in ("STOPPED", "DELETED")


@dataclass(frozen=True, slots=True)
class LogTarget:
    """Where a container's output goes, from its log configuration."""

    container: str
    driver: str
    group: str = ""
    stream_prefix: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class ContainerDefinition:
    """One container of a task definition. Environment values never enter this type."""

    name: str
    image: str
    essential: bool = True
    command: tuple[str, ...] = ()
    log: LogTarget | None = None
    secrets: tuple[str, ...] = ()
    """What its secrets are taken from (`valueFrom`): ARNs and names, never values."""
    entry_point: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """DescribeTaskDefinition: immutable but for its status."""

    arn: str
    family: str
    revision: int
    status: str
    containers: tuple[ContainerDefinition, ...]
    registered_at: datetime | None = None
    registered_by: str = ""
    content: str = ""
    """A hash over all that it says apart from its images, name and status; empty where not known.

    Tells whether two revisions differ in more than the image, without holding any value."""

    @property
    def name(self) -> str:
        """`family:revision`."""
        return f"{self.family}:{self.revision}"


def revision_of(task_definition: str) -> str:
    """The revision number at the end of a task definition's ARN or `family:revision`."""
    return task_definition.rpartition(":")[2]


def short_name(arn: str) -> str:
    """What stands behind the last slash of an ARN, or the text itself."""
    return arn.rpartition("/")[2]
