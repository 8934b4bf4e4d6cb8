"""What the console is connected to: one gateway, and the watcher of one service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from textual.app import App

from bgconsole.domain.errors import CredentialsProblem
from bgconsole.domain.logs import LogLine
from bgconsole.domain.seen import Seen
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.timeline import NOTHING_HEARD, Heard, hear
from bgconsole.gateway.port import Gateway
from bgconsole.ui.messages import LinesCame, SnapshotTaken
from bgconsole.ui.wiring import ConsoleResult, Running, Watching, Wiring
from bgconsole.watch.batch import LogBatch


class Hearing:
    """The first error line of each task. Only the tail's thread hears; whoever reads it may."""

    def __init__(self) -> None:
        self.heard: Heard = NOTHING_HEARD

    def hear(self, lines: Iterable[LogLine]) -> None:
        """Take new lines; what was heard is replaced whole."""
        self.heard = hear(self.heard, lines)


class Session:
    """One service, watched. A new watcher (another service, new credentials) is a new epoch."""

    def __init__(self, app: App[ConsoleResult], wiring: Wiring) -> None:
        self._app = app
        self._wiring = wiring
        self._watcher: Watching | None = None
        self.gateway: Gateway | None = None
        self.runner: Running | None = None
        self.ref: ServiceRef | None = None
        self.snapshot: Snapshot | None = None
        """The newest picture that was taken."""
        self.seen = Seen()
        """What the pictures of this service showed to change."""
        self.hearing = Hearing()
        self.epoch = 0

    def connected(self, gateway: Gateway) -> None:
        """There is a gateway, and perhaps no service yet."""
        self.gateway = gateway

    def watch(self, ref: ServiceRef) -> None:
        """Watch a service in place of the one before. The same one keeps its last picture."""
        if self.gateway is None:
            raise RuntimeError("not connected")
        self.stop()
        if ref != self.ref:
            self.snapshot, self.seen, self.hearing = None, Seen(), Hearing()
        self.ref = ref
        self.runner = self._wiring.runner(self.gateway, ref)
        self.epoch += 1
        epoch, app, hearing = self.epoch, self._app, self.hearing
        # Panes drop an older generation; the new watcher's go on where the old one's ended.
        base = self.snapshot.generation + 1 if self.snapshot else 0

        def on_snapshot(snapshot: Snapshot) -> None:
            later = replace(snapshot, generation=base + snapshot.generation)
            app.post_message(SnapshotTaken(epoch, later))

        def on_lines(batch: LogBatch) -> None:
            hearing.hear(batch.lines)
            app.post_message(LinesCame(epoch, batch))

        self._watcher = self._wiring.watch(self.gateway, ref, on_snapshot, on_lines)
        self._watcher.start()

    def forget(self) -> None:
        """Stop, and begin anew: another account may have a service of the same name."""
        self.stop()
        self.gateway = self.runner = self.ref = self.snapshot = None
        self.seen, self.hearing = Seen(), Hearing()

    def take(self, message: SnapshotTaken) -> bool:
        """Whether it is news. A watcher that knows nothing yet does not blank what is shown."""
        new, old = message.snapshot, self.snapshot
        if message.epoch != self.epoch:
            return False
        if old is not None and new.generation <= old.generation:
            return False
        if old is not None and new.service.waiting and not old.service.waiting:
            return False
        self.snapshot = new
        self.seen = self.seen.after(new)
        return True

    @property
    def locked_out(self) -> bool:
        """Whether AWS does not take the credentials any more."""
        snapshot = self.snapshot
        if snapshot is None:
            return False
        failures = (snapshot.service.failure, snapshot.identity.failure)
        return any(f is not None and isinstance(f.error, CredentialsProblem) for f in failures)

    def refresh(self) -> None:
        """Ask AWS for everything now."""
        if self._watcher is not None:
            self._watcher.refresh()

    def older_lines(self) -> None:
        """Ask for the log lines before the oldest one."""
        if self._watcher is not None:
            self._watcher.older_lines()

    def reread(self, gap: int) -> None:
        """Ask for what a gap of the logs hides."""
        if self._watcher is not None:
            self._watcher.reread(gap)

    def set_focused(self, focused: bool) -> None:
        """Tell the watcher whether the terminal has the focus."""
        if self._watcher is not None:
            self._watcher.set_focused(focused)

    def set_operating(self, operating: bool) -> None:
        """Tell the watcher whether an operation runs or is asked about."""
        if self._watcher is not None:
            self._watcher.set_operating(operating)

    def stop(self) -> None:
        """Watch nothing."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None
