"""The real thing with two target groups, and tasks that migrate: processes, sockets, signals."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.unit.sandbox.test_processes import FAST, IMAGES, Demo

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}


class PairDemo(Demo):
    """A real world with the talk's service on two groups."""

    rule = ""
    groups: tuple[str, str] = ("", "")

    async def provision(self) -> None:
        elb, ecs = self.world.elbv2.handle, self.world.ecs.handle
        listener = self.listener(0)
        self.port = listener["Port"]
        made = elb(
            "CreateTargetGroup",
            {
                "Name": "green",
                "Port": 3000,
                "TargetType": "ip",
                "HealthCheckPath": "/up",
                "HealthCheckIntervalSeconds": 10,
            },
        )
        self.groups = (self.target_group, made["TargetGroups"][0]["TargetGroupArn"])
        for arn in self.groups:
            delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "30"}
            elb("ModifyTargetGroupAttributes", {"TargetGroupArn": arn, "Attributes": [delay]})
        pair = [
            {"TargetGroupArn": self.groups[0], "Weight": 1},
            {"TargetGroupArn": self.groups[1], "Weight": 0},
        ]
        rule = elb(
            "CreateRule",
            {
                "ListenerArn": listener["ListenerArn"],
                "Priority": 1,
                "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
                "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": pair}}],
            },
        )
        self.rule = rule["Rules"][0]["RuleArn"]
        ecs("CreateCluster", {"clusterName": "demo"})
        for name in IMAGES:
            self.register(name)
        advanced = {
            "alternateTargetGroupArn": self.groups[1],
            "productionListenerRule": self.rule,
            "roleArn": "arn:aws:iam::123456789012:role/infra",
        }
        balancer = {
            "targetGroupArn": self.groups[0],
            "containerName": "app",
            "containerPort": 3000,
            "advancedConfiguration": advanced,
        }
        ecs(
            "CreateService",
            {
                "cluster": "demo",
                "serviceName": "web",
                "taskDefinition": "app:1",
                "desiredCount": 2,
                "loadBalancers": [balancer],
                "healthCheckGracePeriodSeconds": 60,
                "networkConfiguration": NETWORK,
                "deploymentConfiguration": {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 2},
            },
        )
        await self.until(self.steady)

    def register(self, image: str, **more: Any) -> str:
        options = {"awslogs-group": "demo", "awslogs-stream-prefix": "ecs"}
        container = {
            "name": "app",
            "image": image,
            "portMappings": [{"containerPort": 3000}],
            "logConfiguration": {"logDriver": "awslogs", "options": options},
            **more,
        }
        request = {
            "family": "app",
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "containerDefinitions": [container],
        }
        made = self.world.ecs.handle("RegisterTaskDefinition", request)
        arn: str = made["taskDefinition"]["taskDefinitionArn"]
        return arn

    def newest(self) -> dict[str, Any]:
        """The newest service deployment."""
        request = {"cluster": "demo", "service": "web"}
        listed = self.world.ecs.handle("ListServiceDeployments", request)["serviceDeployments"]
        arns = [listed[0]["serviceDeploymentArn"]]
        answer = self.world.ecs.handle(
            "DescribeServiceDeployments", {"serviceDeploymentArns": arns}
        )
        found: dict[str, Any] = answer["serviceDeployments"][0]
        return found

    def migrate(self, definition: str) -> str:
        override = {"name": "app", "command": ["bundle", "exec", "rails", "db:migrate"]}
        answer = self.world.ecs.handle(
            "RunTask",
            {
                "cluster": "demo",
                "taskDefinition": definition,
                "launchType": "FARGATE",
                "networkConfiguration": NETWORK,
                "overrides": {"containerOverrides": [override]},
            },
        )
        arn: str = answer["tasks"][0]["taskArn"]
        return arn

    def task(self, arn: str) -> dict[str, Any]:
        request = {"cluster": "demo", "tasks": [arn]}
        found: dict[str, Any] = self.world.ecs.handle("DescribeTasks", request)["tasks"][0]
        return found


@pytest.fixture
async def demo() -> AsyncIterator[PairDemo]:
    made = PairDemo()
    await made.open(traffic=False)
    try:
        await made.provision()
        yield made
    finally:
        await made.world.close()


