"""A shell in a task: when there is none and what to do, and the command that opens one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bgconsole.domain.identity import Place
from bgconsole.domain.shell import PLUGIN, shell_container, shell_words, why_no_shell
from tests import values
from tests.values import CONTAINER, MEOW, REF

TASK = replace(values.task(MEOW, 0), last_status="RUNNING", exec_enabled=True)


def test_a_running_task_with_ecs_exec_has_one() -> None:
    assert why_no_shell(REF, TASK) == ""


@pytest.mark.parametrize(
    ("task", "given", "words"),
    [
        (replace(TASK, last_status="STOPPED"), {}, "is STOPPED: only a running task"),
        (replace(TASK, exec_enabled=False), {}, "--enable-execute-command"),
        (TASK, {"missing": (PLUGIN,)}, "session-manager-plugin is not on this machine: install"),
        (TASK, {"missing": ("aws", PLUGIN)}, "aws is not on this machine: install the AWS CLI"),
        (TASK, {"read_only": "This console is read-only."}, "could change anything"),
    ],
)
def test_why_there_is_none_says_what_to_do(task, given, words) -> None:  # type: ignore[no-untyped-def]
    assert words in why_no_shell(REF, task, **given)


def test_the_command_goes_where_the_console_looks() -> None:
    place = Place(region="eu-west-1", profile="prod", endpoint="127.0.0.1:4566")
    words = shell_words(place, REF, TASK, CONTAINER, "bin/rails console")
    assert words[:4] == ("aws", "ecs", "execute-command", "--interactive")
    options = dict(zip(words[4::2], words[5::2], strict=True))
    assert options == {
        "--cluster": REF.cluster,
        "--task": TASK.arn,
        "--container": CONTAINER,
        "--command": "bin/rails console",
        "--region": "eu-west-1",
        "--profile": "prod",
        "--endpoint-url": "http://127.0.0.1:4566",
    }


def test_the_container_is_that_with_the_traffic_else_the_first() -> None:
    sidecar = replace(TASK.containers[0], name="sidecar")
    both = replace(TASK, containers=(sidecar, *TASK.containers))
    assert shell_container(both, CONTAINER) == CONTAINER
    assert shell_container(both, "") == "sidecar"
