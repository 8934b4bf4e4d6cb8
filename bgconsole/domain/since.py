"""Since when it is as the verdict says: since a deployment began or ended, or trouble began."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bgconsole.domain.duration import rounded
from bgconsole.domain.join import Sides
from bgconsole.domain.services import Service
from bgconsole.domain.snapshot import Snapshot

STEADY_EVENT = "has reached a steady state"
"""How ECS ends the event of it; it is told anew every six hours."""


RECENT = timedelta(hours=1)
"""How long a deployment that ECS rolled back is the headline once all is healthy again."""


@dataclass(frozen=True, slots=True)
class Since:
    """A moment, and what it was the beginning of."""

    what: Literal["begun", "since", "deployed"]
    """`begun`: the deployment under way; `since`: the trouble; `deployed`: what is live."""
    at: datetime

    def words(self, now: datetime, *, ago: bool = False) -> str:
        """`begun 03:03`, in the time zone of `now`, with its date where that is another day's.

        Args:
            now: for the zone and the age.
            ago: whether to say how long ago it was too.
        """
        local = self.at.astimezone(now.tzinfo)
        clock = f"{local:%H:%M}" if local.date() == now.date() else f"{local:%Y-%m-%d %H:%M}"
        return f"{self.what} {clock}" + (f", {rounded(now - self.at)} ago" if ago else "")


def under_way(snapshot: Snapshot, service: Service, both: Sides) -> Since | None:
    """When what ECS works on began; None where nothing is under way."""
    history = snapshot.deployments.value
    current = history.current if history else None
    if current is not None and (current.ongoing or both.old is not None):
        if current.status.startswith("ROLLBACK") and current.rollback_started_at is not None:
            return Since("begun", current.rollback_started_at)
        return Since("begun", current.created_at)
    if both.old is not None and service.primary is not None:
        return Since("begun", service.primary.created_at)
    return None


def ended(snapshot: Snapshot, service: Service) -> Since | None:
    """When the newest deployment failed."""
    history = snapshot.deployments.value
    current = history.current if history else None
    if current is not None and current.status == "ROLLBACK_FAILED":
        at = current.finished_at or current.updated_at
        return Since("since", at) if at else None
    primary = service.primary
    if primary is not None and primary.rollout_state == "FAILED":
        return Since("since", primary.updated_at)
    return None


def unsteady(service: Service) -> Since | None:
    """The first event after the service was last called steady; None where ECS tells of none."""
    first = None
    for event in service.events:
        if STEADY_EVENT in event.message:
            return Since("since", first.at) if first else None
        first = event
    return None


def deployed(snapshot: Snapshot) -> Since | None:
    """When what is live was deployed, where the newest deployment is that."""
    history = snapshot.deployments.value
    newest = history.latest if history else None
    if newest is None or newest.status != "SUCCESSFUL" or newest.finished_at is None:
        return None
    return Since("deployed", newest.finished_at)
