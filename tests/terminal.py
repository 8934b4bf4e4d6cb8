"""A real terminal for tests: a program on a pty, its screen kept by an emulator, keys as bytes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import pyte

# Private sequences that the emulator would misread: keyboard protocol, cursor style, mode requests.
_UNKNOWN = re.compile(rb"\x1b\[[<>=?][0-9;]*[a-gi-km-z]|\x1b\[[0-9 ]*q|\x1b\[\?[0-9;]*\$p")


def _on_its_terminal() -> None:
    """In the child: the pty is its terminal, and it can be hung up on, under `nohup` too."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Terminal:
    """Runs a program and keeps what its screen shows. A context manager; the end kills it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        columns: int,
        rows: int,
        cwd: Path | None = None,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._changed = threading.Condition()
        self.written = bytearray()
        """Every byte that the program wrote."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._master = master
        self._gone = threading.Event()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={"TERM": "xterm-256color", "LANG": "C.UTF-8", **environment},
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_on_its_terminal,  # noqa: PLW1509
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            print("\n".join(["the screen was:", *self.lines]))  # noqa: T201
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if not self._gone.is_set():
            self._reader.join(5)
            os.close(self._master)

    @property
    def lines(self) -> list[str]:
        """The screen, a string a row, without trailing blanks."""
        with self._changed:
            return [row.rstrip() for row in self._screen.display]

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.lines)

    def wait_for(self, pattern: str, seconds: float = 20.0, *, gone: bool = False) -> str:
        """Wait until the screen matches (or, `gone`, no longer does); gives the screen."""
        wanted = re.compile(pattern)
        end = time.monotonic() + seconds
        with self._changed:
            while True:
                text = "\n".join(row.rstrip() for row in self._screen.display)
                if bool(wanted.search(text)) is not gone:
                    return text
                left = end - time.monotonic()
                if left <= 0 or not self._changed.wait(min(left, 1.0)):
                    if time.monotonic() < end and self._reader.is_alive():
                        continue
                    what = "still shows" if gone else "never showed"
                    raise AssertionError(f"the screen {what} {pattern!r}:\n{text}")

    def send(self, keys: str | bytes) -> None:
        """Type, as one burst."""
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def settle(self) -> None:
        """Read, as a person does, before the next key."""
        threading.Event().wait(0.6)

    def answer(self, keys: str, pattern: str) -> str:
        """Type into a dialog until the screen matches, as a person would.

        A dialog takes no key for 400 ms after its first frame, and how long that frame takes
        depends on the machine: what it did not take is typed again.
        """
        for _ in range(10):
            self.settle()
            self.send(keys)
            try:
                return self.wait_for(pattern, 3)
            except AssertionError as error:
                last = error
        raise last

    def send_split(self, keys: bytes, gap: float) -> None:
        """Type byte by byte with `gap` seconds between: what a slow link does to a sequence."""
        for number, byte in enumerate(keys):
            if number:
                threading.Event().wait(gap)
            self.send(bytes([byte]))

    def hang_up(self) -> None:
        """Take the terminal away: its window is closed, its line is cut."""
        self._gone.set()
        self._reader.join(5)
        os.close(self._master)

    def wait_for_exit(self, seconds: float = 10.0) -> int:
        """The exit status, once the last of what it wrote was read."""
        code = self.process.wait(seconds)
        self._reader.join(5)
        return code

    def _read(self) -> None:
        while not self._gone.is_set():
            try:
                ready, _, _ = select.select([self._master], [], [], 0.5)
                if not ready:
                    if self.process.poll() is not None:
                        return
                    continue
                data = os.read(self._master, 65_536)
            except (OSError, ValueError):
                return
            if not data:
                return
            with self._changed:
                self.written += data
                self._stream.feed(_UNKNOWN.sub(b"", data))
                self._changed.notify_all()
