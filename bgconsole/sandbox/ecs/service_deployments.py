"""Operations on service deployments and service revisions."""

from __future__ import annotations

from ..api import ApiError, Request, Response
from ..paging import page
from . import render_deployments
from .scheduler import Scheduler
from .state import EcsState, Revision, Service, ServiceDeployment

_STOPPABLE = (
    "PENDING",
    "IN_PROGRESS",
    "STOP_REQUESTED",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
)


class ServiceDeploymentOperations:
    """ListServiceDeployments to ContinueServiceDeployment."""

    def __init__(self, state: EcsState, scheduler: Scheduler) -> None:
        self._state = state
        self._scheduler = scheduler

    def list_service_deployments(self, request: Request) -> Response:
        """A service's deployments, newest first, by status and time of creation."""
        service = self._service(request)
        records = [] if service.by_code_deploy else service.history
        if statuses := request.get("status"):
            records = [record for record in records if record.status in statuses]
        created = request.get("createdAt") or {}
        if after := created.get("after"):
            records = [record for record in records if record.created_at >= after]
        if before := created.get("before"):
            records = [record for record in records if record.created_at <= before]
        shown, following = page(
            records,
            token=request.get("nextToken"),
            size=request.get("maxResults", 20),
            error="InvalidParameterException",
        )
        return {
            "serviceDeployments": [
                render_deployments.service_deployment_brief(record) for record in shown
            ],
            "nextToken": following,
        }

    def describe_service_deployments(self, request: Request) -> Response:
        """Up to twenty service deployments; unknown ones are failures."""
        known = self._known()
        found, failures = [], []
        for arn in _twenty(request["serviceDeploymentArns"]):
            if arn in known:
                found.append(render_deployments.service_deployment(known[arn]))
            else:
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"serviceDeployments": found, "failures": failures}

    def describe_service_revisions(self, request: Request) -> Response:
        """Up to twenty service revisions with their image digests."""
        known: dict[str, tuple[Revision, Service]] = {
            arn: (revision, service)
            for service in self._state.all_services()
            for arn, revision in service.revisions.items()
        }
        found, failures = [], []
        for arn in _twenty(request["serviceRevisionArns"]):
            if arn in known:
                found.append(render_deployments.revision(*known[arn]))
            else:
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"serviceRevisions": found, "failures": failures}

    def stop_service_deployment(self, request: Request) -> Response:
        """Go back to the source revision of a deployment in flight."""
        arn = request["serviceDeploymentArn"]
        record = self._one(arn)
        if request.get("stopType", "ROLLBACK") != "ROLLBACK":
            raise ApiError(
                "InvalidParameterException", "The sandbox reproduces the stop type ROLLBACK only."
            )
        if record.status not in _STOPPABLE:
            raise ApiError(
                "ConflictException",
                f"Service deployment {arn} cannot be stopped: its status is {record.status}.",
            )
        if record.status in ("PENDING", "IN_PROGRESS"):
            self._scheduler.request_rollback(record)
        return {"serviceDeploymentArn": arn}

    def continue_service_deployment(self, request: Request) -> Response:
        """Answer a pause: go on, or go back."""
        arn = request["serviceDeploymentArn"]
        record = self._one(arn)
        action = request.get("action", "CONTINUE")
        self._scheduler.shifts.answer(record, request["hookId"], action)
        return {"serviceDeploymentArn": arn}

    def _one(self, arn: str) -> ServiceDeployment:
        record = self._known().get(arn)
        if record is None:
            raise ApiError(
                "ServiceDeploymentNotFoundException", f"Service deployment {arn} not found."
            )
        return record

    def _service(self, request: Request) -> Service:
        reference = request["service"]
        named = request.get("cluster")
        if named is None and reference.startswith("arn:"):
            named = reference.rpartition(":")[2].split("/")[1]
        return self._state.service(self._state.cluster(named), reference)

    def _known(self) -> dict[str, ServiceDeployment]:
        return {
            record.arn: record
            for service in self._state.all_services()
            for record in service.history
        }


def _twenty(arns: list[str]) -> list[str]:
    if len(arns) > 20:
        raise ApiError("InvalidParameterException", "At most 20 ARNs can be described at once.")
    return arns
