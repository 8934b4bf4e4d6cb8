"""`bgconsole shell`: which task, what is run, what is recorded, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bgconsole.operations.audit import AuditLog
from tests.unit.cli.conftest import Terminal
from tests.values import CONTAINER, REF


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that write down how they were called; nothing else is found."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("aws", "session-manager-plugin"):
        (folder / name).write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {folder}/called\nexit 0\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def enable(terminal: Terminal) -> None:
    tasks = terminal.world.tasks[REF]
    terminal.world.tasks[REF] = tuple(replace(task, exec_enabled=True) for task in tasks)


def test_the_newest_task_gets_a_shell_and_it_is_on_record(
    terminal: Terminal, programs: Path
) -> None:
    enable(terminal)
    ended = terminal("shell")
    assert ended.code == 0, ended.err
    called = (programs / "called").read_text().splitlines()
    assert called[:3] == ["ecs", "execute-command", "--interactive"]
    assert called[called.index("--container") + 1] == CONTAINER
    assert called[called.index("--command") + 1] == "/bin/sh"
    assert "aws ecs execute-command" in ended.err
    (record,) = AuditLog(terminal.paths.audit).records()
    assert (record["operation"], record["surface"]) == ("task.shell", "cli")


def test_a_task_is_named_by_the_beginning_of_its_id(terminal: Terminal, programs: Path) -> None:
    enable(terminal)
    wanted = terminal.world.tasks[REF][2]
    assert terminal("shell", wanted.id[:8], "--command", "bin/rails console").code == 0
    called = (programs / "called").read_text()
    assert wanted.arn in called
    assert "bin/rails console" in called
    stopped, *others = terminal.world.tasks[REF]
    terminal.world.tasks[REF] = (replace(stopped, last_status="STOPPED"), *others)
    unknown = terminal("shell", "no-such")
    assert unknown.code == 1
    assert others[0].id[:8] in unknown.err and stopped.id[:8] not in unknown.err
    (programs / "aws").write_text("#!/bin/sh\nexit 255\n")
    assert terminal("shell").code == 1, "as the program ended"


def test_what_keeps_it_from_opening_says_what_to_do(terminal: Terminal, programs: Path) -> None:
    refused = terminal("shell")
    assert refused.code == 3
    assert "--enable-execute-command" in refused.err
    enable(terminal)
    assert "could change anything" in terminal("--read-only", "shell").err
    (programs / "session-manager-plugin").unlink()
    missing = terminal("shell")
    assert missing.code == 3
    assert "session-manager-plugin is not on this machine" in missing.err
    assert not (programs / "called").exists()
