"""The scenario `scale`: hundreds of services with thousands of tasks in a cluster of their own."""

from __future__ import annotations

import re

from .runtime.simulated import SimulatedRuntime
from .stage import BadScenario, Stage

CLUSTER = "scale"
NOT_SIMULATED = "each task is a process here: start with --runtime simulated"
LARGEST = 300
"""Tasks of the first service, so that the tasks of one service fill several pages."""
_SHAPE = re.compile(r"(\d+)x(\d+)")
_MOST_SERVICES, _MOST_TASKS = 2_000, 50_000


def scale(stage: Stage, value: str) -> None:
    """Create so many services with so many tasks in all; a second time, as many more.

    They run what the first service that is there runs, behind no load balancer.

    Raises:
        BadScenario: the value is no `SERVICESxTASKS`, or tasks are processes here.
    """
    services, tasks = shape(value)
    if not isinstance(stage.world.runtime, SimulatedRuntime):
        raise BadScenario(NOT_SIMULATED)
    there = stage.services()
    if not there:
        raise BadScenario("there is no service whose task definition could be used")
    ecs = stage.world.ecs
    ecs.handle("CreateCluster", {"clusterName": CLUSTER})
    first = len(ecs.state.cluster(CLUSTER).services)
    for number, desired in enumerate(shares(services, tasks), first + 1):
        ecs.handle(
            "CreateService",
            {
                "cluster": CLUSTER,
                "serviceName": f"scale-{number:04}",
                "taskDefinition": there[0].primary.revision.task_definition.arn,
                "desiredCount": desired,
                "launchType": "FARGATE",
                "networkConfiguration": {
                    "awsvpcConfiguration": {"subnets": ["subnet-a", "subnet-b"]}
                },
            },
        )


def shape(value: str) -> tuple[int, int]:
    """How many services, and how many tasks in all, `400x5000` asks for.

    Raises:
        BadScenario: it is no such text, or more than fits.
    """
    found = _SHAPE.fullmatch(value)
    services, tasks = map(int, found.groups()) if found else (0, 0)
    if not 1 <= services <= min(tasks, _MOST_SERVICES) or tasks > _MOST_TASKS:
        raise BadScenario(
            f"{value!r} is not SERVICESxTASKS such as 400x5000: up to {_MOST_SERVICES} services "
            f"and {_MOST_TASKS} tasks, one for each service at least"
        )
    return services, tasks


def shares(services: int, tasks: int) -> list[int]:
    """How many tasks each service gets: a large first one, the others nearly alike."""
    if services == 1:
        return [tasks]
    large = min(LARGEST, tasks - services + 1)
    each, more = divmod(tasks - large, services - 1)
    return [large, *(each + (number < more) for number in range(services - 1))]
