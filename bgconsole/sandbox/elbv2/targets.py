"""Registration and health of targets: initial, healthy, unhealthy, draining, unused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..clock import Clock
from ..runtime.port import Address, Probe, Prober, ProbeResult
from .state import DRAINING, HEALTHY, INITIAL, UNHEALTHY, UNUSED, Elbv2State, Target, TargetGroup

REGISTRATION = 5.0
"""Seconds from RegisterTargets to the first health check."""

CHECK_FLOOR = 0.05
"""Real seconds between health checks at least, so that an instant world does not spin."""

HEALTHY_CHECK_FLOOR = 0.25
"""The same for a target that is healthy, where no one waits for the next answer."""

DRAIN_FLOOR = 0.15
"""Real seconds of draining at least: a request that was routed before it still arrives."""

_NOT_IN_USE = (
    UNUSED,
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)


@dataclass(frozen=True, slots=True)
class TargetView:
    """A target's health as ECS asks for it."""

    state: str
    description: str


class TargetRegistry(Protocol):
    """What ECS needs of the load balancer."""

    def exists(self, target_group_arn: str) -> bool:
        """Whether there is such a target group."""
        ...

    def in_use(self, target_group_arn: str) -> bool:
        """Whether a load balancer forwards to it."""
        ...

    def register(self, target_group_arn: str, target: Address, zone: str) -> None:
        """Register a task's address; nothing happens when the group is gone."""
        ...

    def deregister(self, target_group_arn: str, target: Address) -> float:
        """Deregister it; the seconds that it drains."""
        ...

    def view(self, target_group_arn: str, target: Address) -> TargetView:
        """Its health now; `unused` when it is not registered."""
        ...


