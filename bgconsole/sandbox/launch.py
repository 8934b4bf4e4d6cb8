"""Starting the server's process and ending it: a context manager around one sandbox."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .environment import clean

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from .settings import Settings

_START_SECONDS = 60.0
_END_SECONDS = 2.0
_DOCKER_START_SECONDS = 1200.0
"""With a real engine: its first build pulls and installs."""
_DOCKER_END_SECONDS = 10.0
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
    """Where it answers."""
    docker_host: str = ""
    """Where its Docker Engine does, `tcp://127.0.0.1:…`."""
    outputs: dict[str, str] = field(default_factory=dict)
    """Of the cluster's stack: where the site is, among others."""
    notes: list[str] = field(default_factory=list)
    """What the user should know besides: ports that were mapped, for one."""
    progress: Callable[[str], None] = lambda _text: None
    """Told what takes its time while it starts."""
    log: Path = field(default_factory=lambda: log_file(dict(os.environ)))
    _process: subprocess.Popen[bytes] | None = None
    _lifeline: socket.socket | None = None
    _half_line: bytes = b""

    def __enter__(self) -> Sandbox:
        """Start it, and return when it is provisioned and steady (with `hold`: when it listens).

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
        while self._hear(None) is not None:
            pass

    def check(self) -> None:
        """Learn what the server told meanwhile.

        Raises:
            StartFailed: after a start with `hold`, the account could not be filled.
        """
        while self._hear(0):
            pass

    def close(self) -> None:
        """See `__exit__`; harmless when it is closed already."""
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None
        if self._process is not None:
            try:
                self._process.wait(_DOCKER_END_SECONDS if self.settings.on_docker else _END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        self._lifeline = ours
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _drop_old_logs(self.log.parent)
            fd = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            theirs.close()
            raise StartFailed(
                f"the sandbox's log cannot be written: {self.log}: {error.strerror}; "
                "name another folder with XDG_STATE_HOME"
            ) from error
        with theirs, os.fdopen(fd, "wb") as log:
            os.fchmod(log.fileno(), 0o600)
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
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
        awaited = "listening" if self.settings.hold else "ready"
        seconds = _DOCKER_START_SECONDS if self.settings.on_docker else _START_SECONDS
        end = time.monotonic() + seconds
        while (told := self._hear(max(end - time.monotonic(), 0))) is not None:
            if any(awaited in facts for facts in told):
                return
            if time.monotonic() > end:
                raise self._failed(f"The sandbox took over {seconds:g} s to start")
        raise self._failed("The sandbox ended while it started")

    def _hear(self, seconds: float | None) -> list[dict[str, Any]] | None:
        """What it tells within so many seconds, or `None` when it has ended.

        Raises:
            StartFailed: it tells that it could not start.
        """
        if self._lifeline is None:
            return None
        if not select.select([self._lifeline], [], [], seconds)[0]:
            return []
        try:
            part = self._lifeline.recv(65536)
        except ConnectionResetError:
            part = b""
        if not part:
            return None
        *lines, self._half_line = (self._half_line + part).split(b"\n")
        told: list[dict[str, Any]] = [json.loads(line) for line in lines]
        for facts in told:
            if "failed" in facts:
                raise self._failed(facts["failed"])
            self.endpoint = facts.get("listening", self.endpoint)
            self.docker_host = facts.get("docker", self.docker_host)
            self.outputs = facts.get("outputs", self.outputs)
            if "progress" in facts:
                self.progress(facts["progress"])
            self.notes += facts.get("notes", ())
        return told

    def _failed(self, why: str) -> StartFailed:
        return StartFailed(f"{why}.\nThe sandbox's log: {self.log}")


def _drop_old_logs(folder: Path) -> None:
    written = sorted(folder.glob("sandbox-*.log"), key=lambda log: log.stat().st_mtime)
    for old in written[:-_KEPT_LOGS]:
        old.unlink(missing_ok=True)


def log_file(environment: dict[str, str]) -> Path:
    """The server's log, under the XDG state folder; one for each process that starts a sandbox."""
    state = environment.get("XDG_STATE_HOME", "")
    base = Path(state) if state.startswith("/") else Path.home() / ".local" / "state"
    return base / "bgconsole" / f"sandbox-{os.getpid()}.log"
