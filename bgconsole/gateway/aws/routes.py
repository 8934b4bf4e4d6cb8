"""Who a listener sends requests to: rules and default actions as shares of each target group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bgconsole.domain.services import LoadBalancing
from bgconsole.domain.targets import Route

Answered = Mapping[str, Any]

USUAL_PORTS = frozenset({80, 443})


@dataclass(frozen=True, slots=True)
class Listener:
    """One listener and where it is reached."""

    arn: str
    port: int
    protocol: str
    host: str
    """The load balancer's DNS name."""

    @property
    def url(self) -> str:
        """scheme://host, and the port where it is not the scheme's own."""
        secure = self.protocol in ("HTTPS", "TLS")
        usual = 443 if secure else 80
        port = "" if self.port == usual else f":{self.port}"
        return f"{'https' if secure else 'http'}://{self.host}{port}"


@dataclass(frozen=True, slots=True)
class Forward:
    """What one rule, or one default action, sends to one group."""

    group: str
    listener: Listener
    rule: str
    default: bool
    weight: int
    share: float


def forwards(
    listener: Listener, rule: str, actions: Iterable[Answered], default: bool
) -> list[Forward]:
    """The groups of the forward action among `actions`, each with its weight and share.

    Without weights a group counts 1. All weights at zero send nothing anywhere.
    """
    action = next((a for a in actions if a.get("Type") == "forward"), None)
    if action is None:
        return []
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or [
        {"TargetGroupArn": action.get("TargetGroupArn", ""), "Weight": 1}
    ]
    weights = [int(group.get("Weight", 1)) for group in groups]
    total = sum(weights)
    return [
        Forward(
            group=group.get("TargetGroupArn", ""),
            listener=listener,
            rule=rule,
            default=default,
            weight=weight,
            share=100.0 * weight / total if total else 0.0,
        )
        for group, weight in zip(groups, weights, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Roles:
    """Which listeners carry the service's production traffic, and which the rest.

    A service whose strategy shifts traffic names its rules (for a network load balancer, its
    listeners): what those listeners serve is production, but for the rule named for tests; every
    other listener is for tests. Where it names none, listeners on 80 and 443 are production, or
    without one the listener on the lowest port.

    ECS moves the weights of the named rules alone, and reads from them who is live. What else on
    such a listener leads to the groups, its default action above all, stays as it was written.
    """

    production: frozenset[str]
    """ARNs of listeners."""
    test_rules: frozenset[str]
    """ARNs of rules, or of listeners."""
    production_rules: frozenset[str] = frozenset()
    """ARNs of the rules, or listeners, that are named."""

    @classmethod
    def of(cls, balancing: Sequence[LoadBalancing], listeners: Sequence[Listener]) -> Roles:
        """From what the service names, and the listeners that reach it."""
        test_rules = frozenset(lb.test_rule for lb in balancing if lb.test_rule)
        rules = frozenset(lb.production_rule for lb in balancing if lb.production_rule)
        if rules:
            return cls(frozenset(map(listener_of, rules)), test_rules, rules)
        able = [listener for listener in listeners if listener.arn not in test_rules]
        ports = {listener.port for listener in able}
        chosen = ports & USUAL_PORTS or ({min(ports)} if ports else set())
        return cls(frozenset(li.arn for li in able if li.port in chosen), test_rules)

    def counts(self, forward: Forward) -> bool:
        """Whether it is a way that ECS shifts, or one of a listener without any such."""
        named = self.production_rules | self.test_rules
        shifted = {listener_of(rule) for rule in named if listener_of(rule) != rule}
        return forward.listener.arn not in shifted or forward.rule in named

    def is_test(self, forward: Forward) -> bool:
        """Whether this way to a group is not production's."""
        return (
            forward.rule in self.test_rules
            or forward.listener.arn in self.test_rules
            or forward.listener.arn not in self.production
        )


def listener_of(rule: str) -> str:
    """The ARN of a rule's listener; a listener's own ARN is given back as it is."""
    if ":listener-rule/" not in rule:
        return rule
    return rule.replace(":listener-rule/", ":listener/").rpartition("/")[0]


def routes(group: str, ways: Iterable[Forward], roles: Roles) -> tuple[Route, ...]:
    """Every way to one group."""
    return tuple(
        Route(
            listener=way.listener.arn,
            rule=way.rule,
            port=way.listener.port,
            protocol=way.listener.protocol,
            weight=way.weight,
            share=way.share,
            default=way.default,
            test=roles.is_test(way),
        )
        for way in ways
        if way.group == group
    )


def urls(ways: Iterable[Forward], roles: Roles) -> tuple[str, str]:
    """The production and the test URL, each empty where there is no such listener.

    Among several listeners an encrypted one is preferred, then the lowest port.
    """
    listeners: dict[bool, set[Listener]] = {False: set(), True: set()}
    for way in ways:
        listeners[roles.is_test(way)].add(way.listener)

    def best(candidates: set[Listener]) -> str:
        ranked = sorted(candidates, key=lambda li: (li.protocol not in ("HTTPS", "TLS"), li.port))
        return ranked[0].url if ranked else ""

    production = listeners[False]
    return best(production), best(listeners[True] - production)
