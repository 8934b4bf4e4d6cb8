"""What ECS remembers: plain records, changed by operations, the scheduler and tasks' lives."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..api import ApiError
from ..clock import Timer
from ..runtime.port import Container, ImageInfo
from .stages import Hook, Shift

STOPPED_KEPT = timedelta(hours=1)
"""How long a stopped task can still be described, by the clock that the API shows."""

EVENTS_KEPT = 100
"""A service shows its newest hundred events."""


@dataclass(slots=True)
class TaskDefinition:
    """One revision of a family; `request` is what was registered, members as in the API."""

    arn: str
    family: str
    revision: int
    request: dict[str, Any]
    registered_at: datetime
    tags: dict[str, str]
    status: str = "ACTIVE"
    deregistered_at: datetime | None = None

    @property
    def containers(self) -> list[dict[str, Any]]:
        """The container definitions."""
        definitions: list[dict[str, Any]] = self.request["containerDefinitions"]
        return definitions


@dataclass(slots=True)
class Revision:
    """A service revision: what a deployment deploys, with the digests its tags meant then."""

    arn: str
    number: str
    task_definition: TaskDefinition
    settings: dict[str, Any]
    """Members of the service that a revision carries: launchType, networkConfiguration, …"""
    created_at: datetime
    images: dict[str, ImageInfo] = field(default_factory=dict)
    """By container name, filled when its first task pulls."""
    balancers: list[dict[str, Any]] = field(default_factory=list)
    """Where its tasks are registered: as given, with the target group that was really chosen."""


@dataclass(slots=True)
class Deployment:
    """One entry of a service's `deployments`."""

    revision: Revision
    desired: int
    created_at: datetime
    updated_at: datetime
    status: str = "PRIMARY"
    rollout_state: str = "IN_PROGRESS"
    rollout_reason: str = ""
    failed_tasks: int = 0
    """Failures since the last healthy task; they set the pause before the next attempt."""
    pause: Timer | None = None
    """Runs while no task of it may be started: at its beginning, and between failing attempts."""
    noted: bool = False
    """Whether the event that tells of its trouble was written."""
    succeeded: bool = False
    """Whether it was once what its service deployment ended well with."""

    @property
    def id(self) -> str:
        """`ecs-svc/` and the number that it shares with its revision."""
        return f"ecs-svc/{self.revision.number}"


@dataclass(slots=True)
class RollbackRecord:
    """Why and to which revision a service deployment was rolled back."""

    reason: str
    started_at: datetime
    revision: Revision
    failures: int = 0
    """Tasks of the way back that failed, since the last healthy one."""


@dataclass(slots=True)
class ServiceDeployment:
    """The record of one deployment of a service, kept after it ended."""

    arn: str
    service: Service
    target: Revision
    sources: list[Revision]
    configuration: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    status: str = "PENDING"
    status_reason: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    lifecycle_stage: str | None = None
    source: Deployment | None = None
    """Whose tasks get the traffic back after a rollback by weights; `None` at the first one."""
    target_tested: bool = False
    """Whether the test rule was given to the new revision."""
    hooks: list[Hook] = field(default_factory=list)
    """Every pause of it so far."""
    traffic: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    """Percent of production and of test traffic asked for, by the ARN of the revision."""
    failure_count: int = 0
    breaker_status: str = "DISABLED"
    alarm_status: str = "DISABLED"
    alarm_names: list[str] = field(default_factory=list)
    alarms_raised: list[str] = field(default_factory=list)
    baked: bool = False
    """Of a rolling deployment with a bake time: whether it is over."""
    bake: Timer | None = None
    rollback: RollbackRecord | None = None
    final_counts: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Requested, running, pending per revision, as they were when it ended."""

    @property
    def ended(self) -> bool:
        """Whether its status will not change any more."""
        return self.status in ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a service's events."""

    id: str
    at: datetime
    message: str


@dataclass(slots=True)
class ContainerState:
    """A container of a task."""

    name: str
    image: str
    runtime_id: str
    essential: bool = True
    digest: str | None = None
    status: str = "PENDING"
    exit_code: int | None = None
    reason: str | None = None
    handle: Container | None = None
    checked: bool = False
    """Whether it has a health check."""
    health: str = "UNKNOWN"


@dataclass(slots=True)
class Task:
    """A task through its life; times are those of the API members of the same name."""

    id: str
    arn: str
    cluster: Cluster
    revision: Revision
    zone: str
    subnet: str
    address: str
    mac: str
    interface: str
    attachment: str
    created_at: datetime
    containers: list[ContainerState]
    service: Service | None = None
    """`None` for a task that RunTask started, as is its deployment."""
    deployment: Deployment | None = None
    group: str = ""
    started_by: str | None = None
    overrides: dict[str, Any] = field(default_factory=dict)
    """As RunTask gave them."""
    tags: dict[str, str] = field(default_factory=dict)
    exec_enabled: bool = False
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    version: int = 1
    healthy: bool = False
    """What the scheduler holds of it: running, and healthy for the load balancer."""
    ever_healthy: bool = False
    registered: bool = False
    connectivity_at: datetime | None = None
    pull_started_at: datetime | None = None
    pull_stopped_at: datetime | None = None
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    execution_stopped_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None
    timer: Timer | None = None
    """The next step of its life."""
    grace_over: bool = False
    """Whether the health check grace period has passed."""

    @property
    def live(self) -> bool:
        """Whether it is wanted: neither stopped nor being stopped."""
        return self.desired_status == "RUNNING"

    @property
    def pending(self) -> bool:
        """Whether it is on its way up."""
        return self.live and self.last_status in ("PROVISIONING", "PENDING", "ACTIVATING")

    @property
    def running(self) -> bool:
        """Whether the API counts it as running."""
        return self.last_status == "RUNNING"


