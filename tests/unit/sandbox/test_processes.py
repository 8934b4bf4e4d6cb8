"""The real thing in small: tasks as processes, requests over loopback, nothing left behind."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.clock import INSTANT
from bgconsole.sandbox.runtime.port import ImageInfo
from bgconsole.sandbox.runtime.process import ProcessRuntime
from bgconsole.sandbox.trouble_scenarios import LONG_AGO
from bgconsole.sandbox.world import World, open_world

IMAGES = {
    "repo:v1": ImageInfo(
        "sha256:" + "1" * 64, {"bgconsole.heading": "Posts", "bgconsole.revision": "v1"}
    ),
    "repo:v2": ImageInfo(
        "sha256:" + "2" * 64, {"bgconsole.heading": "MEOW", "bgconsole.revision": "v2"}
    ),
    "repo:v3": ImageInfo("sha256:" + "3" * 64, {"bgconsole.behaviour": "crash"}),
}
FAST = 60.0
PATIENCE = 30.0


class Demo:
    """A real world with the talk's service in it."""

    def __init__(self) -> None:
        self.world: World
        self.lines: list[tuple[str, str, str]] = []
        self.port = 0

    async def put_logs(self, group: str, stream: str, lines: Sequence[tuple[int, str]]) -> None:
        self.lines += [(group, stream, text) for _, text in lines]

    async def open(self, **options: Any) -> None:
        self.world = await open_world(
            account="123456789012",
            region="us-east-1",
            put_logs=self.put_logs,
            image_lookup=IMAGES.get,
            speed=INSTANT,
            rng=random.Random(3),
            **options,
        )

    def listener(self, port: int) -> dict[str, Any]:
        elb = self.world.elbv2.handle
        name = f"lb-{len(self.world.elbv2.state.load_balancers)}"
        balancer = elb("CreateLoadBalancer", {"Name": name, "Subnets": ["subnet-a", "subnet-b"]})
        group = elb(
            "CreateTargetGroup",
            {
                "Name": name,
                "Port": 3000,
                "TargetType": "ip",
                "HealthCheckPath": "/up",
                "HealthCheckIntervalSeconds": 10,
            },
        )
        self.target_group = group["TargetGroups"][0]["TargetGroupArn"]
        action = {"Type": "forward", "TargetGroupArn": self.target_group}
        arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        made = elb(
            "CreateListener",
            {"LoadBalancerArn": arn, "Port": port, "Protocol": "HTTP", "DefaultActions": [action]},
        )
        found: dict[str, Any] = made["Listeners"][0]
        return found

    async def provision(self) -> None:
        ecs = self.world.ecs.handle
        self.port = self.listener(0)["Port"]
        self.world.elbv2.handle(
            "ModifyTargetGroupAttributes",
            {
                "TargetGroupArn": self.target_group,
                "Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
            },
        )
        ecs("CreateCluster", {"clusterName": "demo"})
        for name in IMAGES:
            options = {"awslogs-group": "demo", "awslogs-stream-prefix": "ecs"}
            container = {
                "name": "app",
                "image": name,
                "portMappings": [{"containerPort": 3000}],
                "environment": [{"name": "RAILS_ENV", "value": "production"}],
                "logConfiguration": {"logDriver": "awslogs", "options": options},
            }
            ecs("RegisterTaskDefinition", {"family": "app", "containerDefinitions": [container]})
        balancer = {
            "targetGroupArn": self.target_group,
            "containerName": "app",
            "containerPort": 3000,
        }
        ecs(
            "CreateService",
            {
                "cluster": "demo",
                "serviceName": "web",
                "taskDefinition": "app:1",
                "desiredCount": 4,
                "loadBalancers": [balancer],
                "healthCheckGracePeriodSeconds": 60,
            },
        )
        await self.until(self.steady)

    def update(self, **request: Any) -> None:
        self.world.ecs.handle("UpdateService", {"cluster": "demo", "service": "web", **request})

    def service(self) -> dict[str, Any]:
        answer = self.world.ecs.handle("DescribeServices", {"cluster": "demo", "services": ["web"]})
        found: dict[str, Any] = answer["services"][0]
        return found

    def steady(self) -> bool:
        deployments = self.service()["deployments"]
        return len(deployments) == 1 and deployments[0]["rolloutState"] == "COMPLETED"

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not reached():  # noqa: ASYNC110 - the pace of looking at many things
                await asyncio.sleep(0.01)

    def pids(self) -> list[int]:
        runtime = self.world.runtime
        assert isinstance(runtime, ProcessRuntime)
        return runtime.pids()


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    made = Demo()
    await made.open(traffic=False)
    try:
        await made.provision()
        yield made
    finally:
        await made.world.close()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def environment_of(pid: int) -> set[str]:
    entries = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return {entry.partition("=")[0] for entry in entries if entry}


