"""Load balancers of the sandbox: health of targets, rules and weights, refusals."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.elbv2.routing import Answer, Forward, Incoming, Route
from bgconsole.sandbox.elbv2.targets import code_matches
from tests.unit.sandbox.story import Story


@pytest.fixture
def story() -> Story:
    made = Story()
    made.build()
    return made


def request(story: Story, path: str = "/posts", **more: Any) -> Route:
    incoming = Incoming("GET", more.pop("host", "localhost:80"), path, "", more)
    return story.ports.routes[story.listener](incoming)


def health(story: Story) -> list[dict[str, Any]]:
    answer = story.elb("DescribeTargetHealth", TargetGroupArn=story.target_group)
    return [described["TargetHealth"] for described in answer["TargetHealthDescriptions"]]


def test_a_target_is_initial_then_healthy_then_draining_then_gone(story: Story) -> None:
    story.create(1)
    seen: list[dict[str, Any]] = []

    def look() -> bool:
        for state in health(story):
            if state not in seen:
                seen.append(state)
        return story.steady()

    story.until(look)
    assert seen == [
        {
            "State": "initial",
            "Reason": "Elb.RegistrationInProgress",
            "Description": "Target registration is in progress",
        },
        {
            "State": "initial",
            "Reason": "Elb.InitialHealthChecking",
            "Description": "Initial health checks in progress",
        },
        {"State": "healthy"},
    ]
    story.update(desiredCount=0)
    story.until(lambda: story.health() == ["draining"])
    began = story.clock.now()
    assert health(story)[0]["Reason"] == "Target.DeregistrationInProgress"
    story.until(lambda: story.health() == [])
    assert (story.clock.now() - began).total_seconds() == pytest.approx(30, abs=1)


@pytest.mark.parametrize(
    ("status", "reason", "description"),
    [
        (503, "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"),
        (None, "Target.Timeout", "Request timed out"),
    ],
)
def test_an_unhealthy_target_says_why(
    story: Story, status: int | None, reason: str, description: str
) -> None:
    story.create(1)
    story.until_steady()
    container = story.container(story.tasks()[0])
    container.ready = status is not None
    container.status = status or 200
    story.until(lambda: "unhealthy" in story.health())
    unhealthy = next(state for state in health(story) if state["State"] == "unhealthy")
    assert unhealthy == {"State": "unhealthy", "Reason": reason, "Description": description}


def test_unused_targets_begin_to_be_checked_when_a_rule_uses_their_group(story: Story) -> None:
    group = story.elb("CreateTargetGroup", Name="green", Port=3000, TargetType="ip", VpcId="v")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    story.elb("RegisterTargets", TargetGroupArn=arn, Targets=[{"Id": "10.0.0.9"}])

    def state() -> dict[str, Any]:
        answer = story.elb("DescribeTargetHealth", TargetGroupArn=arn)
        found: dict[str, Any] = answer["TargetHealthDescriptions"][0]["TargetHealth"]
        return found

    assert (state()["State"], state()["Reason"]) == ("unused", "Target.NotInUse")
    rule = story.elb(
        "CreateRule",
        ListenerArn=story.listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/new/*"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": arn}],
    )["Rules"][0]["RuleArn"]
    assert state()["State"] == "initial"
    story.elb("DeleteRule", RuleArn=rule)
    assert state()["State"] == "unused"


def test_requests_go_to_healthy_targets_in_turn(story: Story) -> None:
    assert isinstance(request(story), Answer)
    assert request(story).status == 503  # type: ignore[union-attr]
    story.create(4)
    story.until_steady()
    story.container(story.tasks()[0]).status = 500
    story.until(lambda: "unhealthy" in story.health())
    routes = Counter(request(story) for _ in range(300))
    assert len(routes) == 3
    assert set(routes.values()) == {100}


def test_when_no_target_is_healthy_all_are_asked(story: Story) -> None:
    story.create(2)
    story.until_steady()
    for task in story.tasks():
        story.container(task).status = 500
    story.until(lambda: story.health() == ["unhealthy", "unhealthy"])
    assert isinstance(request(story), Forward)


def test_weights_move_the_traffic(story: Story) -> None:
    made = story.elb("CreateTargetGroup", Name="green", Port=3000, TargetType="ip", VpcId="v")
    green = made["TargetGroups"][0]["TargetGroupArn"]
    story.create(2)
    story.until_steady()

    def weigh(blue_weight: int, green_weight: int) -> dict[str, Any]:
        groups = [
            {"TargetGroupArn": story.target_group, "Weight": blue_weight},
            {"TargetGroupArn": green, "Weight": green_weight},
        ]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        listener = story.elb("ModifyListener", ListenerArn=story.listener, DefaultActions=[action])
        shown: dict[str, Any] = listener["Listeners"][0]["DefaultActions"][0]
        return shown

    shown = weigh(3, 1)
    assert [g["Weight"] for g in shown["ForwardConfig"]["TargetGroups"]] == [3, 1]
    assert "TargetGroupArn" not in shown
    served = sum(isinstance(request(story), Forward) for _ in range(2000))
    assert served == pytest.approx(1500, abs=100), "the other quarter meets an empty group"
    weigh(0, 1)
    assert not any(isinstance(request(story), Forward) for _ in range(50))


def test_rules_are_tried_by_priority(story: Story) -> None:
    def add(priority: int, field: str, config: str, values: list[str], status: str) -> None:
        fixed = {"StatusCode": status, "ContentType": "text/plain", "MessageBody": "x"}
        story.elb(
            "CreateRule",
            ListenerArn=story.listener,
            Priority=priority,
            Conditions=[{"Field": field, config: {"Values": values}}],
            Actions=[{"Type": "fixed-response", "FixedResponseConfig": fixed}],
        )

    add(20, "path-pattern", "PathPatternConfig", ["/a*"], "201")
    add(10, "path-pattern", "PathPatternConfig", ["/ab?"], "202")
    add(30, "host-header", "HostHeaderConfig", ["*.example"], "203")
    assert request(story, "/abc").status == 202  # type: ignore[union-attr]
    assert request(story, "/axe").status == 201  # type: ignore[union-attr]
    assert request(story, "/", host="x.example").status == 203  # type: ignore[union-attr]
    rules = story.elb("DescribeRules", ListenerArn=story.listener)["Rules"]
    assert [rule["Priority"] for rule in rules] == ["10", "20", "30", "default"]
    with pytest.raises(ApiError, match="PriorityInUse"):
        add(10, "path-pattern", "PathPatternConfig", ["/"], "200")


def test_a_port_that_cannot_be_bound_fails_the_listener_with_the_reason(story: Story) -> None:
    story.ports.taken.add(81)
    balancer = story.elb("DescribeLoadBalancers")["LoadBalancers"][0]
    assert balancer["DNSName"] == "localhost"
    with pytest.raises(ApiError, match=r"127\.0\.0\.1:81.*Address already in use"):
        story.elb(
            "CreateListener",
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Port=81,
            Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": story.target_group}],
        )
    listed = story.elb("DescribeListeners", LoadBalancerArn=balancer["LoadBalancerArn"])
    assert [listener["Port"] for listener in listed["Listeners"]] == [80]


def test_unknown_and_used_things_are_refused(story: Story) -> None:
    for operation, member, code in (
        ("DescribeLoadBalancers", {"Names": ["x"]}, "LoadBalancerNotFound"),
        ("DescribeTargetGroups", {"Names": ["x"]}, "TargetGroupNotFound"),
        ("DescribeListeners", {"ListenerArns": ["x"]}, "ListenerNotFound"),
        ("DescribeRules", {"RuleArns": ["x"]}, "RuleNotFound"),
        ("DescribeTargetHealth", {"TargetGroupArn": "x"}, "TargetGroupNotFound"),
        ("DeleteTargetGroup", {"TargetGroupArn": story.target_group}, "ResourceInUse"),
        ("DescribeAccountLimits", {}, "InvalidAction"),
    ):
        with pytest.raises(ApiError) as refusal:
            story.elb(operation, **member)
        assert refusal.value.code == code


def test_deleting_a_load_balancer_closes_its_listeners(story: Story) -> None:
    arn = story.elb("DescribeLoadBalancers")["LoadBalancers"][0]["LoadBalancerArn"]
    story.elb("AddTags", ResourceArns=[arn], Tags=[{"Key": "a", "Value": "b"}])
    described = story.elb("DescribeTags", ResourceArns=[arn])["TagDescriptions"]
    assert described == [{"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "b"}]}]
    story.elb("DeleteLoadBalancer", LoadBalancerArn=arn)
    assert story.ports.routes == {}
    story.elb("DeleteTargetGroup", TargetGroupArn=story.target_group)
    assert story.elb("DescribeTargetGroups")["TargetGroups"] == []


@pytest.mark.parametrize(
    ("matcher", "status", "fits"),
    [("200", 200, True), ("200,202", 202, True), ("200-299", 301, False), ("200-299", 204, True)],
)
def test_matchers(matcher: str, status: int, fits: bool) -> None:
    assert code_matches(matcher, status) is fits
