"""Operations on tasks."""

from __future__ import annotations

from ..api import ApiError, Request, Response
from ..names import Names
from ..paging import page
from . import render, texts
from .lives import TaskLives
from .scheduler import Scheduler
from .state import Cluster, EcsState, Task


class TaskOperations:
    """ListTasks, DescribeTasks, StopTask, and the refusal of ExecuteCommand."""

    def __init__(
        self, *, state: EcsState, names: Names, lives: TaskLives, scheduler: Scheduler
    ) -> None:
        self._state = state
        self._names = names
        self._lives = lives
        self._scheduler = scheduler

    def list_tasks(self, request: Request) -> Response:
        """Task ARNs by desired status (RUNNING unless told otherwise), service, family, starter."""
        cluster = self._state.cluster(request.get("cluster"))
        tasks = self._kept(cluster)
        if name := request.get("serviceName"):
            service = self._state.service(cluster, name)
            tasks = [task for task in tasks if task.service is service]
        if family := request.get("family"):
            tasks = [t for t in tasks if t.revision.task_definition.family == family]
        if starter := request.get("startedBy"):
            tasks = [task for task in tasks if task.started_by == starter]
        if launch_type := request.get("launchType"):
            tasks = [t for t in tasks if t.revision.settings["launchType"] == launch_type]
        if request.get("containerInstance"):
            tasks = []
        status = request.get("desiredStatus", "RUNNING")
        shown, following = page(
            [task.arn for task in tasks if task.desired_status == status],
            token=request.get("nextToken"),
            size=request.get("maxResults", 100),
            error="InvalidParameterException",
        )
        return {"taskArns": shown, "nextToken": following}

    def describe_tasks(self, request: Request) -> Response:
        """Up to a hundred tasks; unknown ones are failures."""
        cluster = self._state.cluster(request.get("cluster"))
        references = request["tasks"]
        if not references:
            raise ApiError("InvalidParameterException", "Tasks cannot be empty.")
        if len(references) > 100:
            raise ApiError("InvalidParameterException", "Tasks cannot be more than 100.")
        tags = "TAGS" in (request.get("include") or [])
        known = {task.id: task for task in self._kept(cluster)}
        found, failures = [], []
        for reference in references:
            task_id = reference.rpartition("/")[2]
            task = known.get(task_id)
            if task is None:
                arn = self._names.ecs(f"task/{cluster.name}/{task_id}")
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(render.task(task, tags=tags))
        return {"tasks": found, "failures": failures}

    def stop_task(self, request: Request) -> Response:
        """Stop a task in order; its service starts another one."""
        cluster = self._state.cluster(request.get("cluster"))
        task_id = request["task"].rpartition("/")[2]
        task = next((t for t in self._kept(cluster) if t.id == task_id), None)
        if task is None:
            raise ApiError("InvalidParameterException", "The referenced task was not found.")
        reason = request.get("reason") or "Task stopped by user"
        self._lives.stop(task, "UserInitiated", reason)
        if task.service is not None:
            self._scheduler.task_changed(task.service)
        return {"task": render.task(task, tags=False)}

    def execute_command(self, request: Request) -> Response:
        """Refuse as AWS does where the agent in the container is missing: here it always is."""
        cluster = self._state.cluster(request.get("cluster"))
        task_id = request["task"].rpartition("/")[2]
        if all(task.id != task_id for task in self._kept(cluster)):
            raise ApiError("InvalidParameterException", "The referenced task was not found.")
        raise ApiError("InvalidParameterException", texts.NO_EXECUTE_COMMAND)

    def _kept(self, cluster: Cluster) -> list[Task]:
        for service in cluster.services.values():
            self._scheduler.forget_old(service)
        self._scheduler.forget_old_standalone(cluster)
        return cluster.all_tasks()
