"""What acted on a service beside its deployments: autoscaling, and the alarms that watch it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Scaling:
    """One activity of Application Auto Scaling: why, and what came of it, in AWS's words."""

    at: datetime
    description: str
    """`Setting desired count to 6.`"""
    cause: str
    """`monitor alarm … in state ALARM triggered policy …`"""
    status: str
    """Pending, InProgress, Successful, Overridden, Unfulfilled or Failed (API reference:
    ScalingActivity.StatusCode)."""
    message: str = ""
    """What AWS says besides, of one that failed."""

    @property
    def failed(self) -> bool:
        """Whether the service does not have the tasks that were wanted."""
        return self.status in ("Failed", "Unfulfilled")


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """A CloudWatch alarm that came into another state."""

    at: datetime
    name: str
    state: str
    """OK, ALARM or INSUFFICIENT_DATA; empty where AWS's record does not say."""
    summary: str
    """`Alarm updated from OK to ALARM`."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """Both, each oldest first, as far back as one page of AWS's answer reaches."""

    scaling: tuple[Scaling, ...] = ()
    alarms: tuple[AlarmChange, ...] = ()
