"""50 requests a second through the load balancer while versions change: none is lost.

Short at a quick pace; `make soak` runs the same at the demo's own. The figures are printed (`-s`).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bgconsole.sandbox.provision import free_ports
from tests.e2e.account import CLUSTER, SERVICE, Account, account
from tests.visitors import Visits, visiting
from tests.waiting import until

ENDED = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
PATIENCE = 300.0


@pytest.fixture(scope="module", params=["20", pytest.param("5", marks=pytest.mark.soak)])
def loaded(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("load"), "--speed", request.param) as made:
        yield made


def test_a_rolling_deployment_loses_no_request(loaded: Account) -> None:
    with visiting(f"{loaded.output('democluster', 'LoadBalancerUrl')}/posts") as visits:
        until(lambda: visits.seen["MEOW"] > 25, "visitors", PATIENCE)
        assert _deploy(loaded, CLUSTER, SERVICE, "1f3c2aa") == "SUCCESSFUL"
        after = visits.count
        until(lambda: visits.count > after + 25, "visitors", PATIENCE)

    _lost_none(visits, "a rolling deployment")
    assert set(visits.seen) == {"Posts", "MEOW"}


def test_a_crash_loop_and_its_rollback_lose_no_request(loaded: Account) -> None:
    live = loaded.sandbox.heading()
    with visiting(f"{loaded.output('democluster', 'LoadBalancerUrl')}/posts") as visits:
        until(lambda: visits.seen[live] > 25, "visitors", PATIENCE)
        assert _deploy(loaded, CLUSTER, SERVICE, "bad0c0d") == "ROLLBACK_SUCCESSFUL"

    _lost_none(visits, "a crash loop and its rollback")
    assert set(visits.seen) == {live}


def test_blue_green_deployments_lose_no_request(loaded: Account) -> None:
    ports = free_ports()
    loaded.create(
        "pair",
        "pair.yml",
        Image=loaded.image("1f3c2aa"),
        ProductionPort=str(ports.production),
        TestPort=str(ports.test),
        **loaded.network(),
    )
    loaded.until("pair", "stack_create_complete")
    with visiting(f"{loaded.output('pair', 'Url')}/posts") as visits:
        until(lambda: visits.seen["Posts"] > 25, "visitors", PATIENCE)
        assert _deploy(loaded, "pair", "web", "8be01c9") == "SUCCESSFUL"
        until(lambda: visits.seen["MEOW"] > 25, "visitors", PATIENCE)
    _lost_none(visits, "a blue/green deployment")
    assert set(visits.seen) == {"Posts", "MEOW"}

    with visiting(f"{loaded.output('pair', 'Url')}/posts") as visits:
        assert _deploy(loaded, "pair", "web", "bad0c0d") == "ROLLBACK_SUCCESSFUL"
    _lost_none(visits, "a blue/green crash loop and its rollback")
    assert set(visits.seen) == {"MEOW"}


def _deploy(loaded: Account, cluster: str, service: str, tag: str) -> str:
    """Deploy an image and wait for the true end; gives the deployment's status."""
    ecs = loaded.client("ecs")
    live = loaded.service(cluster, service)["taskDefinition"]
    shown = ecs.describe_task_definition(taskDefinition=live)["taskDefinition"]
    containers = [{**c, "image": loaded.image(tag)} for c in shown["containerDefinitions"]]
    kept = {
        key: shown[key]
        for key in ("family", "cpu", "memory", "networkMode", "requiresCompatibilities")
    }
    if role := shown.get("executionRoleArn"):
        kept["executionRoleArn"] = role
    new = ecs.register_task_definition(**kept, containerDefinitions=containers)
    ecs.update_service(
        cluster=cluster,
        service=service,
        taskDefinition=new["taskDefinition"]["taskDefinitionArn"],
    )
    listed = ecs.list_service_deployments(cluster=cluster, service=service)
    mine = listed["serviceDeployments"][0]["serviceDeploymentArn"]

    def status() -> str:
        answer = ecs.describe_service_deployments(serviceDeploymentArns=[mine])
        return str(answer["serviceDeployments"][0]["status"])

    until(
        lambda: status() in ENDED and len(loaded.service(cluster, service)["deployments"]) == 1,
        "the end of the deployment",
        PATIENCE,
    )
    return status()


def _lost_none(visits: Visits, what: str) -> None:
    print(visits.figure(what))  # noqa: T201
    assert visits.failures == []
    assert visits.late < 10.0, "the machine was too busy for 50 requests a second"
