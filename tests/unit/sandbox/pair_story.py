"""The talk's service with two target groups, a production and a test listener with a rule each."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bgconsole.sandbox.elbv2.routing import Forward, Incoming
from tests.unit.sandbox.story import CLUSTER, FAMILY, SERVICE, Story

ROLE = "arn:aws:iam::123456789012:role/ecsInfrastructureRole"
ANY_PATH = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}


class PairStory(Story):
    """A story with `blue`, `green` and their rules."""

    blue = ""
    green = ""
    production = ""
    test = ""
    production_listener = ""
    test_listener = ""

    def build(self) -> None:
        """As the plain story, then the second group, the test listener and both rules."""
        super().build()
        self.blue = self.target_group
        self.production_listener = self.listener
        group = self.elb(
            "CreateTargetGroup",
            Name="green",
            Protocol="HTTP",
            Port=3000,
            TargetType="ip",
            VpcId="vpc-1",
            HealthCheckPath="/up",
            HealthCheckIntervalSeconds=10,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
        )
        self.green = group["TargetGroups"][0]["TargetGroupArn"]
        self.elb(
            "ModifyTargetGroupAttributes",
            TargetGroupArn=self.green,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
        )
        balancer = self.elb("DescribeLoadBalancers")["LoadBalancers"][0]["LoadBalancerArn"]
        listener = self.elb(
            "CreateListener",
            LoadBalancerArn=balancer,
            Port=8080,
            Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.blue}],
        )
        self.test_listener = listener["Listeners"][0]["ListenerArn"]
        self.production = self.rule(self.production_listener, 1, 0)
        self.test = self.rule(self.test_listener, 1, 0)

    def rule(self, listener: str, blue: int, green: int) -> str:
        """A rule for every path with these weights."""
        made = self.elb(
            "CreateRule",
            ListenerArn=listener,
            Priority=1,
            Conditions=[ANY_PATH],
            Actions=self.forward(blue, green),
        )
        arn: str = made["Rules"][0]["RuleArn"]
        return arn

    def forward(self, blue: int, green: int) -> list[dict[str, Any]]:
        """The action that forwards to both groups."""
        groups = [
            {"TargetGroupArn": self.blue, "Weight": blue},
            {"TargetGroupArn": self.green, "Weight": green},
        ]
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]

    def balancers(self, **changes: Any) -> list[dict[str, Any]]:
        """The service's load balancers."""
        advanced = {
            "alternateTargetGroupArn": self.green,
            "productionListenerRule": self.production,
            "testListenerRule": self.test,
            "roleArn": ROLE,
            **changes,
        }
        return [
            {
                "targetGroupArn": self.blue,
                "containerName": "app",
                "containerPort": 3000,
                "advancedConfiguration": {k: v for k, v in advanced.items() if v is not None},
            }
        ]

    def create_pair(
        self,
        strategy: str = "BLUE_GREEN",
        *,
        revision: int = 1,
        desired: int = 4,
        balancers: list[dict[str, Any]] | None = None,
        **configuration: Any,
    ) -> None:
        """The service with this strategy, not waited for."""
        self.ecs(
            "CreateService",
            cluster=CLUSTER,
            serviceName=SERVICE,
            taskDefinition=f"{FAMILY}:{revision}",
            desiredCount=desired,
            launchType="FARGATE",
            loadBalancers=self.balancers() if balancers is None else balancers,
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-a", "subnet-b"]}},
            deploymentConfiguration={"strategy": strategy, "bakeTimeInMinutes": 5, **configuration},
        )

    def weights(self, rule: str) -> tuple[int, int]:
        """Weights of blue and green as DescribeRules shows them."""
        (shown,) = self.elb("DescribeRules", RuleArns=[rule])["Rules"]
        groups = shown["Actions"][0]["ForwardConfig"]["TargetGroups"]
        weights = {group["TargetGroupArn"]: group["Weight"] for group in groups}
        return weights.get(self.blue, 0), weights.get(self.green, 0)

    def stage(self) -> str | None:
        """The lifecycle stage of the newest service deployment."""
        stage: str | None = self.deployment().get("lifecycleStage")
        return stage

    def until_stage(self, stage: str, within: float = 3600.0) -> float:
        """Move the clock until the newest service deployment is at a stage."""
        return self.until(lambda: self.stage() == stage, within)

    def healthy(self, group: str) -> int:
        """Healthy targets of a group."""
        answer = self.elb("DescribeTargetHealth", TargetGroupArn=group)
        states = [d["TargetHealth"]["State"] for d in answer["TargetHealthDescriptions"]]
        return states.count("healthy")

    def answers(self, listener: str, requests: int = 400) -> Counter[str]:
        """Which revisions answer so many requests, or what the load balancer says instead."""
        seen: Counter[str] = Counter()
        route = self.ports.routes[listener]
        for _ in range(requests):
            chosen = route(Incoming("GET", "localhost", "/posts", "", {}))
            seen[self._revision_at(chosen.target) if isinstance(chosen, Forward) else "error"] += 1
        return seen

    def _revision_at(self, address: tuple[str, int]) -> str:
        found = (c for c in self.runtime.running.values() if c.spec.address == address)
        container = next(found, None)
        return container.spec.image.partition(":")[2] if container else "nobody"

    def plain(self, message: str) -> str:
        """As in the plain story; the groups are BLUE and GREEN."""
        message = message.replace(self.blue, "BLUE").replace(self.green, "GREEN")
        return super().plain(message)
