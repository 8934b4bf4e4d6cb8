"""A shell in a running task by ECS Exec: whether there can be one, and the command that opens it.

A shell is for looking. Migrations are run as tasks of their own: what runs here is the old image.
"""

from __future__ import annotations

from collections.abc import Iterable

from bgconsole.domain.identity import Place
from bgconsole.domain.services import ServiceRef, Task

DEFAULT = "/bin/sh"
PLUGIN = "session-manager-plugin"
NEEDED = {
    "aws": "install the AWS CLI, version 2",
    PLUGIN: "install it beside the AWS CLI: AWS calls it the Session Manager plugin",
}
"""The programs that open a shell, and what to do where one is missing."""


def why_no_shell(
    ref: ServiceRef,
    task: Task,
    *,
    read_only: str = "",
    missing: Iterable[str] = (),
) -> str:
    """Why there can be no shell in a task, and what to do; empty where there can be one.

    Args:
        ref: the task's service.
        task: as it was last seen.
        read_only: why nothing may be changed here: a shell can change anything.
        missing: programs of `NEEDED` that are not on this machine.
    """
    named = f"task {task.id[:8]}"
    if read_only:
        return f"{read_only} A shell could change anything."
    if task.last_status != "RUNNING":
        return (
            f"The {named} is {task.last_status}: only a running task has a shell. Choose another."
        )
    if not task.exec_enabled:
        return (
            f"ECS Exec is not enabled for {named}. Enable it for new tasks: aws ecs update-service "
            f"--cluster {ref.cluster} --service {ref.name} --enable-execute-command "
            "--force-new-deployment; the task role needs the ssmmessages permissions."
        )
    for program in missing:
        return f"{program} is not on this machine: {NEEDED[program]}."
    return ""


def shell_words(
    place: Place, ref: ServiceRef, task: Task, container: str, command: str = DEFAULT
) -> tuple[str, ...]:
    """The program and its arguments that open a shell, where the console looks."""
    words = ["aws", "ecs", "execute-command", "--interactive", "--cluster", ref.cluster]
    words += ["--task", task.arn, "--container", container, "--command", command]
    words += ["--region", place.region]
    if place.profile:
        words += ["--profile", place.profile]
    if place.endpoint:
        scheme = "https" if place.endpoint.endswith(":443") else "http"
        words += ["--endpoint-url", f"{scheme}://{place.endpoint}"]
    return tuple(words)


def shell_container(task: Task, main: str) -> str:
    """The container that a shell is opened in: the one with the traffic, else the first."""
    names = [container.name for container in task.containers]
    return main if main in names else next(iter(names), "")
