"""RunTask: tasks of no service, with overrides, refused and repeated as AWS does."""

from __future__ import annotations

from typing import Any

from ..api import ApiError, Request, Response
from ..clock import Clock
from ..names import Names
from . import render
from .births import Launch
from .lives import TaskLives
from .state import Cluster, EcsState, Revision, Task, TaskDefinition
from .trouble import Trouble

_LONGEST = {"startedBy": 128, "clientToken": 64}
_FARGATE = ("FARGATE", "FARGATE_SPOT")


class RunTaskOperations:
    """RunTask."""

    def __init__(
        self, *, state: EcsState, names: Names, clock: Clock, lives: TaskLives, trouble: Trouble
    ) -> None:
        self._state = state
        self._names = names
        self._clock = clock
        self._lives = lives
        self._trouble = trouble

    def run_task(self, request: Request) -> Response:
        """Start tasks; the same clientToken gives the same tasks again."""
        cluster = self._state.cluster(request.get("cluster"))
        token = request.get("clientToken")
        asked = {key: value for key, value in request.items() if key != "clientToken"}
        if token in cluster.tokens:
            return _again(cluster.tokens[token], asked)
        definition = self._state.usable_task_definition(request["taskDefinition"])
        count = _check(request, definition)
        _check_launch_type(request, cluster, definition)
        if failure := self._trouble.placement_failure():
            # A placement that failed is tried again with the same token.
            return {"tasks": [], "failures": [{"reason": failure}] * count}
        launch = self._launch(request, definition)
        tasks = [self._lives.run(cluster, launch) for _ in range(count)]
        if token:
            cluster.tokens[token] = (asked, tasks)
        return {"tasks": [render.task(task, tags=True) for task in tasks], "failures": []}

    def _launch(self, request: Request, definition: TaskDefinition) -> Launch:
        settings: dict[str, Any] = {"launchType": "FARGATE"}
        if network := request.get("networkConfiguration"):
            settings["networkConfiguration"] = network
        tags = render.tag_dict(request.get("tags"))
        if request.get("propagateTags") == "TASK_DEFINITION":
            tags = {**definition.tags, **tags}
        revision = Revision("", self._names.hex(16), definition, settings, self._clock.now())
        return Launch(
            revision,
            request.get("group") or f"family:{definition.family}",
            request.get("startedBy"),
            request.get("overrides") or {},
            tags,
            bool(request.get("enableExecuteCommand")),
        )


def _again(known: tuple[dict[str, Any], list[Task]], asked: dict[str, Any]) -> Response:
    before, tasks = known
    if before != asked:
        raise ApiError(
            "ConflictException",
            "The provided clientToken is already in use with a different RunTask request.",
        )
    return {"tasks": [render.task(task, tags=True) for task in tasks], "failures": []}


def _check(request: Request, definition: TaskDefinition) -> int:
    for member, limit in _LONGEST.items():
        if len(request.get(member) or "") > limit:
            raise _invalid(f"{member} must be at most {limit} characters long.")
    count = int(request.get("count") or 1)
    if not 1 <= count <= 10:
        raise _invalid("count must be between 1 and 10.")
    mode = definition.request.get("networkMode")
    network = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    if mode == "awsvpc" and not network.get("subnets"):
        raise _invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    names = {container["name"] for container in definition.containers}
    for override in (request.get("overrides") or {}).get("containerOverrides") or []:
        if override.get("name") not in names:
            raise _invalid(
                f"Override for container named {override.get('name')} is not a container in the "
                "TaskDefinition."
            )
    if request.get("volumeConfigurations"):
        raise _invalid("The sandbox does not reproduce volumeConfigurations yet.")
    return count


def _check_launch_type(request: Request, cluster: Cluster, definition: TaskDefinition) -> None:
    strategy = request.get("capacityProviderStrategy") or []
    launch_type = request.get("launchType")
    if launch_type and strategy:
        raise _invalid(
            "Specifying both a launch type and capacity provider strategy is not supported."
        )
    if launch_type is None:
        strategy = strategy or cluster.settings.get("defaultCapacityProviderStrategy") or []
        known = bool(strategy) and all(s["capacityProvider"] in _FARGATE for s in strategy)
        launch_type = "FARGATE" if known else "EC2"
    if launch_type != "FARGATE":
        # The sandbox has no instances, as the talk's cluster has none.
        raise _invalid("No Container Instances were found in your cluster.")
    if "FARGATE" not in (definition.request.get("requiresCompatibilities") or []):
        raise _invalid("Task definition does not support launch_type FARGATE.")


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
