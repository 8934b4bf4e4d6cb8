"""Deployments that shift traffic between two target groups: stage by stage, and back."""

from __future__ import annotations

import base64
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from ..api import ApiError
from ..clock import Clock
from ..elbv2.weights import TrafficRules
from ..names import Names
from . import texts
from .configuration import PAUSE_MINUTES
from .networking import InvalidNetworking, idle_group, live_group, resolved, share
from .stages import CLEAN_UP, NEVER_SHOWN, Hook, Shift, Step, rule_weights, steps_of
from .state import Deployment, Service, ServiceDeployment

# Seconds of AWS's pace, fitted to the measured deployment: the test rule moved 37 s after the
# targets were registered, the production rule up to 13 s after the hook behind it.
BEGINNING = 4.0
"""From UpdateService to the first stage."""
STAGE = 5.0
"""A stage in which nothing has to be waited for."""
AFTER_HOOKS = 2.0

PAUSE_FLOOR = 20.0
"""Real seconds that a pause waits at least: somebody has to read it and press a key."""


class ShiftOwner(Protocol):
    """Who runs the tasks and knows the way back: the scheduler."""

    def wake(self, service: Service, delay: float = ..., *, floor: float = ...) -> None:
        """Look at the service soon."""
        ...

    def begun(self, record: ServiceDeployment) -> None:
        """A service deployment starts to do something."""
        ...

    def fail(self, record: ServiceDeployment, failure: texts.Failure) -> None:
        """End a deployment that failed, by going back if there is a way back."""
        ...


