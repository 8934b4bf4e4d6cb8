"""What the scenarios do to deployments, tasks and migrations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from .ecs.stages import SHIFTING
from .ecs.state import Service, Task
from .ecs.texts import SPOT_INTERRUPTED
from .ecs.trouble import CRASH, ERRORS, NO_DATABASE, SLOW
from .stage import BadScenario, Stage, number

LONG_AGO = datetime.min.replace(tzinfo=UTC)
BURST_SECONDS = 30.0
"""Real seconds that a burst of log lines lasts."""
ATTEMPTS = 3
"""Failed tasks before the circuit breaker acts, where a scenario sets it."""
_TICKS = 10


def nothing(stage: Stage, _value: str) -> None:
    """End every trouble."""
    if stage.world.ecs.trouble.burst:
        _fail_requests(stage, 0.0)
    stage.faults.clear()
    stage.world.ecs.trouble.clear()
    stage.secrets.restore()


def bad_deploy(stage: Stage, _value: str) -> None:
    """Deploy the image that crashes to every service."""
    from .bad_deploy import bad_deploy

    for service in stage.services():
        cluster = service.cluster.name
        bad_deploy(stage.world.ecs, cluster=cluster, service=service.name, image=stage.broken_image)


def ill(name: str) -> Callable[[Stage, str], None]:
    """A new deployment whose tasks have something."""

    def start(stage: Stage, value: str) -> None:
        trouble = stage.world.ecs.trouble
        if name == SLOW:
            trouble.boot_seconds = number(value)
        elif name == ERRORS:
            trouble.error_percent = percent(value)
        trouble.ills[name] = stage.world.clock.now()
        stage.redeploy()

    return start


def old_broken(stage: Stage, _value: str) -> None:
    """Whatever is started crashes, and half of the old tasks make room for the new ones."""
    stage.world.ecs.trouble.ills[CRASH] = LONG_AGO
    for service in stage.services():
        configuration = {"maximumPercent": 100, "minimumHealthyPercent": 50}
        stage.redeploy(service, {} if _shifts(service) else configuration)


def rollback_failed(stage: Stage, _value: str) -> None:
    """Whatever is started crashes, nothing old is left to go back to, and the breaker counts."""
    stage.world.ecs.trouble.ills[CRASH] = LONG_AGO
    threshold = {"type": "COUNT", "value": ATTEMPTS}
    breaker = {"enable": True, "rollback": True, "thresholdConfiguration": threshold}
    for service in stage.services():
        configuration = {
            "strategy": "ROLLING",
            "maximumPercent": 100,
            "minimumHealthyPercent": 0,
            "lifecycleHooks": [],
            "deploymentCircuitBreaker": breaker,
        }
        stage.redeploy(service, configuration)


def secret_changed(stage: Stage, _value: str) -> None:
    """Give the database's secret another value; who starts from now on cannot reach it."""
    named = {s["name"]: s["valueFrom"] for service in stage.services() for s in _secrets(service)}
    if not named:
        raise BadScenario("no task definition of a service names a secret")
    stage.secrets.change(named.get("DATABASE_URL") or next(iter(named.values())))
    stage.world.ecs.trouble.ills[NO_DATABASE] = LONG_AGO
    stage.redeploy()


def errors(stage: Stage, value: str) -> None:
    """All tasks answer a share of the requests for a page with 500, until `none`."""
    share = percent(value)
    if not any(task.running for task in _tasks(stage)):
        raise BadScenario("no task runs now")
    stage.world.ecs.trouble.burst = share
    _fail_requests(stage, share)


def failing_check(stage: Stage, value: str) -> None:
    """Healthy tasks begin to fail the health check."""
    tasks = [task for task in stage.running() if task.healthy]
    count = int(at_least_one(value))
    if not tasks:
        raise BadScenario("no task is healthy now")
    for task in tasks[:count]:
        for container in task.containers:
            if container.handle is not None:
                container.handle.fall_ill()


def no_capacity(stage: Stage, _value: str) -> None:
    """Nothing can be placed."""
    stage.world.ecs.trouble.no_capacity = True
    stage.redeploy()


def no_addresses(stage: Stage, _value: str) -> None:
    """No task gets a network interface."""
    stage.world.ecs.trouble.no_addresses = True
    stage.redeploy()


def spot(stage: Stage, _value: str) -> None:
    """One running task is interrupted."""
    tasks = stage.running()
    if not tasks:
        raise BadScenario("no task runs now")
    stage.world.ecs.lives.stop(tasks[0], "SpotInterruption", SPOT_INTERRUPTED)
    if tasks[0].service is not None:
        stage.world.ecs.scheduler.task_changed(tasks[0].service)


def migration(kind: str) -> Callable[[Stage, str], None]:
    """How every migration goes from now on."""

    def start(stage: Stage, _value: str) -> None:
        stage.world.ecs.trouble.migration = kind

    return start


def log_burst(stage: Stage, value: str) -> None:
    """The running tasks write lines at this rate for a while."""
    rate = at_least_one(value)
    tasks = stage.running()
    if not tasks:
        raise BadScenario("no task runs now")
    ticks = int(BURST_SECONDS * _TICKS)
    written = 0

    def tick(number: int) -> None:
        nonlocal written
        while written < rate * (number + 1) / _TICKS:
            written += 1
            line = f"[burst] line {written}: ActiveRecord::Base queried posts 7 times"
            stage.world.ecs.lives.write_log(tasks[written % len(tasks)], line)
        if number + 1 < ticks:
            stage.world.clock.call_later(0.0, lambda: tick(number + 1), floor=1 / _TICKS)

    tick(0)


def _fail_requests(stage: Stage, share: float) -> None:
    for task in _tasks(stage):
        for container in task.containers:
            if container.handle is not None:
                container.handle.fail(share)


def _tasks(stage: Stage) -> list[Task]:
    return [task for service in stage.services() for task in service.tasks if task.live]


def _secrets(service: Service) -> list[dict[str, str]]:
    containers = service.primary.revision.task_definition.containers
    return [secret for container in containers for secret in container.get("secrets") or ()]


def _shifts(service: Service) -> bool:
    strategy: str = service.settings["deploymentConfiguration"]["strategy"]
    return strategy in SHIFTING


def at_least_one(value: str) -> float:
    """How many.

    Raises:
        BadScenario: it is no number, or less than 1.
    """
    return number(value, 1)


def percent(value: str) -> float:
    """So many of a hundred.

    Raises:
        BadScenario: it is no number from 0 to 100.
    """
    share = number(value)
    if share > 100:
        raise BadScenario(f"{value} is more than 100")
    return share
