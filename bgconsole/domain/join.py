"""Tasks joined with targets and deployments: one row a task, and which side it is on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bgconsole.domain.images import ImageReference
from bgconsole.domain.services import (
    Deployment,
    ServiceDeployment,
    Task,
    TaskDefinition,
    revision_of,
)
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.targets import Target


class Side(StrEnum):
    """Which side of a deployment something is on."""

    OLD = "old"
    NEW = "new"
    SOLE = "sole"
    """No deployment is under way: there is one side only."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task, ready to be shown; `key` is its ARN."""

    key: str
    id: str
    side: Side
    revision: str
    tag: str
    digest: str
    status: str
    """AWS's lastStatus, lower case."""
    health: str
    """The target's state where there is a load balancer, else the container health, lower case."""
    health_reason: str
    zone: str
    since: datetime | None
    """When it started, or was created."""
    stopped: bool = False
    ending: str = ""
    """Why it stopped: exit code and reason, for a stopped task."""


@dataclass(frozen=True, slots=True)
class SideView:
    """One side of the deployment as a whole."""

    side: Side
    number: str
    """The number that deployment id and service revision share; empty where not known."""
    task_definition: str
    revision: str
    tag: str
    digest: str
    requested: int
    running: int
    pending: int
    healthy: int
    """Tasks that pass their health checks (or run, where nothing checks them)."""
    rows: tuple[TaskRow, ...]
    stopped: tuple[TaskRow, ...]


@dataclass(frozen=True, slots=True)
class Sides:
    """Old and new. When nothing is under way `new` is the only side and `old` is None."""

    old: SideView | None
    new: SideView | None

    @property
    def rows(self) -> tuple[TaskRow, ...]:
        """Running rows, old before new."""
        return tuple(row for side in (self.old, self.new) if side for row in side.rows)
