"""One whole snapshot, for a sub-command: every source asked once, side by side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bgconsole.domain.errors import GatewayError, NotThere
from bgconsole.domain.identity import Identity
from bgconsole.domain.services import NO_SERVICE, ServiceRef
from bgconsole.domain.snapshot import Part, Snapshot, Source
from bgconsole.gateway.port import Gateway
from bgconsole.watch.rounds import Rounds
from bgconsole.watch.sources import DECIDING


def read(
    gateway: Gateway,
    ref: ServiceRef,
    clock: Callable[[], datetime],
    sources: tuple[Source, ...] = (),
) -> Snapshot:
    """Ask each source once; one that fails is a failed part, never an exception.

    Without `sources` all that decides is asked.
    """
    return Rounds(gateway, ref, clock, sources=sources or DECIDING).look()


def read_account(gateway: Gateway, clock: Callable[[], datetime]) -> Snapshot:
    """Who we are and the stacks, without a service; the stacks' failure is an exception.

    Raises:
        GatewayError: the stacks could not be read.
    """
    identity: Part[Identity] = Part()
    try:
        identity = identity.good(gateway.identities.whoami(), clock())
    except GatewayError as error:
        identity = identity.failed(error, clock(), clock())
    stacks = Part(gateway.stacks.stacks(), clock())
    return Snapshot(NO_SERVICE, gateway.place, identity=identity, stacks=stacks)


def with_service(snapshot: Snapshot) -> Snapshot:
    """The same snapshot, once it is sure that the service is in it.

    Raises:
        GatewayError: the service could not be read, or is not there.
    """
    part = snapshot.service
    if part.failure is not None:
        raise part.failure.error
    if part.value is None:
        title = "No such service"
        detail = part.absent.removeprefix(f"{title}: ") or str(snapshot.ref)
        raise NotThere(title, detail, "`bgconsole status --all` lists the services that there are")
    return snapshot
