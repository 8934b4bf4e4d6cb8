"""The scenarios of the sandbox: names, what they take, what they do. Help and docs show this table.

A scenario begins with `--scenario NAME` (or NAME=VALUE) when everything is steady, or at any time
through the control endpoint. Those that break what a deployment starts begin one by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ecs.state import Service, Task
    from .faults import Faults
    from .world import World

LONG_AGO = datetime.min.replace(tzinfo=UTC)
BURST_SECONDS = 30.0
"""Real seconds that a burst of log lines lasts."""
_TICKS = 10


class BadScenario(ValueError):
    """No such scenario, or a value that it cannot take; the text is for its user."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a scenario acts on."""

    world: World
    faults: Faults
    broken_image: str
    """Where the image that crashes is, for the bad deploy of the demo."""

    def services(self) -> list[Service]:
        """The services that are there."""
        found = self.world.ecs.state.all_services()
        return [service for service in found if service.status == "ACTIVE"]

    def running(self) -> list[Task]:
        """The services' running tasks that nobody told to stop, of the newest deployments."""
        return [
            task
            for service in self.services()
            for task in service.tasks_of(service.primary)
            if task.running and task.live
        ]

    def redeploy(self) -> None:
        """Force a new deployment of every service."""
        for service in self.services():
            request = {"cluster": service.cluster.name, "service": service.name}
            self.world.ecs.handle("UpdateService", {**request, "forceNewDeployment": True})


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the table."""

    name: str
    summary: str
    begin: Callable[[Stage, str], None]
    takes: str = ""
    """What its value means; empty when it takes none."""
    default: str = ""

    @property
    def usage(self) -> str:
        """How it is written."""
        return f"{self.name}[={self.takes}]" if self.takes else self.name


def find(text: str) -> tuple[Scenario, str]:
    """The scenario of `NAME` or `NAME=VALUE`, and its value.

    Raises:
        BadScenario: there is none of that name, or it takes no value.
    """
    name, equals, value = text.partition("=")
    for scenario in SCENARIOS:
        if scenario.name == name:
            if equals and not scenario.takes:
                raise BadScenario(f"{name} takes no value")
            return scenario, value or scenario.default
    raise BadScenario(f"no scenario {name!r}; there are {', '.join(s.name for s in SCENARIOS)}")


def begin(stage: Stage, text: str) -> Scenario:
    """Begin the scenario of `NAME` or `NAME=VALUE`.

    Raises:
        BadScenario: as `find`, or it cannot begin now.
    """
    scenario, value = find(text)
    scenario.begin(stage, value)
    return scenario


def _number(value: str, least: float = 0.0) -> float:
    try:
        number = float(value)
    except ValueError:
        raise BadScenario(f"{value!r} is not a number") from None
    if number < least:
        raise BadScenario(f"{value} is less than {least:g}")
    return number


def _nothing(stage: Stage, _value: str) -> None:
    stage.faults.clear()
    stage.world.ecs.trouble.clear()


def _bad_deploy(stage: Stage, _value: str) -> None:
    from .bad_deploy import bad_deploy

    for service in stage.services():
        cluster = service.cluster.name
        bad_deploy(stage.world.ecs, cluster=cluster, service=service.name, image=stage.broken_image)


def _ill(name: str, *, since_ever: bool = False) -> Callable[[Stage, str], None]:
    def start(stage: Stage, value: str) -> None:
        trouble = stage.world.ecs.trouble
        if value:
            trouble.boot_seconds = _number(value)
        trouble.ills[name] = LONG_AGO if since_ever else stage.world.clock.now()
        stage.redeploy()

    return start


def _failing_check(stage: Stage, value: str) -> None:
    tasks = [task for task in stage.running() if task.healthy]
    count = int(_number(value, 1))
    if not tasks:
        raise BadScenario("no task is healthy now")
    for task in tasks[:count]:
        for container in task.containers:
            if container.handle is not None:
                container.handle.fall_ill()


def _no_capacity(stage: Stage, _value: str) -> None:
    stage.world.ecs.trouble.no_capacity = True
    stage.redeploy()


def _no_addresses(stage: Stage, _value: str) -> None:
    stage.world.ecs.trouble.no_addresses = True
    stage.redeploy()


def _spot(stage: Stage, _value: str) -> None:
    from .ecs.texts import SPOT_INTERRUPTED

    tasks = stage.running()
    if not tasks:
        raise BadScenario("no task runs now")
    stage.world.ecs.lives.stop(tasks[0], "SpotInterruption", SPOT_INTERRUPTED)
    if tasks[0].service is not None:
        stage.world.ecs.scheduler.task_changed(tasks[0].service)


def _migration(kind: str) -> Callable[[Stage, str], None]:
    def start(stage: Stage, _value: str) -> None:
        stage.world.ecs.trouble.migration = kind

    return start


def _log_burst(stage: Stage, value: str) -> None:
    rate = _number(value, 1)
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


def _throttling(stage: Stage, value: str) -> None:
    stage.faults.calls_per_second = _number(value)


def _access_denied(stage: Stage, value: str) -> None:
    if ":" not in value:
        raise BadScenario(f"{value!r} is not an action such as ecs:UpdateService")
    stage.faults.denied.add(value)


def _expired(stage: Stage, value: str) -> None:
    stage.faults.expired.add(value or stage.world.account)


def _latency(stage: Stage, value: str) -> None:
    stage.faults.latency = _number(value) / 1000


def _jitter(stage: Stage, value: str) -> None:
    stage.faults.jitter = _number(value) / 1000


def _resets(stage: Stage, value: str) -> None:
    stage.faults.resets = min(100.0, _number(value)) / 100


SCENARIOS = (
    Scenario("none", "End every trouble; what already runs stays as it is.", _nothing),
    Scenario(
        "bad-deploy",
        "Deploy an image that crashes; the circuit breaker takes it back. At the start it waits "
        "until somebody looks.",
        _bad_deploy,
    ),
    Scenario("crash-loop", "A new deployment whose tasks crash while they boot.", _ill("crash")),
    Scenario(
        "old-revision-broken",
        "As crash-loop, but tasks of the old revision crash too when they are started.",
        _ill("crash", since_ever=True),
    ),
    Scenario(
        "slow-boot",
        "A new deployment whose tasks need so long to listen.",
        _ill("slow"),
        "SECONDS",
        "120",
    ),
    Scenario("image-not-found", "A new deployment whose image cannot be pulled.", _ill("no-image")),
    Scenario("secret-missing", "A new deployment whose secret cannot be read.", _ill("no-secret")),
    Scenario(
        "failing-health-check-after-healthy",
        "So many healthy tasks begin to fail the health check.",
        _failing_check,
        "TASKS",
        "1",
    ),
    Scenario("no-capacity", "A new deployment for which Fargate has no capacity.", _no_capacity),
    Scenario(
        "subnet-without-addresses",
        "A new deployment whose tasks get no network interface.",
        _no_addresses,
    ),
    Scenario("spot-reclaim", "One running task is interrupted as Spot capacity.", _spot),
    Scenario("migration-fails", "Migrations fail from now on.", _migration("fail")),
    Scenario("migration-hangs", "Migrations hang, and only SIGKILL ends them.", _migration("hang")),
    Scenario("migration-slow", "Migrations take 20 minutes of AWS's time.", _migration("slow")),
    Scenario(
        "log-burst",
        "So many log lines a second, for 30 s.",
        _log_burst,
        "LINES",
        "200",
    ),
    Scenario(
        "throttling",
        "Each service answers so many calls a second and throttles the rest.",
        _throttling,
        "CALLS",
        "2",
    ),
    Scenario(
        "access-denied",
        "An IAM action is refused; may be begun for several.",
        _access_denied,
        "ACTION",
        "elasticloadbalancing:DescribeTargetHealth",
    ),
    Scenario(
        "expired-credentials",
        "The credentials of an access key id, the printed one unless another is named, are over.",
        _expired,
        "KEY",
    ),
    Scenario("latency", "Every call takes so much longer.", _latency, "MILLISECONDS", "400"),
    Scenario("jitter", "Every call takes up to so much longer.", _jitter, "MILLISECONDS", "400"),
    Scenario(
        "connection-resets",
        "So many of a hundred answers are cut in the middle.",
        _resets,
        "PERCENT",
        "20",
    ),
)
"""In the order of the help."""
