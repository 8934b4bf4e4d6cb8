"""Keeps the overview current: a poller a cluster, all of them within one budget of calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from random import Random
from threading import Event, Lock
from types import MappingProxyType
from typing import Any

from bgconsole.domain.errors import GatewayError, NotThere
from bgconsole.domain.overview import Area, Overview
from bgconsole.domain.snapshot import Part
from bgconsole.gateway.port import Gateway
from bgconsole.watch import schedule
from bgconsole.watch.area import AreaReader
from bgconsole.watch.pace import Pace, pace
from bgconsole.watch.poller import Poller, Waiting
from bgconsole.watch.sources import Nothing, NotYet

Connect = Callable[[str], Gateway]
"""A gateway to a region; raises the errors of `domain.errors`."""
IDENTITY_SECONDS = 300.0


class Regions:
    """A gateway for each region, connected when it is first needed."""

    def __init__(self, home: Gateway, connect: Connect) -> None:
        self._lock = Lock()
        self._connect = connect
        self._known = {home.place.region: home}

    def gateway(self, region: str) -> Gateway:
        """The one to this region.

        Raises:
            BgconsoleError: it cannot be connected to.
        """
        if region in self._known:
            return self._known[region]
        with self._lock:
            if region not in self._known:
                self._known[region] = self._connect(region)
            return self._known[region]

    def calls_per_minute(self) -> int:
        """Of all regions together."""
        return sum(gateway.meter.per_minute() for gateway in tuple(self._known.values()))


class OverviewWatcher:
    """Runs until it is stopped; while it is not shown it asks nothing and keeps its last picture.

    Callbacks come on the pollers' threads.
    """

    def __init__(
        self,
        home: Gateway,
        areas: Iterable[Area],
        *,
        connect: Connect,
        clock: Callable[[], datetime],
        random: Random,
        on_overview: Callable[[Overview], None],
        wait: Waiting = Event.wait,
    ) -> None:
        self._home = home
        self._regions = Regions(home, connect)
        self._random = random
        self._on_overview = on_overview
        self._lock = Lock()
        self._focused = self._shown = True
        self._stopped = False
        self._readers = {
            area: AreaReader(area, partial(self.gateway, area.region), clock) for area in areas
        }
        self._overview = Overview(home.place, MappingProxyType({a: Part() for a in self._readers}))
        about: dict[str, Any] = {"backoff": self._backoff, "clock": clock, "wait": wait}
        self._identity = Poller(
            "identity",
            ask=self._ask_who,
            part=lambda: self._overview.identity,
            put=lambda part: self._put(identity=part),
            interval=lambda: IDENTITY_SECONDS,
            **about,
        )
        self._pollers = {
            area: Poller(
                str(area),
                ask=partial(self._ask, reader),
                part=partial(self._part, area),
                put=partial(self._put_area, area),
                interval=partial(self._interval, reader),
                **about,
            )
            for area, reader in self._readers.items()
        }

    @property
    def overview(self) -> Overview:
        """The latest frame."""
        return self._overview

    def gateway(self, region: str) -> Gateway:
        """The gateway to a region, for who opens a service there."""
        return self._regions.gateway(region)

    def start(self) -> None:
        """Begin; the first frames come within the first answers' time."""
        for poller in self._every():
            poller.start()

    def stop(self) -> None:
        """End without waiting. Nothing is handed on afterwards."""
        self._stopped = True
        for poller in self._every():
            poller.stop()

    def refresh(self) -> None:
        """Ask for everything now, the lists too."""
        for reader in self._readers.values():
            reader.forget_times()
        self._wake()

    def set_focused(self, focused: bool) -> None:
        """Tell whether the terminal has the focus."""
        self._focused = focused

    def set_shown(self, shown: bool) -> None:
        """Tell whether anybody sees it."""
        if shown != self._shown:
            self._shown = shown
            if shown:
                self._wake()

    def pace(self) -> Pace:
        """How often what is asked now."""
        return pace((reader.load for reader in self._readers.values()), focused=self._focused)

    def _every(self) -> tuple[Poller, ...]:
        return (self._identity, *self._pollers.values())

    def _wake(self) -> None:
        for poller in self._every():
            poller.wake()

    def _ask_who(self) -> Any:
        return self._home.identities.whoami() if self._shown else NotYet()

    def _ask(self, reader: AreaReader) -> Any:
        return ask(reader, self.pace()) if self._shown else NotYet()

    def _part(self, area: Area) -> Part[Any]:
        return self._overview.areas[area]

    def _put_area(self, area: Area, part: Part[Any]) -> None:
        with self._lock:
            areas: Mapping[Area, Part[Any]] = {**self._overview.areas, area: part}
            self._replace(areas=MappingProxyType(areas))
        self._hand_on()

    def _put(self, **changes: Any) -> None:
        with self._lock:
            self._replace(**changes)
        self._hand_on()

    def _replace(self, **changes: Any) -> None:
        self._overview = replace(
            self._overview,
            generation=self._overview.generation + 1,
            calls_per_minute=self._regions.calls_per_minute(),
            interval=self.pace().resting,
            **changes,
        )

    def _hand_on(self) -> None:
        # Outside the lock, as the picture of one service does it; receivers drop older ones.
        if not self._stopped:
            self._on_overview(self._overview)

    def _interval(self, reader: AreaReader) -> float:
        return reader.due(self.pace()) if self._shown else IDENTITY_SECONDS

    def _backoff(self, attempts: int, base: float) -> float:
        return schedule.backoff(attempts, max(3.0, min(base, 10.0)), self._random)


def ask(reader: AreaReader, at: Pace) -> Any:
    """What an area knows now; `Nothing` where there is no such cluster, `NotYet` before its time.

    Raises:
        GatewayError: the poll failed.
    """
    try:
        return reader.read(at) or NotYet()
    except NotThere as error:
        return Nothing(str(error))


def read(
    home: Gateway, areas: Iterable[Area], *, connect: Connect, clock: Callable[[], datetime]
) -> Overview:
    """One whole overview, for a sub-command: every area asked once, side by side."""
    regions, listed = Regions(home, connect), tuple(areas)

    def fill(what: Callable[[], Any]) -> Part[Any]:
        part: Part[Any] = Part()
        try:
            value = what()
        except GatewayError as error:
            now = clock()
            return part.failed(error, now, now)
        if isinstance(value, Nothing):
            return part.nothing(value.why, clock())
        return part.good(value, clock())

    readers = [AreaReader(a, partial(regions.gateway, a.region), clock) for a in listed]
    asked = [partial(ask, reader, Pace()) for reader in readers]
    with ThreadPoolExecutor(max_workers=8) as pool:
        identity, *parts = pool.map(fill, (home.identities.whoami, *asked))
    return Overview(
        home.place,
        MappingProxyType(dict(zip(listed, parts, strict=True))),
        generation=1,
        identity=identity,
        calls_per_minute=regions.calls_per_minute(),
    )
