"""What CloudWatch tells of the targets' errors: the verdict's second witness, which comes late."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bgconsole.domain.metrics import DELAY, GroupMetrics
from bgconsole.domain.snapshot import Snapshot

LOOKED_AT = timedelta(minutes=3)
"""The newest minutes that are told, and that the rate is taken of."""
MANY = 0.05
"""Share of answers that is too many."""
FEW = 5
"""Errors that are too few to be called a rate."""


@dataclass(frozen=True, slots=True)
class TargetErrors:
    """Errors of the groups that get production traffic."""

    requests: float
    errors: float
    until: datetime
    """Where the newest minute that is told ends."""

    @property
    def many(self) -> bool:
        """Whether users notice."""
        return self.errors >= FEW and self.errors / max(1.0, self.requests) >= MANY

    def words(self, now: datetime) -> str:
        """`targets answered 12 of 240 requests with 5xx in the 3 min to 14:02 (CloudWatch)`."""
        to = self.until.astimezone(now.tzinfo)
        minutes = round(LOOKED_AT.total_seconds() / 60)
        return (
            f"targets answered {self.errors:.0f} of {self.requests:.0f} requests with 5xx in the "
            f"{minutes} min to {to:%H:%M} (CloudWatch, up to {_minutes(DELAY)} min late)"
        )


def target_errors(snapshot: Snapshot) -> TargetErrors | None:
    """What the metrics say of who gets production traffic; None where they say nothing."""
    metrics, balancing = snapshot.metrics.value, snapshot.targets.value
    if metrics is None or balancing is None:
        return None
    live = [
        metrics.groups[group.arn]
        for group in balancing.groups
        if group.production_share and group.arn in metrics.groups
    ]
    newest = [group.requests[-1][0] for group in live if group.requests]
    if not newest:
        return None
    until = max(newest) + timedelta(minutes=1)
    total = TargetErrors(0.0, 0.0, until)
    for group in live:
        total = _add(total, group, until - LOOKED_AT)
    return total


def _add(total: TargetErrors, group: GroupMetrics, since: datetime) -> TargetErrors:
    requests, errors = group.since(since)
    return replace(total, requests=total.requests + requests, errors=total.errors + errors)


def _minutes(span: timedelta) -> int:
    return round(span.total_seconds() / 60)
