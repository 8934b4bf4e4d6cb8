"""A command in front of a sandbox: its status, and which signals reach whom."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest

from bgconsole.sandbox.foreground import Interrupted, interruptible, run_in_front

SHELL = {"PATH": os.environ["PATH"]}


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)],
)
def test_its_status_is_given_as_a_shell_gives_it(script: str, code: int) -> None:
    assert run_in_front(["sh", "-c", script], SHELL) == code


def test_it_sees_the_given_environment_only(capfd: pytest.CaptureFixture[str]) -> None:
    code = run_in_front([sys.executable, "-c", "import os; print(os.environ['ONE'])"], {"ONE": "1"})
    assert (code, capfd.readouterr().out) == (0, "1\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_reaches_only_this_process_is_passed_on(number: signal.Signals) -> None:
    waiting = "for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1; done; exit 1"
    script = f"trap 'exit 9' {number.value}; kill -{number.value} $PPID; {waiting}"
    assert run_in_front(["sh", "-c", script], SHELL) == 9


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_what_the_terminal_sends_to_both_is_left_to_the_command(number: signal.Signals) -> None:
    script = f"kill -{number.value} $PPID; exit 5"
    assert run_in_front(["sh", "-c", script], SHELL) == 5


def test_the_command_inherits_no_ignored_signal() -> None:
    program = "import signal; raise SystemExit(signal.getsignal(signal.SIGTERM) is not None)"
    assert run_in_front([sys.executable, "-c", program], SHELL) == 1
    interrupted = run_in_front(["sh", "-c", "kill -INT $$; exit 3"], SHELL)
    assert interrupted == 128 + signal.SIGINT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_what_is_interruptible_and_a_second_does_not_disturb(
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)
    cleaned = []

    with pytest.raises(Interrupted) as ended, interruptible():
        try:
            signal.raise_signal(number)
            threading.Event().wait(10)
        finally:
            signal.raise_signal(number)
            cleaned.append(True)

    assert (ended.value.exit_code, cleaned) == (128 + number, [True])
    assert signal.getsignal(number) is before