class Shifts:
    """Takes service deployments through their stages; every step is a callback on the clock."""

    def __init__(
        self, *, clock: Clock, names: Names, rules: TrafficRules, owner: ShiftOwner
    ) -> None:
        self._clock = clock
        self._names = names
        self._rules = rules
        self._owner = owner

    def prepare(self, service: Service) -> None:
        """A deployment was asked for: its stages begin in a moment."""
        shift = Shift([], _pairs(service))
        service.shift = shift
        shift.timer = self._clock.call_later(BEGINNING, lambda: self._begin(service, shift))

    def cancel(self, service: Service) -> None:
        """Give up the stages where they are: superseded, or deleted."""
        shift, service.shift = service.shift, None
        if shift is not None:
            self._silence(shift)

    def halt(self, service: Service) -> None:
        """It failed without a way back: both deployments stay as they are."""
        if service.shift is not None:
            self._silence(service.shift)
            service.shift.steps, service.shift.position = [], -1

    def scaled_up(self, service: Service) -> None:
        """All new tasks are healthy."""
        shift = service.shift
        if shift is not None and shift.step is not None and shift.step.scales_up:
            self._next(service, shift)

    def answer(self, record: ServiceDeployment, hook_id: str, action: str) -> None:
        """Somebody's word for a pause.

        Raises:
            ApiError: InvalidParameterException: no such hook, or it waits no more.
        """
        hook = next((hook for hook in record.hooks if hook.id == hook_id), None)
        if hook is None:
            raise ApiError(
                "InvalidParameterException",
                f"The lifecycle hook {hook_id} was not found in the service deployment.",
            )
        if hook.status != "AWAITING_ACTION" or record.status != "IN_PROGRESS":
            raise ApiError(
                "InvalidParameterException",
                f"The lifecycle hook {hook_id} is not awaiting action: its status is "
                f"{hook.status}.",
            )
        _still(hook)
        hook.status = "SUCCEEDED" if action == "CONTINUE" else "FAILED"
        self._heard(record, hook)

    def go_back(self, service: Service, record: ServiceDeployment, target: Deployment) -> None:
        """Give all traffic back to `target`: at once while its tasks are warm."""
        cleaning = service.shift is None
        shift = service.shift or Shift([], _pairs(service))
        service.shift = shift
        self._silence(shift)
        target.desired = service.desired
        shift.warming = cleaning
        if cleaning:
            self._owner.wake(service)
        else:
            self._flip_back(service, shift, record, target)

    def warmed(self, service: Service) -> None:
        """The tasks that a rollback had to start again are healthy."""
        shift, record = service.shift, service.current
        if shift is not None and shift.warming and record is not None:
            shift.warming = False
            self._flip_back(service, shift, record, service.primary)

    def resolve_for_rolling(self, deployment: Deployment) -> None:
        """A rolling deployment of a service with two groups stays in the live one."""
        for index, balancer in enumerate(deployment.revision.balancers):
            if not balancer.get("advancedConfiguration"):
                continue
            try:
                group = live_group(balancer, self._rules)
            except InvalidNetworking:
                continue  # only a shift refuses such rules
            deployment.revision.balancers[index] = resolved(balancer, group)

    # -- forward

    def _begin(self, service: Service, shift: Shift) -> None:
        record, deployment = service.current, service.primary
        if record is None or service.shift is not shift:
            return
        self._owner.begun(record)
        earlier = service.deployments[1:]
        record.source = self._serving(shift, earlier)
        reconcile = len(earlier) > 1 or (bool(earlier) and record.source is None)
        try:
            if reconcile:
                self._reconcile(service, shift, record.source)
            deployment.revision.balancers = [
                resolved(one, idle_group(one, live_group(one, self._rules)))
                for one in shift.balancers
            ]
        except InvalidNetworking as wrong:
            self._owner.fail(record, texts.Failure.plain(str(wrong)))
            return
        shift.steps = steps_of(record.configuration, reconcile=reconcile)
        self._note_traffic(shift, record, production=0.0, test=0.0)
        self._next(service, shift)

    def _serving(self, shift: Shift, earlier: list[Deployment]) -> Deployment | None:
        """Of the earlier deployments the one that the production rule points at."""

        def weight(deployment: Deployment) -> tuple[float, bool]:
            groups = [one["targetGroupArn"] for one in deployment.revision.balancers]
            shares = [share(self._rules.weights(_production(b)), groups) for b in shift.balancers]
            return max(shares, default=0.0), deployment.rollout_state == "COMPLETED"

        # One that was superseded before it got traffic never served.
        served = [each for each in earlier if any(weight(each))]
        return max(served, key=weight, default=None)

    def _reconcile(self, service: Service, shift: Shift, source: Deployment | None) -> None:
        """Leave at most one earlier revision, with all of the traffic."""
        for other in service.deployments[1:]:
            if other is not source:
                other.desired = 0
        groups = {one["targetGroupArn"] for one in source.revision.balancers} if source else set()
        for balancer in shift.balancers:
            pair = _pair(balancer)
            if len(groups & set(pair)) == 1:
                weights = {arn: 100 if arn in groups else 0 for arn in pair}
                self._rules.move(_production(balancer), weights)

    def _next(self, service: Service, shift: Shift) -> None:
        record = service.current
        if record is None or service.shift is not shift:
            return
        shift.position += 1
        record.updated_at = self._clock.now()
        if shift.position == len(shift.steps):
            record.lifecycle_stage = CLEAN_UP
            service.shift = None
            self._owner.wake(service)
            return
        step = shift.steps[shift.position]
        if step.stage != NEVER_SHOWN:
            record.lifecycle_stage = step.stage
        self._move(service, shift, record, step)
        if step.scales_up:
            service.primary.desired = service.desired
            self._owner.wake(service)
            return
        self._owner.wake(service)
        shift.hooks = self._pauses(record, step.stage)
        if not shift.hooks:
            seconds = step.minutes * 60 or STAGE
            if step.stage == "BAKE_TIME":
                seconds = step.minutes * 60
            shift.timer = self._clock.call_later(seconds, lambda: self._next(service, shift))

    def _move(self, service: Service, shift: Shift, record: ServiceDeployment, step: Step) -> None:
        if step.test is None and step.production is None:
            return
        for balancer, new in zip(shift.balancers, service.primary.revision.balancers, strict=True):
            if step.test is not None and (rule := _test(balancer)):
                self._rules.move(rule, _weights(balancer, new["targetGroupArn"], step.test))
            if step.production is not None:
                weights = _weights(balancer, new["targetGroupArn"], step.production)
                self._rules.move(_production(balancer), weights)
        self._note_traffic(shift, record, production=step.production, test=step.test)

    # -- pauses

    def _pauses(self, record: ServiceDeployment, stage: str) -> list[Hook]:
        made = []
        for configured in record.configuration.get("lifecycleHooks") or []:
            if stage not in (configured.get("lifecycleStages") or []):
                continue
            timeout = configured.get("timeoutConfiguration") or {}
            minutes = timeout.get("timeoutInMinutes", PAUSE_MINUTES)
            token = base64.urlsafe_b64encode(self._names.rng.randbytes(32)).decode().rstrip("=")
            hook = Hook(
                f"ecs-pause-{token}",
                stage,
                self._clock.now() + timedelta(minutes=minutes),
                timeout.get("action", "ROLLBACK"),
            )
            expired = partial(self._expired, record, hook)
            hook.timer = self._clock.call_later(minutes * 60, expired, floor=PAUSE_FLOOR)
            made.append(hook)
        record.hooks += made
        return made

    def _expired(self, record: ServiceDeployment, hook: Hook) -> None:
        hook.timer = None
        hook.status = "TIMED_OUT"
        self._heard(record, hook)

    def _heard(self, record: ServiceDeployment, hook: Hook) -> None:
        service, shift = record.service, record.service.shift
        record.updated_at = self._clock.now()
        if shift is None or hook not in shift.hooks:
            return
        if hook.status == "FAILED" or (hook.status == "TIMED_OUT" and not hook.passed):
            self._owner.fail(record, texts.Failure.plain(texts.hook_failed(hook.stage)))
        elif all(each.passed for each in shift.hooks):
            shift.hooks = []
            shift.timer = self._clock.call_later(AFTER_HOOKS, lambda: self._next(service, shift))

    # -- back

    def _flip_back(
        self, service: Service, shift: Shift, record: ServiceDeployment, target: Deployment
    ) -> None:
        shift.steps, shift.position = [], -1
        moved = False
        # Rules that were refused at the beginning are not touched at the end either.
        balancers = shift.balancers if record.traffic else []
        for balancer, old in zip(balancers, target.revision.balancers, strict=False):
            back = _weights(balancer, old["targetGroupArn"], 100.0)
            for rule in (_production(balancer), _test(balancer)):
                known = self._rules.weights(rule) if rule else None
                # A test rule that no stage has touched yet is left alone.
                touched = rule == _production(balancer) or record.target_tested
                if rule and known is not None and touched and _shares(known) != _shares(back):
                    self._rules.move(rule, back)
                    moved = True
        if record.traffic:
            self._note_traffic(shift, record, production=0.0, test=0.0)
        if moved:
            record.lifecycle_stage = "PRODUCTION_TRAFFIC_SHIFT"

        def clean_up() -> None:
            if service.shift is shift:
                record.lifecycle_stage = CLEAN_UP
                service.shift = None
                self._owner.wake(service)

        shift.timer = self._clock.call_later(STAGE if moved else 0.0, clean_up)

    # -- small things

    def _note_traffic(
        self,
        shift: Shift,
        record: ServiceDeployment,
        *,
        production: float | None,
        test: float | None,
    ) -> None:
        """What is asked for now, as percent on the new revision and the rest on the old one."""
        if not shift.balancers:
            return
        tested = any(_test(balancer) for balancer in shift.balancers)
        before = record.traffic.get(record.target.arn, (0.0, 0.0 if tested else None))
        new = (before[0] if production is None else production, before[1])
        if tested and test is not None:
            new = (new[0], test)
            record.target_tested = record.target_tested or test > 0
        record.traffic[record.target.arn] = new
        if record.source is not None:
            on_test = None if new[1] is None else 100.0 - new[1]
            record.traffic[record.source.revision.arn] = (100.0 - (new[0] or 0.0), on_test)

    def _silence(self, shift: Shift) -> None:
        if shift.timer is not None:
            shift.timer.cancel()
            shift.timer = None
        for hook in shift.hooks:
            _still(hook)
            if hook.status == "AWAITING_ACTION":
                hook.status = "FAILED"
        shift.hooks = []


def _still(hook: Hook) -> None:
    if hook.timer is not None:
        hook.timer.cancel()
        hook.timer = None


def _pairs(service: Service) -> list[dict[str, Any]]:
    """The load balancers of a service that name two groups."""
    balancers = service.settings.get("loadBalancers") or []
    return [one for one in balancers if one.get("advancedConfiguration")]


def _pair(balancer: dict[str, Any]) -> tuple[str, str]:
    return balancer["targetGroupArn"], balancer["advancedConfiguration"]["alternateTargetGroupArn"]


def _production(balancer: dict[str, Any]) -> str:
    rule: str = balancer["advancedConfiguration"]["productionListenerRule"]
    return rule


def _test(balancer: dict[str, Any]) -> str | None:
    rule: str | None = balancer["advancedConfiguration"].get("testListenerRule")
    return rule


def _weights(balancer: dict[str, Any], new: str, percent: float) -> dict[str, int]:
    """The weights of both groups that give the new one this percentage."""
    old_weight, new_weight = rule_weights(percent)
    return {arn: new_weight if arn == new else old_weight for arn in _pair(balancer)}


def _shares(weights: dict[str, int]) -> dict[str, float]:
    return {arn: share(weights, [arn]) for arn, weight in weights.items() if weight}
