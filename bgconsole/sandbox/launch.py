"""Starting the server's process and ending it: a context manager around one sandbox."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .environment import clean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from .settings import Settings

_START_SECONDS = 60.0
_END_SECONDS = 2.0
_KEPT_LOGS = 5
"""Of earlier sandboxes; the newest stay."""


class StartFailed(Exception):
    """The sandbox did not come up; the text says why and where its log is."""


@dataclass(slots=True)
class Sandbox:
    """A sandbox in a process and session of its own: a Ctrl-C in the terminal does not reach it.

    It lives as long as the lifeline between it and this process, so it ends even when this process
    is killed.
    """

    settings: Settings
    endpoint: str = ""
    """Where it answers; known from the end of `start`."""
    outputs: dict[str, str] = field(default_factory=dict)
    """Of the cluster's stack: where the site is, among others."""
    notes: list[str] = field(default_factory=list)
    """What the user should know besides: ports that were mapped, for one."""
    log: Path = field(default_factory=lambda: log_file(dict(os.environ)))
    _process: subprocess.Popen[bytes] | None = None
    _lifeline: socket.socket | None = None

    def __enter__(self) -> Sandbox:
        """Start it, and return when it is provisioned and steady.

        Raises:
            StartFailed: it is not.
        """
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """End it and all that it started, within two seconds."""
        self.close()

    def wait(self) -> None:
        """Wait until the server ends by itself."""
        while self._lifeline is not None:
            with suppress(ConnectionResetError):
                if self._lifeline.recv(65536):
                    continue
            return

    def close(self) -> None:
        """See `__exit__`; harmless when it is closed already."""
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None
        if self._process is not None:
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        self._lifeline = ours
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _drop_old_logs(self.log.parent)
        fd = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with theirs, os.fdopen(fd, "wb") as log:
            os.fchmod(log.fileno(), 0o600)
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "bgconsole.sandbox.server",
                    self.settings.to_json(),
                    str(theirs.fileno()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=clean(os.environ),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        for facts in self._told():
            if "failed" in facts:
                raise StartFailed(f"{facts['failed']}.\nThe sandbox's log: {self.log}")
            self.endpoint = facts.get("answering", self.endpoint)
            self.outputs = facts.get("outputs", self.outputs)
            self.notes += facts.get("notes", ())
            if "ready" in facts:
                return
        raise StartFailed(f"The sandbox ended while it started.\nIts log: {self.log}")

    def _told(self) -> Iterator[dict[str, Any]]:
        """What the sandbox tells, until it ends or the start takes too long."""
        assert self._lifeline is not None  # noqa: S101 - only called by `_start`
        end = time.monotonic() + _START_SECONDS
        buffer = b""
        while (left := end - time.monotonic()) > 0:
            if not select.select([self._lifeline], [], [], left)[0]:
                continue
            with suppress(ConnectionResetError):
                part = self._lifeline.recv(65536)
                if part:
                    *lines, buffer = (buffer + part).split(b"\n")
                    yield from (json.loads(line) for line in lines)
                    continue
            return
        raise StartFailed(f"The sandbox took over {_START_SECONDS:g} s.\nIts log: {self.log}")


def _drop_old_logs(folder: Path) -> None:
    written = sorted(folder.glob("sandbox-*.log"), key=lambda log: log.stat().st_mtime)
    for old in written[:-_KEPT_LOGS]:
        old.unlink(missing_ok=True)


def log_file(environment: dict[str, str]) -> Path:
    """The server's log, under the XDG state folder; one for each process that starts a sandbox."""
    state = environment.get("XDG_STATE_HOME", "")
    base = Path(state) if state.startswith("/") else Path.home() / ".local" / "state"
    return base / "bgconsole" / f"sandbox-{os.getpid()}.log"
