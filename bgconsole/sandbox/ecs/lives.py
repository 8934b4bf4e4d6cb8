"""The life of a task: PROVISIONING to STOPPED, its containers, its place in the target groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ..clock import Clock, Timer
from ..elbv2.targets import TargetRegistry
from ..names import Names
from ..runtime.port import ImageInfo, Images, Prober, Runtime
from . import texts
from .births import Births, Launch, container_spec
from .container_health import HEALTHY, UNHEALTHY, ContainerHealth, task_health
from .events import EventBook
from .state import Cluster, ContainerState, Deployment, Service, Task
from .trouble import NO_IMAGE, NO_SECRET, Trouble

# Seconds of AWS's pace, fitted to the measured rolling update: targets registered 30 s after the
# tasks were created, deregistered 1.5 s after they were told to stop.
PROVISIONING = 10.0
PULLING = 16.0
REGISTERING = 4.0
ACTIVATING = 1.0
DEREGISTERING = 1.5
DEPROVISIONING = 10.0
HEALTHY_WITHOUT_CHECK = 40.0
"""Without any health check a task counts as healthy so long after it runs."""

PROOF_FLOOR = 1.5
"""Real seconds of that at least: what crashes while it boots must do so before."""

CONTAINERS = "containers"
"""Who complains of a task whose own container health checks fail."""

GRACE_FLOOR = 2.0
"""Real seconds of grace at least: a slow machine is not the app's fault."""


class LogSink(Protocol):
    """Where the awslogs driver of a container writes."""

    def write(self, group: str, stream: str, line: str) -> None:
        """Take one line; never blocks."""
        ...


class TaskWatcher(Protocol):
    """Who is told of a task's turns: the scheduler."""

    def task_changed(self, service: Service) -> None:
        """A task became ready or is gone."""
        ...

    def task_failed(self, task: Task) -> None:
        """A task ended that nobody told to end, or never started."""
        ...


