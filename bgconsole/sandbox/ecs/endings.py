"""How service deployments end: well, superseded, failed, and the way back."""

from __future__ import annotations

from collections.abc import Callable

from ..clock import Clock
from . import texts
from .counts import counts_of
from .events import EventBook
from .shifting import Shifts
from .stages import SHIFTING
from .state import Deployment, RollbackRecord, Service, ServiceDeployment


class Endings:
    """Ends service deployments; going back is the last part of one."""

    def __init__(
        self, *, clock: Clock, events: EventBook, shifts: Shifts, wake: Callable[[Service], None]
    ) -> None:
        self._clock = clock
        self._events = events
        self._shifts = shifts
        self._wake = wake

    def fail(self, record: ServiceDeployment, failure: texts.Failure) -> None:
        """End a deployment that failed, by going back if it should and there is a way back."""
        service = record.service
        failed = service.primary
        failed.rollout_state = "FAILED"
        failed.rollout_reason = failure.rollout
        failed.updated_at = self._clock.now()
        unpause(failed)
        self._events.say_of(service, failed.id, f"deployment failed: {failure.event}")
        if not failure.rolls_back:
            self.end(record, "STOPPED")
            record.stopped_at = record.finished_at
            return
        target = _way_back(record)
        if target is None:
            record.status_reason = texts.NO_CANDIDATE
            self.end(record, "ROLLBACK_FAILED")
            return
        record.status_reason = failure.reason
        reason = texts.in_progress(target.id)
        if failure.by_breaker:
            reason = texts.breaker_rolling_back(target.id)
        self._roll_back(service, record, target, failure.reason, reason)

    def roll_back_by_hand(self, record: ServiceDeployment) -> None:
        """Go back as StopServiceDeployment asked a moment ago."""
        service = record.service
        if record.status != "ROLLBACK_REQUESTED":
            return
        target = _way_back(record)
        if target is None:
            record.status_reason = texts.NO_CANDIDATE
            service.primary.rollout_state = "FAILED"
            unpause(service.primary)
            self.end(record, "ROLLBACK_FAILED")
            return
        record.status_reason = texts.ROLLED_BACK_BY_USER
        rollout_reason = texts.in_progress(target.id)
        self._roll_back(service, record, target, texts.ROLLED_BACK_BY_USER, rollout_reason)

    def fail_rollback(self, record: ServiceDeployment) -> None:
        """End a deployment whose way back failed too; nothing is started any more."""
        service = record.service
        target = service.primary
        target.rollout_state, target.rollout_reason = "FAILED", texts.BREAKER_FAILED
        target.updated_at = self._clock.now()
        unpause(target)
        self._events.say_of(service, target.id, f"deployment failed: {texts.TASKS_FAILED}")
        record.status_reason = texts.ROLLBACK_FAILED
        self.end(record, "ROLLBACK_FAILED")

    def _roll_back(
        self,
        service: Service,
        record: ServiceDeployment,
        target: Deployment,
        reason: str,
        rollout_reason: str,
    ) -> None:
        now = self._clock.now()
        self._events.say(service, f"rolling back to deployment {target.id}.")
        record.status = "ROLLBACK_IN_PROGRESS"
        record.rollback = RollbackRecord(reason, now, target.revision)
        record.updated_at = now
        for earlier in service.deployments:
            unpause(earlier)
            earlier.status = "ACTIVE"
        service.deployments.remove(target)
        service.deployments.insert(0, target)
        target.status, target.rollout_state = "PRIMARY", "IN_PROGRESS"
        target.rollout_reason, target.updated_at = rollout_reason, now
        target.desired = service.desired
        service.settings.update(target.revision.settings)
        service.settings["taskDefinition"] = target.revision.task_definition.arn
        service.steady = False
        service.replaced = 0
        if record.configuration["strategy"] in SHIFTING:
            self._shifts.go_back(service, record, target)
        self._wake(service)

    def supersede(self, service: Service) -> None:
        """End the deployment in flight, because another one or the service's end is asked for."""
        self._shifts.cancel(service)
        record = service.current
        if record is not None:
            self.end(record, "STOPPED")
            record.stopped_at = record.finished_at

    def end(self, record: ServiceDeployment, status: str) -> None:
        """Give a service deployment its last status."""
        if status in ("STOPPED", "ROLLBACK_FAILED"):
            self._shifts.halt(record.service)
        for revision in (*record.sources, record.target):
            record.final_counts[revision.arn] = counts_of(record.service, revision)
        record.status = status
        record.finished_at = record.updated_at = self._clock.now()
        if record.breaker_status == "MONITORING":
            record.breaker_status = "MONITORING_COMPLETE"
        if record.alarm_status == "MONITORING":
            record.alarm_status = "MONITORING_COMPLETE"


def unpause(deployment: Deployment) -> None:
    """Let a deployment start tasks again."""
    if deployment.pause is not None:
        deployment.pause.cancel()
        deployment.pause = None


def _way_back(record: ServiceDeployment) -> Deployment | None:
    """What served before, else the newest earlier deployment that had succeeded.

    Its own service deployment may be over while the tasks before it still take their leave.
    """
    earlier = record.service.deployments[1:]
    if record.source in earlier:
        return record.source
    return next((d for d in earlier if d.succeeded), None)
