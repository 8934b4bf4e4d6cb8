"""Which service a sub-command is about."""

from __future__ import annotations

from bgconsole.config.settings import Settings
from bgconsole.domain.errors import ConfigurationError
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.port import Gateway


def service(gateway: Gateway, settings: Settings) -> ServiceRef:
    """The service that was named, or the only one there is. `--service cluster/name` works too.

    Raises:
        ConfigurationError: none was named, and there is not exactly one.
        GatewayError: the lists could not be read.
    """
    before, slash, name = settings.service.rpartition("/")
    cluster = before if slash else settings.cluster
    if not cluster:
        cluster = _only("cluster", gateway.services.clusters(), settings)
    if name:
        return ServiceRef(cluster, name)
    found = gateway.services.services(cluster)
    return ServiceRef(cluster, _only("service", tuple(ref.name for ref in found), settings))


def _only(what: str, names: tuple[str, ...], settings: Settings) -> str:
    if len(names) == 1:
        return names[0]
    place = f" of {settings.cluster}" if what == "service" and settings.cluster else ""
    there = ", ".join(names[:10]) + (f", … ({len(names)} in all)" if len(names) > 10 else "")
    raise ConfigurationError(
        f"No {what} was named",
        f"{what}s{place}: {there or 'none'}",
        f"Use --{what} NAME, BGCONSOLE_{what.upper()} or `{what}:` in the configuration",
    )
