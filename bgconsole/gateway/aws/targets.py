"""Elastic Load Balancing, read: health and weights each time, the structure around them kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bgconsole.domain.how_many import how_many
from bgconsole.domain.services import Service
from bgconsole.domain.targets import Balancing, Target, TargetGroup
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import chunked
from bgconsole.gateway.aws.routes import (
    Forward,
    Listener,
    Roles,
    forwards,
    listener_of,
    routes,
    urls,
)

KEPT = 60.0
"""Seconds for which groups, load balancers and the listeners of interest are believed."""
ARNS_A_CALL = 20

Answered = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Structure:
    """What seldom changes: the groups, and the listeners that may send to them."""

    groups: tuple[Answered, ...]
    listeners: tuple[tuple[Listener, bool], ...]
    """Each with whether it has rules (an application load balancer's)."""


@dataclass(slots=True)
class AwsTargets:
    """The `Targets` port."""

    clients: Clients
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _structures: dict[tuple[str, ...], tuple[float, _Structure]] = field(default_factory=dict)

    def balancing(self, service: Service) -> Balancing:
        """DescribeRules (or the default actions) and DescribeTargetHealth of every group."""
        arns = service.target_groups
        if not arns:
            return Balancing(groups=())
        structure = self._structure(service)
        reach = [way for way in self._ways(structure.listeners) if way.group in arns]
        roles = Roles.of(service.load_balancing, [way.listener for way in reach])
        ways = [way for way in reach if roles.counts(way)]
        url, test_url = urls(ways, roles)
        return Balancing(
            groups=tuple(
                _group(raw, self._health(raw["TargetGroupArn"]), ways, roles)
                for raw in structure.groups
            ),
            url=url,
            test_url=test_url,
        )

    def _structure(self, service: Service) -> _Structure:
        key = (
            *service.target_groups,
            *(lb.production_rule for lb in service.load_balancing),
            *(lb.test_rule for lb in service.load_balancing),
        )
        with self._lock:
            until, kept = self._structures.get(key, (0.0, None))
        if kept is not None and self.clock() < until:
            return kept
        found = self._read_structure(service)
        with self._lock:
            self._structures[key] = (self.clock() + KEPT, found)
        return found

    def _read_structure(self, service: Service) -> _Structure:
        arns = service.target_groups
        groups = {raw["TargetGroupArn"]: raw for raw in self._groups(arns)}
        balancers = dict.fromkeys(
            arn for raw in groups.values() for arn in raw.get("LoadBalancerArns") or ()
        )
        named = {
            listener_of(rule)
            for lb in service.load_balancing
            for rule in (lb.production_rule, lb.test_rule)
            if rule
        }
        every = [
            entry
            for balancer in self._load_balancers(tuple(balancers))
            for entry in self._listeners(balancer)
        ]
        # A load balancer may serve many others: only listeners that reach this service are asked
        # at every poll. One that is turned to it later is found when this is read again.
        of_interest = {way.listener.arn for way in self._ways(every) if way.group in arns} | named
        return _Structure(
            groups=tuple(groups[arn] for arn in arns if arn in groups),
            listeners=tuple(entry for entry in every if entry[0].arn in of_interest),
        )

    def _groups(self, arns: Sequence[str]) -> Iterable[Answered]:
        words = f"{how_many(len(arns), 'target group')}: {', '.join(arns)}"
        with self.clients.reading("elasticloadbalancing:DescribeTargetGroups", words):
            paginator = self.clients.client("elbv2").get_paginator("describe_target_groups")
            return [
                raw
                for some in chunked(arns, ARNS_A_CALL)
                for page in paginator.paginate(TargetGroupArns=list(some))
                for raw in page["TargetGroups"]
            ]

    def _load_balancers(self, arns: Sequence[str]) -> Iterable[Answered]:
        with self.clients.reading(
            "elasticloadbalancing:DescribeLoadBalancers", f"load balancers {', '.join(arns)}"
        ):
            paginator = self.clients.client("elbv2").get_paginator("describe_load_balancers")
            return [
                raw
                for some in chunked(arns, ARNS_A_CALL)
                for page in paginator.paginate(LoadBalancerArns=list(some))
                for raw in page["LoadBalancers"]
            ]

    def _listeners(self, balancer: Answered) -> list[tuple[Listener, bool]]:
        arn = balancer["LoadBalancerArn"]
        with self.clients.reading("elasticloadbalancing:DescribeListeners", f"load balancer {arn}"):
            paginator = self.clients.client("elbv2").get_paginator("describe_listeners")
            return [
                (
                    Listener(
                        arn=raw["ListenerArn"],
                        port=raw.get("Port", 0),
                        protocol=raw.get("Protocol", ""),
                        host=balancer.get("DNSName", ""),
                    ),
                    balancer.get("Type", "application") == "application",
                )
                for page in paginator.paginate(LoadBalancerArn=arn)
                for raw in page["Listeners"]
            ]

    def _ways(self, listeners: Iterable[tuple[Listener, bool]]) -> list[Forward]:
        """Weights as they are now; never kept."""
        return [
            way
            for listener, has_rules in listeners
            for way in (self._by_rules(listener) if has_rules else self._by_default(listener))
        ]

    def _by_rules(self, listener: Listener) -> list[Forward]:
        """An application load balancer's rules, its default action among them."""
        with self.clients.reading("elasticloadbalancing:DescribeRules", f"listener {listener.arn}"):
            paginator = self.clients.client("elbv2").get_paginator("describe_rules")
            return [
                way
                for page in paginator.paginate(ListenerArn=listener.arn)
                for rule in page["Rules"]
                for way in forwards(
                    listener,
                    rule.get("RuleArn", ""),
                    rule.get("Actions", ()),
                    default=rule.get("IsDefault", False),
                )
            ]

    def _by_default(self, listener: Listener) -> list[Forward]:
        """A network load balancer's listener has no rules, only a default action."""
        with self.clients.reading(
            "elasticloadbalancing:DescribeListeners", f"listener {listener.arn}"
        ):
            answer = self.clients.client("elbv2").describe_listeners(ListenerArns=[listener.arn])
        return [
            way
            for raw in answer.get("Listeners", ())
            for way in forwards(listener, "", raw.get("DefaultActions", ()), default=True)
        ]

    def _health(self, group: str) -> tuple[Target, ...]:
        with self.clients.reading(
            "elasticloadbalancing:DescribeTargetHealth", f"target group {group}"
        ):
            answer = self.clients.client("elbv2").describe_target_health(TargetGroupArn=group)
        return tuple(map(_target, answer.get("TargetHealthDescriptions", ())))


def _target(raw: Answered) -> Target:
    target, health = raw.get("Target") or {}, raw.get("TargetHealth") or {}
    return Target(
        address=target.get("Id", ""),
        port=target.get("Port", 0),
        zone=target.get("AvailabilityZone", ""),
        state=health.get("State", ""),
        reason=health.get("Reason", ""),
        description=health.get("Description", ""),
    )


def _group(
    raw: Answered, targets: tuple[Target, ...], ways: Iterable[Forward], roles: Roles
) -> TargetGroup:
    return TargetGroup(
        arn=raw["TargetGroupArn"],
        name=raw.get("TargetGroupName", ""),
        port=raw.get("Port", 0),
        protocol=raw.get("Protocol", ""),
        health_path=raw.get("HealthCheckPath", ""),
        targets=targets,
        routes=routes(raw["TargetGroupArn"], ways, roles),
    )
