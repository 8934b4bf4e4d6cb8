"""A world held in memory for the scripted gateway: values in, faults, holds and effects by script.

A port call has a name, `<port>.<method>` (`services.describe`, `changes.update` …). By that name a
test makes it fail, holds it, changes the world after it, or reads that it was made.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bgconsole.domain.activity import Activity
from bgconsole.domain.builds import (
    BuildLine,
    BuildTold,
    Built,
    Engine,
    Layer,
    Pushed,
    PushTold,
    Sent,
    Source,
)
from bgconsole.domain.change_set import Change, ChangeSet
from bgconsole.domain.codedeploy import CodeDeployment
from bgconsole.domain.errors import GatewayError
from bgconsole.domain.identity import Identity, Place
from bgconsole.domain.images import Image
from bgconsole.domain.logs import LiveUpdate, LogLine
from bgconsole.domain.metrics import Metrics
from bgconsole.domain.pipelines import PipelineRun
from bgconsole.domain.secrets import SecretChange
from bgconsole.domain.services import (
    Bounds,
    Service,
    ServiceDeployment,
    ServiceRef,
    ServiceRevision,
    Task,
    TaskDefinition,
)
from bgconsole.domain.stacks import Stack, StackEvent, StackResource
from bgconsole.domain.targets import Balancing
from bgconsole.gateway.port import Submitted

_WRITES = frozenset(
    {
        "artifacts.drop",
        "artifacts.make",
        "artifacts.put",
        "artifacts.remove",
        "codedeploy.stop",
    }
)
"""Writes of ports that read as well."""
EVERY = "*"
"""In place of a call's name: every call."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a port, with its arguments by name."""

    name: str
    arguments: Mapping[str, object]


Effect = Callable[["ScriptedWorld", Call], Submitted | None]
"""What a write does to the world; its answer, or None for one with a made-up request id."""


@dataclass(slots=True)
class Held:
    """A call that is kept waiting."""

    arrived: threading.Event = field(default_factory=threading.Event)
    """Set when a caller waits."""
    release: threading.Event = field(default_factory=threading.Event)
    """Set it to let callers go on."""


@dataclass(slots=True)
class _Fault:
    error: Callable[[], GatewayError]
    left: int | None


