"""A shell in a task by ECS Exec, in a real terminal: the console steps aside and comes back.

A stand-in takes the place of the AWS CLI, as no session of ECS Exec can be had without AWS: what
is held here is the terminal that it is given, and that it is given back.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.conftest import PROGRAM, SERVICE, Sandbox
from tests.terminal import Terminal

STAND_IN = """#!/bin/sh
echo "asked for: $*"
while printf 'in the task # ' && read -r line; do
  [ "$line" = leave ] && exit 0
  echo "you said $line"
done
"""


@pytest.fixture
def equipped(sandbox: Sandbox) -> Sandbox:
    """With what a shell needs on this machine."""
    folder = sandbox.home / "bin"
    folder.mkdir()
    for name in ("aws", "session-manager-plugin"):
        program = folder / name
        program.write_text(STAND_IN)
        program.chmod(0o755)
    path = f"{folder}:{sandbox.environment['PATH']}"
    return replace(sandbox, environment={**sandbox.environment, "PATH": path})


def test_the_screen_is_lent_to_a_shell_and_comes_back(equipped: Sandbox) -> None:
    with equipped.console(100, 30) as console:
        console.wait_for(r"STEADY")
        console.send("1s")
        console.wait_for(r"Shell in task \w{8}\?")
        console.answer("y", r"asked for: ecs execute-command --interactive")
        console.wait_for(r"in the task #")
        console.send("it's q and y\r")
        console.wait_for(r"you said it's q and y")
        console.send("leave\r")
        console.wait_for(r"(?s)STEADY.*1 Tasks")
        console.send("q")
        assert console.wait_for_exit() == 0


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_in_tmux_the_shell_has_a_pane_of_its_own(equipped: Sandbox, tmp_path: Path) -> None:
    tmux = ["tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]
    inside = [*tmux, "new-session", *PROGRAM, *SERVICE]
    with Terminal(
        inside, environment=equipped.environment, columns=110, rows=44, cwd=equipped.home
    ) as terminal:
        try:
            terminal.wait_for(r"STEADY")
            terminal.send("1s")
            terminal.wait_for(r"(?s)Shell in task \w{8}\?.*in a tmux pane below")
            terminal.answer("y", r"(?s)STEADY.*in the task #")
            terminal.send("hello\r")
            terminal.wait_for(r"(?s)STEADY.*you said hello")
            terminal.send("leave\r")
            terminal.wait_for(r"(?s)STEADY.*4 Logs.*\? help")
        finally:
            subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
