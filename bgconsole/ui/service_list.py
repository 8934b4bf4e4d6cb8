"""The services screen and what feeds it: shown, left for a service, come back to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from textual.app import App

from bgconsole.domain.overview import Area, Overview
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.port import Gateway
from bgconsole.ui.messages import OverviewTaken
from bgconsole.ui.run_state import RunState
from bgconsole.ui.screens.services import ServicesScreen
from bgconsole.ui.wiring import ConsoleResult, Overlooking, Wiring


class ServiceList:
    """One watcher of many services; it rests while a service is looked at."""

    def __init__(self, app: App[ConsoleResult], wiring: Wiring) -> None:
        self._app = app
        self._wiring = wiring
        self._watcher: Overlooking | None = None
        self._areas: tuple[Area, ...] = ()
        self._epoch = 0
        self.screen: ServicesScreen | None = None
        """The screen, while it is on the stack."""
        self.overview: Overview | None = None

    def show(self, home: Gateway, clusters: Iterable[str], *, of: ServiceRef | None = None) -> None:
        """Put the screen on top.

        Args:
            home: where clusters without a region are; the first gateway it was shown with stays.
            clusters: to be shown besides those of the configuration, by short name.
            of: the service that one comes from; it is highlighted.
        """
        named = (Area(home.place.region, cluster) for cluster in clusters)
        wanted = dict.fromkeys((*self._areas, *self._wiring.areas(home.place.region), *named))
        if self._watcher is None or tuple(wanted) != self._areas:
            self._watch(home, tuple(wanted))
        elif self._watcher is not None:
            self._watcher.set_shown(True)
        came_from = (Area(home.place.region, of.cluster), of) if of is not None else None
        if self.screen is None:
            self.screen = ServicesScreen(came_from, why_read_only=self._wiring.why_read_only)
            self.screen.overview = self.overview
            self._app.push_screen(self.screen)
        elif came_from is not None and self.screen.is_attached:
            self.screen.pane.wish(*came_from)

    def rest(self) -> None:
        """A service is looked at: ask nothing meanwhile."""
        if self._watcher is not None:
            self._watcher.set_shown(False)

    def forget(self) -> None:
        """Stop, and begin anew with the next `show`: it is another account."""
        if self._watcher is not None:
            self._watcher.stop()
        self._watcher = self.screen = self.overview = None
        self._areas = ()

    def gateway(self, region: str) -> Gateway:
        """The gateway to a region of which a row is shown: it is connected already."""
        if self._watcher is None:
            raise RuntimeError("nothing is listed")
        return self._watcher.gateway(region)

    def refresh(self) -> None:
        """Ask for everything now."""
        if self._watcher is not None:
            self._watcher.refresh()

    def set_focused(self, focused: bool) -> None:
        """Tell whether the terminal has the focus."""
        if self._watcher is not None:
            self._watcher.set_focused(focused)

    def remind(self, state: RunState | None) -> None:
        """Of the operation that runs."""
        if self.screen is not None:
            self.screen.run_state = state

    def take(self, message: OverviewTaken) -> None:
        """A newer frame; older ones and those of a stopped watcher are dropped."""
        frame, before = message.overview, self.overview
        if message.epoch != self._epoch or self._watcher is None:
            return
        if before is not None and frame.generation <= before.generation:
            return
        self.overview = frame
        if self.screen is not None:
            self.screen.overview = frame

    def _watch(self, home: Gateway, areas: tuple[Area, ...]) -> None:
        if self._watcher is not None:
            self._watcher.stop()
        self._areas = areas
        self._epoch += 1
        epoch, app = self._epoch, self._app
        base = self.overview.generation + 1 if self.overview else 0

        def on_overview(overview: Overview) -> None:
            later = replace(overview, generation=base + overview.generation)
            app.post_message(OverviewTaken(epoch, later))

        self._watcher = self._wiring.overlook(home, areas, on_overview)
        self.take(OverviewTaken(epoch, replace(self._watcher.overview, generation=base)))
        self._watcher.start()
