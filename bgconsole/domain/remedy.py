"""Whether a roll back would help: what the old revision would meet where the new one fails."""

from __future__ import annotations

import re

from bgconsole.domain import cause
from bgconsole.domain.join import Sides, SideView
from bgconsole.domain.services import Service, ServiceDeployment
from bgconsole.domain.snapshot import Snapshot

_SCARCE = {
    re.compile(r"[Cc]apacity is unavailable"): "the same capacity",
    re.compile(r"InsufficientFreeAddressesInSubnet"): "addresses in the same subnets",
}
"""What AWS may be out of, and what whoever starts tasks needs of it."""


def remedy(
    snapshot: Snapshot, service: Service, both: Sides, current: ServiceDeployment | None
) -> str:
    """What speaks against a roll back, or what it need not fear; empty where nothing is known.

    Args:
        snapshot: what else is known: secrets and when they were changed.
        service: as described now.
        both: its two sides, the new one failing.
        current: the service deployment under way, where it may be read.
    """
    old, new = both.old, both.new
    if old is None or new is None:
        return ""
    changed = _changed_secret(snapshot, old, new)
    if failing := _fails_too(old, current):
        about = f"; both read {changed}" if changed else ""
        return (
            f"tasks of revision {old.revision} fail as well ({failing}{about}): "
            "a roll back cannot help"
        )
    if needs := _scarce(service, new):
        if old.healthy >= service.desired:
            return f"a roll back needs no new task: {old.healthy} old ones still run"
        return f"a roll back needs {needs}"
    if changed and new.failed:
        return f"both revisions read {changed}: tasks that a roll back starts read it too"
    return ""


def _fails_too(old: SideView, current: ServiceDeployment | None) -> str:
    """How old tasks ended by themselves since the deployment began."""
    if current is None:
        return ""
    began = current.started_at or current.created_at
    since = [row for row in old.failed if row.since is not None and row.since >= began]
    return cause.shorten(since[0].ending or "no reason given", 60) if since else ""


def _changed_secret(snapshot: Snapshot, old: SideView, new: SideView) -> str:
    """A secret that both sides name and that was changed after the old tasks had read it."""
    known = snapshot.tasks.value.definitions if snapshot.tasks.value else {}
    read = [
        {reference for container in definition.containers for reference in container.secrets}
        for side in (old, new)
        if (definition := known.get(side.task_definition)) is not None
    ]
    started = [row.since for row in old.rows if row.since is not None]
    if len(read) < 2 or not started:
        return ""
    for secret in snapshot.secrets.value or ():
        at = secret.changed_at
        if secret.reference in read[0] & read[1] and at is not None and at > min(started):
            who = f" by {secret.by}" if secret.by else ""
            return f"secret {cause.shorten(secret.name, 40)}, changed at {at:%H:%M} UTC{who}"
    return ""


def _scarce(service: Service, new: SideView) -> str:
    told = [event.message for event in service.events[:3]] + [row.ending for row in new.failed]
    return next(
        (needs for sign, needs in _SCARCE.items() if any(map(sign.search, told))),
        "",
    )
