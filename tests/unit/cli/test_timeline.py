"""`bgconsole timeline`: what happened lately, as lines, Markdown or JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.logs import LogLine, to_milliseconds
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.operations.audit import AuditLog
from bgconsole.watch.errors import PAGES
from tests import worlds
from tests.unit.cli.conftest import Terminal
from tests.values import LOG_GROUP, NOW, REF


def with_error(world: ScriptedWorld) -> ScriptedWorld:
    """A line of a task of the newest revision that tells of an error, 100 s ago."""
    task = next(t for t in world.tasks[REF] if t.task_definition.endswith(":3"))
    at = to_milliseconds(NOW - timedelta(seconds=100))
    message = "PG::UndefinedColumn: posts.summary"
    line = LogLine(at, at, "e1", LOG_GROUP, f"ecs/web/{task.id}", message)
    world.logs[LOG_GROUP].append(line)
    return world


def test_lines_oldest_first(terminal: Terminal) -> None:
    terminal.world = with_error(worlds.rolled_back())
    ended = terminal("timeline", "--since", "30m")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines == sorted(lines, key=lambda line: line[:8])
    assert "task definition democluster-task-family:3 was registered" in lines[0]
    assert lines[1].startswith("13:54:00  · deployment  revision 3 (bad0c0d")
    assert any("✖ task" in line and "3 tasks" in line for line in lines)
    assert lines[-1].endswith("revision 3: first error line: PG::UndefinedColumn: posts.summary")
    assert "revision 2: deployed" not in ended.out, "two days ago"


def test_how_far_back(terminal: Terminal) -> None:
    assert "revision 2: deployed" in terminal("timeline", "--since", "3d").out
    lately = terminal("timeline", "--since", "10s")
    assert (lately.code, lately.out) == (0, "")
    assert "Nothing is known to have happened." in lately.err
    assert terminal("timeline", "--since", "yesterday").code == 2


def test_our_own_operations_are_in_it(terminal: Terminal) -> None:
    assert terminal("force-redeploy", "--yes").code == 0
    told = terminal("timeline", "--kind", "operation").out
    assert "Force redeploy by ops: revision 2" in told
    assert "(request 11111111-0000-4000-8000-000000000001)" in told
    assert "● operation   Force redeploy finished: Revision 2 is deployed." in told


def test_filters(terminal: Terminal) -> None:
    terminal.world = worlds.rolled_back()
    wrong = terminal("timeline", "--only-wrong").out.splitlines()
    assert wrong
    assert all("  ✖ " in line for line in wrong)
    kinds = terminal("timeline", "--kind", "task", "--kind", "stack").out.splitlines()
    assert len(kinds) == 1
    found = terminal("timeline", "--text", "BREAKER").out.splitlines()
    assert found
    assert all("breaker" in line for line in found)
    assert terminal("timeline", "--kind", "gossip").code == 2


def test_json_and_markdown(terminal: Terminal) -> None:
    terminal.world = with_error(worlds.rolled_back())
    told = json.loads(terminal("timeline", "--json").out)
    assert told["schema"] == 1
    assert {"deployment", "task", "event", "error"} <= {each["kind"] for each in told["moments"]}
    page = terminal("timeline", "--markdown").out
    assert page.startswith("**democluster-cluster/democluster-service**")
    assert page.count("\n- `") == len(told["moments"])
    assert terminal("timeline", "--json", "--markdown").code == 2


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("services.service_deployments", "deployment history"),
        ("services.tasks", "tasks"),
        ("stacks.stacks", "stacks"),
        ("logs.page", "logs"),
    ],
)
def test_what_could_not_be_read_is_said(terminal: Terminal, call: str, name: str) -> None:
    terminal.world.fail(call, AccessDenied("AWS denies", action="x:Y"))
    ended = terminal("timeline", "--since", "3d")
    assert ended.code == 0
    assert f"? not seen: {name}: AWS denies" in ended.err
    assert f"{name}: AWS denies" in terminal("timeline", "--json").out
    assert f"- ? not seen: {name}: AWS denies" in terminal("timeline", "--markdown").out


def test_logs_that_are_too_long_are_not_read_to_the_end(terminal: Terminal) -> None:
    terminal.world.page_size = 1
    ended = terminal("timeline")
    assert terminal.world.count("logs.page") == PAGES
    assert "logs: more than 20 pages, only the oldest were read" in ended.err


def test_a_service_without_logs_says_why(terminal: Terminal) -> None:
    del terminal.world.logs[LOG_GROUP]
    assert terminal("timeline").err.strip() in ("", "Nothing is known to have happened.")
    bare = terminal.world.definitions
    terminal.world.definitions = {
        arn: replace(d, containers=tuple(replace(c, log=None) for c in d.containers))
        for arn, d in bare.items()
    }
    assert "logs: no log configuration" in terminal("timeline").err


def test_an_audit_log_that_cannot_be_read_is_said(terminal: Terminal) -> None:
    terminal.paths.audit.mkdir(parents=True)
    ended = terminal("timeline", "--since", "3d")
    assert ended.code == 0
    assert "our own operations: the audit log cannot be read" in ended.err


def test_another_services_operations_are_not_in_it(terminal: Terminal) -> None:
    audit = AuditLog(terminal.paths.audit)
    mine = {
        "at": NOW.isoformat(),
        "event": "started",
        "operation": "service.rollback",
        "target": str(REF),
        "who": "arn:aws:iam::123456789012:user/kim",
        "account": "123456789012",
        "region": "us-east-1",
    }
    for change in (
        {},
        {"target": "other/service", "who": "arn/a"},
        {"region": "eu-west-1", "who": "arn/b"},
        {"account": "999999999999", "who": "arn/c"},
        {"endpoint": "127.0.0.1:4566", "who": "arn/d"},
        {"at": "yesterday", "who": "arn/e"},
    ):
        audit.append({**mine, **change})
    told = json.loads(terminal("timeline", "--json", "--kind", "operation").out)["moments"]
    assert [each["words"] for each in told] == ["Roll back by kim"]
