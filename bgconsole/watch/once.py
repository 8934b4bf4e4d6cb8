"""One whole snapshot, for a sub-command: every source asked once, side by side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bgconsole.domain.errors import NotThere
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.port import Gateway
from bgconsole.watch.rounds import Rounds


def read(gateway: Gateway, ref: ServiceRef, clock: Callable[[], datetime]) -> Snapshot:
    """Ask every source once; one that fails is a failed part, never an exception."""
    return Rounds(gateway, ref, clock).look()


def with_service(snapshot: Snapshot) -> Snapshot:
    """The same snapshot, once it is sure that the service is in it.

    Raises:
        GatewayError: the service could not be read, or is not there.
    """
    part = snapshot.service
    if part.failure is not None:
        raise part.failure.error
    if part.value is None:
        raise NotThere("No such service", part.absent or str(snapshot.ref))
    return snapshot
