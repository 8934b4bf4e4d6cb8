"""Where a row is found in a browser."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bgconsole.domain.identity import Place
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.web_pages import web_page
from bgconsole.gateway.scripted import scripted_gateway
from bgconsole.watch.once import read
from tests import worlds
from tests.values import NOW, REF

TASK = "arn:aws:ecs:us-east-1:123456789012:task/c/0123456789abcdef0123456789abcdef"
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/demo/1b2c"


@pytest.fixture
def snapshot() -> Snapshot:
    found = read(scripted_gateway(worlds.steady()), REF, lambda: NOW)
    return replace(found, place=Place("us-east-1"))


def test_a_task_has_a_page_of_its_own(snapshot: Snapshot) -> None:
    assert web_page(snapshot, "tasks", TASK) == (
        f"https://us-east-1.console.aws.amazon.com/ecs/v2/clusters/{REF.cluster}/services/"
        f"{REF.name}/tasks/0123456789abcdef0123456789abcdef/configuration?region=us-east-1"
    )


def test_stacks_groups_and_logs_have_theirs(snapshot: Snapshot) -> None:
    assert web_page(snapshot, "stacks", STACK).endswith("stack%2Fdemo%2F1b2c")
    assert snapshot.targets.value is not None
    group = snapshot.targets.value.groups[0].arn
    assert web_page(snapshot, "targets", group).endswith(f"targetGroupArn={group}")
    assert web_page(snapshot, "logs", "").endswith("#logsV2:log-groups/log-group/democluster")
    assert snapshot.tasks.value is not None
    for definition in snapshot.tasks.value.definitions.values():
        (container,) = definition.containers
        assert container.log is not None
        odd = replace(container, log=replace(container.log, group="/ecs/a b"))
        tasks = replace(
            snapshot.tasks.value,
            definitions={definition.arn: replace(definition, containers=(odd,))},
        )
        named = replace(snapshot, tasks=replace(snapshot.tasks, value=tasks))
        assert web_page(named, "logs", "").endswith("$252Fecs$252Fa$2520b")


def test_other_partitions_have_other_consoles(snapshot: Snapshot) -> None:
    china = replace(snapshot, place=Place("cn-north-1"))
    assert web_page(china, "tasks", TASK).startswith("https://cn-north-1.console.amazonaws.cn/")


def test_a_sandbox_has_only_the_site(snapshot: Snapshot) -> None:
    assert snapshot.targets.value is not None
    local = replace(snapshot, place=Place("us-east-1", endpoint="127.0.0.1:4566"))
    assert web_page(local, "tasks", TASK) == snapshot.targets.value.url
    assert web_page(snapshot, "probe", "") == snapshot.targets.value.url != ""
