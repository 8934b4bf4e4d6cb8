"""A program on a pty, or in tmux on one: what it writes, when that is seen, keys."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shlex
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOLD = ";"


@dataclass(frozen=True)
class Started:
    """A program that runs on a pty."""

    link: Link
    master: int
    process: subprocess.Popen[bytes]

    def press(self, keys: str) -> None:
        """Send keys to it."""
        os.write(self.master, keys.encode())

    def hold_and_follow(self, seconds: float) -> list[float]:
        """Hold the logs and follow them again and again: seconds from each key to its word."""
        found: list[float] = []
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            for word in (b"paused", b"following"):
                begun = time.monotonic()
                self.press(HOLD)
                found.append(self.link.when(word, begun))
                time.sleep(0.35)
        return found


@contextmanager
def on_a_terminal(
    command: Sequence[str], columns: int, rows: int, *, environment: Mapping[str, str] = os.environ,
    per_second: float = 0.0, delay: float = 0.0,
) -> Iterator[Started]:  # fmt: skip
    """The program on a pty of this size; killed at the end, if it has not ended."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"},
    )  # fmt: skip
    os.close(slave)
    try:
        yield Started(Link(master, per_second=per_second, delay=delay), master, process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(master)


@contextmanager
def in_tmux(socket: Path, command: Sequence[str]) -> Iterator[list[str]]:
    """The command that runs this one in a tmux of its own, as nobody configured it."""
    tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
    try:
        yield [*tmux, "new-session", shlex.join(command)]
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)


class Link:
    """What stands between the program and the eye: so many bytes a second, each so much later."""

    def __init__(self, master: int, *, per_second: float = 0.0, delay: float = 0.0) -> None:
        self._master, self._per_second, self._delay = master, per_second, delay
        self.taken = 0
        self.seen: list[tuple[float, bytes]] = []
        """When a piece was seen, and the piece."""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                ready, _, _ = select.select([self._master], [], [], 0.5)
                if not ready:
                    continue
                data = os.read(self._master, 4096 if self._per_second else 65_536)
            except OSError:
                return
            if not data:
                return
            self.taken += len(data)
            self.seen.append((time.monotonic() + self._delay, data))
            if self._per_second:
                time.sleep(len(data) / self._per_second)

    def when(self, words: bytes, since: float, seconds: float = 20.0) -> float:
        """Seconds from `since` until these words were seen."""
        end = since + seconds
        while time.monotonic() < end:
            for at, data in reversed(self.seen[-400:]):
                if at < since:
                    break
                if words in data:
                    return at - since
            time.sleep(0.002)
        raise AssertionError(f"{words!r} was not seen")
