"""Words that the plans of several operations share."""

from __future__ import annotations

from datetime import datetime
from shlex import quote

from bgconsole.domain.identity import Place
from bgconsole.domain.services import Service
from bgconsole.domain.snapshot import Snapshot
from bgconsole.operations.step import Step


def at(moment: datetime, snapshot: Snapshot) -> str:
    """A moment in local time: `13:40` on the snapshot's day, else with its date."""
    local = moment.astimezone()
    seen = snapshot.service.fetched_at
    if seen is not None and seen.astimezone().date() == local.date():
        return f"{local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"


def place_words(snapshot: Snapshot) -> str:
    """Where it would be done: account with alias, region, cluster, service, a foreign endpoint."""
    identity, place = snapshot.identity.value, snapshot.place
    account = f"account {identity.account}" if identity else "account not known"
    alias = f" ({identity.alias})" if identity and identity.alias else ""
    told = (
        account + alias,
        place.region,
        snapshot.ref.cluster,
        snapshot.ref.name,
        place.endpoint_words,
    )
    return " · ".join(filter(None, told))


def command(words: str, place: Place) -> str:
    """An `aws …` command line that goes where the console goes, ready to be pasted."""
    told = ["aws", words, f"--region {quote(place.region)}"]
    if place.profile:
        told.append(f"--profile {quote(place.profile)}")
    if place.endpoint:
        scheme = "https" if place.endpoint.endswith(":443") else "http"
        told.append(f"--endpoint-url {quote(f'{scheme}://{place.endpoint}')}")
    return " ".join(told)


def new_revision(family: str) -> str:
    """How a plan says a revision that one of its steps is to register."""
    return f"{family}:<the new revision>"


def following(service: Service, leaving: str = "old") -> Step:
    """The last step: it only looks. `leaving` tells which side goes."""
    if service.desired == 0:
        return Step("follow until ECS calls it complete")
    whole = f"{service.desired}/{service.desired}"
    return Step(f"follow until {whole} are healthy and the {leaving} tasks are gone")
