"""The service whose log lines are printed: its groups, and the side of each of its tasks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Event, Thread

from bgconsole.domain.join import Side
from bgconsole.domain.log_sides import LogSides
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.port import Gateway
from bgconsole.watch.once import with_service
from bgconsole.watch.rounds import Rounds

LOOK_SECONDS = 10.0
"""Between two looks at the service: new tasks have a side, new task definitions their groups."""


class LoggingService:
    """What is known of the service, looked at now and then on a thread of its own."""

    def __init__(self, gateway: Gateway, ref: ServiceRef, clock: Callable[[], datetime]) -> None:
        self._rounds = Rounds(gateway, ref, clock)
        self._ended = Event()
        self._sides = LogSides()
        self.snapshot = Snapshot(ref, gateway.place)

    def look(self) -> None:
        """Ask now.

        Raises:
            GatewayError: the first look failed, or there is no such service.
        """
        self.snapshot = self._rounds.look()
        if self.snapshot.tasks.absent:
            with_service(self.snapshot)
        self._sides.learn(self.snapshot)
        failure = self.snapshot.tasks.failure
        if failure is not None and self.snapshot.tasks.value is None:
            raise failure.error

    def keep_looking(self) -> None:
        """Until `stop`."""
        Thread(target=self._run, name="look", daemon=True).start()

    def side(self, task_id: str) -> str:
        """`old`, `new` or `unknown`; the only side there is counts as new, or went back to old."""
        found = self._sides.of(task_id)
        if found is Side.SOLE:
            found = Side.OLD if Side.NEW in self._sides.known.values() else Side.NEW
        return found.value

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.snapshot = self._rounds.look()
            self._sides.learn(self.snapshot)
