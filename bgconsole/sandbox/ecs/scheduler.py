"""The service scheduler: what is started and stopped, and when a deployment failed or is done."""

from __future__ import annotations

import math

from ..clock import Clock
from ..elbv2.weights import TrafficRules
from ..names import Names
from . import texts
from .alarms import AlarmStates, AlarmWatch
from .batches import Counts, breaker_threshold, is_stuck, next_batch
from .counts import first_to_go, still_described
from .endings import Endings, unpause
from .events import EventBook
from .lives import CONTAINERS, TaskLives
from .shifting import Shifts
from .stages import SHIFTING
from .state import (
    Cluster,
    Deployment,
    EcsState,
    Revision,
    Service,
    ServiceDeployment,
    Task,
)
from .steady import SteadyWord
from .trouble import Trouble

# Seconds of AWS's pace, fitted to the measured rolling update.
FIRST_START = 14.0
"""From UpdateService to the first tasks."""
NOTICE = 15.0
"""From a change of target health to what the scheduler does about it."""
NOTICE_FLOOR = 0.1
"""Real seconds, so that tasks that become healthy together are seen together."""
NEXT_STEP = 2.0
"""Between two steps of the scheduler, and from a task's end to its replacement."""
BACKOFF = 60.0
"""The first pause before failing tasks are started again; it doubles."""
BACKOFF_LIMIT = 1620.0
"""AWS documents 27 minutes."""
BACKOFF_FLOOR = 0.5
"""Real seconds, so that an instant world does not spin on a crash loop."""


