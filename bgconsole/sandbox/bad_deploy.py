"""Stories that happen by themselves: the bad deploy of the demo."""

from __future__ import annotations

import logging
from typing import Any

from .api import ApiError, Handlers
from .world import World

SECONDS_AFTER_FIRST_LOOK = 15.0
"""Real seconds from the first look at the services to the bad deploy."""

FAILURES_ALLOWED = 12
"""Failed tasks before the circuit breaker acts: some 50 s at the demo's speed."""

_log = logging.getLogger(__name__)

_ANSWERED_ONLY = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "deregisteredAt",
    "registeredBy",
)


def bad_deploy(ecs: Handlers, *, cluster: str, service: str, image: str) -> str:
    """Deploy `image` to a service now: everything else of its task definition stays as it is.

    Returns:
        The ARN of the new task definition.

    Raises:
        ApiError: there is no such cluster or service.
    """
    found = ecs.handle("DescribeServices", {"cluster": cluster, "services": [service]})
    if not found["services"]:
        raise ApiError("ServiceNotFoundException", "Service not found.")
    live = found["services"][0]
    described = ecs.handle("DescribeTaskDefinition", {"taskDefinition": live["taskDefinition"]})
    definition: dict[str, Any] = {
        key: value
        for key, value in described["taskDefinition"].items()
        if key not in _ANSWERED_ONLY
    }
    serving = {balancer["containerName"] for balancer in live["loadBalancers"]}
    definition["containerDefinitions"] = [
        {**one, "image": image} if not serving or one["name"] in serving else one
        for one in definition["containerDefinitions"]
    ]
    registered = ecs.handle("RegisterTaskDefinition", definition)
    arn: str = registered["taskDefinition"]["taskDefinitionArn"]
    breaker = {
        "enable": True,
        "rollback": True,
        "thresholdConfiguration": {"type": "COUNT", "value": FAILURES_ALLOWED},
    }
    ecs.handle(
        "UpdateService",
        {
            "cluster": cluster,
            "service": service,
            "taskDefinition": arn,
            "deploymentConfiguration": {"deploymentCircuitBreaker": breaker},
        },
    )
    return arn


def bad_deploy_after_first_look(
    world: World,
    *,
    cluster: str,
    service: str,
    image: str,
    seconds: float = SECONDS_AFTER_FIRST_LOOK,
) -> None:
    """Arm the demo's story: somebody looks, and `seconds` later the bad deploy begins.

    Call it when provisioning is over; its own looks would count before. A service that is gone by
    then is left in peace.
    """

    def begin() -> None:
        try:
            bad_deploy(world.ecs, cluster=cluster, service=service, image=image)
        except ApiError as refusal:
            _log.warning("the bad deploy could not begin: %s", refusal)

    def wait() -> None:
        world.clock.call_later(0.0, begin, floor=seconds)

    world.first_look.then(wait)
    world.first_look.arm()
