"""The scenarios of the sandbox: names, what they take, what they do. Help and docs show this table.

A scenario begins with `--scenario NAME` (or NAME=VALUE) when everything is steady, or at any time
through the control endpoint. Those that break what a deployment starts begin one by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import trouble_scenarios as trouble
from .scale import NOT_SIMULATED, scale, shape
from .stage import BadScenario, Stage, number

__all__ = ["SCENARIOS", "BadScenario", "Scenario", "Stage", "begin", "find", "fits"]

_STANDIN = "{} needs the stand-in for the app: leave out --docker"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the table."""

    name: str
    summary: str
    begin: Callable[[Stage, str], None]
    takes: str = ""
    """What its value means; empty when it takes none."""
    default: str = ""
    valid: Callable[[str], object] = str
    """Raises BadScenario where it does not understand its value."""
    standin: bool = False
    """Whether only the stand-in for the app can do it."""
    simulated: bool = False
    """Whether it makes more tasks than could be processes."""

    @property
    def usage(self) -> str:
        """How it is written."""
        return f"{self.name}[={self.takes}]" if self.takes else self.name


def find(text: str) -> tuple[Scenario, str]:
    """The scenario of `NAME` or `NAME=VALUE`, and its value.

    Raises:
        BadScenario: there is none of that name, or it takes no such value.
    """
    name, equals, value = text.partition("=")
    for scenario in SCENARIOS:
        if scenario.name == name:
            if equals and not scenario.takes:
                raise BadScenario(f"{name} takes no value")
            value = value or scenario.default
            scenario.valid(value)
            return scenario, value
    known = ", ".join(f"`{scenario.name}`" for scenario in SCENARIOS)
    raise BadScenario(f"no scenario {name!r}; those there are: {known}")


def fits(text: str, runtime: str) -> None:
    """Whether what runs the tasks can do what the scenario of that text asks of it.

    Raises:
        BadScenario: as `find`, or it cannot.
    """
    scenario, _ = find(text)
    if scenario.standin and runtime == "docker":
        raise BadScenario(_STANDIN.format(scenario.name))
    if scenario.simulated and runtime != "simulated":
        raise BadScenario(NOT_SIMULATED)


def begin(stage: Stage, text: str) -> Scenario:
    """Begin the scenario of `NAME` or `NAME=VALUE`.

    Raises:
        BadScenario: as `find`, or it cannot begin now.
    """
    scenario, value = find(text)
    if scenario.standin and not stage.standin:
        raise BadScenario(_STANDIN.format(scenario.name))
    scenario.begin(stage, value)
    return scenario


def _throttling(stage: Stage, value: str) -> None:
    stage.faults.calls_per_second = number(value)


def _log_quota(stage: Stage, value: str) -> None:
    stage.faults.log_calls_per_second = number(value)


def _action(value: str) -> str:
    if ":" not in value:
        raise BadScenario(f"{value!r} is not an action such as ecs:UpdateService")
    return value


def _access_denied(stage: Stage, value: str) -> None:
    stage.faults.denied.add(_action(value))


def _expired(stage: Stage, value: str) -> None:
    stage.faults.expired.add(value or stage.world.account)


def _latency(stage: Stage, value: str) -> None:
    stage.faults.latency = number(value) / 1000


def _jitter(stage: Stage, value: str) -> None:
    stage.faults.jitter = number(value) / 1000


def _resets(stage: Stage, value: str) -> None:
    stage.faults.resets = min(100.0, number(value)) / 100


