"""CloudFormation's resource types over a real world on a virtual clock: waits move the clock."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bgconsole.sandbox.engine import Provisioned, ResourceType
from bgconsole.sandbox.formation import resource_types
from bgconsole.sandbox.formation.api import Aws, NotFound, ResourceFailure, generated_name
from bgconsole.sandbox.formation.properties import request_for
from bgconsole.sandbox.scope import DEMO_SCOPE, Scope
from tests.unit.sandbox.story import Story

STACK = "democluster"


class Formation:
    """What a stack would do with one resource after the other."""

    def __init__(self) -> None:
        self.story = Story()
        self.calls: list[str] = []
        aws = Aws(self._handle, lambda _: self.story.clock.advance(5.0), self._seconds)
        self.types: dict[str, ResourceType] = {each.name: each for each in resource_types(aws)}

    def _handle(
        self, scope: Scope, service: str, operation: str, request: dict[str, Any]
    ) -> dict[str, Any]:
        assert scope == DEMO_SCOPE
        self.calls.append(operation)
        ask = self.story.ecs if service == "ecs" else self.story.elb
        return ask(operation, **request)

    def _seconds(self) -> float:
        return self.story.clock.now().timestamp()

    def create(self, kind: str, logical_id: str = "Thing", **properties: Any) -> Provisioned:
        return self.types[f"AWS::{kind}"].create(DEMO_SCOPE, STACK, logical_id, properties)

    def update(
        self, kind: str, physical_id: str, old: dict[str, Any], new: dict[str, Any]
    ) -> Provisioned:
        return self.types[f"AWS::{kind}"].update(DEMO_SCOPE, physical_id, old, new)

    def delete(self, kind: str, physical_id: str, **properties: Any) -> None:
        self.types[f"AWS::{kind}"].delete(DEMO_SCOPE, physical_id, properties)

    def network(self) -> dict[str, Any]:
        """A load balancer with a listener, a rule and a group; the service's `LoadBalancers`."""
        balancer = self.create(
            "ElasticLoadBalancingV2::LoadBalancer",
            Name="demo",
            Subnets=["subnet-a", "subnet-b"],
            LoadBalancerAttributes=[{"Key": "idle_timeout.timeout_seconds", "Value": 5}],
        )
        group = self.create(
            "ElasticLoadBalancingV2::TargetGroup",
            Name="blue",
            Protocol="HTTP",
            Port="3000",
            TargetType="ip",
            VpcId="vpc-1",
            HealthCheckPath="/up",
            HealthCheckIntervalSeconds="10",
            Matcher={"HttpCode": 200},
            TargetGroupAttributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
        )
        forward = {"TargetGroupArn": group.physical_id, "Weight": "1"}
        listener = self.create(
            "ElasticLoadBalancingV2::Listener",
            LoadBalancerArn=balancer.physical_id,
            Port="80",
            Protocol="HTTP",
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": 404}}],
        )
        self.create(
            "ElasticLoadBalancingV2::ListenerRule",
            ListenerArn=listener.physical_id,
            Priority="1",
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
            Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": [forward]}}],
        )
        return {
            "ContainerName": "app",
            "ContainerPort": "3000",
            "TargetGroupArn": group.physical_id,
        }

    def service(self, image: str = "repo:v1") -> tuple[Provisioned, dict[str, Any]]:
        """The talk's service, and the properties it was made with."""
        cluster = self.create("ECS::Cluster", ClusterName="democluster")
        properties = {
            "ServiceName": "web",
            "Cluster": cluster.physical_id,
            "TaskDefinition": self.definition(image),
            "LaunchType": "FARGATE",
            "DesiredCount": "4",
            "DeploymentConfiguration": {
                "DeploymentCircuitBreaker": {"Enable": "true", "Rollback": "true"}
            },
            "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-a"]}},
            "LoadBalancers": [self.network()],
        }
        return self.create("ECS::Service", "Service", **properties), properties

    def definition(self, image: str) -> str:
        made = self.create(
            "ECS::TaskDefinition",
            Family="web",
            NetworkMode="awsvpc",
            RequiresCompatibilities=["FARGATE"],
            Cpu=256,
            Memory="512",
            ContainerDefinitions=[
                {
                    "Name": "app",
                    "Image": image,
                    "PortMappings": [{"ContainerPort": "3000"}],
                    "DockerLabels": {"Team.Name": "Posts"},
                }
            ],
        )
        return made.physical_id

    def live(self) -> dict[str, Any]:
        answer = self.story.ecs("DescribeServices", cluster="democluster", services=["web"])
        service: dict[str, Any] = answer["services"][0]
        return service


