"""Shares of traffic, and which listener is production's."""

from __future__ import annotations

from typing import Any

import pytest

from bgconsole.domain.services import LoadBalancing
from bgconsole.gateway.aws.routes import Listener, Roles, forwards, listener_of, routes, urls

LISTENERS = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/lb/50dc"


def listener(port: int, protocol: str = "HTTP") -> Listener:
    return Listener(f"{LISTENERS}/{port}", port, protocol, "lb.example")


def weighted(**weights: int) -> list[dict[str, Any]]:
    groups = [{"TargetGroupArn": name, "Weight": weight} for name, weight in weights.items()]
    return [
        {"Type": "authenticate-oidc"},
        {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}},
    ]


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ({"blue": 1, "green": 0}, [100.0, 0.0]),
        ({"blue": 1, "green": 3}, [25.0, 75.0]),
        ({"blue": 0, "green": 0}, [0.0, 0.0]),
        ({"blue": 95, "green": 5}, [95.0, 5.0]),
    ],
)
def test_a_share_is_the_weight_among_the_rules_weights(
    weights: dict[str, int], shares: list[float]
) -> None:
    ways = forwards(listener(80), "rule", weighted(**weights), default=False)
    assert [way.share for way in ways] == shares
    assert [way.weight for way in ways] == list(weights.values())


def test_a_group_without_weight_gets_all() -> None:
    (way,) = forwards(
        listener(80), "", [{"Type": "forward", "TargetGroupArn": "blue"}], default=True
    )
    assert (way.group, way.share, way.default) == ("blue", 100.0, True)


def test_a_redirect_sends_nothing() -> None:
    assert forwards(listener(80), "rule", [{"Type": "redirect"}], default=True) == []


@pytest.mark.parametrize(
    ("ports", "production"),
    [([8080, 80], {80}), ([443, 80, 8443], {443, 80}), ([41022, 41021], {41021}), ([], set())],
)
def test_without_names_the_usual_ports_are_production_else_the_lowest(
    ports: list[int], production: set[int]
) -> None:
    listeners = [listener(port) for port in ports]
    roles = Roles.of([LoadBalancing("blue", "web", 3000)], listeners)
    assert roles.production == {listener(port).arn for port in production}


def test_named_rules_decide_whatever_the_ports_are() -> None:
    production, test = listener(9000), listener(80)
    rule = production.arn.replace(":listener/", ":listener-rule/") + "/r1"
    test_rule = test.arn.replace(":listener/", ":listener-rule/") + "/r2"
    named = LoadBalancing("blue", "web", 3000, "green", rule, test_rule)
    ways = [
        *forwards(production, rule, weighted(blue=100, green=0), default=False),
        *forwards(test, test_rule, weighted(blue=0, green=100), default=False),
    ]
    roles = Roles.of([named], [production, test])
    green = routes("green", ways, roles)
    assert [(route.test, route.share) for route in green] == [(False, 0.0), (True, 100.0)]
    assert urls(ways, roles) == ("http://lb.example:9000", "http://lb.example")


def test_a_test_rule_on_the_production_listener_is_still_for_tests() -> None:
    both = listener(80)
    rule, test_rule = f"{both.arn}/p", f"{both.arn}/t"
    named = LoadBalancing("blue", "web", 3000, "green", both.arn, test_rule)
    ways = [
        *forwards(both, rule, weighted(blue=1), default=False),
        *forwards(both, test_rule, weighted(green=1), default=False),
    ]
    roles = Roles.of([named], [both])
    assert [route.test for route in routes("green", ways, roles)] == [True]
    assert urls(ways, roles) == ("http://lb.example", "")


def test_a_default_action_beside_the_named_rule_is_not_who_is_live() -> None:
    front = listener(80)
    rule = front.arn.replace(":listener/", ":listener-rule/") + "/r1"
    ways = [
        *forwards(front, rule, weighted(blue=0, green=100), default=False),
        *forwards(front, f"{rule}-default", weighted(blue=1), default=True),
    ]
    roles = Roles.of([LoadBalancing("blue", "web", 3000, "green", rule)], [front])
    assert [roles.counts(way) for way in ways] == [True, True, False]
    plain = Roles.of([LoadBalancing("blue", "web", 3000)], [front])
    assert all(plain.counts(way) for way in ways)


def test_a_url_hides_its_schemes_own_port_and_prefers_encryption() -> None:
    assert listener(80).url == "http://lb.example"
    assert listener(443).url == "http://lb.example:443"
    assert listener(443, "HTTPS").url == "https://lb.example"
    assert listener(8443, "TLS").url == "https://lb.example:8443"
    ways = [
        *forwards(listener(80), "a", weighted(blue=1), default=True),
        *forwards(listener(443, "HTTPS"), "b", weighted(blue=1), default=True),
    ]
    roles = Roles.of([], [way.listener for way in ways])
    assert urls(ways, roles) == ("https://lb.example", "")


def test_a_rule_names_its_listener() -> None:
    rule = f"{LISTENERS.replace(':listener/', ':listener-rule/')}/f2f7/9683"
    assert listener_of(rule) == f"{LISTENERS}/f2f7"
    assert listener_of(f"{LISTENERS}/f2f7") == f"{LISTENERS}/f2f7"
