"""The demo's stack moved to two target groups, then a pause, an alarm and a scenario, over HTTP."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.account import CLUSTER, QUICK, SERVICE, Account, move_to_two_groups
from tests.e2e.conftest import serving
from tests.waiting import until


class Pair(Account):
    """The demo's account with its service on two groups."""

    endpoint = ""

    def begin(self, scenario: str) -> None:
        """Begin a scenario while everything runs."""
        body = json.dumps({"scenario": scenario}).encode()
        request = urllib.request.Request(f"{self.endpoint}/_sandbox/scenario", body, method="POST")
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["began"] == scenario

    def move(self) -> None:
        """Update the stack to the strategy BLUE_GREEN."""
        stacks = self.client("cloudformation")
        move_to_two_groups(stacks)
        waiter = stacks.get_waiter("stack_update_complete")
        waiter.wait(StackName="democluster", WaiterConfig=QUICK)

    def deploy(self, **configuration: Any) -> None:
        """Force a new deployment with more of a configuration."""
        self.client("ecs").update_service(
            cluster=CLUSTER,
            service=SERVICE,
            forceNewDeployment=True,
            deploymentConfiguration=configuration,
        )

    def newest(self) -> dict[str, Any]:
        """The newest service deployment."""
        ecs = self.client("ecs")
        listed = ecs.list_service_deployments(cluster=CLUSTER, service=SERVICE)
        arn = listed["serviceDeployments"][0]["serviceDeploymentArn"]
        described = ecs.describe_service_deployments(serviceDeploymentArns=[arn])
        found: dict[str, Any] = described["serviceDeployments"][0]
        return found

    def weights(self) -> list[int]:
        """Of the production rule."""
        elb = self.client("elbv2")
        for balancer in elb.describe_load_balancers()["LoadBalancers"]:
            arn = balancer["LoadBalancerArn"]
            listeners = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
            rules = elb.describe_rules(ListenerArn=listeners[0]["ListenerArn"])["Rules"]
            groups = rules[0]["Actions"][0]["ForwardConfig"]["TargetGroups"]
            return [group["Weight"] for group in groups]
        raise AssertionError("no load balancer")


@pytest.fixture
def pair(nowhere: Path) -> Iterator[Pair]:
    with serving(nowhere, "--port", "0", "--speed", "60") as sandbox:
        made = Pair(sandbox)
        made.endpoint = sandbox.environment["AWS_ENDPOINT_URL"]
        yield made


def test_a_stack_moves_to_blue_green_and_is_deployed_paused_and_taken_back(pair: Pair) -> None:
    pair.move()
    record = pair.newest()
    assert record["status"] == "SUCCESSFUL"
    assert record["deploymentConfiguration"]["strategy"] == "BLUE_GREEN"
    assert pair.weights() == [0, 100]

    hook = {"targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]}
    pair.deploy(lifecycleHooks=[hook])
    until(lambda: pair.newest().get("lifecycleHookDetails"), "a hook")
    record = pair.newest()
    (waiting,) = record["lifecycleHookDetails"]
    assert (waiting["status"], record["lifecycleStage"]) == (
        "AWAITING_ACTION",
        "POST_TEST_TRAFFIC_SHIFT",
    )
    revision = pair.service()["taskDefinition"].rpartition(":")[2]
    refused = pair.sandbox.bgconsole("approve", "--yes")
    assert refused.returncode == 3, "it moves production traffic"
    approved = pair.sandbox.bgconsole("approve", "--confirm", revision)
    assert approved.returncode == 0, approved.stderr
    assert "all production traffic moves to" in approved.stderr
    assert "traffic shifted" in approved.stderr
    assert pair.newest()["status"] == "SUCCESSFUL"
    assert pair.weights() == [100, 0]

    pair.deploy(lifecycleHooks=[hook])
    until(lambda: pair.newest().get("lifecycleHookDetails"), "a hook")
    rejected = pair.sandbox.bgconsole("stop", "--yes")
    assert rejected.returncode == 0, rejected.stderr
    assert "by     rejecting the hook that waits at POST_TEST_TRAFFIC_SHIFT" in rejected.stderr
    assert pair.newest()["status"] == "ROLLBACK_SUCCESSFUL"
    assert pair.weights() == [100, 0]

    metrics = pair.client("cloudwatch")
    metrics.put_metric_alarm(
        AlarmName="target-5xx",
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    metrics.set_alarm_state(AlarmName="target-5xx", StateValue="OK", StateReason="test")
    alarms = {"alarmNames": ["target-5xx"], "enable": True, "rollback": True}
    pair.deploy(lifecycleHooks=[], alarms=alarms, bakeTimeInMinutes=60)
    until(lambda: pair.newest().get("lifecycleStage") == "BAKE_TIME", "the bake time")
    metrics.set_alarm_state(AlarmName="target-5xx", StateValue="ALARM", StateReason="test")
    until(lambda: pair.newest()["status"] == "ROLLBACK_SUCCESSFUL", "its roll back")
    assert pair.weights() == [100, 0]
    assert pair.newest()["alarms"]["triggeredAlarmNames"] == ["target-5xx"]


def test_scenarios_begin_while_it_runs(pair: Pair) -> None:
    ecs = pair.client("ecs")
    pair.begin("access-denied=ecs:ListClusters")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        ecs.list_clusters()
    pair.begin("none")
    assert ecs.list_clusters()["clusterArns"]
    pair.begin("crash-loop")
    until(lambda: pair.newest()["status"] == "ROLLBACK_SUCCESSFUL", "its roll back")
