"""The service that was looked at last, for each place: first in the pickers the next time."""

from __future__ import annotations

import json
from pathlib import Path

from bgconsole.config.paths import write_private
from bgconsole.domain.identity import Place
from bgconsole.domain.services import ServiceRef


def recall(file: Path, place: Place) -> ServiceRef | None:
    """What was remembered; None where nothing was, or it cannot be read."""
    match _load(file).get(_key(place)):
        case {"cluster": str(cluster), "service": str(name)} if cluster and name:
            return ServiceRef(cluster, name)
    return None


def remember(file: Path, place: Place, ref: ServiceRef) -> None:
    """Keep a service. A place to write is a comfort: without one nothing is kept."""
    known = _load(file)
    entry = {"cluster": ref.cluster, "service": ref.name}
    if known.get(_key(place)) == entry:
        return
    try:
        write_private(file, json.dumps({**known, _key(place): entry}, indent=1, sort_keys=True))
    except OSError:
        return


def _key(place: Place) -> str:
    return "|".join((place.profile, place.region, place.endpoint))


def _load(file: Path) -> dict[str, object]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