def test_a_service_is_made_when_its_deployment_is_over() -> None:
    stack = Formation()

    made, _ = stack.service()

    live = stack.live()
    assert made.physical_id == live["serviceArn"]
    assert made.attributes == {"Name": "web", "ServiceArn": live["serviceArn"]}
    assert (live["runningCount"], live["deployments"][0]["rolloutState"]) == (4, "COMPLETED")


def test_refs_and_attributes_are_those_of_aws() -> None:
    stack = Formation()
    cluster = stack.create("ECS::Cluster", ClusterName="democluster")
    balancer = stack.create(
        "ElasticLoadBalancingV2::LoadBalancer", Name="demo", Subnets=["subnet-a", "subnet-b"]
    )

    assert cluster.physical_id == "democluster"
    assert cluster.attributes["Arn"].endswith(":cluster/democluster")
    full_name = balancer.attributes["LoadBalancerFullName"]
    assert re.fullmatch(r"app/demo/[0-9a-f]{16}", full_name)
    assert balancer.physical_id.endswith(f":loadbalancer/{full_name}")
    assert balancer.attributes["DNSName"] == "localhost"
    definition = stack.definition("repo:v1")
    assert definition.endswith(":task-definition/web:1")


def test_template_keys_inside_maps_stay_as_they_are() -> None:
    stack = Formation()
    arn = stack.definition("repo:v1")

    told = stack.story.ecs("DescribeTaskDefinition", taskDefinition=arn)["taskDefinition"]

    assert told["containerDefinitions"][0]["dockerLabels"] == {"Team.Name": "Posts"}
    assert told["containerDefinitions"][0]["portMappings"][0]["containerPort"] == 3000


def test_an_update_sends_what_changed_and_waits() -> None:
    stack = Formation()
    made, old = stack.service()
    new = {**old, "TaskDefinition": stack.definition("repo:v2")}

    stack.update("ECS::Service", made.physical_id, old, new)

    live = stack.live()
    assert live["taskDefinition"] == new["TaskDefinition"]
    assert [d["rolloutState"] for d in live["deployments"]] == ["COMPLETED"]


def test_an_update_without_a_deployment_waits_for_the_count() -> None:
    stack = Formation()
    made, old = stack.service()

    stack.update("ECS::Service", made.physical_id, old, {**old, "DesiredCount": 6})

    assert stack.live()["runningCount"] == 6


def test_a_new_nonce_forces_a_deployment() -> None:
    stack = Formation()
    made, old = stack.service()
    before = stack.live()["deployments"][0]["id"]
    forced = {"EnableForceNewDeployment": "true", "ForceNewDeploymentNonce": "2"}

    stack.update("ECS::Service", made.physical_id, old, {**old, "ForceNewDeployment": forced})

    assert stack.live()["deployments"][0]["id"] != before


def test_a_failed_update_says_so_as_aws_and_can_be_sent_back() -> None:
    stack = Formation()
    made, old = stack.service()
    bad = {**old, "TaskDefinition": stack.definition("repo:crash")}

    with pytest.raises(ResourceFailure) as failure:
        stack.update("ECS::Service", made.physical_id, old, bad)

    assert re.fullmatch(
        r'Resource handler returned message: "Error occurred during operation \'ECS Deployment '
        r"Circuit Breaker was triggered'\.\" \(RequestToken: [0-9a-f-]{36}, "
        r"HandlerErrorCode: GeneralServiceException\)",
        str(failure.value),
    )
    stack.update("ECS::Service", made.physical_id, bad, old)
    live = stack.live()
    assert live["taskDefinition"] == old["TaskDefinition"]
    assert (len(live["deployments"]), live["runningCount"]) == (1, 4)


