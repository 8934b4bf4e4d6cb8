"""Who serves: read from listener weights and target health, never from ECS' own word for it."""

from __future__ import annotations

from dataclasses import dataclass

from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.targets import TargetGroup


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the production listener reaches."""

    balanced: bool
    """Whether the service has a load balancer at all."""
    known: bool
    """Whether weights and health could be read."""
    live: tuple[TargetGroup, ...] = ()
    """The groups that get production traffic."""

    @property
    def healthy(self) -> int:
        """Healthy targets behind the production listener."""
        return sum(group.healthy for group in self.live)

    @property
    def serving(self) -> bool:
        """Whether any target can answer."""
        return self.healthy > 0


def traffic(snapshot: Snapshot) -> Traffic:
    """Join the weights with the health of the service's target groups."""
    service = snapshot.service.value
    balanced = bool(service and service.load_balancing)
    balancing = snapshot.targets.value
    if not balanced or balancing is None:
        return Traffic(balanced, known=balancing is not None)
    live = tuple(group for group in balancing.groups if (group.production_share or 0) > 0)
    return Traffic(balanced, known=True, live=live)
