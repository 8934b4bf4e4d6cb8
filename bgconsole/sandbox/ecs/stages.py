"""The stages of a deployment with two target groups, in order, with the traffic of each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..clock import Timer

SHIFTING = ("BLUE_GREEN", "LINEAR", "CANARY")
"""The strategies that move traffic between two target groups."""

HOOK_STAGES = (
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
)
"""Where a lifecycle hook may be."""

NO_PAUSE_STAGES = ("TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")
"""Where a hook may be a function only."""

NEVER_SHOWN = "PRE_PRODUCTION_TRAFFIC_SHIFT"
"""A stage of hooks that the API's `lifecycleStage` has no word for: the one before stays shown."""

CLEAN_UP = "CLEAN_UP"


@dataclass(frozen=True, slots=True)
class Step:
    """One step; its hooks, if any, are waited for after what it does."""

    stage: str
    test: float | None = None
    """Percent of the test traffic that the new revision gets from here on."""
    production: float | None = None
    """The same of the production traffic."""
    minutes: float = 0.0
    """How long it bakes."""
    scales_up: bool = False
    """Starts the new tasks and lasts until all are healthy."""


@dataclass(slots=True)
class Hook:
    """A pause that waits for somebody's word, or for its time to run out."""

    id: str
    stage: str
    expires_at: datetime
    timeout_action: str
    status: str = "AWAITING_ACTION"
    timer: Timer | None = None

    @property
    def passed(self) -> bool:
        """Whether the deployment may go on as far as this hook is concerned."""
        return self.status == "SUCCEEDED" or (
            self.status == "TIMED_OUT" and self.timeout_action == "CONTINUE"
        )


@dataclass(slots=True)
class Shift:
    """A deployment on its way through the steps."""

    steps: list[Step]
    balancers: list[dict[str, Any]]
    """The service's load balancers that the deployment began with."""
    position: int = -1
    timer: Timer | None = None
    hooks: list[Hook] = field(default_factory=list)
    """Those of the present step."""
    warming: bool = False
    """Going back to tasks that were already told to stop: new ones have to be healthy first."""

    @property
    def step(self) -> Step | None:
        """The present step; `None` before the first."""
        return self.steps[self.position] if self.position >= 0 else None


def steps_of(configuration: Mapping[str, Any], *, reconcile: bool) -> list[Step]:
    """All steps of a deployment up to its bake time; cleaning up comes after them."""
    steps = [Step("RECONCILE_SERVICE")] if reconcile else []
    steps += [
        Step("PRE_SCALE_UP"),
        Step("SCALE_UP", scales_up=True),
        Step("POST_SCALE_UP"),
        Step("TEST_TRAFFIC_SHIFT", test=100.0),
        Step("POST_TEST_TRAFFIC_SHIFT"),
    ]
    for percent, minutes in production_steps(configuration):
        steps.append(Step("PRE_PRODUCTION_TRAFFIC_SHIFT"))
        steps.append(Step("PRODUCTION_TRAFFIC_SHIFT", production=percent, minutes=minutes))
    steps.append(Step("POST_PRODUCTION_TRAFFIC_SHIFT"))
    steps.append(Step("BAKE_TIME", minutes=float(configuration.get("bakeTimeInMinutes") or 0)))
    return steps


def production_steps(configuration: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Percent of production traffic on the new revision, and the minutes that it stays so.

    The last one is 100 % and bakes in its own stage.
    """
    strategy = configuration["strategy"]
    if strategy == "CANARY":
        canary = configuration["canaryConfiguration"]
        if canary["canaryPercent"] < 100:
            yield float(canary["canaryPercent"]), float(canary["canaryBakeTimeInMinutes"])
    elif strategy == "LINEAR":
        linear = configuration["linearConfiguration"]
        # In tenths of a percent: sums of 0.1 are not exact.
        step = round(linear["stepPercent"] * 10)
        for tenths in range(step, 1000, step):
            yield tenths / 10, float(linear["stepBakeTimeInMinutes"])
    yield 100.0, 0.0


def rule_weights(percent: float) -> tuple[int, int]:
    """Weights of the old and the new target group; in tenths where percents are too coarse."""
    if percent == int(percent):
        return 100 - int(percent), int(percent)
    return 1000 - round(percent * 10), round(percent * 10)
