"""A crowded account: 1,000 tasks in 100 services, remembered only; what it costs a client."""

from __future__ import annotations

import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.e2e.account import Account

CLUSTER = "crowd"
OPTIONS = ("--runtime", "simulated", "--speed", "20")
"""What the sandbox is started with."""
_NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-a", "subnet-b"]}}
_ROUNDS = 200


@dataclass(frozen=True)
class Figures:
    """What was measured."""

    services: int
    tasks: int
    fill_seconds: float
    rss_mb: float
    describe_ms: dict[int, float]
    """Median of DescribeServices by how many services it names."""
    list_tasks_ms: float

    def lines(self) -> str:
        """For a report."""
        describe = ", ".join(f"{ms:.1f} ms for {n}" for n, ms in self.describe_ms.items())
        return (
            f"{self.tasks} tasks in {self.services} services: "
            f"steady after {self.fill_seconds:.0f} s, "
            f"{self.rss_mb:.0f} MB; DescribeServices median {describe}; "
            f"ListTasks of one service {self.list_tasks_ms:.1f} ms"
        )


def crowd(account: Account, services: int = 100, tasks: int = 10) -> Figures:
    """Fill the account, wait until it is steady, and measure as a client over HTTP."""
    ecs = account.client("ecs")
    begun = time.monotonic()
    ecs.create_cluster(clusterName=CLUSTER)
    ecs.register_task_definition(
        family="crowd",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[
            {
                "name": "app",
                "image": account.image("1f3c2aa"),
                "portMappings": [{"containerPort": 3000}],
            }
        ],
    )
    groups = _groups(account, services)
    names = [f"service-{number:03}" for number in range(services)]

    def create(name: str, group: str) -> None:
        ecs.create_service(
            cluster=CLUSTER,
            serviceName=name,
            taskDefinition="crowd",
            desiredCount=tasks,
            launchType="FARGATE",
            networkConfiguration=_NETWORK,
            loadBalancers=[
                {"targetGroupArn": group, "containerName": "app", "containerPort": 3000}
            ],
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create, names, groups))
    tens = [names[i : i + 10] for i in range(0, services, 10)]
    pause, end = threading.Event(), time.monotonic() + 240
    while not all(_steady(ecs, ten) for ten in tens):
        assert time.monotonic() < end, "the services did not settle"
        pause.wait(0.5)
    filled = time.monotonic() - begun
    running = sum(
        service["runningCount"]
        for ten in tens
        for service in ecs.describe_services(cluster=CLUSTER, services=ten)["services"]
    )

    def describe(count: int) -> Callable[[int], Any]:
        return lambda turn: ecs.describe_services(
            cluster=CLUSTER, services=tens[turn % len(tens)][:count]
        )

    return Figures(
        services=services,
        tasks=running,
        fill_seconds=filled,
        rss_mb=_resident(account.sandbox.process.pid),
        describe_ms={count: _median(describe(count)) for count in (1, 10)},
        list_tasks_ms=_median(
            lambda turn: ecs.list_tasks(cluster=CLUSTER, serviceName=names[turn % services])
        ),
    )


def _groups(account: Account, count: int) -> list[str]:
    """So many target groups behind one listener, a rule for each."""
    elb = account.client("elbv2")
    balancer = elb.create_load_balancer(Name="crowd", Subnets=["subnet-a", "subnet-b"])
    listener = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTP",
        Port=_free_port(),
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Listeners"][0]["ListenerArn"]
    arns = []
    for number in range(count):
        made = elb.create_target_group(
            Name=f"crowd-{number:03}", Protocol="HTTP", Port=3000, TargetType="ip", VpcId="vpc-1"
        )
        arns.append(made["TargetGroups"][0]["TargetGroupArn"])
        paths = {"Field": "path-pattern", "PathPatternConfig": {"Values": [f"/{number}/*"]}}
        elb.create_rule(
            ListenerArn=listener,
            Priority=number + 1,
            Conditions=[paths],
            Actions=[{"Type": "forward", "TargetGroupArn": arns[-1]}],
        )
    return arns


def _free_port() -> int:
    from bgconsole.sandbox.provision import free_ports

    return free_ports().production


def _steady(ecs: Any, names: list[str]) -> bool:
    shown = ecs.describe_services(cluster=CLUSTER, services=names)["services"]
    return all(
        len(service["deployments"]) == 1
        and service["deployments"][0]["rolloutState"] == "COMPLETED"
        for service in shown
    )


def _median(ask: Callable[[int], Any]) -> float:
    spent = []
    for turn in range(_ROUNDS):
        begun = time.perf_counter()
        ask(turn)
        spent.append((time.perf_counter() - begun) * 1000)
    return statistics.median(spent)


def _resident(parent: int) -> float:
    """MB that the sandbox's server holds: the largest child of the process that was started."""
    listed = subprocess.run(
        ["ps", "-axo", "ppid=,rss="], capture_output=True, text=True, check=True
    ).stdout
    rows = (map(int, line.split()) for line in listed.splitlines())
    return max(rss for ppid, rss in rows if ppid == parent) / 1024
