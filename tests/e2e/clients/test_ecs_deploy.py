"""`ecs-deploy` from PyPI: deploy, scale, and a roll back of its own."""

from __future__ import annotations

from subprocess import CompletedProcess

from tests.e2e.account import CLUSTER, QUICK, SERVICE, Account
from tests.e2e.clients.programs import program

CONTAINER = "democluster-container"


def test_it_deploys_an_image_and_scales(shared: Account) -> None:
    image = shared.image("1f3c2aa")
    deployed = _ecs(shared, "deploy", CLUSTER, SERVICE, "--image", CONTAINER, image)
    assert deployed.returncode == 0, deployed.stderr
    assert "Deployment successful" in deployed.stdout
    assert "Successfully deregistered revision: 2" in deployed.stdout
    live = shared.service()
    assert live["taskDefinition"].endswith(":3")
    assert shared.sandbox.heading() == "Posts"

    scaled = _ecs(shared, "scale", CLUSTER, SERVICE, "2")
    assert scaled.returncode == 0, scaled.stderr
    assert "Scaling successful" in scaled.stdout
    assert shared.service()["runningCount"] == 2


def test_it_rolls_back_what_does_not_start(shared: Account) -> None:
    ecs = shared.client("ecs")
    # Its roll back and that of the circuit breaker would run into each other, as on AWS.
    breaker = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
    ecs.update_service(cluster=CLUSTER, service=SERVICE, deploymentConfiguration=breaker)
    live = shared.service()

    image = shared.image("bad0c0d")
    bad = _ecs(shared, "deploy", CLUSTER, SERVICE, "--image", CONTAINER, image, "--rollback")

    assert bad.returncode == 1
    assert "is unable to consistently start tasks successfully" in bad.stderr
    assert "Rollback successful" in bad.stdout, bad.stderr
    assert "service has been rolled back to previous task definition" in bad.stderr
    stable = ecs.get_waiter("services_stable")
    stable.wait(cluster=CLUSTER, services=[SERVICE], WaiterConfig=QUICK)
    after = shared.service()
    assert after["taskDefinition"] == live["taskDefinition"]
    assert after["runningCount"] == live["runningCount"]


def _ecs(shared: Account, *arguments: str) -> CompletedProcess[str]:
    return shared.sandbox.run(program("ecs"), *arguments, "--timeout", "60")
