"""What the linters do not see in `cfn/`: secrets, open doors, what must outlive a stack."""

from __future__ import annotations

import json
import math
import re
import subprocess
from collections.abc import Iterator
from functools import cache
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


@cache
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


def test_a_shift_names_rules_and_not_listeners() -> None:
    template = load("cluster.yml")
    (balancer,) = template["Resources"]["Service"]["Properties"]["LoadBalancers"]
    condition, advanced, otherwise = balancer["AdvancedConfiguration"]["!If"]
    assert (condition, otherwise) == ("ShiftsTraffic", {"!Ref": "AWS::NoValue"})
    for member in ("ProductionListenerRule", "TestListenerRule"):
        rule = template["Resources"][advanced[member]["!Ref"]]
        assert rule["Type"] == "AWS::ElasticLoadBalancingV2::ListenerRule"
    assert balancer["TargetGroupArn"] == {"!Ref": "TargetGroup"}
    assert advanced["AlternateTargetGroupArn"] == {"!Ref": "GreenTargetGroup"}


def test_a_pause_stands_where_ecs_takes_one_and_all_waits_fit_into_a_stack_update() -> None:
    template = load("cluster.yml")
    configuration = template["Resources"]["Service"]["Properties"]["DeploymentConfiguration"]
    _, hooks, _ = configuration["LifecycleHooks"]["!If"]
    for hook in hooks:
        assert hook["TargetType"] == "PAUSE"
        assert not {"TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"} & set(hook["LifecycleStages"])
        assert hook["TimeoutConfiguration"]["Action"] == "ROLLBACK"
    most = {name: p.get("MaxValue", 0) for name, p in template["Parameters"].items()}
    steps = math.ceil(100 / template["Parameters"]["StepPercent"]["MinValue"])
    shift = max(most["CanaryMinutes"], most["StepMinutes"] * steps)
    assert most["BakeMinutes"] + most["PauseMinutes"] + shift <= 1980


def test_where_the_number_of_tasks_follows_the_requests_the_template_does_not_say_it() -> None:
    service = load("cluster.yml")["Resources"]["Service"]["Properties"]
    assert service["DesiredCount"] == {
        "!If": ["Autoscaled", {"!Ref": "AWS::NoValue"}, {"!Ref": "DesiredCount"}]
    }


def test_names_fit_into_their_limits() -> None:
    template = load("cluster.yml")
    longest = "x" * 13
    assert re.fullmatch(template["Parameters"]["Name"]["AllowedPattern"], longest)
    assert not re.fullmatch(template["Parameters"]["Name"]["AllowedPattern"], longest + "x")
    for logical_id, kind, resource in resources("cluster.yml"):
        if kind.endswith(("::LoadBalancer", "::TargetGroup")):
            name = resource["Properties"]["Name"]["!Sub"][0]
            assert len(name.replace("${N}", longest)) <= 32, logical_id


TAKEN = {
    "database.yml": {"VpcId", "Subnets"},
    "cluster.yml": {
        *("VpcId", "LoadBalancerSubnets", "TaskSubnets", "DockerImage", "DatabaseUrl"),
        *("SecretKeyBase", "DatabaseClientSecurityGroup"),
    },
    "pipeline.yml": {"GitHubRepository", "RepositoryArn", "RepositoryUri", "DeployPolicyArn"},
    "github-oidc.yml": {"Subject", "RepositoryArn", "DeployPolicyArn"},
    "observability.yml": {
        *("ClusterName", "ServiceName", "LoadBalancerFullName"),
        *("TargetGroupArn", "GreenTargetGroupArn"),
    },
}
GIVEN = {
    "image-repository.yml": {"RepositoryArn", "RepositoryUri"},
    "network.yml": {"VpcId", "PublicSubnets", "PrivateSubnets", "DatabaseSubnets"},
    "database.yml": {"DatabaseUrl", "SecretKeyBase", "ClientSecurityGroup"},
    "cluster.yml": {
        *("LoadBalancerUrl", "TestUrl", "ClusterName", "ServiceName", "LogGroupName"),
        *("TargetGroupArn", "GreenTargetGroupArn", "ProductionRuleArn", "TestRuleArn"),
        *("LoadBalancerFullName", "MigrationTaskDefinition", "DeployPolicyArn"),
    },
}


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_every_output_that_is_read_elsewhere_is_there(name: str) -> None:
    assert set(load(name)["Outputs"]) >= GIVEN[name]


