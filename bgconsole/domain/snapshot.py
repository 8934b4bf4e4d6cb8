"""Everything that the console knows at one moment: a value that is replaced whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from bgconsole.domain.activity import Activity
    from bgconsole.domain.codedeploy import CodeDeployment
    from bgconsole.domain.errors import GatewayError
    from bgconsole.domain.identity import Identity, Place
    from bgconsole.domain.images import Image
    from bgconsole.domain.metrics import Metrics
    from bgconsole.domain.secrets import SecretChange
    from bgconsole.domain.services import (
        Service,
        ServiceDeployment,
        ServiceRef,
        ServiceRevision,
        Task,
        TaskDefinition,
    )
    from bgconsole.domain.stacks import Stack
    from bgconsole.domain.targets import Balancing

Value = TypeVar("Value")

Source = Literal[
    "identity",
    "service",
    "deployments",
    "tasks",
    "targets",
    "stacks",
    "images",
    "secrets",
    "metrics",
    "activity",
    "codedeploy",
]
"""What is polled by itself; each fails by itself."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A poll that ended badly."""

    error: GatewayError
    since: datetime
    """When the first of this row of failures came."""
    next_try: datetime
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Part(Generic[Value]):
    """What a source knows: nothing yet, data, "nothing there", or the last data and a failure."""

    value: Value | None = None
    fetched_at: datetime | None = None
    """When the value was last seen to be so; None before the first good poll."""
    failure: Failure | None = None
    absent: str = ""
    """Why there is nothing, in words, where AWS answered and there is nothing."""

    @property
    def fresh(self) -> bool:
        """Whether the last poll was good."""
        return self.fetched_at is not None and self.failure is None

    @property
    def waiting(self) -> bool:
        """Whether no poll has ended yet."""
        return self.fetched_at is None and self.failure is None

    def good(self, value: Value, at: datetime) -> Part[Value]:
        """After a poll that brought data."""
        return Part(value=value, fetched_at=at)

    def nothing(self, why: str, at: datetime) -> Part[Value]:
        """After a poll that found nothing there."""
        return Part(fetched_at=at, absent=why)

    def failed(self, error: GatewayError, at: datetime, next_try: datetime) -> Part[Value]:
        """After a poll that failed: the last good value stays."""
        since, attempts = (
            (self.failure.since, self.failure.attempts + 1) if self.failure else (at, 1)
        )
        return replace(self, failure=Failure(error, since, next_try, attempts))


@dataclass(frozen=True, slots=True)
class Deployments:
    """The service's deployment history, and every revision that it names and that could be read."""

    history: tuple[ServiceDeployment, ...] = ()
    """Newest first."""
    revisions: Mapping[str, ServiceRevision] = field(default_factory=lambda: MappingProxyType({}))
    """By ARN."""
    stage_since: datetime | None = None
    """When the stage of the one under way was first seen (`rollout.stage_began`)."""

    @property
    def current(self) -> ServiceDeployment | None:
        """The one that is under way, else the newest."""
        return next((d for d in self.history if d.ongoing), None) or self.latest

    @property
    def latest(self) -> ServiceDeployment | None:
        """The newest."""
        return self.history[0] if self.history else None


@dataclass(frozen=True, slots=True)
class Tasks:
    """The service's tasks, running and lately stopped, and the task definitions they come from."""

    tasks: tuple[Task, ...] = ()
    definitions: Mapping[str, TaskDefinition] = field(default_factory=lambda: MappingProxyType({}))
    """By ARN."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One frame. `generation` only grows; a pane drops an older one. It holds no "now"."""

    ref: ServiceRef
    place: Place
    generation: int = 0
    identity: Part[Identity] = Part()
    service: Part[Service] = Part()
    deployments: Part[Deployments] = Part()
    tasks: Part[Tasks] = Part()
    targets: Part[Balancing] = Part()
    stacks: Part[tuple[Stack, ...]] = Part()
    images: Part[tuple[Image, ...]] = Part()
    secrets: Part[tuple[SecretChange, ...]] = Part()
    metrics: Part[Metrics] = Part()
    activity: Part[Activity] = Part()
    codedeploy: Part[CodeDeployment] = Part()
    """The deployment that made the newest task set, where CodeDeploy deploys the service."""
    last_words: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By task id: the line that best says why a task ended, as far as the log tail saw one."""
    calls_per_minute: int = 0
    interval: float = 0.0
    """Seconds between two polls of the service, as scheduled now."""

    def part(self, source: Source) -> Part[object]:
        """The part of a source by its name."""
        part: Part[object] = getattr(self, source)
        return part

    @property
    def deploying(self) -> bool:
        """Whether ECS or CodeDeploy works on a deployment, as far as is known."""
        current = self.deployments.value.current if self.deployments.value else None
        if current is not None and current.ongoing:
            return True
        by_codedeploy = self.codedeploy.value
        if by_codedeploy is not None and (
            by_codedeploy.ongoing or by_codedeploy.going_back or by_codedeploy.another is not None
        ):
            return True
        service = self.service.value
        return service is not None and (
            len(service.deployments) > 1
            or any(d.rollout_state == "IN_PROGRESS" for d in service.deployments)
        )
