"""The words ECS uses: service events and reasons, character by character as AWS writes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

STEADY = "has reached a steady state."
TASKS_FAILED = "tasks failed to start."
BREAKER_REASON = (
    "Service deployment rolled back because the circuit breaker threshold was exceeded."
)
ROLLED_BACK_BY_USER = "Service deployment rolled back because a stop with rollback was requested."
"""For StopServiceDeployment; no capture of AWS's own words for it is known."""
ROLLBACK_FAILED = (
    "Service deployment rollback failed because the circuit breaker threshold was exceeded."
)
"""For a way back whose tasks fail too; no capture of AWS's own words for it is known."""
NO_CANDIDATE = "No rollback candidate was found to run the rollback."
ESSENTIAL_EXITED = "Essential container in task exited"
NO_EXECUTE_COMMAND = (
    "The execute command failed because execute command was not enabled when the task was run or "
    "the execute command agent isn\u2019t running. Wait and try again or run a new task with "
    "execute command enabled and try again."
)
CAPACITY = (
    "Capacity is unavailable at this time. Please try again later or in a different availability "
    "zone"
)
"""Of Fargate, for RunTask's failures and the service event alike."""
SPOT_INTERRUPTED = "Your Spot Task was interrupted."
UNABLE = "is unable to consistently start tasks successfully."
STUCK = (
    "was unable to stop or start tasks during a deployment because of the service deployment "
    "configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
)


def started(tasks: Iterable[str], replaced: int = 0) -> str:
    """New tasks; `replaced` of them stand in for unhealthy ones."""
    ids = list(tasks)
    text = f"has started {len(ids)} tasks: {_listed(ids)}."
    if replaced:
        text += f" Amazon ECS replaced {replaced} tasks due to an unhealthy status."
    return text


def stopped(tasks: Iterable[str]) -> str:
    """Running tasks that the scheduler ordered to stop."""
    ids = list(tasks)
    return f"has stopped {len(ids)} running tasks: {_listed(ids)}."


def stopped_pending(count: int) -> str:
    """Tasks stopped before they ran."""
    return f"stopped {count} pending tasks."


def registered(count: int, target_group: str) -> str:
    """Targets registered; AWS writes no period."""
    return f"registered {count} targets in (target-group {target_group})"


def deregistered(count: int, target_group: str) -> str:
    """Targets deregistered; AWS writes no period."""
    return f"deregistered {count} targets in (target-group {target_group})"


def unhealthy(task: str, port: int, target_group: str, reason: str) -> str:
    """A target that failed its checks."""
    return (
        f"(task {task}) (port {port}) is unhealthy in (target-group {target_group}) "
        f"due to (reason {reason})."
    )


def failed_elb_checks(target_group: str) -> str:
    """Why such a task was stopped."""
    return f"Task failed ELB health checks in (target-group {target_group})"


FAILED_CONTAINER_CHECKS = "Task failed container health checks"


def failed_container_checks(task: str) -> str:
    """A task whose container called itself unhealthy."""
    return f"(task {task}) failed container health checks."


def scaling(deployment: str) -> str:
    """Why the scheduler stopped a task, also when a deployment replaced it."""
    return f"Scaling activity initiated by (deployment {deployment})"


def cannot_pull(image: str) -> str:
    """Why a task with an unknown image never started."""
    return (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {image}: {image}: not found"
    )


def cannot_find_secret(secret: str) -> str:
    """Why a task whose secret is gone never started."""
    return (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
        "retrieval failed: unable to retrieve secret from asm: service call has been retried 1 "
        f"time(s): failed to fetch secret {secret} from secrets manager: "
        "ResourceNotFoundException: Secrets Manager can't find the specified secret."
    )


def no_addresses(subnet: str) -> str:
    """Why a task got no network interface."""
    return (
        "Unexpected EC2 error while attempting to Create Network Interface with public IP "
        f"assignment disabled in subnet '{subnet}': InsufficientFreeAddressesInSubnet"
    )


def cannot_place(reason: str) -> str:
    """No task could be placed."""
    return f"was unable to place a task. Reason: {reason}."


def in_progress(deployment: str) -> str:
    """Rollout reason of a deployment under way."""
    return f"ECS deployment {deployment} in progress."


def completed(deployment: str) -> str:
    """Rollout reason of a finished deployment."""
    return f"ECS deployment {deployment} completed."


BREAKER_FAILED = "ECS deployment circuit breaker: tasks failed to start."


def breaker_rolling_back(deployment: str) -> str:
    """Rollout reason of the deployment that a breaker went back to."""
    return f"ECS deployment circuit breaker: rolling back to deploymentId {deployment}."


def hook_failed(stage: str) -> str:
    """Status reason after a pause was answered with ROLLBACK or ran out of time.

    The stem is AWS's; what it says behind it of a pause was never captured.
    """
    return f"Service deployment rolled back because {stage} lifecycle hook(s) failed."


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a deployment failed, in each place where it is told."""

    reason: str
    """`statusReason` of the service deployment."""
    event: str
    """What the service event says after `deployment failed: `."""
    rollout: str
    """`rolloutStateReason` of the failed deployment."""
    rolls_back: bool = True
    by_breaker: bool = False

    @classmethod
    def plain(cls, reason: str) -> Failure:
        """One text everywhere, as strategies that shift traffic have it."""
        return cls(reason, reason, reason)


def breaker_failure(*, shifting: bool, rolls_back: bool) -> Failure:
    """The circuit breaker's; a strategy that shifts traffic names the status reason."""
    event = BREAKER_REASON if shifting else TASKS_FAILED
    return Failure(BREAKER_REASON, event, BREAKER_FAILED, rolls_back, by_breaker=True)


ALARM_REASON = "Service deployment rolled back because an alarm was detected."
"""For deployment alarms; no capture of AWS's own status reason for them is known."""


def alarm_failure(*, rolls_back: bool) -> Failure:
    """A deployment alarm's, with the event that was observed for every strategy."""
    return Failure(ALARM_REASON, "alarm detected.", ALARM_REASON, rolls_back)


def _listed(ids: list[str]) -> str:
    return " ".join(f"(task {task})" for task in ids)
