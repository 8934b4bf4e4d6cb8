"""What the console is given: all that reaches outside the screen, as callables and Protocols.

`main` builds it from the real parts, tests from fakes. No part of `bgconsole.ui` opens a file, a
socket or a clock of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from bgconsole.config.keymap import KEYMAP, Keymap
from bgconsole.domain.errors import ConfigurationError
from bgconsole.domain.identity import Place
from bgconsole.domain.moments import Moment
from bgconsole.domain.overview import Area, Overview
from bgconsole.domain.probe import ProbeRecord
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.port import Gateway, LogNames
from bgconsole.ui.input_guard import Timing

if TYPE_CHECKING:
    from bgconsole.operations.outcome import Progress
    from bgconsole.operations.spec import No, Operation, Params, Proposal, Risk
    from bgconsole.watch.batch import LogBatch

ConsoleResult = Literal["quit", "demo"]
"""How the console was left; `demo` asks `main` to start the demo in its place."""


class Watching(Protocol):
    """Keeps the picture of one service current: `watch.watcher.Watcher`."""

    def start(self) -> None:
        """Begin; the callbacks come on other threads."""

    def stop(self) -> None:
        """End without waiting."""

    def refresh(self) -> None:
        """Ask every source now."""

    def older_lines(self) -> None:
        """Hand on the log lines before the oldest that was handed on."""

    def reread(self, gap: int) -> None:
        """Read a gap of the logs, by its number."""

    def set_focused(self, focused: bool) -> None:
        """Tell whether the terminal has the focus."""

    def set_operating(self, operating: bool) -> None:
        """Tell whether an operation runs or its dialog is open."""


class Asking(Protocol):
    """Asks the site itself again and again: `watch.probe.Probe`."""

    def start(self) -> None:
        """Begin as soon as it is known what to ask; records come on other threads."""

    def stop(self) -> None:
        """End without waiting."""

    def follow(self, snapshot: Snapshot) -> None:
        """Learn where the site is, and when a deployment begins and ends."""


class Running(Protocol):
    """Carries operations out: `operations.runner.Runner`."""

    def offered(self) -> tuple[Operation, ...]:
        """The operations that exist here; in read-only the SAFE ones."""
        ...

    def operations(self, snapshot: Snapshot) -> tuple[tuple[Operation, No | None], ...]:
        """The same, each with why it may not run now."""
        ...

    def risk(self, operation: Operation) -> Risk:
        """How hard it asks, as the configuration says."""
        ...

    def asks_first(self, operation: Operation, snapshot: Snapshot) -> No | None:
        """What is to be chosen before anything is proposed; None where nothing is."""
        ...

    def propose(self, operation: Operation, snapshot: Snapshot, params: Params) -> Proposal | No:
        """A plan at once, from the snapshot alone."""
        ...

    def gather(self, proposal: Proposal) -> Proposal | No:
        """The same with evidence; blocks."""
        ...

    def look_aside(self, proposal: Proposal) -> Proposal | No:
        """The same with what only the reader wants to know; blocks, maybe long."""
        ...

    def discard(self, proposal: Proposal) -> None:
        """Take back what was drafted for a plan that is not carried out; blocks."""
        ...

    def run(
        self,
        proposal: Proposal,
        cancelled: threading.Event,
        noticed: Callable[[datetime], str] = ...,
    ) -> Iterator[Progress]:
        """Do it; blocks. Raises PlanChanged before anything is done, if it is another plan now."""
        ...


class Shelled(Protocol):
    """Programs that somebody types into: `gateway.shells.Shells`."""

    @property
    def beside(self) -> bool:
        """Whether a pane can be opened beside the console."""
        ...

    def missing(self, programs: Sequence[str]) -> tuple[str, ...]:
        """Those of the programs that are not on this machine; reads the disk."""
        ...

    def open_beside(self, words: Sequence[str]) -> str:
        """Run a program in a pane; gives why it could not be, empty where it could. May block."""
        ...

    def run(self, words: Sequence[str]) -> int:
        """Run a program on this terminal to its end; never raises."""
        ...


class Watch(Protocol):
    """Makes a watcher that is not started yet."""

    def __call__(
        self,
        gateway: Gateway,
        ref: ServiceRef,
        on_snapshot: Callable[[Snapshot], None],
        on_lines: Callable[[LogBatch], None],
    ) -> Watching:
        """The callbacks may be called on any thread."""
        ...


class Overlooking(Protocol):
    """Keeps the picture of many services current: `watch.overview.OverviewWatcher`."""

    @property
    def overview(self) -> Overview:
        """The latest frame."""
        ...

    def start(self) -> None:
        """Begin; the callbacks come on other threads."""

    def stop(self) -> None:
        """End without waiting."""

    def refresh(self) -> None:
        """Ask for everything now."""

    def set_focused(self, focused: bool) -> None:
        """Tell whether the terminal has the focus."""

    def set_shown(self, shown: bool) -> None:
        """Tell whether anybody sees it; while nobody does, nothing is asked."""

    def gateway(self, region: str) -> Gateway:
        """The gateway to a region; raises where it cannot be connected to."""
        ...


class Overlook(Protocol):
    """Makes such a watcher, not started yet."""

    def __call__(
        self, home: Gateway, areas: tuple[Area, ...], on_overview: Callable[[Overview], None]
    ) -> Overlooking:
        """The callback may be called on any thread."""
        ...


class Elsewhere(Protocol):
    """Other places that the console can be pointed at without leaving it."""

    def profiles(self) -> tuple[str, ...]:
        """The profiles of the shared configuration, sorted."""
        ...

    def regions(self) -> tuple[str, ...]:
        """The regions that ECS is in, sorted."""
        ...

    def connect(self, *, profile: str = "", region: str = "") -> Gateway:
        """As `Wiring.connect`, with another profile or region; empty keeps what it is."""
        ...


def _nothing(_: Place) -> ServiceRef | None:
    """Nothing is remembered."""
    return None


def _forget(_: Place, __: ServiceRef) -> None:
    """Remember nothing."""


def _no_operations(_: Snapshot) -> tuple[Moment, ...]:
    """Nothing is on record."""
    return ()


def no_folder(_: str, __: str) -> str:
    """Save nothing."""
    raise ConfigurationError("Nothing was saved", "this console has no folder to save to")


def _no_areas(_: str) -> tuple[Area, ...]:
    """The configuration names no cluster."""
    return ()


def _not_read_only(_: ServiceRef) -> str:
    """Everything may be operated."""
    return ""


def _any_stack(_: tuple[str, ...]) -> str:
    """Every stack may be changed."""
    return ""


def _keep_no_note(_: Mapping[str, object]) -> None:
    """Keep no record."""


def _no_crash_log(_: str) -> str:
    """Keep no report."""
    return ""


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that `Console` is made of."""

    connect: Callable[[], Gateway]
    """A fresh session each time; blocks; raises the errors of `domain.errors`."""
    watch: Watch
    runner: Callable[[Gateway, ServiceRef], Running]
    """For one service: what may be done differs from service to service."""
    overlook: Overlook
    clock: Callable[[], datetime]
    """The time of day, with its zone."""
    probe: Callable[[Callable[[ProbeRecord], None]], Asking] | None = None
    """Makes a probe that is not started yet, of the site of one service; None where it is off."""
    cluster: str = ""
    """Asked for by flag or file; without it or the service the services screen is first."""
    service: str = ""
    areas: Callable[[str], tuple[Area, ...]] = _no_areas
    """The clusters that the configuration names for the services screen; takes the home region."""
    recall: Callable[[Place], ServiceRef | None] = _nothing
    """The service of the last time in a place: first in the pickers."""
    remember: Callable[[Place, ServiceRef], None] = _forget
    why_read_only: Callable[[ServiceRef], str] = _not_read_only
    """Why a service may only be looked at, in words; empty where it may be operated."""
    why_no_stacks: Callable[[tuple[str, ...]], str] = _any_stack
    """The same of stacks, by name."""
    keymap: Keymap = field(default_factory=lambda: KEYMAP)
    """The table of keys, changed by the configuration and checked against clashes."""
    theme: str = ""
    """A theme's name; empty for the console's own."""
    browse: Callable[[str], None] | None = None
    """Opens an address in a browser; None where there is none, as over ssh. May block."""
    attention: str = "off"
    """How to call when a verdict changes: `bell`, `notice`, `both` or `off`."""
    timing: Timing = field(default_factory=Timing)
    elsewhere: Elsewhere | None = None
    write_crash_log: Callable[[str], str] = _no_crash_log
    """Keeps a report of a bug, readable by its owner alone; gives its path, empty without one."""
    ours: Callable[[Snapshot], tuple[Moment, ...]] = _no_operations
    """What we did ourselves to the service of a picture; reads a file, so call it off the loop."""
    shells: Shelled | None = None
    """None where nothing else may be run."""
    note: Callable[[Mapping[str, object]], None] = _keep_no_note
    """Adds a record to the audit log; a full disk keeps nobody from working. Blocks."""
    save: Callable[[str, str], str] = no_folder
    """Writes a text under a file name, readable by its owner alone; gives the path. Blocks."""
    log_lines: int = 100_000
    """Lines that the logs pane keeps."""
    watch_logs: Callable[[Place, str, str], str] | None = None
    """Runs `awslogs get GROUP STREAM --watch` on the bare terminal until it ends, of all streams
    where none is given; gives what went wrong, empty where nothing did. Blocks. None where there
    is no awslogs."""
    log_names: Callable[[], LogNames] | None = None
    """What logs there are to choose from, for that."""
    retry_delays: tuple[float, ...] = (2.0, 2.0, 4.0, 8.0, 15.0)
    """Seconds before the console tries again to connect; the last one repeats."""