async def test_no_request_is_lost_when_the_weights_flip_and_flip_back(demo: PairDemo) -> None:
    demo.world.set_speed(FAST)
    statuses: Counter[int] = Counter()
    headings: list[str] = []
    ended = asyncio.Event()

    async def visit(session: aiohttp.ClientSession) -> None:
        while not ended.is_set():
            async with session.get(f"http://127.0.0.1:{demo.port}/posts") as answer:
                heading = (await answer.text()).partition("<h1>")[2].partition("</h1>")[0]
                statuses[answer.status] += 1
                if headings[-1:] != [heading]:
                    headings.append(heading)
            await asyncio.sleep(0.02)

    async with aiohttp.ClientSession() as session:
        visitor = asyncio.create_task(visit(session))
        demo.update(taskDefinition="app:2")
        await demo.until(lambda: demo.newest()["status"] == "SUCCESSFUL" and demo.steady())
        demo.update(taskDefinition="app:1")
        await demo.until(lambda: demo.newest().get("lifecycleStage") == "BAKE_TIME")
        arn = demo.newest()["serviceDeploymentArn"]
        demo.world.ecs.handle("StopServiceDeployment", {"serviceDeploymentArn": arn})
        await demo.until(lambda: demo.newest()["status"] == "ROLLBACK_SUCCESSFUL")
        ended.set()
        await visitor
    print(f"{sum(statuses.values())} requests through two flips, none lost")  # noqa: T201
    assert set(statuses) == {200}
    # One visitor, one flip at a time: the versions never mix.
    assert headings == ["Posts", "MEOW", "Posts", "MEOW"]


async def test_a_migration_is_a_process_that_ends_hangs_or_is_killed(demo: PairDemo) -> None:
    demo.world.set_speed(FAST)
    good = demo.migrate("app:1")
    await demo.until(lambda: demo.task(good)["lastStatus"] == "STOPPED")
    assert demo.task(good)["containers"][0]["exitCode"] == 0
    stream = f"ecs/app/{good.rpartition('/')[2]}"
    await demo.until(lambda: any(s == stream and "migrated" in t for _, s, t in demo.lines))

    demo.world.ecs.trouble.migration = "hang"
    environment = [{"name": "DATABASE_URL", "value": "postgres://other"}]
    hanging = demo.migrate(demo.register("repo:v1", environment=environment, stopTimeout=60))
    await demo.until(lambda: demo.task(hanging)["lastStatus"] == "RUNNING")
    stream = f"ecs/app/{hanging.rpartition('/')[2]}"
    await demo.until(lambda: any(s == stream and "migrating" in t for _, s, t in demo.lines))
    demo.world.ecs.handle("StopTask", {"cluster": "demo", "task": hanging})
    await demo.until(lambda: demo.task(hanging)["lastStatus"] == "STOPPED")
    assert demo.task(hanging)["containers"][0]["exitCode"] == 137


async def test_container_checks_ask_the_process_and_an_ill_one_is_replaced(demo: PairDemo) -> None:
    command = ["CMD-SHELL", "curl -f http://localhost:3000/up || exit 1"]
    check = {"command": command, "interval": 10, "retries": 2}
    demo.world.set_speed(FAST)
    demo.update(taskDefinition=demo.register("repo:v2", healthCheck=check))
    await demo.until(lambda: demo.newest()["status"] == "SUCCESSFUL" and demo.steady())
    tasks = demo.world.ecs.state.all_services()[0].tasks
    running = [task for task in tasks if task.running and task.live]
    assert {container.health for task in running for container in task.containers} == {"HEALTHY"}
    # The load balancer would see it too; the container's own check is asked more patiently here.
    for arn in demo.groups:
        change = {"TargetGroupArn": arn, "HealthCheckPath": "/posts"}
        demo.world.elbv2.handle("ModifyTargetGroup", change)
    handle = running[0].containers[0].handle
    assert handle is not None
    handle.fall_ill()
    await demo.until(lambda: running[0].last_status == "STOPPED")
    assert running[0].stopped_reason == "Task failed container health checks"
    await demo.until(demo.steady)
