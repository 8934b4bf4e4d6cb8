"""What other threads and screens tell the console; values only, each safe to be late."""

from __future__ import annotations

from textual.message import Message

from bgconsole.domain.errors import BgconsoleError
from bgconsole.domain.overview import Overview
from bgconsole.domain.probe import ProbeRecord
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.verdict import Verdict
from bgconsole.operations.outcome import Progress
from bgconsole.watch.batch import LogBatch


class SnapshotTaken(Message):
    """A poll ended. `epoch` counts the watchers: a stopped one may still have the last word."""

    def __init__(self, epoch: int, snapshot: Snapshot) -> None:
        super().__init__()
        self.epoch = epoch
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Whether the message behind this one makes it superfluous: each holds everything."""
        return (
            isinstance(message, SnapshotTaken)
            and message.epoch == self.epoch
            and message.snapshot.generation >= self.snapshot.generation
        )


class OverviewTaken(Message):
    """A poll of many services ended. `epoch` counts their watchers."""

    def __init__(self, epoch: int, overview: Overview) -> None:
        super().__init__()
        self.epoch = epoch
        self.overview = overview

    def can_replace(self, message: Message) -> bool:
        """Whether the message behind this one makes it superfluous: each holds everything."""
        return (
            isinstance(message, OverviewTaken)
            and message.epoch == self.epoch
            and message.overview.generation >= self.overview.generation
        )


class LinesCame(Message):
    """New log lines. Never replaced: each line comes once."""

    def __init__(self, epoch: int, batch: LogBatch) -> None:
        super().__init__()
        self.epoch = epoch
        self.batch = batch


class Judged(Message):
    """A service's verdict has another severity than before."""

    def __init__(self, before: Severity | None, verdict: Verdict, name: str) -> None:
        super().__init__()
        self.before = before
        self.verdict = verdict
        self.name = name


class ProbeTaken(Message):
    """The site answered the probe. `epoch` counts the probes."""

    def __init__(self, epoch: int, record: ProbeRecord) -> None:
        super().__init__()
        self.epoch = epoch
        self.record = record

    def can_replace(self, message: Message) -> bool:
        """Each holds everything, so a later one makes an earlier one superfluous."""
        return isinstance(message, ProbeTaken) and message.epoch == self.epoch


class Answered(Message):
    """The answer to `background.ask`: a value, or the error that came instead."""

    bubble = False

    def __init__(self, ticket: object, value: object, error: BgconsoleError | None) -> None:
        super().__init__()
        self.ticket = ticket
        self.value = value
        self.error = error


class OperationMoved(Message):
    """An operation that runs has something to tell."""

    def __init__(self, run: int, progress: Progress) -> None:
        super().__init__()
        self.run = run
        self.progress = progress


class StopAsked(Message):
    """Somebody wants the operation that is shown to begin no further step."""


class OperationEnded(Message):
    """The operation's thread is through; `error` is why it stopped before its own end."""

    def __init__(self, run: int, error: BgconsoleError | None) -> None:
        super().__init__()
        self.run = run
        self.error = error


class BugFound(Message):
    """Another thread met an exception that nobody expected."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
