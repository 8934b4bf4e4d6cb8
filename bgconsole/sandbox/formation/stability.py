"""When CloudFormation calls a service done: its deployment ended well and nothing is moving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .api import ResourceFailure

if TYPE_CHECKING:
    from ..scope import Scope
    from .api import Aws

_FAILED = {
    "STOP_REQUESTED",
    "STOPPED",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_SUCCESSFUL",
    "ROLLBACK_FAILED",
}
_BREAKER_WORDS = "ECS Deployment Circuit Breaker was triggered"


def deployments_of(aws: Aws, scope: Scope, service: dict[str, Any]) -> frozenset[str]:
    """The ARNs of all service deployments of a service, up to now."""
    request: dict[str, Any] = {"cluster": service["clusterArn"], "service": service["serviceArn"]}
    arns: set[str] = set()
    while True:
        page = aws.call(scope, "ecs", "ListServiceDeployments", request)
        arns.update(each["serviceDeploymentArn"] for each in page["serviceDeployments"])
        if not page.get("nextToken"):
            return frozenset(arns)
        request["nextToken"] = page["nextToken"]


def wait_until_stable(
    aws: Aws, scope: Scope, service: dict[str, Any], *, known: frozenset[str]
) -> None:
    """Wait for the service deployment that is not among `known`, if any, and for steadiness.

    Raises:
        ResourceFailure: that deployment failed, was stopped, or is being rolled back.
    """
    for _ in aws.until_settled():
        started = deployments_of(aws, scope, service) - known
        deployment = _service_deployment(aws, scope, min(started)) if started else None
        if deployment is not None and deployment["status"] in _FAILED:
            raise _failure(deployment)
        now = _describe(aws, scope, service["clusterArn"], service["serviceArn"])
        if now is None:
            raise ResourceFailure("The service was deleted meanwhile.", "NotFound")
        primary = next((d for d in now["deployments"] if d["status"] == "PRIMARY"), None)
        if primary is not None and primary.get("rolloutState") == "FAILED":
            raise _not_stabilised(primary.get("rolloutStateReason", ""))
        ended = deployment is None or deployment["status"] == "SUCCESSFUL"
        if ended and _steady(now):
            return


def wait_until_gone(aws: Aws, scope: Scope, cluster: str, service: str) -> None:
    """Wait until a deleted service has drained its tasks."""
    for _ in aws.until_settled():
        now = _describe(aws, scope, cluster, service)
        if now is None or now["status"] == "INACTIVE":
            return


def _steady(service: dict[str, Any]) -> bool:
    deployments = service["deployments"]
    if service.get("deploymentController", {}).get("type") == "CODE_DEPLOY":
        # It has task sets instead, and CodeDeploy waits for those.
        return bool(service["runningCount"] == service["desiredCount"])
    return (
        len(deployments) == 1
        and deployments[0].get("rolloutState", "COMPLETED") == "COMPLETED"
        and service["runningCount"] == service["desiredCount"]
    )


def _describe(aws: Aws, scope: Scope, cluster: str, service: str) -> dict[str, Any] | None:
    request = {"cluster": cluster, "services": [service]}
    found: list[dict[str, Any]] = aws.call(scope, "ecs", "DescribeServices", request)["services"]
    return found[0] if found else None


def _service_deployment(aws: Aws, scope: Scope, arn: str) -> dict[str, Any] | None:
    request = {"serviceDeploymentArns": [arn]}
    answer = aws.call(scope, "ecs", "DescribeServiceDeployments", request)
    found: list[dict[str, Any]] = answer["serviceDeployments"]
    return found[0] if found else None


def _failure(deployment: dict[str, Any]) -> ResourceFailure:
    breaker = deployment.get("deploymentCircuitBreaker", {})
    if breaker.get("status") == "TRIGGERED":
        return _not_stabilised(_BREAKER_WORDS)
    return _not_stabilised(deployment.get("statusReason") or f"Deployment {deployment['status']}")


def _not_stabilised(words: str) -> ResourceFailure:
    if "circuit breaker" in words:
        words = _BREAKER_WORDS
    return ResourceFailure(f"Error occurred during operation '{words}'.", "GeneralServiceException")
