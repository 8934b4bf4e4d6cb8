"""How far a deployment is: the stages of the blue/green family, or the batches of a rolling one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bgconsole.domain.services import Alarms, CircuitBreaker, Hook, ServiceDeployment
from bgconsole.domain.snapshot import Snapshot

State = Literal["done", "current", "to come"]

STAGES: tuple[tuple[str, str], ...] = (
    ("RECONCILE_SERVICE", "reconcile"),
    ("PRE_SCALE_UP", "pre"),
    ("SCALE_UP", "scale up"),
    ("POST_SCALE_UP", "post"),
    ("TEST_TRAFFIC_SHIFT", "test shift"),
    ("POST_TEST_TRAFFIC_SHIFT", "post-test"),
    ("PRODUCTION_TRAFFIC_SHIFT", "production"),
    ("POST_PRODUCTION_TRAFFIC_SHIFT", "post-production"),
    ("BAKE_TIME", "bake"),
    ("CLEAN_UP", "clean up"),
)
"""AWS's lifecycle stages in their order, and how the strip names them (API reference)."""

HOOKS_ONLY = frozenset({"PRE_SCALE_UP", "POST_SCALE_UP", "POST_PRODUCTION_TRAFFIC_SHIFT"})
"""Stages in which nothing happens but hooks: the first to go where there is little room."""

_BEFORE_PRODUCTION = "PRE_PRODUCTION_TRAFFIC_SHIFT"
"""In the texts and in hooks, though not in the status's own enumeration."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the strip."""

    name: str
    """AWS's word."""
    words: str
    state: State

    @property
    def minor(self) -> bool:
        """Whether it may be left out of a strip that has little room."""
        return self.state != "current" and self.name in HOOKS_ONLY


@dataclass(frozen=True, slots=True)
class Rollout:
    """The strip: stages for the blue/green family, none for a rolling deployment."""

    strategy: str
    stages: tuple[Stage, ...]
    stage_since: datetime | None
    """When the current stage began: when the console saw it begin, else AWS's last change."""
    going_back: bool
    """Whether ECS takes the deployment back; the stage may still read as the way there."""
    bake_ends: datetime | None
    breaker: CircuitBreaker | None
    alarms: Alarms | None
    waiting: tuple[Hook, ...]
    """The hooks that wait for somebody, the first to expire first."""
    running: tuple[Hook, ...] = ()
    """The hooks that ECS has called and that have not answered."""
    bake_minutes: int | None = None
    """How long both sides run after the shift; None where that is not known."""
    production_share: float | None = None
    """Percent of production traffic that ECS asks for the new side; None where it does not say."""

    @property
    def current(self) -> Stage | None:
        """The stage that ECS is in."""
        return next((stage for stage in self.stages if stage.state == "current"), None)

    @property
    def shifted(self) -> bool:
        """Whether production traffic has been moved: a milestone of its own, before the end."""
        current = self.current
        return current is not None and _position(current.name) > _position(
            "PRODUCTION_TRAFFIC_SHIFT"
        )


def rollout(snapshot: Snapshot) -> Rollout | None:
    """The strip of the service deployment that is under way; None where none is."""
    history = snapshot.deployments.value
    current = history.current if history else None
    if current is None or not current.ongoing:
        return None
    return Rollout(
        strategy=current.strategy,
        stages=_stages(current),
        stage_since=(history.stage_since if history else None) or current.updated_at,
        going_back=current.status.startswith("ROLLBACK"),
        bake_ends=_bake_ends(current, history.stage_since if history else None),
        breaker=current.breaker,
        alarms=current.alarms,
        waiting=tuple(sorted((h for h in current.hooks if h.awaits_action), key=_expiry)),
        running=tuple(hook for hook in current.hooks if hook.status == "IN_PROGRESS"),
        bake_minutes=current.bake_minutes,
        production_share=current.target.production_weight,
    )


def stage_began(
    before: tuple[ServiceDeployment | None, datetime | None], now: ServiceDeployment | None
) -> datetime | None:
    """When the stage that a deployment is in began; None where none is under way.

    AWS tells no such time, only its last change, which comes more than once in a stage. So the time
    of the first sight of a stage is kept as long as the stage lasts.

    Args:
        before: the deployment as it was seen last, and what this function said of it.
        now: the deployment as it is seen now.
    """
    if now is None or not now.ongoing:
        return None
    seen, since = before
    if seen is not None and since is not None and _step(seen) == _step(now):
        return since
    return now.updated_at


def _step(deployment: ServiceDeployment) -> tuple[object, ...]:
    """What makes a stage, or one step of a canary, another one."""
    return (
        deployment.arn,
        deployment.lifecycle_stage,
        deployment.status.startswith("ROLLBACK"),
        deployment.target.production_weight,
    )


def stage_words(name: str) -> str:
    """How a stage is named to a person; one that is not known in AWS's word, lower case."""
    return dict(STAGES).get(name) or name.lower().replace("_", " ")


def _expiry(hook: Hook) -> float:
    return hook.expires_at.timestamp() if hook.expires_at else float("inf")


def _stages(deployment: ServiceDeployment) -> tuple[Stage, ...]:
    name = deployment.lifecycle_stage
    if deployment.strategy == "ROLLING":
        return ()
    if not name:
        return tuple(Stage(known, words, "to come") for known, words in STAGES)
    at = _position(name)
    listed = [Stage(known, words, _state(index, at)) for index, (known, words) in enumerate(STAGES)]
    if name not in (known for known, _ in STAGES):
        # A stage that is newer than this code stands where it is known to belong, else at the end.
        unknown = Stage(name, stage_words(name), "current")
        listed.insert(int(at + 0.5), unknown)
    return tuple(listed)


def _position(name: str) -> float:
    order = [known for known, _ in STAGES]
    if name in order:
        return float(order.index(name))
    if name == _BEFORE_PRODUCTION:
        return order.index("PRODUCTION_TRAFFIC_SHIFT") - 0.5
    return len(order) - 0.5


def _state(index: int, at: float) -> State:
    if index == at:
        return "current"
    return "done" if index < at else "to come"


def _bake_ends(deployment: ServiceDeployment, since: datetime | None) -> datetime | None:
    if deployment.lifecycle_stage != "BAKE_TIME" or deployment.bake_minutes is None:
        return None
    began = since or deployment.updated_at or deployment.started_at or deployment.created_at
    return began + timedelta(minutes=deployment.bake_minutes)
