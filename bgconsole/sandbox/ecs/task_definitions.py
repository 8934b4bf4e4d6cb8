"""Operations on task definitions."""

from __future__ import annotations

from typing import Any

from ..api import ApiError, Request, Response
from ..clock import Clock
from ..names import Names
from ..paging import page
from . import render
from .container_health import http_command
from .state import EcsState, TaskDefinition


class TaskDefinitionOperations:
    """RegisterTaskDefinition to ListTaskDefinitionFamilies."""

    def __init__(self, state: EcsState, names: Names, clock: Clock) -> None:
        self._state = state
        self._names = names
        self._clock = clock

    def register_task_definition(self, request: Request) -> Response:
        """Add the next revision of a family."""
        family = request["family"]
        _check_containers(request["containerDefinitions"])
        if "FARGATE" in (request.get("requiresCompatibilities") or []):
            _check_fargate(request)
        revisions = self._state.families.setdefault(family, [])
        number = len(revisions) + 1
        record = TaskDefinition(
            self._names.ecs(f"task-definition/{family}:{number}"),
            family,
            number,
            {key: value for key, value in request.items() if key != "tags"},
            self._clock.now(),
            render.tag_dict(request.get("tags")),
        )
        revisions.append(record)
        shown = render.task_definition(record, self._names.caller)
        return {"taskDefinition": shown, "tags": render.tag_list(record.tags)}

    def describe_task_definition(self, request: Request) -> Response:
        """One task definition, also an inactive one by its number."""
        record = self._state.task_definition(request["taskDefinition"])
        tagged = "TAGS" in (request.get("include") or [])
        return {
            "taskDefinition": render.task_definition(record, self._names.caller),
            "tags": render.tag_list(record.tags) if tagged else [],
        }

    def list_task_definitions(self, request: Request) -> Response:
        """ARNs by family and revision, ACTIVE ones unless asked otherwise."""
        status = request.get("status", "ACTIVE")
        prefix = request.get("familyPrefix")
        records = [
            record
            for family in sorted(self._state.families)
            if prefix is None or family == prefix
            for record in self._state.families[family]
            if record.status == status
        ]
        if request.get("sort") == "DESC":
            records.reverse()
        shown, following = _page([record.arn for record in records], request)
        return {"taskDefinitionArns": shown, "nextToken": following}

    def list_task_definition_families(self, request: Request) -> Response:
        """Family names that begin with a prefix."""
        status = request.get("status", "ACTIVE")
        prefix = request.get("familyPrefix") or ""
        families = []
        for family, records in sorted(self._state.families.items()):
            active = any(record.status == "ACTIVE" for record in records)
            wanted = status == "ALL" or active == (status == "ACTIVE")
            if family.startswith(prefix) and wanted:
                families.append(family)
        shown, following = _page(families, request)
        return {"families": shown, "nextToken": following}

    def deregister_task_definition(self, request: Request) -> Response:
        """Make a revision INACTIVE; services that run it go on."""
        reference = request["taskDefinition"]
        if ":" not in reference.rpartition("/")[2]:
            raise ApiError(
                "InvalidParameterException", f"Invalid revision number. Number: {reference}"
            )
        record = self._state.task_definition(reference)
        if record.status == "ACTIVE":
            record.status, record.deregistered_at = "INACTIVE", self._clock.now()
        return {"taskDefinition": render.task_definition(record, self._names.caller)}


def _check_containers(definitions: list[dict[str, Any]]) -> None:
    if not definitions:
        raise ApiError(
            "ClientException", "TaskDefinition must contain at least one container definition."
        )
    names = [definition.get("name") for definition in definitions]
    if len(set(names)) != len(names):
        raise ApiError("ClientException", "Container name must be unique in a task definition.")
    for definition in definitions:
        if not definition.get("name") or not definition.get("image"):
            raise ApiError("ClientException", "Container.image should not be null or empty.")
        if check := definition.get("healthCheck"):
            http_command(check, definition["name"])
    if not any(definition.get("essential", True) for definition in definitions):
        raise ApiError(
            "ClientException",
            "Invalid setting for container. At least one container must be essential.",
        )


def _check_fargate(request: Request) -> None:
    if request.get("networkMode") != "awsvpc":
        raise ApiError("ClientException", "Fargate only supports network mode ‘awsvpc’.")
    if not request.get("cpu") or not request.get("memory"):
        raise ApiError(
            "ClientException", "Fargate requires that 'cpu' be defined at the task level."
        )


def _page(items: list[str], request: Request) -> tuple[list[str], str | None]:
    return page(
        items,
        token=request.get("nextToken"),
        size=request.get("maxResults", 100),
        error="InvalidParameterException",
    )