def test_a_service_that_never_starts_fails_its_create() -> None:
    stack = Formation()

    with pytest.raises(ResourceFailure, match="Circuit Breaker was triggered"):
        stack.service("repo:crash")


def test_a_deleted_service_is_gone_and_may_be_deleted_again() -> None:
    stack = Formation()
    made, properties = stack.service()

    stack.delete("ECS::Service", made.physical_id, **properties)
    assert stack.live()["status"] == "INACTIVE"
    stack.delete("ECS::Service", made.physical_id, **properties)


def test_what_aws_refuses_is_refused() -> None:
    stack = Formation()

    with pytest.raises(NotFound) as refusal:
        stack.create("ECS::Service", Cluster="nowhere", ServiceName="web", TaskDefinition="web:1")

    assert "Cluster not found." in str(refusal.value)
    assert "HandlerErrorCode: NotFound" in str(refusal.value)


def test_a_wait_ends_after_three_hours() -> None:
    hours = iter((0.0, 3600.0, 2 * 3600.0, 3 * 3600.0))
    aws = Aws(lambda *_: {}, lambda _: None, lambda: next(hours))
    turns = aws.until_settled()

    next(turns)
    next(turns)
    with pytest.raises(ResourceFailure, match="Exceeded attempts to wait"):
        next(turns)


def test_every_part_of_a_load_balancer_can_be_deleted_twice() -> None:
    stack = Formation()
    group = stack.network()["TargetGroupArn"]
    balancer = stack.story.elb("DescribeLoadBalancers")["LoadBalancers"][0]["LoadBalancerArn"]
    listener = stack.story.elb("DescribeListeners", LoadBalancerArn=balancer)["Listeners"][0]

    for _ in range(2):
        stack.delete("ElasticLoadBalancingV2::Listener", listener["ListenerArn"])
        stack.delete("ElasticLoadBalancingV2::LoadBalancer", balancer)
        stack.delete("ElasticLoadBalancingV2::TargetGroup", group)

    assert stack.story.elb("DescribeTargetGroups")["TargetGroups"] == []


def test_a_target_groups_health_check_changes_in_place() -> None:
    stack = Formation()
    arn = stack.network()["TargetGroupArn"]
    old = {"HealthCheckPath": "/up", "Tags": [{"Key": "a", "Value": "1"}]}
    new = {"HealthCheckPath": "/posts", "Tags": [{"Key": "b", "Value": 2}]}

    stack.update("ElasticLoadBalancingV2::TargetGroup", arn, old, new)

    (group,) = stack.story.elb("DescribeTargetGroups", TargetGroupArns=[arn])["TargetGroups"]
    assert group["HealthCheckPath"] == "/posts"
    (tags,) = stack.story.elb("DescribeTags", ResourceArns=[arn])["TagDescriptions"]
    assert {"Key": "b", "Value": "2"} in tags["Tags"]


def test_an_unknown_property_is_named() -> None:
    with pytest.raises(ResourceFailure, match=r"extraneous key \[DesiredCont\] is not permitted"):
        request_for("ecs", "CreateService", {"DesiredCont": 1})


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"DesiredCount": "four"}, "#/DesiredCount: expected type: integer, found: four"),
        ({"LoadBalancers": {}}, "#/LoadBalancers: expected type: JSONArray, found: dict"),
        ({"NetworkConfiguration": "x"}, "#/NetworkConfiguration: expected type: JSONObject"),
        ({"EnableExecuteCommand": "yes"}, "#/EnableExecuteCommand: expected type: boolean"),
        ({"ServiceName": ["x"]}, "#/ServiceName: expected a single value, found: list"),
    ],
)
def test_a_value_of_a_wrong_type_is_named(properties: dict[str, Any], words: str) -> None:
    with pytest.raises(ResourceFailure, match=re.escape(words)):
        request_for("ecs", "CreateService", properties)


@pytest.mark.parametrize("limit", [32, 255])
def test_a_generated_name_fits_and_differs(limit: int) -> None:
    first, second = (
        generated_name("a-stack-with-a-long-name", "LoadBalancer", limit) for _ in "ab"
    )

    assert len(first) <= limit
    assert first != second
    assert first.startswith("a-stack-w")
