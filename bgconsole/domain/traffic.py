"""Who serves: read from listener weights and target health, never from ECS' own word for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bgconsole.domain.join import Side, sides
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.targets import TargetGroup

Shares = Mapping[Side, float]
"""Percent by side; a side without a share is left out."""
_NONE: Mapping[Side, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the listeners reach."""

    balanced: bool
    """Whether the service has a load balancer at all."""
    known: bool
    """Whether weights and health could be read."""
    live: tuple[TargetGroup, ...] = ()
    """The groups that get production traffic."""
    idle: tuple[TargetGroup, ...] = ()
    """The others."""
    production: Shares = field(default_factory=lambda: _NONE)
    test: Shares = field(default_factory=lambda: _NONE)
    serving: Mapping[Side, int] = field(default_factory=lambda: MappingProxyType({}))
    """Healthy targets behind the production listener, by side."""
    nobody: float = 0.0
    """Percent of production traffic that goes to groups in which nobody is healthy."""
    other: float = 0.0
    """Percent of production traffic that healthy targets get which are no task of the service."""
    tested: bool = False
    """Whether any listener sends test traffic to the service."""

    @property
    def healthy(self) -> int:
        """Healthy targets behind the production listener, whosever they are."""
        return sum(group.healthy for group in self.live)

    @property
    def weighted(self) -> bool:
        """Whether several groups share production traffic by weight."""
        return len(self.live) > 1

    @property
    def astray(self) -> TargetGroup | None:
        """A group that gets production traffic with nobody healthy in it while another has some."""
        if any(group.healthy for group in self.idle):
            return next((group for group in self.live if not group.healthy), None)
        return None


def traffic(snapshot: Snapshot) -> Traffic:
    """Join the weights with the health of the service's target groups and the tasks' sides."""
    service = snapshot.service.value
    balanced = bool(service and service.load_balancing)
    balancing = snapshot.targets.value
    if not balanced or balancing is None:
        return Traffic(balanced, known=balancing is not None)
    both = sides(snapshot)
    side_of = {
        row.address: view.side
        for view in (both.old, both.new)
        if view
        for row in view.rows
        if row.address
    }
    live = tuple(group for group in balancing.groups if (group.production_share or 0) > 0)
    production = _shares(balancing.groups, side_of, lambda group: group.production_share)
    nobody = sum(group.production_share or 0 for group in live if not group.healthy)
    sent = sum(group.production_share or 0 for group in live)
    return Traffic(
        balanced,
        known=True,
        live=live,
        idle=tuple(group for group in balancing.groups if group not in live),
        production=production,
        test=_shares(balancing.groups, side_of, lambda group: group.test_share),
        serving=MappingProxyType(
            Counter(
                side_of[target.address]
                for group in live
                for target in group.targets
                if target.state == "healthy" and target.address in side_of
            )
        ),
        nobody=nobody,
        other=max(0.0, sent - nobody - sum(production.values())),
        tested=any(group.test_share is not None for group in balancing.groups),
    )


def _shares(
    groups: tuple[TargetGroup, ...],
    side_of: Mapping[str, Side],
    share_of: Callable[[TargetGroup], float | None],
) -> Shares:
    """A group's share goes to the sides of its healthy targets, as many as they are."""
    found: dict[Side, float] = {}
    for group in groups:
        counts = Counter(
            side_of[target.address]
            for target in group.targets
            if target.state == "healthy" and target.address in side_of
        )
        for side, count in counts.items():
            if share := share_of(group):
                found[side] = found.get(side, 0.0) + share * count / counts.total()
    return MappingProxyType(found)