@dataclass(slots=True)
class ScriptedWorld:
    """All that a scripted gateway knows. Change it freely; hold `lock` to change it at once."""

    place: Place = field(default_factory=lambda: Place(region="us-east-1"))
    identity: Identity = field(
        default_factory=lambda: Identity("123456789012", "arn:aws:iam::123456789012:user/ops")
    )
    now: datetime = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
    """The world's clock, for effects that date what they make."""
    clusters: set[str] = field(default_factory=set)
    """Clusters without a service; those with one need no entry."""
    services: dict[ServiceRef, Service] = field(default_factory=dict)
    history: dict[ServiceRef, tuple[ServiceDeployment, ...]] = field(default_factory=dict)
    """Newest first."""
    revisions: dict[str, ServiceRevision] = field(default_factory=dict)
    tasks: dict[ServiceRef, tuple[Task, ...]] = field(default_factory=dict)
    runs: tuple[Task, ...] = ()
    """Tasks that no service started, newest first."""
    definitions: dict[str, TaskDefinition] = field(default_factory=dict)
    documents: dict[str, Mapping[str, object]] = field(default_factory=dict)
    """By a task definition's ARN: what it says beyond its value, in AWS's names, not masked."""
    balancing: dict[ServiceRef, Balancing] = field(default_factory=dict)
    stacks: dict[str, Stack] = field(default_factory=dict)
    deleted: dict[str, Stack] = field(default_factory=dict)
    """By ARN."""
    stack_resources: dict[str, tuple[StackResource, ...]] = field(default_factory=dict)
    stack_events: dict[str, tuple[StackEvent, ...]] = field(default_factory=dict)
    """Newest first."""
    change_sets: dict[tuple[str, str], ChangeSet] = field(default_factory=dict)
    """By the names of stack and change set."""
    drafts: dict[str, tuple[Change, ...]] = field(default_factory=dict)
    """What a stack's next change sets would do; nothing where it is not named."""
    drafted: dict[str, dict[str, str]] = field(default_factory=dict)
    """The parameters of a stack's last change set."""
    outputs: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """What a stack's outputs are once it is changed."""
    codedeployments: dict[str, CodeDeployment] = field(default_factory=dict)
    """By id (`d-…`)."""
    buckets: dict[str, dict[str, str]] = field(default_factory=dict)
    """Each bucket's objects, by their keys."""
    buckets_of_ours: set[str] = field(default_factory=set)
    """Those that were made by the console."""
    pipelines: dict[str, PipelineRun] = field(default_factory=dict)
    images: dict[str, tuple[Image, ...]] = field(default_factory=dict)
    autoscaling: dict[ServiceRef, Bounds] = field(default_factory=dict)
    secrets: dict[str, SecretChange] = field(default_factory=dict)
    """By reference, as task definitions write it."""
    metrics: Metrics = field(default_factory=Metrics)
    activity: Activity = field(default_factory=Activity)
    registry: str = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    """The host of every repository."""
    immutable: set[str] = field(default_factory=set)
    """Repositories whose tags never move."""
    engine: Engine = field(
        default_factory=lambda: Engine("20.10.24", "unix:///var/run/docker.sock")
    )
    buildx: bool = False
    source: Source = field(
        default_factory=lambda: Source(
            folder="/src/rails_app",
            dockerfile="/src/rails_app/Dockerfile",
            files=42,
            size=61_440,
            revision="5e0c4a1",
            arguments=frozenset({"REVISION"}),
        )
    )
    build_story: tuple[BuildTold, ...] = (
        Sent(61_440, 61_440),
        BuildLine("Step 1/2 : FROM ruby:3.4-slim"),
        BuildLine("Step 2/2 : COPY . ."),
        Built("sha256:" + "b" * 64),
    )
    push_story: tuple[PushTold, ...] = (
        Layer("e010cb8e0d0e", "Pushing", 40_000, 61_440),
        Layer("248e1baffdd4", "Layer already exists"),
        Layer("e010cb8e0d0e", "Pushed"),
        Pushed("sha256:" + "c" * 64),
    )
    logs: dict[str, list[LogLine]] = field(default_factory=dict)
    logs_elsewhere: dict[str, dict[str, list[LogLine]]] = field(default_factory=dict)
    """By region, those of other regions than the one of `place`."""
    newest_first: bool = True
    """Whether a log can be read from its newest line on; an old client cannot."""
    live: list[LiveUpdate] = field(default_factory=list)
    """What the next Live Tail sessions send, one after the other."""
    page_size: int = 10_000
    """The most lines that one page of a log holds."""
    empty_pages: int = 0
    """Pages without a line that come before the first one of a log that has some."""
    calls_per_minute: int = 9
    effects: dict[str, Effect] = field(default_factory=dict)
    """By the write's name, such as `changes.update`."""
    calls: list[Call] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _faults: dict[str, _Fault] = field(default_factory=dict)
    _held: dict[str, Held] = field(default_factory=dict)
    _after: list[tuple[str, Callable[[ScriptedWorld], None]]] = field(default_factory=list)

    @property
    def writes(self) -> list[Call]:
        """The calls of the writing ports, in order, those that failed included."""
        with self.lock:
            return [
                call
                for call in self.calls
                if call.name.startswith(("changes.", "stack_changes.")) or call.name in _WRITES
            ]

    def count(self, name: str) -> int:
        """How often a call was made."""
        with self.lock:
            return sum(1 for call in self.calls if call.name == name)

    def fail(
        self, name: str, error: GatewayError | Callable[[], GatewayError], times: int | None = None
    ) -> None:
        """Make a call fail: always, or the next `times` times."""
        make = error if callable(error) else lambda: error
        with self.lock:
            self._faults[name] = _Fault(make, times)

    def heal(self, name: str | None = None) -> None:
        """End the failing of one call, or of all."""
        with self.lock:
            if name is None:
                self._faults.clear()
            else:
                self._faults.pop(name, None)

    @contextmanager
    def held(self, name: str) -> Iterator[Held]:
        """Keep a call's callers waiting until `release` is set or the block ends."""
        hold = Held()
        with self.lock:
            self._held[name] = hold
        try:
            yield hold
        finally:
            with self.lock:
                self._held.pop(name, None)
            hold.release.set()

    def after(self, name: str, *changes: Callable[[ScriptedWorld], None]) -> None:
        """Change the world just before the next good calls of this name: one change a call."""
        with self.lock:
            self._after.extend((name, change) for change in changes)

    def become(self, other: ScriptedWorld) -> None:
        """Take over what another world knows; calls, faults and effects stay."""
        with self.lock:
            self.services, self.history = other.services, other.history
            self.revisions, self.tasks = other.revisions, other.tasks
            self.runs, self.codedeployments = other.runs, other.codedeployments
            self.definitions, self.documents = other.definitions, other.documents
            self.balancing = other.balancing
            self.stacks, self.images, self.logs = other.stacks, other.images, other.logs
            self.stack_resources, self.stack_events = other.stack_resources, other.stack_events

    def enter(self, name: str, **arguments: object) -> Call:
        """Record a call, hold it, fail it, or let it through; used by the ports."""
        call = Call(name, arguments)
        with self.lock:
            self.calls.append(call)
            hold = self._held.get(name) or self._held.get(EVERY)
        if hold is not None:
            hold.arrived.set()
            hold.release.wait()
        with self.lock:
            self._raise_fault(name)
            due = next((entry for entry in self._after if entry[0] in (name, EVERY)), None)
            if due is not None:
                self._after.remove(due)
                due[1](self)
        return call

    def _raise_fault(self, name: str) -> None:
        key = name if name in self._faults else EVERY
        fault = self._faults.get(key)
        if fault is None:
            return
        if fault.left is not None:
            fault.left -= 1
            if fault.left <= 0:
                del self._faults[key]
        raise fault.error()
