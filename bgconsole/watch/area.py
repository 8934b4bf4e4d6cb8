"""One cluster's part of the overview: which of its services are asked for in one poll."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from types import MappingProxyType

from bgconsole.domain.errors import AccessDenied, ConfigurationError, GatewayError, NotThere
from bgconsole.domain.glance import moving
from bgconsole.domain.overview import Area, Known
from bgconsole.domain.services import Service, ServiceDeployment, ServiceRef, ServiceRevision
from bgconsole.domain.since import RECENT
from bgconsole.gateway.port import Gateway
from bgconsole.watch.pace import Load, Pace

SLACK = 0.5
"""Seconds by which a poll of everything may come early rather than a poll later."""


class AreaReader:
    """Remembers what it read; each `read` brings it up to date. For one thread at a time."""

    def __init__(
        self, area: Area, gateway: Callable[[], Gateway], clock: Callable[[], datetime]
    ) -> None:
        self.area = area
        self._gateway = gateway
        self._clock = clock
        self._names: tuple[str, ...] = ()
        self._listed_at: datetime | None = None
        self._whole_at: datetime | None = None
        self._services: dict[str, Service] = {}
        self._newest: dict[str, str] = {}
        """ARN of the newest service deployment, by the service's name."""
        self._looked_for: dict[str, object] = {}
        """The state in which a service's deployments were listed, by its name."""
        self._deployments: dict[str, ServiceDeployment] = {}
        self._revisions: dict[str, ServiceRevision] = {}
        self._unread = ""

    @property
    def load(self) -> Load:
        """What it takes, as far as is known."""
        return Load(len(self._names), sum(map(moving, self._services.values())))

    def due(self, pace: Pace) -> float:
        """Seconds until the next poll."""
        if self._whole_at is None:
            return 0.0
        whole = self._whole_at + timedelta(seconds=pace.resting) - self._clock()
        seconds = max(0.0, whole.total_seconds())
        return min(seconds, pace.moving) if self.load.moving else seconds

    def forget_times(self) -> None:
        """Ask for everything the next time, the list too."""
        self._listed_at = self._whole_at = None

    def read(self, pace: Pace) -> Known | None:
        """Ask for what is due: everything, or those that deploy; None where nothing is.

        Raises:
            GatewayError: it could not be read; the next `read` asks for the same.
        """
        gateway, now = self._reach(), self._clock()
        whole = _over(self._whole_at, pace.resting - SLACK, now)
        if whole and _over(self._listed_at, pace.listing, now):
            self._list(gateway, now)
        asked = [n for n in self._names if whole or self._moves(n)]
        if not whole and not asked:
            return None
        before = {name: _state(one) for name, one in self._services.items()}
        found = {
            one.ref.name: one for one in gateway.services.describe_all(self.area.cluster, asked)
        }
        gone = set(asked) - found.keys()
        listed_no_more = self._services.keys() - set(self._names)
        kept = {n: s for n, s in self._services.items() if n not in gone | listed_no_more}
        self._services = {**kept, **found}
        if whole:
            self._whole_at = now
        changed = [name for name, one in found.items() if before.get(name) != _state(one)]
        if whole or changed:
            self._read_details(gateway, list(found) if whole else changed, now)
        return self._known()

    def _reach(self) -> Gateway:
        try:
            return self._gateway()
        except ConfigurationError as error:
            # Of this area's region alone: the others go on.
            raise GatewayError(error.title, error.detail, error.hint) from None

    def _list(self, gateway: Gateway, now: datetime) -> None:
        try:
            listed = gateway.services.services(self.area.cluster)
        except NotThere:
            self._whole_at = now  # that was all there is to ask
            raise
        self._names, self._listed_at = tuple(ref.name for ref in listed), now

    def _moves(self, name: str) -> bool:
        service = self._services.get(name)
        return service is not None and moving(service)

    def _read_details(self, gateway: Gateway, names: Iterable[str], now: datetime) -> None:
        """The newest deployments and the revisions; rows stand without them where need be."""
        try:
            arns = {n: arn for n in names if (arn := self._newest_of(gateway, n, now))}
            read = gateway.services.deployments(tuple(arns.values()))
            self._deployments.update({one.arn: one for one in read})
            self._newest.update(arns)
            wanted = {arn for n in names for arn in self._services[n].current_revisions}
            revisions = gateway.services.revisions(sorted(wanted))
            self._revisions.update({one.arn: one for one in revisions})
            self._unread = ""
        except AccessDenied as error:
            self._unread = f"deployments not read: needs {error.action or error.detail}"
        except GatewayError as error:
            self._unread = f"deployments not read: {error.brief}"

    def _newest_of(self, gateway: Gateway, name: str, now: datetime) -> str:
        """As the service names it; where it names none and lately moved, as a list of them says."""
        service = self._services[name]
        if service.current_deployment or service.controller != "ECS":
            return service.current_deployment
        primary = service.primary
        lately = moving(service) or (primary is not None and now - primary.created_at < RECENT)
        if lately and self._looked_for.get(name) != _state(service):
            ref, since = ServiceRef(self.area.cluster, name), now - 2 * RECENT
            listed = gateway.services.service_deployments(ref, since)
            self._looked_for[name] = _state(service)
            if listed:
                return listed[0].arn
        return self._newest.get(name, "")

    def _known(self) -> Known:
        services = tuple(self._services[name] for name in sorted(self._services))
        newest = {
            service.arn: found
            for service in services
            if (found := self._deployments.get(self._newest.get(service.ref.name, "")))
        }
        used = set(self._newest.values())
        self._deployments = {a: d for a, d in self._deployments.items() if a in used}
        run = {arn for service in services for arn in service.current_revisions}
        self._revisions = {arn: r for arn, r in self._revisions.items() if arn in run}
        return Known(
            services,
            MappingProxyType(newest),
            MappingProxyType(dict(self._revisions)),
            self._unread,
        )


def _over(since: datetime | None, seconds: float, now: datetime) -> bool:
    return since is None or now - since >= timedelta(seconds=seconds)


def _state(service: Service) -> object:
    """What says that a deployment began, went on or ended."""
    deployments = tuple((d.id, d.status, d.rollout_state) for d in service.deployments)
    return service.current_deployment, deployments
