"""A deployment looked at while something else goes on: where the site is, whether it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from bgconsole.domain.errors import AccessDenied, GatewayError, NotThere, Throttled, Unreachable
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Deployments, Snapshot, Source
from bgconsole.gateway.port import Gateway
from bgconsole.watch.sources import Nothing, NotYet, ask

State = Literal["none yet", "under way", "done", "failed"]
POLL = 2.0
"""Seconds between two looks."""
SLOWER = 10.0
"""Seconds where AWS did not answer."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known after a look; only a look that succeeded has news."""

    state: State
    snapshot: Snapshot
    status: str = ""
    """How AWS calls the deployment that is followed."""
    trouble: GatewayError | None = None
    """Why nothing new is known; it may pass."""


class UntilDone:
    """Follows the deployment that is under way, or the first one that begins, to its end."""

    def __init__(self, gateway: Gateway, ref: ServiceRef, clock: Callable[[], datetime]) -> None:
        self._gateway = gateway
        self._clock = clock
        self._looked = Looked("none yet", Snapshot(ref, gateway.place))
        self._due = clock()

    @property
    def due(self) -> bool:
        """Whether the next look may be taken."""
        return self._clock() >= self._due

    def look(self) -> Looked:
        """Ask AWS once; blocks.

        Raises:
            CredentialsProblem: AWS does not take the credentials.
            AccessDenied: the service may not be read.
            NotThere: there is no such service.
        """
        before = self._looked
        try:
            snapshot = self._read(before.snapshot)
        except (Throttled, Unreachable) as error:
            self._due = self._clock() + timedelta(seconds=SLOWER)
            self._looked = replace(before, trouble=error)
            return self._looked
        self._due = self._clock() + timedelta(seconds=POLL)
        state, status = before.state, _status(snapshot)
        if snapshot.deploying:
            state = "under way"
        elif state == "under way":
            state = "failed" if status not in ("SUCCESSFUL", "COMPLETED") else "done"
        self._looked = Looked(state, snapshot, status)
        return self._looked

    def _read(self, before: Snapshot) -> Snapshot:
        snapshot = replace(before, generation=before.generation + 1)
        sources: tuple[Source, ...] = ("service", "deployments")
        if before.targets.waiting:
            sources += ("targets",)
        for source in sources:
            try:
                value = ask(source, self._gateway, snapshot)
            except AccessDenied:
                if source == "service":
                    raise
                value = Deployments() if source == "deployments" else Nothing("not to be read")
            if isinstance(value, Nothing) and source == "service":
                raise NotThere("No such service", value.why)
            snapshot = _with(snapshot, source, value, self._clock())
        return snapshot


def _with(snapshot: Snapshot, source: Source, value: Any, at: datetime) -> Snapshot:
    part = snapshot.part(source)
    if isinstance(value, NotYet):
        return snapshot
    new = part.nothing(value.why, at) if isinstance(value, Nothing) else part.good(value, at)
    changed: Any = {source: new}
    return replace(snapshot, **changed)


def _status(snapshot: Snapshot) -> str:
    """Of the newest service deployment; where there is none to be read, of the primary one."""
    latest = snapshot.deployments.value.current if snapshot.deployments.value else None
    if latest is not None:
        return latest.status
    service = snapshot.service.value
    primary = (d for d in service.deployments if d.status == "PRIMARY") if service else ()
    return next((d.rollout_state for d in primary), "")
