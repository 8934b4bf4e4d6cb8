"""The probe of the service that is shown: one for each service, whatever becomes of AWS."""

from __future__ import annotations

from typing import Any

from textual.app import App

from bgconsole.domain.probe import ProbeRecord
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot
from bgconsole.ui.messages import ProbeTaken
from bgconsole.ui.wiring import Asking, Wiring


class Probing:
    """Starts and ends the probe; new credentials for the same service do not disturb it."""

    def __init__(self, app: App[Any], wiring: Wiring) -> None:
        self._app = app
        self._wiring = wiring
        self._asking: Asking | None = None
        self._ref: ServiceRef | None = None
        self._epoch = 0

    def watch(self, ref: ServiceRef) -> None:
        """Probe this service in place of the one before."""
        if ref == self._ref and self._asking is not None:
            return
        self.stop()
        self._ref = ref
        if self._wiring.probe is None:
            return
        epoch, app = self._epoch, self._app

        def on_record(record: ProbeRecord) -> None:
            app.post_message(ProbeTaken(epoch, record))

        self._asking = self._wiring.probe(on_record)
        self._asking.start()

    def follow(self, snapshot: Snapshot) -> None:
        """Let it learn from AWS where the site is, and of deployments."""
        if self._asking is not None:
            self._asking.follow(snapshot)

    def take(self, message: ProbeTaken) -> ProbeRecord | None:
        """The record, unless it is of a probe that was ended."""
        return message.record if message.epoch == self._epoch else None

    def stop(self) -> None:
        """Probe nothing."""
        self._epoch += 1
        self._ref = None
        if self._asking is not None:
            self._asking.stop()
            self._asking = None
