"""Words that the plans of several operations share."""

from __future__ import annotations

from datetime import datetime

from bgconsole.domain.services import Service
from bgconsole.domain.snapshot import Snapshot
from bgconsole.operations.spec import Fact, Step


def at(moment: datetime, snapshot: Snapshot) -> str:
    """A moment in local time: `13:40` on the snapshot's day, else with its date."""
    local = moment.astimezone()
    seen = snapshot.service.fetched_at
    if seen is not None and seen.astimezone().date() == local.date():
        return f"{local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"


def place_facts(snapshot: Snapshot) -> tuple[Fact, ...]:
    """Where it would be done: account with alias, region, endpoint, cluster and service."""
    identity, place = snapshot.identity.value, snapshot.place
    account = f"account {identity.account}" if identity else "account not known"
    alias = f" ({identity.alias})" if identity and identity.alias else ""
    where = " · ".join(filter(None, (account + alias, place.region, place.endpoint_words)))
    return (Fact("where", where, decides=False), Fact("service", str(snapshot.ref)))


def following(service: Service) -> Step:
    """The last step: it only looks."""
    if service.desired == 0:
        return Step("follow until ECS calls it complete")
    return Step(
        f"follow until {service.desired}/{service.desired} are healthy and the old tasks are gone"
    )