class TaskLives:
    """Brings tasks up and down; every step is a callback on the clock."""

    def __init__(
        self,
        *,
        clock: Clock,
        names: Names,
        runtime: Runtime,
        images: Images,
        targets: TargetRegistry,
        logs: LogSink,
        events: EventBook,
        prober: Prober,
        trouble: Trouble,
        grace_floor: float = GRACE_FLOOR,
    ) -> None:
        self._clock = clock
        self._grace_floor = grace_floor
        self._births = Births(clock, names)
        self._runtime = runtime
        self._images = images
        self._targets = targets
        self._logs = logs
        self._events = events
        self._trouble = trouble
        self._health = ContainerHealth(clock, prober, self._changed)
        self._leaving: dict[str, list[Task]] = {}
        self._arriving: dict[str, list[Task]] = {}
        self.watcher: TaskWatcher

    def start(self, service: Service, deployment: Deployment) -> Task:
        """Create a task of a deployment and begin its life."""
        task = self._births.of_service(service, deployment)
        service.tasks.append(task)
        self._after(task, PROVISIONING, self._provisioned)
        return task

    def run(self, cluster: Cluster, launch: Launch) -> Task:
        """Create a task of no service and begin its life."""
        task = self._births.standalone(cluster, launch)
        cluster.standalone.append(task)
        self._after(task, PROVISIONING, self._provisioned)
        return task

    def stop(self, task: Task, code: str, reason: str) -> None:
        """Stop a task in order: leave the target groups, drain, SIGTERM, then the end."""
        if not task.live:
            return
        self._condemn(task, code, reason)
        if any(container.handle for container in task.containers):
            self._becomes(task, "DEACTIVATING")
            if task.registered:
                self._leave(task)
            else:
                self._after(task, DEREGISTERING, self._terminate)
        else:
            self._becomes(task, "STOPPING")
            self._after(task, DEREGISTERING, self._deprovision)

    def check_health(self, task: Task) -> str | None:
        """Bring `task.healthy` up to date.

        Returns:
            The target group that calls it unhealthy, or `CONTAINERS`; `None` while nobody does, or
            in its grace period.
        """
        if not task.running or not task.live:
            task.healthy = False
            return None
        complaint = None
        healthy = True
        for balancer in _balancers(task):
            arn = balancer["targetGroupArn"]
            state = self._targets.view(arn, (task.address, balancer["containerPort"])).state
            healthy = healthy and state == "healthy"
            if state == "unhealthy":
                complaint = arn
        checked = any(container.essential and container.checked for container in task.containers)
        if checked:
            health = task_health(task)
            healthy = healthy and health == HEALTHY
            if health == UNHEALTHY:
                complaint = CONTAINERS
        if checked or _balancers(task):
            task.healthy = healthy
        task.ever_healthy = task.ever_healthy or task.healthy
        return complaint if task.grace_over else None

    def complaint(self, task: Task, target_group: str) -> tuple[int, str]:
        """The port and the reason of an unhealthy target, for the service event."""
        for balancer in _balancers(task):
            if balancer["targetGroupArn"] == target_group:
                port = int(balancer["containerPort"])
                view = self._targets.view(target_group, (task.address, port))
                return port, view.description
        raise LookupError(target_group)

    def write_log(self, task: Task, line: str) -> None:
        """A line of the task's first container, as if it had written it."""
        self._log_of(task, task.revision.task_definition.containers[0])(line)

    # -- the way up

    def _provisioned(self, task: Task) -> None:
        task.connectivity_at = task.pull_started_at = self._clock.now()
        if self._trouble.no_addresses:
            self._cannot_start(task, texts.no_addresses(task.subnet))
            return
        self._becomes(task, "PENDING")
        revision = task.revision
        if self._trouble.has(NO_SECRET, revision.created_at):
            self._cannot_start(task, texts.cannot_find_secret(_first_secret(task)))
            return
        if self._trouble.has(NO_IMAGE, revision.created_at):
            self._cannot_pull(task, task.containers[0])
            return
        missing = [c for c in task.containers if c.name not in revision.images]
        waiting = len(missing)
        if not waiting:
            self._after(task, PULLING, self._pulled)

        def found(container: ContainerState, info: ImageInfo | None) -> None:
            nonlocal waiting
            waiting -= 1
            if not task.live:
                return
            if info is None:
                self._cannot_pull(task, container)
                return
            revision.images.setdefault(container.name, info)
            if waiting == 0:
                self._after(task, PULLING, self._pulled)

        for container in missing:
            self._images.find(container.image, lambda info, c=container: found(c, info))  # type: ignore[misc]

    def _cannot_pull(self, task: Task, container: ContainerState) -> None:
        container.reason = texts.cannot_pull(container.image)
        self._cannot_start(task, container.reason)

    def _cannot_start(self, task: Task, reason: str) -> None:
        for container in task.containers:
            container.status = "STOPPED"
        self._condemn(task, "TaskFailedToStart", reason)
        self._becomes(task, "DEPROVISIONING")
        self._after(task, DEPROVISIONING, self._stopped)

    def _pulled(self, task: Task) -> None:
        task.pull_stopped_at = self._clock.now()
        self._becomes(task, "ACTIVATING")
        made = task.revision.created_at
        for container, definition in zip(
            task.containers, task.revision.task_definition.containers, strict=True
        ):
            info = self._trouble.spoilt(task.revision.images[container.name], made)
            container.digest = info.digest
            container.status = "RUNNING"
            spec = container_spec(task, definition, info)
            told = _Told(self, task, container, self._log_of(task, definition))
            container.handle = self._runtime.start(spec, told)
            self._health.watch(task, container, definition)
        if _balancers(task):
            self._arrive(task)
        else:
            self._after(task, ACTIVATING, self._runs)

    def _log_of(self, task: Task, definition: dict[str, Any]) -> Callable[[str], None]:
        configuration = definition.get("logConfiguration") or {}
        options = configuration.get("options") or {}
        group = options.get("awslogs-group")
        if configuration.get("logDriver") != "awslogs" or not group:
            return lambda _line: None
        prefix = options.get("awslogs-stream-prefix", "ecs")
        stream = f"{prefix}/{definition['name']}/{task.id}"
        return lambda line: self._logs.write(group, stream, line)

    def _arrive(self, task: Task) -> None:
        """Register with the target groups, together with those that arrive in the same moment."""
        service = task.service
        if service is None:
            return
        queue = self._arriving.setdefault(service.arn, [])
        queue.append(task)
        if len(queue) == 1:
            self._clock.call_later(REGISTERING, lambda: self._registered(service))

    def _registered(self, service: Service) -> None:
        tasks = [t for t in self._arriving.pop(service.arn, []) if t.live]
        counts: dict[str, int] = {}
        for task in tasks:
            task.registered = True
            for balancer in _balancers(task):
                arn = balancer["targetGroupArn"]
                target = (task.address, balancer["containerPort"])
                self._targets.register(arn, target, task.zone)
                counts[arn] = counts.get(arn, 0) + 1
            self._after(task, ACTIVATING, self._runs)
        for arn, count in counts.items():
            self._events.say(service, texts.registered(count, arn))

    def _runs(self, task: Task) -> None:
        task.started_at = self._clock.now()
        self._becomes(task, "RUNNING")
        grace = task.service.grace_seconds if task.service else 0.0
        self._clock.call_later(grace, lambda: self._grace_ended(task), floor=self._grace_floor)
        if not _balancers(task) and not any(c.checked for c in task.containers):
            self._after(task, HEALTHY_WITHOUT_CHECK, self._proved, floor=PROOF_FLOOR)
        self._changed(task)

    def _grace_ended(self, task: Task) -> None:
        task.grace_over = True
        self._changed(task)

    def _proved(self, task: Task) -> None:
        task.healthy = task.ever_healthy = True
        self._changed(task)

    # -- the way down

    def container_exited(self, task: Task, container: ContainerState, code: int) -> None:
        """A container ended, told to or not."""
        container.exit_code = code
        container.status = "STOPPED"
        container.handle = None
        alive = [other for other in task.containers if other.handle is not None]
        if task.live and (container.essential or not alive):
            self._condemn(task, "EssentialContainerExited", texts.ESSENTIAL_EXITED)
            self._becomes(task, "DEACTIVATING")
            if task.registered:
                self._leave(task)
            self.watcher.task_failed(task)
            for other in alive:
                if other.handle is not None:
                    other.handle.stop()
        if not task.live and all(other.handle is None for other in task.containers):
            self._cancel(task)
            task.execution_stopped_at = self._clock.now()
            self._after(task, DEREGISTERING, self._deprovision)

    def _condemn(self, task: Task, code: str, reason: str) -> None:
        self._cancel(task)
        task.desired_status = "STOPPED"
        task.stopping_at = self._clock.now()
        task.stop_code, task.stopped_reason = code, reason
        task.healthy = False
        if code == "TaskFailedToStart":
            self.watcher.task_failed(task)

    def _leave(self, task: Task) -> None:
        """Deregister, together with those that leave in the same moment."""
        service = task.service
        if service is None:
            return
        queue = self._leaving.setdefault(service.arn, [])
        queue.append(task)
        if len(queue) == 1:
            self._clock.call_later(DEREGISTERING, lambda: self._deregistered(service))

    def _deregistered(self, service: Service) -> None:
        tasks = self._leaving.pop(service.arn, [])
        groups: dict[str, int] = {}
        draining: dict[str, int] = {}
        for task in tasks:
            delay = 0.0
            for balancer in _balancers(task):
                arn = balancer["targetGroupArn"]
                target = (task.address, balancer["containerPort"])
                delay = max(delay, self._targets.deregister(arn, target))
                groups[arn] = groups.get(arn, 0) + 1
            task.registered = False
            if any(container.handle for container in task.containers):
                key = task.started_by or ""
                draining[key] = draining.get(key, 0) + 1
                if task.last_status == "DEACTIVATING":
                    self._after(task, delay, self._terminate, floor=0.2)
        for arn, count in groups.items():
            self._events.say(service, texts.deregistered(count, arn))
        for deployment_id, count in draining.items():
            self._events.say_draining(service, deployment_id, count)

    def _terminate(self, task: Task) -> None:
        self._becomes(task, "STOPPING")
        for container in task.containers:
            if container.handle is not None:
                container.handle.stop()
        self._changed(task)

    def _deprovision(self, task: Task) -> None:
        task.execution_stopped_at = task.execution_stopped_at or self._clock.now()
        self._becomes(task, "DEPROVISIONING")
        self._after(task, DEPROVISIONING, self._stopped)

    def _stopped(self, task: Task) -> None:
        task.stopped_at = self._clock.now()
        for container in task.containers:
            container.status = "STOPPED"
        self._becomes(task, "STOPPED")
        self._changed(task)

    # -- small things

    def _changed(self, task: Task) -> None:
        if task.service is not None:
            self.watcher.task_changed(task.service)

    def _becomes(self, task: Task, status: str) -> None:
        task.last_status = status
        task.version += 1

    def _after(
        self, task: Task, seconds: float, step: Callable[[Task], None], *, floor: float = 0.0
    ) -> None:
        self._cancel(task)
        task.timer = self._clock.call_later(seconds, lambda: step(task), floor=floor)

    def _cancel(self, task: Task) -> None:
        timer: Timer | None = task.timer
        if timer is not None:
            timer.cancel()
            task.timer = None


class _Told:
    """Brings the news of one container to its task."""

    def __init__(
        self, lives: TaskLives, task: Task, container: ContainerState, log: Callable[[str], None]
    ) -> None:
        self._lives = lives
        self._task = task
        self._container = container
        self._log = log

    def output(self, line: str) -> None:
        self._log(line)

    def exited(self, exit_code: int) -> None:
        self._lives.container_exited(self._task, self._container, exit_code)


def _balancers(task: Task) -> list[dict[str, Any]]:
    return task.revision.balancers


def _first_secret(task: Task) -> str:
    secrets = [s for c in task.revision.task_definition.containers for s in c.get("secrets", [])]
    return secrets[0]["valueFrom"] if secrets else "of the registry's credentials"
