"""Deployment alarms: CloudWatch is asked while a deployment runs, and an alarm takes it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ..clock import Clock
from . import texts
from .state import ServiceDeployment

POLL = 15.0
"""Seconds between two questions; AWS took some 20 s from the alarm to the rollback."""
POLL_FLOOR = 0.5
"""Real seconds."""

ALARM = "ALARM"


class AlarmStates(Protocol):
    """Where the state of alarms is known."""

    def find(self, names: Sequence[str], done: Callable[[Mapping[str, str]], None]) -> None:
        """Tell `done` the state of each alarm that exists: OK, ALARM or INSUFFICIENT_DATA."""
        ...


class AlarmTable:
    """Alarm states from a dictionary that a test may change."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}

    def find(self, names: Sequence[str], done: Callable[[Mapping[str, str]], None]) -> None:
        """Answer at once."""
        done({name: self.states[name] for name in names if name in self.states})


class AlarmWatch:
    """Watches the alarms of each service deployment from its beginning to its end."""

    def __init__(
        self,
        clock: Clock,
        source: AlarmStates,
        fail: Callable[[ServiceDeployment, texts.Failure], None],
    ) -> None:
        self._clock = clock
        self._source = source
        self._fail = fail

    def begin(self, record: ServiceDeployment) -> None:
        """Watch, unless the service has no alarms or one of them is in ALARM already.

        AWS ignores them for the whole deployment then, so that a broken service can be repaired.
        """
        configured = record.configuration.get("alarms") or {}
        if not configured.get("enable"):
            return
        record.alarm_names = list(configured["alarmNames"])
        record.alarm_status = "MONITORING"

        def first(states: Mapping[str, str]) -> None:
            if ALARM in states.values():
                record.alarm_status = "DISABLED"
            else:
                self._wait(record)

        self._source.find(record.alarm_names, first)

    def _wait(self, record: ServiceDeployment) -> None:
        self._clock.call_later(POLL, lambda: self._look(record), floor=POLL_FLOOR)

    def _look(self, record: ServiceDeployment) -> None:
        if record.status == "IN_PROGRESS":
            self._source.find(record.alarm_names, lambda states: self._found(record, states))

    def _found(self, record: ServiceDeployment, states: Mapping[str, str]) -> None:
        if record.status != "IN_PROGRESS":
            return
        raised = [name for name in record.alarm_names if states.get(name) == ALARM]
        if not raised:
            self._wait(record)
            return
        record.alarm_status, record.alarms_raised = "TRIGGERED", raised
        rolls_back = bool(record.configuration["alarms"].get("rollback"))
        self._fail(record, texts.alarm_failure(rolls_back=rolls_back))
