"""Programs on this machine that take a terminal: beside the console in tmux, or in its place."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager


class Shells:
    """Starts programs that somebody types into."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @property
    def beside(self) -> bool:
        """Whether there is a tmux to open a pane in."""
        return bool(self._environ.get("TMUX")) and self._found("tmux")

    def missing(self, programs: Sequence[str]) -> tuple[str, ...]:
        """Those of the programs that are not on this machine."""
        return tuple(program for program in programs if not self._found(program))

    def open_beside(self, words: Sequence[str]) -> str:
        """Open a pane of tmux that runs a program; gives why it did not, empty where it did.

        The pane stays until a key is pressed where the program fails: its words are what tells why.
        """
        kept = ["sh", "-c", '"$@" || { echo "press enter"; read -r _; }', "sh", *words]
        try:
            done = subprocess.run(
                ["tmux", "split-window", "-v", *kept],
                env=dict(self._environ),
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=10,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        return "" if done.returncode == 0 else done.stderr.strip() or "tmux did not say why"

    def run(self, words: Sequence[str]) -> int:
        """Run a program on this terminal to its end; gives its exit code, 127 where it is not."""
        with _left_to_the_program():
            try:
                return subprocess.run(list(words), env=dict(self._environ), check=False).returncode
            except OSError:
                return 127

    def _found(self, program: str) -> bool:
        return shutil.which(program, path=self._environ.get("PATH", os.defpath)) is not None


@contextmanager
def _left_to_the_program() -> Iterator[None]:
    """Ctrl-C is the program's: it reaches everybody on the terminal, and must not end us."""
    # A handler of ours, not SIG_IGN: that one the program would inherit.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
