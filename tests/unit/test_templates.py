"""What the linters do not see in `cfn/`: secrets, open doors, what must outlive a stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "cfn"
NAMES = sorted(path.name for path in FOLDER.glob("*.yml"))
KEEPS_DATA = {
    "AWS::ECR::Repository",
    "AWS::RDS::DBInstance",
    "AWS::SecretsManager::Secret",
    "AWS::Logs::LogGroup",
    "AWS::ECS::TaskDefinition",
}
SECRET = re.compile(r"password|passwd|secret|token|credential|(^|_)key($|_)|_url$", re.IGNORECASE)


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions, kept as `{"!Ref": …}`."""


def _function(loader: Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {f"!{tag}": loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {f"!{tag}": loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {f"!{tag}": loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", _function)  # type: ignore[no-untyped-call]


def load(name: str) -> dict[str, Any]:
    template: dict[str, Any] = yaml.load((FOLDER / name).read_text(), Loader)
    return template


def resources(name: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for logical_id, resource in load(name)["Resources"].items():
        yield logical_id, resource["Type"], resource


def test_the_talks_three_stacks_are_there() -> None:
    assert {"image-repository.yml", "database.yml", "cluster.yml"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_secret_stands_in_plain_text(name: str) -> None:
    for _, kind, resource in resources(name):
        if kind == "AWS::ECS::TaskDefinition":
            for container in resource["Properties"]["ContainerDefinitions"]:
                plain = [e["Name"] for e in container.get("Environment", ())]
                assert [n for n in plain if SECRET.search(n)] == []
        if kind == "AWS::RDS::DBInstance":
            password = resource["Properties"]["MasterUserPassword"]
            assert password["!Sub"].startswith("{{resolve:secretsmanager:")
        if kind == "AWS::SecretsManager::Secret":
            given = resource["Properties"].get("SecretString")
            assert given is None or "{{resolve:secretsmanager:" in given["!Sub"]


@pytest.mark.parametrize("name", NAMES)
def test_what_keeps_data_says_what_happens_to_it(name: str) -> None:
    for logical_id, kind, resource in resources(name):
        if kind in KEEPS_DATA:
            assert {"DeletionPolicy", "UpdateReplacePolicy"} <= set(resource), logical_id


@pytest.mark.parametrize("name", NAMES)
def test_only_the_load_balancer_is_open_and_every_rule_says_why(name: str) -> None:
    for logical_id, kind, resource in resources(name):
        properties = resource.get("Properties", {})
        rules = [
            *properties.get("SecurityGroupIngress", ()),
            *properties.get("SecurityGroupEgress", ()),
        ]
        if kind in ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"):
            rules.append(properties)
        for rule in rules:
            assert rule["Description"], logical_id
            assert rule["IpProtocol"] == "tcp", logical_id
        for rule in properties.get("SecurityGroupIngress", ()):
            if rule.get("CidrIp") == "0.0.0.0/0" or rule.get("CidrIp") == {
                "!Ref": "LoadBalancerCidr"
            }:
                assert logical_id == "LoadBalancerSecurityGroup"
        if kind == "AWS::EC2::SecurityGroup":
            # One without rules of its own for the way out has them all open.
            assert properties["SecurityGroupEgress"], logical_id


def test_the_service_deploys_as_the_talk_shows_and_goes_back_by_itself() -> None:
    template = load("cluster.yml")
    configuration = template["Resources"]["Service"]["Properties"]["DeploymentConfiguration"]
    assert configuration["MaximumPercent"] == 200
    assert configuration["MinimumHealthyPercent"] == 100
    assert configuration["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert template["Parameters"]["Strategy"]["Default"] == "ROLLING"
    assert template["Parameters"]["DesiredCount"]["Default"] == 4


def test_every_revision_stays_to_be_rolled_back_to() -> None:
    assert load("cluster.yml")["Resources"]["TaskDefinition"]["UpdateReplacePolicy"] == "Retain"


def test_the_rules_that_decide_who_serves_hold_no_parameter() -> None:
    template = load("cluster.yml")
    for name in ("ProductionRule", "TestRule"):
        (action,) = template["Resources"][name]["Properties"]["Actions"]
        assert action["ForwardConfig"]["TargetGroups"] == [
            {"TargetGroupArn": {"!Ref": "TargetGroup"}, "Weight": 1},
            {"TargetGroupArn": {"!Ref": "GreenTargetGroup"}, "Weight": 0},
        ]


def test_logs_are_where_the_talk_has_them() -> None:
    found = load("cluster.yml")["Resources"]
    name = {"!If": ["Named", {"!Ref": "Name"}, {"!Ref": "AWS::StackName"}]}
    assert found["LogGroup"]["Properties"]["LogGroupName"] == name
    (container,) = found["TaskDefinition"]["Properties"]["ContainerDefinitions"]
    assert container["LogConfiguration"]["Options"]["awslogs-stream-prefix"] == "ecs"
