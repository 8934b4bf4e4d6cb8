"""An overview as plain JSON values, in the shape that `status_all.schema.json` lays down."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bgconsole.domain.masking import mask
from bgconsole.domain.overview import Area, Known, Line, Overview, lines
from bgconsole.domain.snapshot import Part

SCHEMA = 1
"""Grows when the shape changes so that an old reader would misread it."""


def overview_json(overview: Overview, now: datetime) -> dict[str, Any]:
    """Everything that `status --all` knows: the services worst first, and each cluster."""
    identity, place = overview.identity.value, overview.place
    return {
        "schema": SCHEMA,
        "at": now.isoformat(),
        "place": {
            "account": identity.account if identity else None,
            "alias": (identity.alias or None) if identity else None,
            "who": identity.arn if identity else None,
            "region": place.region,
            "profile": place.profile or None,
            "endpoint": place.endpoint or None,
        },
        "clusters": [_area(area, part) for area, part in overview.areas.items()],
        "services": [_line(line) for line in lines(overview, now) if line.ref.name],
    }


def _area(area: Area, part: Part[Known]) -> dict[str, Any]:
    unread = part.value.unread if part.value else ""
    return {
        "region": area.region,
        "cluster": area.cluster,
        "services": len(part.value.services) if part.value else None,
        "fresh": part.fresh and not part.absent,
        "fetched_at": part.fetched_at.isoformat() if part.fetched_at else None,
        "absent": part.absent or None,
        "error": mask(str(part.failure.error)) if part.failure else None,
        "unread": mask(unread) or None,
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "arn": line.arn,
        "region": line.area.region,
        "cluster": line.ref.cluster,
        "name": line.ref.name,
        "severity": line.severity.name.lower(),
        "word": line.word,
        "sentence": mask(line.sentence),
        "revision": line.revision,
        "old_revision": line.before or None,
        "tag": line.tag or None,
        "stage": line.stage or None,
        "deploying": line.deploying,
        "running": line.running,
        "desired": line.desired,
        "last_outcome": line.outcome or None,
        "last_at": line.deployed_at.isoformat() if line.deployed_at else None,
        "owner": line.owner or None,
    }
