"""The event of the steady state, and its repetition while nothing changes."""

from __future__ import annotations

from collections.abc import Iterable

from ..clock import Clock
from . import texts
from .events import EventBook
from .state import Service

STEADY_AGAIN = 6 * 3600.0
"""Seconds from one word of the steady state to the next."""
STEADY_FLOOR = 60.0
"""Real seconds."""


class SteadyWord:
    """Says that a service is steady."""

    def __init__(self, clock: Clock, events: EventBook) -> None:
        self._clock = clock
        self._events = events

    def say(self, service: Service) -> None:
        """It has reached a steady state."""
        self._events.say(service, texts.STEADY)
        self._remind(service)

    def _remind(self, service: Service) -> None:
        """A service that stays steady says so again after hours."""
        if service.reminder is not None:
            service.reminder.cancel()
        service.reminder = self._clock.call_later(
            STEADY_AGAIN, lambda: self._still_steady(service), floor=STEADY_FLOOR
        )

    def _still_steady(self, service: Service) -> None:
        service.reminder = None
        if service.steady and service.status == "ACTIVE":
            self.say(service)

    def speed_changed(self, services: Iterable[Service]) -> None:
        """Waits that began at another speed and are not to end by its floor begin again."""
        for service in services:
            if service.reminder is not None:
                self._remind(service)
