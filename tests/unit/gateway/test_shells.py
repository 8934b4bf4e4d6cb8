"""Programs that take a terminal: found by PATH, run with their own Ctrl-C, beside it in tmux."""

from __future__ import annotations

import signal
from pathlib import Path

from bgconsole.gateway.shells import Shells


def script(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def shells(folder: Path, **more: str) -> Shells:
    return Shells({"PATH": f"{folder}:/bin:/usr/bin", **more})


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    script(tmp_path, "a-program", "exit 0")
    assert shells(tmp_path).missing(("a-program", "no-such-program")) == ("no-such-program",)


def test_a_program_is_run_to_its_end_and_its_exit_code_given(tmp_path: Path) -> None:
    # It interrupts us as Ctrl-C would: that must end it, not the console.
    script(tmp_path, "interrupting", "kill -INT $PPID; trap 'exit 3' INT; kill -INT $$")
    before = signal.getsignal(signal.SIGINT)
    assert shells(tmp_path).run([str(tmp_path / "interrupting")]) == 3
    assert signal.getsignal(signal.SIGINT) is before
    assert shells(tmp_path).run(["/no/such/program"]) == 127


def test_beside_it_in_tmux(tmp_path: Path) -> None:
    script(tmp_path, "tmux", f'printf "%s\\n" "$@" > {tmp_path}/asked; exit "${{FAIL:-0}}"')
    assert not shells(tmp_path).beside
    inside = shells(tmp_path, TMUX="/tmp/tmux-0/default,1,0")
    assert inside.beside
    assert inside.open_beside(["aws", "ecs", "a b; rm -rf /"]) == ""
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[0] == "split-window"
    assert asked[-3:] == ["aws", "ecs", "a b; rm -rf /"], "each word by itself, no shell reads it"
    failing = shells(tmp_path, TMUX="x", FAIL="1")
    assert failing.open_beside(["aws"])