@dataclass(slots=True)
class Service:
    """A service and its deployments, newest first."""

    arn: str
    name: str
    cluster: Cluster
    desired: int
    settings: dict[str, Any]
    """Members as in the API that operations set and replies repeat."""
    created_at: datetime
    tags: dict[str, str]
    status: str = "ACTIVE"
    deployments: list[Deployment] = field(default_factory=list)
    revisions: dict[str, Revision] = field(default_factory=dict)
    """Every revision by ARN, as long as the service exists."""
    history: list[ServiceDeployment] = field(default_factory=list)
    """Service deployments, newest first."""
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))
    """Newest first."""
    tasks: list[Task] = field(default_factory=list)
    shift: Shift | None = None
    """The deployment in flight between two target groups, until it cleans up."""
    wake: Timer | None = None
    reminder: Timer | None = None
    """When the steady state is told again."""
    steady: bool = False
    """Whether it was said to be steady since the last change."""
    replaced: int = 0
    """Unhealthy tasks that were stopped and whose replacements were not started yet."""
    unplaced: bool = False
    """Whether it was said that no task can be placed."""

    @property
    def primary(self) -> Deployment:
        """The deployment that the service should become."""
        return self.deployments[0]

    @property
    def current(self) -> ServiceDeployment | None:
        """The service deployment in flight."""
        return self.history[0] if self.history and not self.history[0].ended else None

    @property
    def by_code_deploy(self) -> bool:
        """Whether AWS CodeDeploy deploys it: it has task sets then, and no deployments."""
        controller: str = self.settings["deploymentController"]["type"]
        return controller == "CODE_DEPLOY"

    @property
    def grace_seconds(self) -> float:
        """The health check grace period."""
        return float(self.settings.get("healthCheckGracePeriodSeconds") or 0)

    def tasks_of(self, deployment: Deployment) -> list[Task]:
        """The tasks that a deployment started, stopped ones included."""
        return [task for task in self.tasks if task.deployment is deployment]


@dataclass(slots=True)
class Cluster:
    """A cluster and its services by name, deleted ones included until they are replaced."""

    arn: str
    name: str
    settings: dict[str, Any]
    tags: dict[str, str]
    status: str = "ACTIVE"
    services: dict[str, Service] = field(default_factory=dict)
    standalone: list[Task] = field(default_factory=list)
    """Those that RunTask started."""
    tokens: dict[str, tuple[dict[str, Any], list[Task]]] = field(default_factory=dict)
    """The request and the tasks of each clientToken."""

    def all_tasks(self) -> list[Task]:
        """The tasks of all services, and those of none."""
        of_services = [task for service in self.services.values() for task in service.tasks]
        return of_services + self.standalone


class EcsState:
    """Every record, with the refusals for those that do not exist."""

    def __init__(self) -> None:
        self.clusters: dict[str, Cluster] = {}
        self.families: dict[str, list[TaskDefinition]] = {}

    def cluster(self, reference: str | None) -> Cluster:
        """A cluster by name or ARN (`default` when not named), or ClusterNotFoundException."""
        cluster = self.clusters.get((reference or "default").rpartition("/")[2])
        if cluster is None or cluster.status != "ACTIVE":
            raise ApiError("ClusterNotFoundException", "Cluster not found.")
        return cluster

    def find_service(self, cluster: Cluster, reference: str) -> Service | None:
        """A service by name or ARN."""
        service = cluster.services.get(reference.rpartition("/")[2])
        if service and reference.startswith("arn:") and service.arn != reference:
            return None
        return service

    def service(self, cluster: Cluster, reference: str) -> Service:
        """An existing service, or ServiceNotFoundException."""
        service = self.find_service(cluster, reference)
        if service is None:
            raise ApiError("ServiceNotFoundException", "Service not found.")
        return service

    def active_service(self, cluster: Cluster, reference: str) -> Service:
        """A service that can be changed, or the refusal of AWS."""
        service = self.service(cluster, reference)
        if service.status != "ACTIVE":
            raise ApiError("ServiceNotActiveException", "Service was not ACTIVE.")
        return service

    def task_definition(self, reference: str) -> TaskDefinition:
        """A task definition by ARN, `family:revision` or family (its newest active revision)."""
        name = reference.rpartition("/")[2] if reference.startswith("arn:") else reference
        family, _, revision = name.partition(":")
        known = self.families.get(family, [])
        if revision:
            found = next((t for t in known if str(t.revision) == revision), None)
        else:
            found = next((t for t in reversed(known) if t.status == "ACTIVE"), None)
        if found is None:
            raise ApiError("ClientException", "Unable to describe task definition.")
        return found

    def usable_task_definition(self, reference: str) -> TaskDefinition:
        """A task definition that a service may be given."""
        try:
            found = self.task_definition(reference)
        except ApiError:
            raise ApiError("ClientException", "TaskDefinition not found.") from None
        if found.status != "ACTIVE":
            raise ApiError("ClientException", "TaskDefinition is inactive")
        return found

    def all_services(self) -> list[Service]:
        """The services of all clusters."""
        return [s for cluster in self.clusters.values() for s in cluster.services.values()]
