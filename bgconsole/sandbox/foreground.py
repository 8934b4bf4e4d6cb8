"""Signals around a sandbox: ending cleanly on one, or leaving them to a command in front."""

from __future__ import annotations

import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

    _Handler = Callable[[int, FrameType | None], None]

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asked this process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number
        self.exit_code = 128 + number


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into `Interrupted`; cleaning up is not disturbed.

    Raises:
        Interrupted: out of whatever runs inside.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        del frame
        for each in _ENDING:
            signal.signal(each, _do_nothing)
        raise Interrupted(number)

    with _handled(dict.fromkeys(_ENDING, interrupt)):
        yield


def run_in_front(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command on this terminal and wait for it, whatever the terminal sends.

    Ctrl-C and Ctrl-\\ reach the command by themselves; SIGTERM and SIGHUP, which reach only this
    process, are passed on.

    Returns:
        Its exit status as a shell gives it: 128 + N for a death by signal N, 126 or 127 when it
        could not be started.

    Raises:
        OSError: it could not be started for another reason than a wrong name or permission.
    """
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []  # came before there was a child to pass them on to

    def pass_on(number: int, frame: FrameType | None) -> None:
        del frame
        if child is None:
            early.append(number)
        else:
            child.send_signal(number)

    # Handlers, not SIG_IGN, which the command would inherit.
    handlers: dict[signal.Signals, _Handler] = {
        signal.SIGINT: _do_nothing,
        signal.SIGQUIT: _do_nothing,
        signal.SIGTERM: pass_on,
        signal.SIGHUP: pass_on,
    }
    with _handled(handlers):
        child = subprocess.Popen(command, env=dict(environment))
        for number in early:
            child.send_signal(number)
        code = child.wait()
    return 128 - code if code < 0 else code


def _do_nothing(number: int, frame: FrameType | None) -> None:
    del number, frame


@contextmanager
def _handled(handlers: Mapping[signal.Signals, _Handler]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
