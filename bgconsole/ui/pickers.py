"""The ways to another place: cluster and service, and where `main` offers it profile and region."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.app import App

from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.port import Gateway
from bgconsole.ui.screens.chooser import ChooserScreen
from bgconsole.ui.session import Session
from bgconsole.ui.wiring import ConsoleResult, Wiring

EVERY = "*"
"""Names every stream; no stream's name holds it (API reference: LogStreamName)."""


class Pickers:
    """Lists to choose from; what was used last comes first."""

    def __init__(
        self,
        app: App[ConsoleResult],
        wiring: Wiring,
        session: Session,
        *,
        watch: Callable[[ServiceRef], None],
        connect: Callable[[Callable[[], Gateway]], None],
        watch_logs: Callable[[str, str], None],
    ) -> None:
        self._app = app
        self._wiring = wiring
        self._session = session
        self._watch, self._connect, self._watch_logs = watch, connect, watch_logs

    def commands(self) -> tuple[tuple[str, str, Callable[[], None]], ...]:
        """Names for the palette, what they do, and the doing."""
        listed: list[tuple[str, str, Callable[[], None]]] = [
            ("cluster", "Pick another cluster and service", self.cluster),
            ("service", "Pick another service of this cluster", self.service),
        ]
        if self._wiring.elsewhere is not None:
            listed += [
                ("profile", "Use another profile", self.profile),
                ("region", "Go to another region", self.region),
            ]
        if self._wiring.log_names is not None:
            words = "Pick a log group and a stream, and leave the screen to awslogs"
            listed.append(("awslogs of another log", words, self.logs))
        return tuple(listed)

    def first(self, clusters: tuple[str, ...]) -> None:
        """At the start: the clusters are known already."""
        if len(clusters) == 1:
            self._of_cluster(clusters[0])
        else:
            self.cluster(clusters)

    def cluster(self, known: tuple[str, ...] | None = None) -> None:
        """Choose a cluster, then a service of it."""
        gateway = self._session.gateway
        if gateway is None:
            return
        listed = None if known is None else tuple((name, name) for name in known)
        current = self._session.ref or self._wiring.recall(gateway.place)
        self._choose(
            "cluster",
            lambda: tuple((name, name) for name in gateway.services.clusters()),
            self._of_cluster,
            first=current.cluster if current else "",
            known=listed,
        )

    def service(self) -> None:
        """Choose another service of the cluster that is shown."""
        if self._session.ref is not None:
            self._of_cluster(self._session.ref.cluster)

    def profile(self) -> None:
        """Choose a profile, and connect with it."""
        elsewhere = self._wiring.elsewhere
        if elsewhere is not None:
            self._choose(
                "profile",
                lambda: tuple((name, name) for name in elsewhere.profiles()),
                lambda name: self._connect(partial(elsewhere.connect, profile=name)),
            )

    def region(self) -> None:
        """Choose a region, and connect to it."""
        elsewhere = self._wiring.elsewhere
        if elsewhere is not None:
            self._choose(
                "region",
                lambda: tuple((name, name) for name in elsewhere.regions()),
                lambda name: self._connect(partial(elsewhere.connect, region=name)),
            )

    def logs(self) -> None:
        """Choose a log group, then a stream of it or all."""
        names = self._wiring.log_names
        if names is not None:
            self._choose(
                "log group",
                lambda: tuple((name, name) for name in names().groups()),
                self._of_group,
            )

    def _of_group(self, group: str) -> None:
        names = self._wiring.log_names
        if names is not None:
            self._choose(
                f"stream of {group}",
                lambda: (
                    (EVERY, "every stream"),
                    *((name, name) for name in names().streams(group)),
                ),
                lambda name: self._watch_logs(group, "" if name == EVERY else name),
            )

    def _of_cluster(self, cluster: str) -> None:
        gateway = self._session.gateway
        if gateway is None:
            return
        last = self._session.ref or self._wiring.recall(gateway.place)
        self._choose(
            f"service of {cluster}",
            lambda: tuple((ref.name, ref.name) for ref in gateway.services.services(cluster)),
            lambda name: self._watch(ServiceRef(cluster, name)),
            first=last.name if last and last.cluster == cluster else "",
        )

    def _choose(
        self,
        what: str,
        list_choices: Callable[[], tuple[tuple[str, str], ...]],
        then: Callable[[str], None],
        *,
        first: str = "",
        known: tuple[tuple[str, str], ...] | None = None,
    ) -> None:
        def chosen(value: str | None) -> None:
            if value is not None:
                then(value)

        screen = ChooserScreen(
            f"Choose a {what}",
            list_choices,
            first=first,
            mark="shown now" if self._session.ref else "last time",
            known=known,
        )
        self._app.push_screen(screen, chosen)