async def ask(port: int, path: str) -> tuple[int, str, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.text(), answer.headers.get("X-Revision", "")


async def test_the_app_answers_through_the_load_balancer(demo: Demo) -> None:
    status, body, revision = await ask(demo.port, "/posts")
    assert (status, revision) == (200, "v1")
    assert "<h1>Posts</h1>" in body
    assert (await ask(demo.port, "/up"))[0] == 200
    assert (await ask(demo.port, "/nothing"))[0] == 404
    version = json.loads((await ask(demo.port, "/version"))[1])
    assert version["revision"] == "v1"
    assert version["digest"] == "sha256:" + "1" * 64
    tasks = demo.world.ecs.handle("ListTasks", {"cluster": "demo"})["taskArns"]
    assert version["task"] in {arn.rpartition("/")[2] for arn in tasks}

    def logged() -> bool:
        return any("Completed 200 OK" in text for _, _, text in demo.lines)

    await demo.until(logged)
    assert {group for group, _, _ in demo.lines} == {"demo"}
    streams = {stream for _, stream, _ in demo.lines}
    assert streams == {f"ecs/app/{arn.rpartition('/')[2]}" for arn in tasks}
    text = "\n".join(line for _, _, line in demo.lines)
    assert 'Started GET "/posts" for 127.0.0.1 at ' in text
    assert "Processing by PostsController#index as HTML" in text
    assert "* Listening on http://0.0.0.0:3000" in text


async def test_tasks_answer_500_as_they_are_told_and_log_why(demo: Demo) -> None:
    handles = [
        container.handle
        for service in demo.world.ecs.state.all_services()
        for task in service.tasks
        for container in task.containers
    ]

    async def statuses() -> Counter[int]:
        return Counter([(await ask(demo.port, "/posts"))[0] for _ in range(40)])

    for handle in handles:
        assert handle is not None
        handle.fail(50)
    async with asyncio.timeout(PATIENCE):
        while (await statuses())[500] < 16:
            pass
    assert (await ask(demo.port, "/up"))[0] == 200
    assert (await ask(demo.port, "/version"))[0] == 200

    def logged() -> bool:
        return any("Completed 500 Internal Server Error in" in text for _, _, text in demo.lines)

    await demo.until(logged)
    text = "\n".join(line for _, _, line in demo.lines)
    assert "ActionView::Template::Error (PG::QueryCanceled: ERROR:  canceling" in text
    for handle in handles:
        assert handle is not None
        handle.fail(0)
    async with asyncio.timeout(PATIENCE):
        while set(await statuses()) != {200}:
            pass


async def test_who_has_the_wrong_password_exits_and_says_so(demo: Demo) -> None:
    demo.world.set_speed(FAST)
    demo.world.ecs.trouble.ills["no-database"] = LONG_AGO
    demo.update(forceNewDeployment=True)

    def told() -> bool:
        return any("ActiveRecord::DatabaseConnectionError" in text for _, _, text in demo.lines)

    await demo.until(told)
    text = "\n".join(line for _, _, line in demo.lines)
    assert "FATAL:  password authentication failed for user" in text
    tasks = demo.world.ecs.state.all_services()[0].tasks
    await demo.until(lambda: any(t.stop_code == "EssentialContainerExited" for t in tasks))


async def test_no_request_is_lost_by_deployments_good_or_bad(demo: Demo) -> None:
    demo.world.set_speed(FAST)
    statuses: Counter[int] = Counter()
    headings: set[str] = set()
    ended = asyncio.Event()

    async def visit(session: aiohttp.ClientSession) -> None:
        while not ended.is_set():
            async with session.get(f"http://127.0.0.1:{demo.port}/posts") as answer:
                headings.add((await answer.text()).partition("<h1>")[2].partition("</h1>")[0])
                statuses[answer.status] += 1
            await asyncio.sleep(0.02)

    async with aiohttp.ClientSession() as session:
        visitors = [asyncio.create_task(visit(session)) for _ in range(2)]
        demo.update(taskDefinition="app:2")
        await demo.until(demo.steady)
        assert headings == {"Posts", "MEOW"}
        breaker = {
            "enable": True,
            "rollback": True,
            "thresholdConfiguration": {"type": "COUNT", "value": 4},
        }
        demo.update(
            taskDefinition="app:3", deploymentConfiguration={"deploymentCircuitBreaker": breaker}
        )
        await demo.until(demo.steady)
        ended.set()
        await asyncio.gather(*visitors)
    assert demo.service()["taskDefinition"].endswith("app:2")
    assert set(statuses) == {200}, statuses
    print(f"{statuses[200]} requests through two deployments, none lost")  # noqa: T201
    text = "\n".join(line for _, _, line in demo.lines)
    assert "PG::UndefinedColumn: ERROR:  column posts.summary does not exist" in text
    assert "Gracefully stopping" in text


async def test_a_killed_process_is_replaced(demo: Demo) -> None:
    demo.world.set_speed(FAST)
    victim = demo.pids()[0]
    os.kill(victim, signal.SIGKILL)
    await demo.until(lambda: demo.service()["runningCount"] == 3)
    await demo.until(lambda: demo.service()["runningCount"] == 4)
    stopped = demo.world.ecs.handle("ListTasks", {"cluster": "demo", "desiredStatus": "STOPPED"})
    task = demo.world.ecs.handle(
        "DescribeTasks", {"cluster": "demo", "tasks": stopped["taskArns"]}
    )["tasks"][0]
    assert task["containers"][0]["exitCode"] == 137
    assert victim not in demo.pids()


async def test_a_task_inherits_nothing(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "x")
    demo.update(taskDefinition="app:2")
    await demo.until(demo.steady)
    for pid in demo.pids():
        assert environment_of(pid) <= {"RAILS_ENV", "LC_CTYPE"}
        assert os.getsid(pid) == pid


async def test_closing_ends_every_process_and_frees_the_port(demo: Demo) -> None:
    pids = demo.pids()
    assert len(pids) == 4
    async with asyncio.timeout(2):
        await demo.world.close()
    assert not any(alive(pid) for pid in pids)
    with socket.socket() as again:
        again.bind(("127.0.0.1", demo.port))


async def test_a_port_in_use_is_refused_or_remapped() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        plain = Demo()
        await plain.open(traffic=False)
        with pytest.raises(ApiError, match="Address already in use"):
            plain.listener(port)
        await plain.world.close()
        lenient = Demo()
        await lenient.open(traffic=False, remap_ports=True)
        bound = lenient.listener(port)["Port"]
        assert bound != port
        assert lenient.world.remapped_ports == {port: bound}
        await lenient.world.close()


async def test_light_traffic_makes_the_logs_move() -> None:
    demo = Demo()
    await demo.open()
    try:
        await demo.provision()
        await demo.until(lambda: sum("Started GET" in text for _, _, text in demo.lines) >= 3)
    finally:
        await demo.world.close()
    assert any(
        "for 203.0.113." in t or "for 198.51.100." in t or "for 192.0.2." in t
        for _, _, t in demo.lines
    )


PARENT = """
import asyncio, random
from tests.unit.sandbox.test_processes import Demo

async def main():
    demo = Demo()
    await demo.open(traffic=False)
    await demo.provision()
    print(*demo.pids(), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_no_task_outlives_a_sandbox_that_is_killed() -> None:
    root = Path(__file__).parents[3]
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE, cwd=root
    )
    assert parent.stdout is not None
    async with asyncio.timeout(PATIENCE):
        pids = [int(word) for word in (await parent.stdout.readline()).split()]
    assert len(pids) == 4
    assert all(alive(pid) for pid in pids)
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(2):
        while any(alive(pid) for pid in pids):  # noqa: ASYNC110 - they are no children of ours
            await asyncio.sleep(0.01)


async def test_the_load_balancer_passes_heads_bodies_and_its_own_errors(demo: Demo) -> None:
    base = f"http://127.0.0.1:{demo.port}"
    async with aiohttp.ClientSession() as session:
        async with session.head(f"{base}/posts") as answer:
            assert answer.status == 200
            assert int(answer.headers["Content-Length"]) > 100
        async with session.post(f"{base}/posts", data=b"x" * 200_000) as answer:
            assert answer.status == 200
        for pid in demo.pids():
            os.kill(pid, signal.SIGKILL)
        async with session.get(f"{base}/posts") as answer:
            # The targets are not found dead yet: the load balancer asks, and fails, as AWS's does.
            assert answer.status == 502
            assert answer.headers["Server"] == "awselb/2.0"
