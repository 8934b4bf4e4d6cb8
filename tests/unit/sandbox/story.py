"""A world on a virtual clock with the talk's service in it: no sleep, no socket."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from bgconsole.sandbox.clock import VirtualClock
from bgconsole.sandbox.ecs.alarms import AlarmTable
from bgconsole.sandbox.elbv2.routing import Incoming, Route
from bgconsole.sandbox.runtime.port import ImageInfo
from bgconsole.sandbox.runtime.simulated import ImageTable, SimulatedContainer, SimulatedRuntime
from bgconsole.sandbox.world import World
from tests.unit.sandbox.shapes import checked

CLUSTER, SERVICE, FAMILY = "democluster", "web", "democluster-task"
HOUR = 3600.0


def image(number: int, **labels: str) -> ImageInfo:
    """An image whose digest is its number over and over."""
    named = {f"bgconsole.{key}": value for key, value in labels.items()}
    return ImageInfo("sha256:" + f"{number:x}" * 64, named)


class Ports:
    """A data plane without sockets: remembers what listens where; refuses the ports in `taken`."""

    def __init__(self) -> None:
        self.routes: dict[str, Callable[[Incoming], Route]] = {}
        self.taken: set[int] = set()

    def listen(self, listener_arn: str, port: int, route: Callable[[Incoming], Route]) -> int:
        if port in self.taken:
            raise OSError(98, "Address already in use")
        self.routes[listener_arn] = route
        return port

    def stop_listening(self, listener_arn: str) -> None:
        del self.routes[listener_arn]


class Lines:
    """A log sink that keeps everything."""

    def __init__(self) -> None:
        self.written: list[tuple[str, str, str]] = []

    def write(self, group: str, stream: str, line: str) -> None:
        self.written.append((group, stream, line))


class Story:
    """A world, and what a test does in it; every answer is checked against botocore's model."""

    def __init__(self, seed: int = 7, alarms: AlarmTable | None = None) -> None:
        self.clock = VirtualClock()
        self.runtime = SimulatedRuntime(self.clock)
        self.images = ImageTable(
            {
                "repo:v1": image(1, heading="Posts", revision="v1"),
                "repo:v2": image(2, heading="MEOW", revision="v2"),
                "repo:crash": image(3, behaviour="crash"),
                "repo:sick": image(4, status="503"),
            }
        )
        self.ports = Ports()
        self.logs = Lines()
        self.alarms = alarms or AlarmTable()
        self.world = World(
            account="123456789012",
            region="us-east-1",
            clock=self.clock,
            runtime=self.runtime,
            prober=self.runtime,
            images=self.images,
            data_plane=self.ports,
            logs=self.logs,
            alarms=self.alarms,
            rng=random.Random(seed),
        )
        self.target_group = ""
        self.listener = ""

    def ecs(self, operation: str, **request: Any) -> dict[str, Any]:
        """One ECS call."""
        return checked("ecs", operation, self.world.ecs, request)

    def elb(self, operation: str, **request: Any) -> dict[str, Any]:
        """One load balancing call."""
        return checked("elbv2", operation, self.world.elbv2, request)

    def build(self) -> None:
        """A load balancer with one group and one listener, a cluster, task definitions 1 and 2."""
        balancer = self.elb("CreateLoadBalancer", Name="demo", Subnets=["subnet-a", "subnet-b"])
        arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        group = self.elb(
            "CreateTargetGroup",
            Name="blue",
            Protocol="HTTP",
            Port=3000,
            TargetType="ip",
            VpcId="vpc-1",
            HealthCheckPath="/up",
            HealthCheckIntervalSeconds=10,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
        )
        self.target_group = group["TargetGroups"][0]["TargetGroupArn"]
        self.elb(
            "ModifyTargetGroupAttributes",
            TargetGroupArn=self.target_group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
        )
        listener = self.elb(
            "CreateListener",
            LoadBalancerArn=arn,
            Port=80,
            Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.target_group}],
        )
        self.listener = listener["Listeners"][0]["ListenerArn"]
        self.ecs("CreateCluster", clusterName=CLUSTER)
        self.register("repo:v1")
        self.register("repo:v2")

    def register(self, image_name: str, **more: Any) -> str:
        """The next revision of the family, with this image and more of a container definition."""
        container = {
            "name": "app",
            "image": image_name,
            "portMappings": [{"containerPort": 3000}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": CLUSTER, "awslogs-stream-prefix": "ecs"},
            },
            **more,
        }
        answer = self.ecs(
            "RegisterTaskDefinition",
            family=FAMILY,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[container],
        )
        arn: str = answer["taskDefinition"]["taskDefinitionArn"]
        return arn

    def create(self, desired: int = 4, maximum: int = 200, minimum: int = 100) -> None:
        """The service on task definition 1, not waited for."""
        self.ecs(
            "CreateService",
            cluster=CLUSTER,
            serviceName=SERVICE,
            taskDefinition=f"{FAMILY}:1",
            desiredCount=desired,
            launchType="FARGATE",
            loadBalancers=[
                {
                    "targetGroupArn": self.target_group,
                    "containerName": "app",
                    "containerPort": 3000,
                }
            ],
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-a", "subnet-b"]}},
            deploymentConfiguration={"maximumPercent": maximum, "minimumHealthyPercent": minimum},
        )

    def update(self, **request: Any) -> dict[str, Any]:
        """UpdateService; the service as it was answered."""
        answer = self.ecs("UpdateService", cluster=CLUSTER, service=SERVICE, **request)
        service: dict[str, Any] = answer["service"]
        return service

    def service(self) -> dict[str, Any]:
        """The service now."""
        answer = self.ecs("DescribeServices", cluster=CLUSTER, services=[SERVICE])
        service: dict[str, Any] = answer["services"][0]
        return service

    def steady(self) -> bool:
        """What the waiter services_stable asks, and that the deployment ended."""
        service = self.service()
        deployments = service["deployments"]
        return (
            len(deployments) == 1
            and deployments[0]["rolloutState"] == "COMPLETED"
            and service["runningCount"] == service["desiredCount"]
        )

    def until_steady(self, within: float = HOUR) -> float:
        """Move the clock until the service is steady; the seconds it took."""
        return self.clock.run_until(self.steady, within=within)

    def until(self, reached: Callable[[], bool], within: float = HOUR) -> float:
        """Move the clock until something holds; the seconds it took."""
        return self.clock.run_until(reached, within=within)

    def tasks(self, status: str = "RUNNING") -> list[dict[str, Any]]:
        """The service's tasks of this desired status, in full."""
        listed = self.ecs("ListTasks", cluster=CLUSTER, serviceName=SERVICE, desiredStatus=status)[
            "taskArns"
        ]
        if not listed:
            return []
        tasks: list[dict[str, Any]] = self.ecs("DescribeTasks", cluster=CLUSTER, tasks=listed)[
            "tasks"
        ]
        return tasks

    def container(self, task: dict[str, Any]) -> SimulatedContainer:
        """The running container behind a task."""
        return self.runtime.running[(task["taskArn"].rpartition("/")[2], "app")]

    def deployment(self) -> dict[str, Any]:
        """The newest service deployment in full."""
        listed = self.ecs("ListServiceDeployments", cluster=CLUSTER, service=SERVICE)
        arn = listed["serviceDeployments"][0]["serviceDeploymentArn"]
        described = self.ecs("DescribeServiceDeployments", serviceDeploymentArns=[arn])
        record: dict[str, Any] = described["serviceDeployments"][0]
        return record

    def health(self) -> list[str]:
        """The states of the group's targets."""
        answer = self.elb("DescribeTargetHealth", TargetGroupArn=self.target_group)
        return sorted(d["TargetHealth"]["State"] for d in answer["TargetHealthDescriptions"])

    def events(self, after: int = 0) -> list[str]:
        """The service's events, oldest first, ids replaced: `T` a task, `TG` the group."""
        messages = [event["message"] for event in reversed(self.service()["events"])]
        return [self.plain(message) for message in messages[after:]]

    def plain(self, message: str) -> str:
        """A message without its random ids; deployments by their revision's number."""
        message = message.replace(self.target_group, "TG")
        for service in self.world.ecs.state.all_services():
            for task in service.tasks:
                message = message.replace(task.id, "T")
            for revision in service.revisions.values():
                number = str(revision.task_definition.revision)
                message = message.replace(f"ecs-svc/{revision.number}", f"D{number}")
        return message