SCENARIOS = (
    Scenario("none", "End every trouble; what already runs stays as it is.", trouble.nothing),
    Scenario(
        "bad-deploy",
        "Deploy an image that crashes; the circuit breaker takes it back. At the start it waits "
        "until somebody looks.",
        trouble.bad_deploy,
    ),
    Scenario(
        "crash-loop", "A new deployment whose tasks crash while they boot.", trouble.ill("crash")
    ),
    Scenario(
        "old-revision-broken",
        "As crash-loop, but tasks of the old revision crash too when they are started, and half of "
        "them make room first: the roll back cannot end.",
        trouble.old_broken,
    ),
    Scenario(
        "rollback-failed",
        "As old-revision-broken, but all old tasks make room, and the circuit breaker ends the "
        "roll back as well.",
        trouble.rollback_failed,
    ),
    Scenario(
        "slow-boot",
        "A new deployment whose tasks need so long to listen.",
        trouble.ill("slow"),
        "SECONDS",
        "120",
        standin=True,
        valid=number,
    ),
    Scenario(
        "image-not-found", "A new deployment whose image cannot be pulled.", trouble.ill("no-image")
    ),
    Scenario(
        "secret-missing", "A new deployment whose secret cannot be read.", trouble.ill("no-secret")
    ),
    Scenario(
        "secret-changed",
        "The database's secret gets another value, and a new deployment; tasks that are started, "
        "old or new, cannot reach the database. `none` puts the value back.",
        trouble.secret_changed,
    ),
    Scenario(
        "5xx-burst",
        "All tasks answer so many of a hundred requests for a page with 500, until `none`.",
        trouble.errors,
        "PERCENT",
        "30",
        standin=True,
        valid=trouble.percent,
    ),
    Scenario(
        "5xx-deploy",
        "A new deployment whose tasks do so, while the old ones answer well.",
        trouble.ill("errors"),
        "PERCENT",
        "50",
        standin=True,
        valid=trouble.percent,
    ),
    Scenario(
        "failing-health-check-after-healthy",
        "So many healthy tasks begin to fail the health check.",
        trouble.failing_check,
        "TASKS",
        "1",
        valid=trouble.at_least_one,
    ),
    Scenario(
        "no-capacity", "A new deployment for which Fargate has no capacity.", trouble.no_capacity
    ),
    Scenario(
        "subnet-without-addresses",
        "A new deployment whose tasks get no network interface.",
        trouble.no_addresses,
    ),
    Scenario("spot-reclaim", "One running task is interrupted as Spot capacity.", trouble.spot),
    Scenario(
        "migration-fails", "Migrations fail from now on.", trouble.migration("fail"), standin=True
    ),
    Scenario(
        "migration-hangs",
        "Migrations hang, and only SIGKILL ends them.",
        trouble.migration("hang"),
        standin=True,
    ),
    Scenario(
        "migration-slow",
        "Migrations take 20 minutes of AWS's time.",
        trouble.migration("slow"),
        standin=True,
    ),
    Scenario(
        "log-burst",
        "So many log lines a second, for 30 s.",
        trouble.log_burst,
        "LINES",
        "200",
        valid=trouble.at_least_one,
    ),
    Scenario(
        "scale",
        "So many services with so many tasks in all, in the cluster `scale`; needs "
        "`--runtime simulated`.",
        scale,
        "SERVICESxTASKS",
        "400x5000",
        valid=shape,
        simulated=True,
    ),
    Scenario(
        "throttling",
        "Each service answers so many calls a second and throttles the rest.",
        _throttling,
        "CALLS",
        "2",
        valid=number,
    ),
    Scenario(
        "log-quota",
        "Each region gives so many calls a second of each read of CloudWatch Logs; 0 is AWS's own "
        "quota, 5 to 25 by region.",
        _log_quota,
        "CALLS",
        "0",
        valid=number,
    ),
    Scenario(
        "access-denied",
        "An IAM action is refused; may be begun for several.",
        _access_denied,
        "ACTION",
        "elasticloadbalancing:DescribeTargetHealth",
        valid=_action,
    ),
    Scenario(
        "expired-credentials",
        "The credentials of an access key id, the printed one unless another is named, are over.",
        _expired,
        "KEY",
    ),
    Scenario(
        "latency", "Every call takes so much longer.", _latency, "MILLISECONDS", "400", valid=number
    ),
    Scenario(
        "jitter",
        "Every call takes up to so much longer.",
        _jitter,
        "MILLISECONDS",
        "400",
        valid=number,
    ),
    Scenario(
        "connection-resets",
        "So many of a hundred answers are cut in the middle.",
        _resets,
        "PERCENT",
        "20",
        valid=number,
    ),
)
"""In the order of the help."""
