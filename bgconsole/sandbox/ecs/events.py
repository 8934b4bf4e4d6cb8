"""A service's events: written in order, no two at the same millisecond, newest first."""

from __future__ import annotations

import uuid
from datetime import timedelta

from ..clock import Clock
from ..names import Names
from . import texts
from .state import Event, Service

_TICK = timedelta(milliseconds=1)


class EventBook:
    """Writes service events."""

    def __init__(self, clock: Clock, names: Names) -> None:
        self._clock = clock
        self._names = names

    def say(self, service: Service, text: str) -> None:
        """An event of the service as a whole: `(service NAME) text`.

        Under CodeDeploy the task set is named too, unless it is the steady state that is reached.
        """
        if service.by_code_deploy and text != texts.STEADY and service.deployments:
            self._write(service, f"(service {service.name}, taskSet {service.primary.id}) {text}")
            return
        self._write(service, f"(service {service.name}) {text}")

    def say_of(self, service: Service, deployment_id: str, text: str) -> None:
        """An event of one deployment: `(service NAME) (deployment ID) text`."""
        self._write(service, f"(service {service.name}) (deployment {deployment_id}) {text}")

    def say_draining(self, service: Service, deployment_id: str, count: int) -> None:
        """Connections of stopped tasks are being drained; names the tasks' own deployment."""
        self._write(
            service,
            f"(service {service.name}, taskSet {deployment_id}) "
            f"has begun draining connections on {count} tasks.",
        )

    def _write(self, service: Service, message: str) -> None:
        at = self._clock.now()
        if service.events:
            at = max(at, service.events[0].at + _TICK)
        event_id = str(uuid.UUID(int=self._names.rng.getrandbits(128), version=4))
        service.events.appendleft(Event(event_id, at, message))
