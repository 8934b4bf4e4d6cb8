"""Hundreds of services and thousands of tasks on the virtual clock: whole lists, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from bgconsole.sandbox.faults import Faults
from bgconsole.sandbox.runtime.port import Address
from bgconsole.sandbox.scale import CLUSTER, LARGEST, shares
from bgconsole.sandbox.scenarios import BadScenario, Stage, begin
from tests.unit.sandbox.story import Story


class Crowd(Story):
    """A story whose lists are read page by page."""

    def whole(self, operation: str, member: str, **request: Any) -> tuple[list[str], int]:
        """Every item of a list, and how many pages it took."""
        items: list[str] = []
        token: dict[str, str] = {}
        pages = 0
        while True:
            answer = self.world.ecs.handle(operation, {"cluster": CLUSTER, **request, **token})
            pages += 1
            items += answer[member]
            if not answer.get("nextToken"):
                return items, pages
            token = {"nextToken": answer["nextToken"]}

    def all_steady(self) -> bool:
        services = self.world.ecs.state.cluster(CLUSTER).services.values()
        return all(service.primary.rollout_state == "COMPLETED" for service in services)


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    story = Crowd()
    story.build()
    story.create(1)
    story.until_steady()
    begin(Stage(story.world, Faults(), "repo:crash"), "scale=100x1500")
    story.clock.run_until(story.all_steady, within=600)
    return story


def test_every_service_and_every_task_is_on_some_page_once(crowd: Crowd) -> None:
    services, pages = crowd.whole("ListServices", "serviceArns", maxResults=100)
    assert (len(set(services)), len(services), pages) == (100, 100, 1)
    assert crowd.whole("ListServices", "serviceArns")[1] == 10
    tasks, pages = crowd.whole("ListTasks", "taskArns")
    assert (len(set(tasks)), len(tasks), pages) == (1500, 1500, 15)
    name = services[0].rpartition("/")[2]
    of_one, pages = crowd.whole("ListTasks", "taskArns", serviceName=name)
    assert (len(set(of_one)), pages) == (LARGEST, 3)
    assert set(of_one) < set(tasks)
    described = crowd.ecs("DescribeTasks", cluster=CLUSTER, tasks=of_one[:100])
    assert len(described["tasks"]) == 100
    assert not described["failures"]


def test_counts_of_services_and_of_the_cluster_agree(crowd: Crowd) -> None:
    services, _ = crowd.whole("ListServices", "serviceArns")
    running = 0
    for first in range(0, len(services), 10):
        ten = crowd.ecs("DescribeServices", cluster=CLUSTER, services=services[first : first + 10])
        running += sum(service["runningCount"] for service in ten["services"])
    (shown,) = crowd.ecs("DescribeClusters", clusters=[CLUSTER])["clusters"]
    assert running == shown["runningTasksCount"] == 1500
    assert shown["activeServicesCount"] == 100


def test_every_task_has_an_address_of_its_own(crowd: Crowd) -> None:
    addresses: list[Address] = [
        container.spec.address
        for container in crowd.runtime.running.values()
        if container.spec.address is not None
    ]
    assert len(set(addresses)) == len(addresses) == 1501
    for host, _ in addresses:
        assert all(0 <= int(part) <= 255 for part in host.split("."))


@pytest.mark.parametrize(("services", "tasks"), [(1, 7), (2, 2), (400, 5000), (3, 10_000)])
def test_the_tasks_are_shared_out(services: int, tasks: int) -> None:
    shared = shares(services, tasks)
    assert (len(shared), sum(shared)) == (services, tasks)
    assert min(shared) >= 1
    assert max(shared[1:], default=0) - min(shared[1:], default=0) <= 1


def test_tasks_that_are_processes_are_too_dear(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Crowd()
    monkeypatch.setattr(story.world, "runtime", object())
    with pytest.raises(BadScenario, match="--runtime simulated"):
        begin(Stage(story.world, Faults(), ""), "scale")


@pytest.mark.parametrize("value", ["400", "0x0", "10x5", "5000x5000", "2x99999", "x"])
def test_what_is_no_shape_is_refused(crowd: Crowd, value: str) -> None:
    with pytest.raises(BadScenario, match="SERVICESxTASKS"):
        begin(Stage(crowd.world, Faults(), ""), f"scale={value}")