@pytest.mark.parametrize("name", sorted({*NAMES} - {"console-policy.yml"}))
def test_only_what_no_default_can_know_has_to_be_given(name: str) -> None:
    parameters = load(name).get("Parameters", {})
    wanted = {n for n, parameter in parameters.items() if "Default" not in parameter}
    assert wanted == TAKEN.get(name, set())
    assert [n for n, parameter in parameters.items() if not parameter.get("Description")] == []


def test_the_nested_stacks_are_given_what_they_take_and_asked_for_what_they_give() -> None:
    main = load("main.yml")
    files = {}
    for logical_id, resource in main["Resources"].items():
        assert resource["Type"] == "AWS::CloudFormation::Stack"
        assert {"DeletionPolicy", "UpdateReplacePolicy"} <= set(resource)
        files[logical_id] = load(resource["Properties"]["TemplateURL"])
        taken = files[logical_id].get("Parameters", {})
        given = resource["Properties"]["Parameters"]
        assert set(given) <= set(taken), logical_id
        missing = {n for n, p in taken.items() if "Default" not in p} - set(given)
        assert missing == set(), logical_id
    asked = re.findall(r"!GetAtt (\w+)\.Outputs\.(\w+)", (FOLDER / "main.yml").read_text())
    assert asked
    for nested, output in asked:
        assert output in files[nested]["Outputs"], (nested, output)


def test_what_main_repeats_of_a_nested_template_it_repeats_exactly() -> None:
    main = load("main.yml")

    def rules(parameter: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in parameter.items() if k not in ("Description", "Default")}

    for logical_id, resource in main["Resources"].items():
        taken = load(resource["Properties"]["TemplateURL"]).get("Parameters", {})
        for name, value in resource["Properties"]["Parameters"].items():
            # The one may be left empty here, which is what leaves its stack out.
            if value == {"!Ref": name} and name != "GitHubRepository":
                assert rules(main["Parameters"][name]) == rules(taken[name]), (logical_id, name)


@pytest.mark.parametrize("path", sorted((FOLDER / "parameters").glob("*.json")))
def test_parameter_files_say_what_the_templates_take(path: Path) -> None:
    given = json.loads(path.read_text())
    if path.stem == "tags":
        assert all(re.fullmatch(r"[a-z-]+=[a-z-]+", tag) for tag in given)
        return
    for key, value in given["Parameters"].items():
        takers = [p[key] for name in NAMES if key in (p := load(name).get("Parameters", {}))]
        assert takers, f"no template takes {key}"
        for parameter in takers:
            allowed = parameter.get("AllowedValues")
            assert allowed is None or value in [str(each) for each in allowed], key
            if parameter["Type"] == "Number":
                number = float(value)
                assert parameter.get("MinValue", number) <= number
                assert number <= parameter.get("MaxValue", number)


def test_production_differs_where_it_costs_or_protects() -> None:
    dev, prod = (
        json.loads((FOLDER / "parameters" / f"{name}.json").read_text())["Parameters"]
        for name in ("dev", "prod")
    )
    assert (dev["MultiAZ"], prod["MultiAZ"]) == ("false", "true")
    assert (dev["DeletionProtection"], prod["DeletionProtection"]) == ("false", "true")
    assert (dev["Egress"], prod["Egress"]) == ("nat", "nat-per-zone")


@pytest.mark.parametrize("path", sorted(p for p in (FOLDER / "deploy").iterdir() if not p.suffix))
def test_the_steps_of_a_deploy_are_programs(path: Path) -> None:
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", path], check=True, timeout=10)


def test_the_workflow_and_the_pipeline_take_the_same_steps() -> None:
    workflow = yaml.safe_load((FOLDER / "deploy" / "github-workflow.yml").read_text())
    steps = [step["run"] for step in workflow["jobs"]["deploy"]["steps"] if "run" in step]
    assert steps == ["cfn/deploy/build", "cfn/deploy/migrate", "cfn/deploy/deploy"]
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    stages = load("pipeline.yml")["Resources"]["Pipeline"]["Properties"]["Stages"]
    assert [stage["Name"] for stage in stages] == ["Source", "Build", "Migrate", "Deploy"]
