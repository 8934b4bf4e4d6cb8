"""The way to a gateway and a service: attempts on other threads until one is good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from textual.app import App
from textual.timer import Timer

from bgconsole.domain.errors import BgconsoleError
from bgconsole.domain.overview import Area
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.port import Gateway
from bgconsole.ui.background import ask
from bgconsole.ui.messages import Answered
from bgconsole.ui.wiring import ConsoleResult, Wiring


@dataclass(frozen=True, slots=True)
class Reached:
    """The answer to an attempt: a gateway, and the service or else the clusters to choose from."""

    gateway: Gateway
    ref: ServiceRef | None
    clusters: tuple[str, ...] = ()
    """None where the configuration names those that are shown."""
    choose: bool = False
    """Whether somebody asked for a list to choose from."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The ticket of one attempt to connect."""

    number: int


class Connecting:
    """Attempts, one after the other, until one succeeds or another goal is set."""

    def __init__(
        self,
        app: App[ConsoleResult],
        wiring: Wiring,
        *,
        began: Callable[[], None],
        failed: Callable[[BgconsoleError, datetime], None],
        reached: Callable[[Reached], None],
    ) -> None:
        self._app = app
        self._wiring = wiring
        self._began, self._failed, self._reached = began, failed, reached
        self._connect = wiring.connect
        self._cluster, self._service = wiring.cluster, wiring.service
        self._choose = False
        self._number = 0
        self._failures = 0
        self._timer: Timer | None = None

    @property
    def busy(self) -> bool:
        """Whether an attempt is under way or planned."""
        return self._number > 0

    def start(
        self,
        connect: Callable[[], Gateway] | None = None,
        ref: ServiceRef | None = None,
        *,
        choose: bool = False,
    ) -> None:
        """Connect, by other means, or for a service that is known by now, or to choose one."""
        if connect is not None or choose:
            self._cluster = self._service = ""
        if connect is not None:
            self._connect = connect
        if ref is not None:
            self._cluster, self._service = ref.cluster, ref.name
        self._choose = choose
        self._failures = 0
        self._attempt()

    def by(self, connect: Callable[[], Gateway]) -> None:
        """Connect so from now on."""
        self._connect = connect

    def now(self) -> None:
        """Do not wait for the next try."""
        if self.busy and self._timer is not None:
            self._attempt()

    def stop(self) -> None:
        """Whatever is still answered is not wanted any more."""
        self._number = 0
        self._cancel_timer()

    def answered(self, answer: Answered) -> bool:
        """Take the answer to an attempt; False where it is something else's."""
        if not isinstance(answer.ticket, Attempt):
            return False
        if answer.ticket.number != self._number:
            return True
        if answer.error is not None:
            delays = self._wiring.retry_delays
            delay = delays[min(self._failures, len(delays) - 1)]
            self._failures += 1
            self._timer = self._app.set_timer(delay, self._attempt)
            self._failed(answer.error, self._wiring.clock() + timedelta(seconds=delay))
        elif isinstance(answer.value, Reached):
            self.stop()
            self._reached(answer.value)
        return True

    def _attempt(self) -> None:
        self._cancel_timer()
        self._number = self._next()
        self._began()
        connect, cluster, service = self._connect, self._cluster, self._service
        choose, areas = self._choose, self._wiring.areas
        ask(
            self._app,
            Attempt(self._number),
            lambda: reach(connect, cluster, service, areas, choose=choose),
        )

    _last = 0

    def _next(self) -> int:
        self._last += 1
        return self._last

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None


def reach(
    connect: Callable[[], Gateway],
    cluster: str,
    service: str,
    areas: Callable[[str], tuple[Area, ...]],
    *,
    choose: bool = False,
) -> Reached:
    """Connect and make the first call, so that what is wrong is known in one place; blocks.

    Without `choose` and without configured `areas` the only service of the only cluster is taken.

    Raises:
        BgconsoleError: why not.
    """
    gateway = connect()
    if cluster and service:
        ref = ServiceRef(cluster, service)
        gateway.services.describe(ref)
        return Reached(gateway, ref)
    if cluster:
        gateway.services.services(cluster)
        return Reached(gateway, None, (cluster,), choose)
    if areas(gateway.place.region) and not service and not choose:
        gateway.identities.whoami()  # needs no permission: each area tells its own trouble later
        return Reached(gateway, None)
    clusters = gateway.services.clusters()
    only = None if choose else _only(gateway, clusters, service)
    return Reached(gateway, only, clusters, choose)


def _only(gateway: Gateway, clusters: tuple[str, ...], service: str) -> ServiceRef | None:
    """The service where there is nothing to choose."""
    if len(clusters) != 1:
        return None
    found = [ref for ref in gateway.services.services(clusters[0]) if service in ("", ref.name)]
    return found[0] if len(found) == 1 else None
