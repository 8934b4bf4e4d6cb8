"""`cfn/console-policy.yml` allows what the console calls, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from bgconsole.domain.identity import Place
from bgconsole.domain.shell import shell_words
from tests import gateway_calls
from tests.gateway_calls import Made
from tests.unit.test_templates import load
from tests.values import POSTS, REF, task

POLICIES = ("ReadOnly", "Operator", "Stacks", "Shell")
OPERATORS_TOO = {"ecr:GetAuthorizationToken"}
"""Reads by their nature, but of no use to who only looks."""
BY_AWSLOGS = ("logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:FilterLogEvents")
"""What the awslogs package calls, for the names of logs and where the console hands over to it."""
IMPLIED = {
    "ecs:RegisterTaskDefinition": {"iam:PassRole", "ecs:TagResource"},
    "ecs:RunTask": {"iam:PassRole", "ecs:TagResource"},
    "ecs:UpdateService": {"iam:PassRole"},
    "ecr:GetAuthorizationToken": {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
    },
    "s3:PutObject": {"s3:GetObject"},
}
"""What AWS asks for besides the action itself: roles handed over, tags, a push by Docker, a
template that CloudFormation reads as its caller."""
LIMIT = 6144
"""Characters of a managed policy, spaces not counted."""


def statements(policy: str) -> list[dict[str, Any]]:
    """Of one of the policies."""
    resource = load("console-policy.yml")["Resources"][policy]
    found: list[dict[str, Any]] = resource["Properties"]["PolicyDocument"]["Statement"]
    return found


def actions(policy: str) -> list[str]:
    """What it allows."""
    return [action for statement in statements(policy) for action in statement["Action"]]


def policy_of(made: Made) -> str:
    """The policy that must allow a call."""
    if made.where.startswith(("stack_changes.py", "artifacts.py")):
        return "Stacks"
    return "Operator" if made.write or made.action in OPERATORS_TOO else "ReadOnly"


def needed(policy: str) -> dict[str, list[str]]:
    """The actions that one of the policies must allow, and what in the code needs each."""
    found: dict[str, list[str]] = {}
    for made in gateway_calls.calls():
        if policy_of(made) == policy:
            found.setdefault(made.action, []).append(made.where)
    for action, implied in IMPLIED.items():
        for also in implied if action in found else ():
            found.setdefault(also, []).append(f"goes with {action}")
    if policy == "ReadOnly":
        for action in BY_AWSLOGS:
            found.setdefault(action, []).append("gateway/log_names.py, by awslogs")
    if policy == "Shell":
        program, service, verb, *_ = shell_words(Place("r"), REF, task(POSTS, 0), "app")
        assert (program, service) == ("aws", "ecs")
        found[f"ecs:{verb.title().replace('-', '')}"] = ["domain/shell.py, by the AWS CLI"]
    return found


@pytest.mark.parametrize("policy", POLICIES)
def test_each_policy_is_what_the_code_calls(policy: str) -> None:
    wanted, allowed = needed(policy), actions(policy)
    missing = {action: where for action, where in wanted.items() if action not in allowed}
    assert not missing, f"add to {policy} in cfn/console-policy.yml: {missing}"
    unneeded = sorted(set(allowed) - wanted.keys())
    assert not unneeded, f"nothing calls these any more, take them out of {policy}: {unneeded}"
    assert len(set(allowed)) == len(allowed)


def test_every_client_in_the_gateway_is_followed() -> None:
    unread = gateway_calls.unread()
    assert not unread, f"tests/gateway_calls.py does not see what is called at: {unread}"


@pytest.mark.parametrize("policy", POLICIES)
def test_no_wildcards_in_actions_and_no_policy_too_long(policy: str) -> None:
    assert [action for action in actions(policy) if "*" in action] == []
    assert len("".join(repr(statements(policy)).split())) < LIMIT


def test_what_is_changed_is_limited_to_one_cluster_its_tasks_and_its_roles() -> None:
    open_to_all = [s["Sid"] for s in statements("Operator") if s["Resource"] == "*"]
    # AWS knows no resource for the token, and a family of task definitions is new until registered.
    assert sorted(open_to_all) == ["KeepTags", "Register", "SignIn"]
    (hands_over,) = (s for s in statements("Operator") if s["Action"] == ["iam:PassRole"])
    assert hands_over["Condition"]["StringEquals"]["iam:PassedToService"] == [
        "ecs-tasks.amazonaws.com",
        "ecs.amazonaws.com",
    ]