class Targets:
    """The targets of every group, checked by real requests as each group's settings say."""

    def __init__(self, state: Elbv2State, clock: Clock, prober: Prober) -> None:
        self._state = state
        self._clock = clock
        self._prober = prober
        self.changed: Callable[[], None] = lambda: None
        """Called when any target's state changed."""

    def exists(self, target_group_arn: str) -> bool:
        """Whether there is such a target group."""
        return target_group_arn in self._state.target_groups

    def in_use(self, target_group_arn: str) -> bool:
        """Whether a load balancer forwards to it."""
        return bool(self._state.users_of(target_group_arn))

    def register(self, target_group_arn: str, target: Address, zone: str | None) -> None:
        """Register an address; a draining one is taken back from the beginning."""
        group = self._state.target_groups.get(target_group_arn)
        if group is None:
            return
        known = group.targets.get(target)
        if known is not None and known.state != DRAINING:
            return
        if known is not None and known.timer is not None:
            known.timer.cancel()
        new = Target(target[0], target[1], zone)
        group.targets[target] = new
        if self.in_use(target_group_arn):
            self._begin(group, new)
        else:
            new.becomes(*_NOT_IN_USE)

    def deregister(self, target_group_arn: str, target: Address) -> float:
        """Send no new request there; it is forgotten when the deregistration delay ends."""
        group = self._state.target_groups.get(target_group_arn)
        known = group.targets.get(target) if group else None
        if group is None or known is None or known.state == DRAINING:
            return 0.0
        if known.timer is not None:
            known.timer.cancel()
            known.timer = None
        if known.state == UNUSED:
            del group.targets[target]
            return 0.0
        known.becomes(
            DRAINING, "Target.DeregistrationInProgress", "Target deregistration is in progress"
        )
        delay = group.deregistration_delay
        known.timer = self._clock.call_later(
            delay, lambda: self._drained(group, known), floor=DRAIN_FLOOR
        )
        self.changed()
        return delay

    def view(self, target_group_arn: str, target: Address) -> TargetView:
        """A target's health now; `unused` when it is not registered."""
        group = self._state.target_groups.get(target_group_arn)
        known = group.targets.get(target) if group else None
        if known is None:
            return TargetView(UNUSED, "")
        return TargetView(known.state, known.description or "")

    def usage_changed(self) -> None:
        """A rule came or went: begin to check the targets of groups that are used now."""
        for group in self._state.target_groups.values():
            used = self.in_use(group.arn)
            for target in group.targets.values():
                if used and target.state == UNUSED:
                    self._begin(group, target)
                elif not used and target.state not in (UNUSED, DRAINING):
                    if target.timer is not None:
                        target.timer.cancel()
                    target.becomes(*_NOT_IN_USE)
        self.changed()

    def forget(self, group: TargetGroup) -> None:
        """The group is deleted: no check and no draining goes on."""
        for target in group.targets.values():
            if target.timer is not None:
                target.timer.cancel()

    def _begin(self, group: TargetGroup, target: Target) -> None:
        target.becomes(INITIAL, "Elb.RegistrationInProgress", "Target registration is in progress")
        if not group.settings["HealthCheckEnabled"]:
            target.becomes(HEALTHY)
            self.changed()
            return
        target.timer = self._clock.call_later(REGISTRATION, lambda: self._check(group, target))

    def _drained(self, group: TargetGroup, target: Target) -> None:
        group.targets.pop((target.id, target.port), None)
        self.changed()

    def _check(self, group: TargetGroup, target: Target) -> None:
        settings = group.settings
        if target.state == INITIAL:
            target.becomes(
                INITIAL, "Elb.InitialHealthChecking", "Initial health checks in progress"
            )
        port = settings["HealthCheckPort"]
        probe = Probe(
            (target.id, target.port if port == "traffic-port" else int(port)),
            settings["HealthCheckProtocol"],
            settings.get("HealthCheckPath", "/"),
            float(settings["HealthCheckTimeoutSeconds"]),
        )
        self._prober.probe(probe, lambda result: self._checked(group, target, result))

    def _checked(self, group: TargetGroup, target: Target, result: ProbeResult) -> None:
        gone = group.targets.get((target.id, target.port)) is not target
        if gone or target.state in (DRAINING, UNUSED):
            return
        settings = group.settings
        target.timer = self._clock.call_later(
            float(settings["HealthCheckIntervalSeconds"]),
            lambda: self._check(group, target),
            floor=HEALTHY_CHECK_FLOOR if target.state == HEALTHY else CHECK_FLOOR,
        )
        before = target.state
        failure = failure_of(settings, result)
        if failure is None:
            target.passes, target.fails = target.passes + 1, 0
            # One pass ends the initial checks; the threshold is for a target that was unhealthy.
            needed = settings["HealthyThresholdCount"] if target.ever_checked else 1
            if target.passes >= needed and before != HEALTHY:
                target.ever_checked = True
                target.becomes(HEALTHY)
        else:
            target.passes, target.fails = 0, target.fails + 1
            if target.fails >= settings["UnhealthyThresholdCount"]:
                target.ever_checked = True
                target.becomes(UNHEALTHY, *failure)
        if target.state != before:
            self.changed()


def failure_of(settings: dict[str, object], result: ProbeResult) -> tuple[str, str] | None:
    """Why a health check failed, as (reason, description); `None` when it passed."""
    if result.timed_out:
        return "Target.Timeout", "Request timed out"
    if settings["HealthCheckProtocol"] == "TCP":
        passed = result.status is not None
    else:
        if result.status is None:
            return "Target.FailedHealthChecks", "Health checks failed"
        matcher = settings.get("Matcher")
        codes = matcher.get("HttpCode", "200") if isinstance(matcher, dict) else "200"
        passed = code_matches(str(codes), result.status)
    if passed:
        return None
    if result.status is None:
        return "Target.FailedHealthChecks", "Health checks failed"
    return (
        "Target.ResponseCodeMismatch",
        f"Health checks failed with these codes: [{result.status}]",
    )


def code_matches(matcher: str, status: int) -> bool:
    """Whether a status fits a matcher such as `200`, `200,202` or `200-299`."""
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False
