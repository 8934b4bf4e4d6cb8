"""Every operation that the world answers itself, answered once in botocore's shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.ecs.handlers import Ecs
from bgconsole.sandbox.elbv2.handlers import Elbv2
from bgconsole.sandbox.wire.models import service_model
from tests.unit.sandbox import story as story_module
from tests.unit.sandbox.pair_story import PairStory
from tests.unit.sandbox.shapes import checked
from tests.unit.sandbox.story import CLUSTER, FAMILY, SERVICE, Story


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[tuple[str, str]]]:
    seen: set[tuple[str, str]] = set()

    def noting(service: str, operation: str, handlers: Any, request: Any) -> dict[str, Any]:
        seen.add((service, operation))
        return checked(service, operation, handlers, request)

    monkeypatch.setattr(story_module, "checked", noting)
    yield seen


def use_ecs(story: Story) -> None:
    story.create(2)
    story.until_steady()
    arn = story.service()["serviceArn"]
    story.ecs("ListClusters")
    story.ecs("DescribeClusters", clusters=[CLUSTER], include=["TAGS", "SETTINGS"])
    change_the_cluster(story)
    story.ecs("ListServices", cluster=CLUSTER)
    story.ecs("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "b"}])
    story.ecs("ListTagsForResource", resourceArn=arn)
    story.ecs("UntagResource", resourceArn=arn, tagKeys=["a"])
    story.ecs("DescribeTaskDefinition", taskDefinition=FAMILY, include=["TAGS"])
    story.ecs("ListTaskDefinitions")
    story.ecs("ListTaskDefinitionFamilies")
    network = {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}
    run = story.ecs(
        "RunTask",
        cluster=CLUSTER,
        taskDefinition=FAMILY,
        launchType="FARGATE",
        networkConfiguration=network,
    )
    started = run["tasks"][0]["taskArn"]
    command = {"command": "sh", "interactive": True, "task": started}
    with pytest.raises(ApiError):
        story.ecs("ExecuteCommand", cluster=CLUSTER, **command)
    story.ecs("StopTask", cluster=CLUSTER, task=started)
    story.ecs("StopTask", cluster=CLUSTER, task=story.tasks()[0]["taskArn"])
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until(lambda: story.deployment()["status"] == "IN_PROGRESS")
    record = story.deployment()
    arns = [record["targetServiceRevision"]["arn"]]
    story.ecs("DescribeServiceRevisions", serviceRevisionArns=arns)
    story.ecs("StopServiceDeployment", serviceDeploymentArn=record["serviceDeploymentArn"])
    story.until_steady()
    story.ecs("DeregisterTaskDefinition", taskDefinition=f"{FAMILY}:2")


def change_the_cluster(story: Story) -> None:
    insights = [{"name": "containerInsights", "value": "enhanced"}]
    for operation in ("UpdateCluster", "UpdateClusterSettings"):
        changed = story.ecs(operation, cluster=CLUSTER, settings=insights)["cluster"]
        assert changed["settings"] == insights
    spot = {"capacityProvider": "FARGATE_SPOT", "weight": 1}
    changed = story.ecs(
        "PutClusterCapacityProviders",
        cluster=CLUSTER,
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[spot],
    )["cluster"]
    assert changed["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    with pytest.raises(ApiError, match="does not reproduce serviceConnectDefaults"):
        story.ecs("UpdateCluster", cluster=CLUSTER, serviceConnectDefaults={"namespace": "x"})


def use_pauses(story: PairStory) -> None:
    hook = {"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}
    story.create_pair(lifecycleHooks=[hook])
    story.until(lambda: "lifecycleHookDetails" in story.deployment())
    record = story.deployment()
    story.ecs(
        "ContinueServiceDeployment",
        serviceDeploymentArn=record["serviceDeploymentArn"],
        hookId=record["lifecycleHookDetails"][0]["hookId"],
    )


def use_elbv2(story: Story) -> None:
    described = story.elb("DescribeLoadBalancers", Names=["demo"])["LoadBalancers"][0]
    balancer, group = described["LoadBalancerArn"], story.target_group
    idle = [{"Key": "idle_timeout.timeout_seconds", "Value": "30"}]
    story.elb("ModifyLoadBalancerAttributes", LoadBalancerArn=balancer, Attributes=idle)
    kept = story.elb("DescribeLoadBalancerAttributes", LoadBalancerArn=balancer)["Attributes"]
    assert idle[0] in kept
    subnets = story.elb("SetSubnets", LoadBalancerArn=balancer, Subnets=["subnet-b", "subnet-c"])
    assert [zone["SubnetId"] for zone in subnets["AvailabilityZones"]] == ["subnet-b", "subnet-c"]
    with pytest.raises(ApiError, match="At least two subnets"):
        story.elb("SetSubnets", LoadBalancerArn=balancer, Subnets=["subnet-b"])
    story.elb("SetSecurityGroups", LoadBalancerArn=balancer, SecurityGroups=["sg-1"])
    story.elb("SetIpAddressType", LoadBalancerArn=balancer, IpAddressType="dualstack")
    (now,) = story.elb("DescribeLoadBalancers")["LoadBalancers"]
    assert (now["SecurityGroups"], now["IpAddressType"]) == (["sg-1"], "dualstack")
    delays = story.elb("DescribeTargetGroupAttributes", TargetGroupArn=group)["Attributes"]
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "30"} in delays
    story.elb("ModifyTargetGroup", TargetGroupArn=group, HealthCheckPath="/health")
    shown = story.elb("DescribeTargetGroups", LoadBalancerArn=balancer)["TargetGroups"][0]
    assert (shown["HealthCheckPath"], shown["LoadBalancerArns"]) == ("/health", [balancer])
    target = [{"Id": "10.0.9.9", "Port": 3000}]
    story.elb("RegisterTargets", TargetGroupArn=group, Targets=target)
    story.elb("DeregisterTargets", TargetGroupArn=group, Targets=target)
    story.elb("DescribeTargetHealth", TargetGroupArn=group, Targets=target)
    use_rules(story)
    story.elb("AddTags", ResourceArns=[group], Tags=[{"Key": "a", "Value": "b"}])
    story.elb("RemoveTags", ResourceArns=[group], TagKeys=["a"])
    assert story.elb("DescribeTags", ResourceArns=[group])["TagDescriptions"][0]["Tags"] == []


def use_rules(story: Story) -> None:
    forward = [{"Type": "forward", "TargetGroupArn": story.target_group}]
    condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}
    rule = story.elb(
        "CreateRule",
        ListenerArn=story.listener,
        Priority=5,
        Conditions=[condition],
        Actions=forward,
    )["Rules"][0]["RuleArn"]
    story.elb("SetRulePriorities", RulePriorities=[{"RuleArn": rule, "Priority": 7}])
    redirect = {"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443"}
    actions = [{"Type": "redirect", "RedirectConfig": redirect}]
    story.elb("ModifyRule", RuleArn=rule, Actions=actions)
    shown = story.elb("DescribeRules", ListenerArn=story.listener)["Rules"][0]
    assert (shown["Priority"], shown["Actions"]) == ("7", actions)
    story.elb("DeleteRule", RuleArn=rule)
    story.elb("ModifyListener", ListenerArn=story.listener, DefaultActions=forward)
    story.elb("DescribeListeners", ListenerArns=[story.listener])


def tear_down(story: Story) -> None:
    story.ecs("DeleteService", cluster=CLUSTER, service=SERVICE, force=True)
    story.until(lambda: story.service()["status"] == "INACTIVE")
    story.ecs("DeleteCluster", cluster=CLUSTER)
    balancer = story.elb("DescribeLoadBalancers")["LoadBalancers"][0]["LoadBalancerArn"]
    story.elb("DeleteListener", ListenerArn=story.listener)
    story.elb("DeleteTargetGroup", TargetGroupArn=story.target_group)
    story.elb("DeleteLoadBalancer", LoadBalancerArn=balancer)


def test_every_operation_answers_in_the_shape_of_its_model(called: set[tuple[str, str]]) -> None:
    story = Story()
    story.build()
    use_ecs(story)
    use_elbv2(story)
    tear_down(story)
    pair = PairStory()
    pair.build()
    use_pauses(pair)
    services: dict[str, Ecs | Elbv2] = {"ecs": story.world.ecs, "elbv2": story.world.elbv2}
    for name, service in services.items():
        answered = set(service.operations)
        assert answered <= set(service_model(name).operation_names)
        assert answered == {operation for which, operation in called if which == name}