class Scheduler:
    """Moves every service towards what its primary deployment wants."""

    def __init__(
        self,
        *,
        clock: Clock,
        names: Names,
        state: EcsState,
        lives: TaskLives,
        events: EventBook,
        rules: TrafficRules,
        trouble: Trouble,
        alarms: AlarmStates,
    ) -> None:
        self._clock = clock
        self._names = names
        self._state = state
        self._lives = lives
        self._events = events
        self._trouble = trouble
        self.shifts = Shifts(clock=clock, names=names, rules=rules, owner=self)
        self.steady = SteadyWord(clock, events)
        self._endings = Endings(clock=clock, events=events, shifts=self.shifts, wake=self.wake)
        self._alarms = AlarmWatch(clock, alarms, self.fail)
        lives.watcher = self

    # -- what operations ask for

    def deploy(self, service: Service, revision: Revision) -> Deployment:
        """Begin a deployment of a revision; one in flight is superseded."""
        now = self._clock.now()
        sources = [d.revision for d in service.deployments]
        self._endings.supersede(service)
        deployment = Deployment(revision, 0, now, now)
        deployment.rollout_reason = texts.in_progress(deployment.id)
        for earlier in service.deployments:
            earlier.status = "ACTIVE"
            unpause(earlier)
        service.deployments.insert(0, deployment)
        service.revisions[revision.arn] = revision
        number = self._names.service_deployment_id()
        configuration = service.settings["deploymentConfiguration"]
        record = ServiceDeployment(
            self._names.ecs(f"service-deployment/{service.cluster.name}/{service.name}/{number}"),
            service,
            revision,
            sources,
            configuration,
            now,
            now,
        )
        if self._breaker(service).get("enable"):
            record.breaker_status = "MONITORING"
        service.history.insert(0, record)
        service.steady = False
        service.replaced = 0
        if configuration["strategy"] in SHIFTING:
            self.shifts.prepare(service)
        else:
            self.shifts.resolve_for_rolling(deployment)
            deployment.pause = self._clock.call_later(
                FIRST_START, lambda: self._begin(service, deployment)
            )
        return deployment

    def scale(self, service: Service, desired: int) -> None:
        """Set the desired count without a new deployment."""
        if service.desired == desired:
            return
        service.desired = desired
        if service.primary.desired or service.primary.rollout_state == "COMPLETED":
            service.primary.desired = desired
        for earlier in service.deployments[1:]:
            if service.shift is not None and earlier.desired:
                earlier.desired = desired
        service.steady = False
        self.wake(service)

    def request_rollback(self, record: ServiceDeployment) -> None:
        """Stop a service deployment by going back to its source revision."""
        self.shifts.halt(record.service)
        record.status = "ROLLBACK_REQUESTED"
        record.updated_at = self._clock.now()
        self._clock.call_later(NEXT_STEP, lambda: self._endings.roll_back_by_hand(record))

    def drain(self, service: Service) -> None:
        """Stop all tasks of a deleted service; it is INACTIVE when they are gone."""
        self._endings.supersede(service)
        for deployment in service.deployments:
            unpause(deployment)
        service.status = "DRAINING"
        service.desired = 0
        self.wake(service)

    def wake(self, service: Service, delay: float = NEXT_STEP, *, floor: float = 0.0) -> None:
        """Look at the service soon."""
        if service.wake is None:
            service.wake = self._clock.call_later(delay, lambda: self._look(service), floor=floor)

    # -- what it is told

    def targets_changed(self) -> None:
        """The load balancer's view of some target changed."""
        for service in self._state.all_services():
            for task in service.tasks:
                was = task.healthy
                complaint = self._lives.check_health(task)
                if task.healthy != was or complaint:
                    self.wake(service, NOTICE, floor=NOTICE_FLOOR)

    def task_changed(self, service: Service) -> None:
        """A task runs, is proved healthy, or is gone."""
        for task in service.tasks:
            self._lives.check_health(task)
        self.wake(service)

    def task_failed(self, task: Task) -> None:
        """A task failed to start, failed its checks, or died."""
        service, deployment = task.service, task.deployment
        if service is None or deployment is None:
            return
        rolling_out = deployment.rollout_state == "IN_PROGRESS"
        if rolling_out or not task.ever_healthy:
            deployment.failed_tasks += 1
            self._pause(service, deployment)
        service.steady = False
        record = service.current
        if rolling_out and record is not None:
            self._count_failure(record, deployment.revision)
        self.wake(service)

    def begun(self, record: ServiceDeployment) -> None:
        """A service deployment starts to do something."""
        record.status = "IN_PROGRESS"
        record.started_at = record.updated_at = self._clock.now()
        self._alarms.begin(record)

    def fail(self, record: ServiceDeployment, failure: texts.Failure) -> None:
        """End a deployment that failed, by going back if it should and there is a way back."""
        self._endings.fail(record, failure)

    # -- the loop

    def _begin(self, service: Service, deployment: Deployment) -> None:
        deployment.pause = None
        record = service.current
        if record is not None and record.status == "PENDING":
            self.begun(record)
        if deployment is service.primary:
            deployment.desired = service.desired
            self._look(service)

    def _look(self, service: Service) -> None:
        if service.wake is not None:
            service.wake.cancel()
            service.wake = None
        self.forget_old(service)
        if service.status != "ACTIVE":
            self._look_at_deleted(service)
            return
        primary = service.primary
        condemned = {t.id: arn for t in service.tasks if (arn := self._lives.check_health(t))}
        self._credit_healthy(service)
        if service.shift is not None:
            self._keep_both(service, condemned)
            return
        live = [task for task in service.tasks if task.live]
        new = [t for t in live if t.deployment is primary and t.id not in condemned]
        old = [t for t in live if t.deployment is not primary and t.id not in condemned]
        configuration = service.settings["deploymentConfiguration"]
        percents = (configuration["maximumPercent"], configuration["minimumHealthyPercent"])
        counts = Counts(
            len(new),
            len(old) + len(condemned),
            sum(t.healthy for t in new),
            sum(t.healthy for t in old),
        )
        batch = next_batch(service.desired, *percents, counts)
        acted = False
        started = 0
        if batch.start and primary.pause is None and primary.rollout_state != "FAILED":
            started = batch.start
            self._start(service, primary, started, len(condemned))
            acted = True
        if condemned:
            service.replaced += max(0, len(condemned) - started)
            self._replace(service, condemned)
            acted = True
        if batch.stop_old or batch.stop_new:
            # Condemned tasks stood among the old ones that may go freely.
            leaving = first_to_go(old)[: batch.stop_old - len(condemned)] if old else []
            leaving += first_to_go(new)[: batch.stop_new]
            if leaving:
                self._stop(service, leaving)
                acted = True
        if acted:
            service.steady = False
            self.wake(service)
        else:
            self._settle(service, counts)

    def _keep_both(self, service: Service, condemned: dict[str, str]) -> None:
        """While traffic shifts, each deployment has its own desired count and stays whole."""
        acted = bool(condemned)
        for deployment in service.deployments:
            tasks = [t for t in service.tasks_of(deployment) if t.live]
            sound = [t for t in tasks if t.id not in condemned]
            missing = deployment.desired - len(sound)
            may_start = deployment.pause is None and deployment.rollout_state != "FAILED"
            if missing > 0 and may_start:
                self._start(service, deployment, missing, len(tasks) - len(sound))
                acted = True
            elif missing < 0:
                self._stop(service, first_to_go(sound)[:-missing])
                acted = True
        if condemned:
            self._replace(service, condemned)
        if acted:
            self.wake(service)
        primary = service.primary
        healthy = sum(t.healthy for t in service.tasks_of(primary))
        if healthy >= primary.desired == service.desired and service.shift is not None:
            self.shifts.warmed(service) if service.shift.warming else self.shifts.scaled_up(service)

    def _start(self, service: Service, deployment: Deployment, count: int, unhealthy: int) -> None:
        if failure := self._trouble.placement_failure():
            self._cannot_place(service, deployment, failure)
            return
        service.unplaced = False
        tasks = [self._lives.start(service, deployment) for _ in range(count)]
        # Where the maximum percent left no room, they were stopped earlier than they are replaced.
        replaced = min(count, unhealthy + service.replaced)
        service.replaced = max(0, service.replaced - max(0, replaced - unhealthy))
        self._events.say(service, texts.started([t.id for t in tasks], replaced))

    def _cannot_place(self, service: Service, deployment: Deployment, failure: str) -> None:
        if not service.unplaced:
            # ECS says the same thing again after hours only.
            service.unplaced = True
            self._events.say(service, texts.cannot_place(failure))
        deployment.pause = self._clock.call_later(
            BACKOFF, lambda: self._try_again(service, deployment), floor=BACKOFF_FLOOR
        )

    def _try_again(self, service: Service, deployment: Deployment) -> None:
        deployment.pause = None
        self.wake(service)

    def _replace(self, service: Service, condemned: dict[str, str]) -> None:
        tasks = [task for task in service.tasks if task.id in condemned]
        for task in tasks:
            self._events.say(service, self._complaint(task, condemned[task.id]))
        self._events.say(service, texts.stopped(task.id for task in tasks))
        for task in tasks:
            who = condemned[task.id]
            reason = texts.FAILED_CONTAINER_CHECKS
            if who != CONTAINERS:
                reason = texts.failed_elb_checks(who)
            self._lives.stop(task, "ServiceSchedulerInitiated", reason)
            self.task_failed(task)

    def _complaint(self, task: Task, who: str) -> str:
        if who == CONTAINERS:
            return texts.failed_container_checks(task.id)
        port, reason = self._lives.complaint(task, who)
        return texts.unhealthy(task.id, port, who, reason)

    def _stop(self, service: Service, tasks: list[Task]) -> None:
        running = [task for task in tasks if task.running]
        pending = len(tasks) - len(running)
        if running:
            self._events.say(service, texts.stopped(task.id for task in running))
        if pending:
            self._events.say(service, texts.stopped_pending(pending))
        reason = texts.scaling(service.primary.id)
        for task in tasks:
            self._lives.stop(task, "ServiceSchedulerInitiated", reason)

    def _settle(self, service: Service, counts: Counts) -> None:
        """Nothing to do now: finished, or waiting for tasks."""
        primary = service.primary
        ready = counts.new == counts.new_healthy == service.desired and not counts.old
        leaving = [t for t in service.tasks if not t.live and t.last_status != "STOPPED"]
        if ready and primary.pause is None and not self._bakes(service, leaving):
            if all(task.last_status != "DEACTIVATING" for task in leaving):
                self._succeed(service)
            if not leaving:
                self._complete(service)
        elif primary.rollout_state == "IN_PROGRESS" and not primary.noted:
            configuration = service.settings["deploymentConfiguration"]
            percents = (configuration["maximumPercent"], configuration["minimumHealthyPercent"])
            if primary.pause is None and counts.old and is_stuck(service.desired, *percents):
                primary.noted = True
                self._events.say(service, texts.STUCK)

    def _bakes(self, service: Service, leaving: list[Task]) -> bool:
        """A rolling deployment may watch its alarms for a while after its old tasks are gone."""
        record = service.current
        if record is None or record.status != "IN_PROGRESS" or record.lifecycle_stage is not None:
            return False
        minutes = float(record.configuration.get("bakeTimeInMinutes") or 0)
        if not minutes or record.baked:
            return False
        if record.bake is None and not leaving:
            record.bake = self._clock.call_later(minutes * 60, lambda: self._baked(record))
        return True

    def _baked(self, record: ServiceDeployment) -> None:
        record.baked = True
        self.wake(record.service)

    def _succeed(self, service: Service) -> None:
        """End the service deployment: the new revision serves, the old tasks take their leave."""
        record = service.current
        if record is None or record.status not in ("IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):
            return
        service.primary.succeeded = True
        back = record.status == "ROLLBACK_IN_PROGRESS"
        self._endings.end(record, "ROLLBACK_SUCCESSFUL" if back else "SUCCESSFUL")

    def _complete(self, service: Service) -> None:
        primary = service.primary
        if primary.rollout_state == "IN_PROGRESS":
            primary.rollout_state = "COMPLETED"
            primary.rollout_reason = texts.completed(primary.id)
            primary.updated_at = self._clock.now()
            for earlier in service.deployments[1:]:
                unpause(earlier)
                earlier.status = "INACTIVE"
            service.deployments = [primary]
            # A rollback by weights was never seen to say it; a task set is no deployment.
            if not _went_back_by_weights(service) and not service.by_code_deploy:
                self._events.say_of(service, primary.id, "deployment completed.")
            service.steady = False
        if not service.steady:
            service.steady = True
            self.steady.say(service)

    def _look_at_deleted(self, service: Service) -> None:
        live = [task for task in service.tasks if task.live]
        if live:
            self._stop(service, live)
        if service.status == "DRAINING" and all(t.last_status == "STOPPED" for t in service.tasks):
            service.status = "INACTIVE"
            service.deployments = []

    # -- small things

    def _pause(self, service: Service, deployment: Deployment) -> None:
        """Wait longer before each attempt to start failing tasks."""
        kept = service.shift is not None or deployment is service.primary
        if deployment.pause is not None or not kept:
            return
        attempt = math.ceil(deployment.failed_tasks / max(1, service.desired))
        if attempt >= 2 and not deployment.noted:
            deployment.noted = True
            self._events.say(service, texts.UNABLE)
        pause = min(BACKOFF_LIMIT, BACKOFF * 2.0 ** (attempt - 1))
        deployment.pause = self._clock.call_later(
            pause, lambda: self._begin(service, deployment), floor=BACKOFF_FLOOR
        )

    def _count_failure(self, record: ServiceDeployment, revision: Revision) -> None:
        """The circuit breaker counts what a deployment starts, then what its way back starts."""
        breaker = self._breaker(record.service)
        threshold = breaker_threshold(breaker, record.service.desired)
        back = record.rollback
        if record.status == "IN_PROGRESS" and record.target is revision:
            if record.breaker_status != "MONITORING":
                return
            record.failure_count += 1
            if record.failure_count >= threshold:
                record.breaker_status = "TRIGGERED"
                rolls_back = bool(breaker.get("rollback"))
                shifting = record.configuration["strategy"] in SHIFTING
                self.fail(record, texts.breaker_failure(shifting=shifting, rolls_back=rolls_back))
        elif back is not None and back.revision is revision and breaker.get("enable"):
            back.failures += 1
            if back.failures >= threshold:
                self._endings.fail_rollback(record)

    def _credit_healthy(self, service: Service) -> None:
        """A healthy task ends the row of failures, for the breaker too unless it says otherwise."""
        primary = service.primary
        if not any(t.healthy for t in service.tasks if t.deployment is primary):
            return
        primary.failed_tasks = 0
        record = service.current
        resets = self._breaker(service).get("resetOnHealthyTask", True)
        if not resets or record is None:
            return
        if record.target is primary.revision:
            record.failure_count = 0
        elif record.rollback is not None:
            record.rollback.failures = 0

    def _breaker(self, service: Service) -> dict[str, object]:
        breaker: dict[str, object] = (
            service.settings["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
        )
        return breaker

    def forget_old(self, service: Service) -> None:
        """Drop the tasks that stopped too long ago to be described."""
        service.tasks = still_described(service.tasks, self._clock.now())

    def forget_old_standalone(self, cluster: Cluster) -> None:
        """The same for the tasks of no service."""
        cluster.standalone = still_described(cluster.standalone, self._clock.now())


def _went_back_by_weights(service: Service) -> bool:
    newest = service.history[0]
    return newest.rollback is not None and newest.configuration["strategy"] in SHIFTING
