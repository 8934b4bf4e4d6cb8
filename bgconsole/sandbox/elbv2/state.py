"""What Elastic Load Balancing remembers: plain records, changed by operations and checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..api import ApiError
from ..clock import Timer

HEALTHY, UNHEALTHY, INITIAL = "healthy", "unhealthy", "initial"
DRAINING, UNUSED = "draining", "unused"


@dataclass(slots=True)
class Target:
    """A registered address and the load balancer's view of it."""

    id: str
    port: int
    zone: str | None = None
    state: str = INITIAL
    reason: str | None = "Elb.RegistrationInProgress"
    description: str | None = "Target registration is in progress"
    ever_checked: bool = False
    """False until the initial checks ended one way or the other."""
    passes: int = 0
    fails: int = 0
    timer: Timer | None = None
    """The next health check, or the end of draining."""

    def becomes(
        self, state: str, reason: str | None = None, description: str | None = None
    ) -> None:
        """Set the state with its reason; a healthy target carries only its state."""
        self.state, self.reason, self.description = state, reason, description


@dataclass(slots=True)
class TargetGroup:
    """A target group, its settings as CreateTargetGroup names them, and its targets."""

    arn: str
    name: str
    settings: dict[str, Any]
    attributes: dict[str, str]
    tags: dict[str, str]
    targets: dict[tuple[str, int], Target] = field(default_factory=dict)
    turn: int = 0
    """Where the round robin stands."""

    @property
    def deregistration_delay(self) -> float:
        """Seconds a deregistered target goes on with the requests it has."""
        return float(self.attributes["deregistration_delay.timeout_seconds"])


@dataclass(slots=True)
class Rule:
    """A listener rule; the default rule has no conditions and comes last."""

    arn: str
    listener_arn: str
    priority: int | None
    """`None` for the default rule."""
    conditions: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    tags: dict[str, str]


@dataclass(slots=True)
class Listener:
    """A listener and its rules; `port` is the one that is really bound."""

    arn: str
    load_balancer_arn: str
    port: int
    protocol: str
    settings: dict[str, Any]
    tags: dict[str, str]
    rules: dict[str, Rule] = field(default_factory=dict)

    def in_order(self) -> list[Rule]:
        """The rules as they are tried: by priority, the default last."""
        last = 1 << 30
        return sorted(self.rules.values(), key=lambda r: last if r.priority is None else r.priority)


@dataclass(slots=True)
class LoadBalancer:
    """A load balancer; it answers on loopback, so its name is localhost."""

    arn: str
    name: str
    kind: str
    created_at: datetime
    settings: dict[str, Any]
    attributes: dict[str, str]
    tags: dict[str, str]


class Elbv2State:
    """Every record by its ARN, with the refusals for those that do not exist."""

    def __init__(self) -> None:
        self.load_balancers: dict[str, LoadBalancer] = {}
        self.listeners: dict[str, Listener] = {}
        self.target_groups: dict[str, TargetGroup] = {}

    def load_balancer(self, arn: str) -> LoadBalancer:
        """The load balancer, or LoadBalancerNotFound."""
        try:
            return self.load_balancers[arn]
        except KeyError:
            raise ApiError("LoadBalancerNotFound", f"Load balancer '{arn}' not found") from None

    def listener(self, arn: str) -> Listener:
        """The listener, or ListenerNotFound."""
        try:
            return self.listeners[arn]
        except KeyError:
            raise ApiError("ListenerNotFound", f"Listener '{arn}' not found") from None

    def rule(self, arn: str) -> Rule:
        """The rule, or RuleNotFound."""
        for listener in self.listeners.values():
            if arn in listener.rules:
                return listener.rules[arn]
        raise ApiError("RuleNotFound", f"Rule '{arn}' not found")

    def target_group(self, arn: str) -> TargetGroup:
        """The target group, or TargetGroupNotFound."""
        try:
            return self.target_groups[arn]
        except KeyError:
            raise ApiError("TargetGroupNotFound", f"Target group '{arn}' not found") from None

    def users_of(self, target_group_arn: str) -> list[str]:
        """The load balancers with a rule that forwards to this group."""
        users = {
            listener.load_balancer_arn
            for listener in self.listeners.values()
            for rule in listener.rules.values()
            if target_group_arn in forwarded(rule.actions)
        }
        return sorted(users)

    def tags_of(self, arn: str) -> dict[str, str]:
        """The tags of any record, or the not-found error of its kind."""
        kind = arn.rpartition(":")[2].partition("/")[0]
        if kind == "loadbalancer":
            return self.load_balancer(arn).tags
        if kind == "listener":
            return self.listener(arn).tags
        if kind == "listener-rule":
            return self.rule(arn).tags
        return self.target_group(arn).tags


def forwarded(actions: list[dict[str, Any]]) -> dict[str, int]:
    """Target group ARN to weight, over all forward actions."""
    weights: dict[str, int] = {}
    for action in actions:
        if action.get("Type") != "forward":
            continue
        groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
        if not groups and "TargetGroupArn" in action:
            groups = [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]
        for group in groups:
            weights[group["TargetGroupArn"]] = int(group.get("Weight", 1))
    return weights


def tag_dict(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """A list of Key/Value members as a dictionary."""
    return {tag["Key"]: tag.get("Value", "") for tag in tags or []}
