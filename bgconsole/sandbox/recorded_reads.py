"""What can be read of resources that are state only: scalable targets, policies and pipelines.

Nothing scales and no pipeline runs here, so there are no activities and no executions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .api import ApiError, Request, Response
from .dispatch import answer

if TYPE_CHECKING:
    from .formation.recorded import Record, Records
    from .scope import Scope

TARGETS = {
    "AnyScaleFrontendService.": "application-autoscaling",
    "CodePipeline_20150709.": "codepipeline",
}
"""How requests of these services begin their header `X-Amz-Target`."""

_REFUSALS = {"application-autoscaling": "ValidationException", "codepipeline": "InvalidAction"}


class RecordedReads:
    """The reads of both services, over what stacks recorded."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def handle(self, scope: Scope, service: str, operation: str, request: Request) -> Response:
        """Answer one operation.

        Raises:
            ApiError: there is no such pipeline, or the operation is not reproduced.
        """
        operations: dict[str, Mapping[str, Callable[[Request], Response]]] = {
            "application-autoscaling": {
                "DescribeScalableTargets": lambda r: self._targets(scope, r),
                "DescribeScalingPolicies": lambda r: self._policies(scope, r),
                "DescribeScalingActivities": lambda _: {"ScalingActivities": []},
            },
            "codepipeline": {
                "ListPipelines": lambda _: self._pipelines(scope),
                "GetPipelineState": lambda r: self._state(scope, r),
                "ListPipelineExecutions": lambda r: self._executions(scope, r),
            },
        }
        return answer(operations[service], _REFUSALS[service], operation, request)

    def _of(self, scope: Scope, kind: str) -> Iterator[tuple[str, Record]]:
        return self._records.of(scope, kind)

    def _targets(self, scope: Scope, request: Request) -> Response:
        found = []
        for _, record in self._of(scope, "AWS::ApplicationAutoScaling::ScalableTarget"):
            given = record.properties
            if _matches(given, request):
                found.append(
                    {
                        "ServiceNamespace": given["ServiceNamespace"],
                        "ResourceId": given["ResourceId"],
                        "ScalableDimension": given["ScalableDimension"],
                        "MinCapacity": int(given["MinCapacity"]),
                        "MaxCapacity": int(given["MaxCapacity"]),
                        "RoleARN": given.get("RoleARN") or _linked_role(scope),
                        "CreationTime": record.since,
                        "SuspendedState": _suspended(given.get("SuspendedState") or {}),
                    }
                )
        return {"ScalableTargets": found}

    def _policies(self, scope: Scope, request: Request) -> Response:
        found = []
        for arn, record in self._of(scope, "AWS::ApplicationAutoScaling::ScalingPolicy"):
            given = record.properties
            target = str(given.get("ScalingTargetId", "")).split("|")
            if len(target) == 3:
                named = dict(zip(_TARGET_PARTS, target, strict=True))
            else:
                named = {part: str(given.get(part, "")) for part in _TARGET_PARTS}
            if _matches(named, request):
                found.append(
                    {
                        **named,
                        "PolicyARN": arn,
                        "PolicyName": given["PolicyName"],
                        "PolicyType": given["PolicyType"],
                        "CreationTime": record.since,
                    }
                )
        return {"ScalingPolicies": found}

    def _pipelines(self, scope: Scope) -> Response:
        found = [
            {
                "name": name,
                "version": 1,
                "pipelineType": record.properties.get("PipelineType", "V1"),
                "executionMode": record.properties.get("ExecutionMode", "SUPERSEDED"),
                "created": record.since,
                "updated": record.since,
            }
            for name, record in self._of(scope, _PIPELINE)
        ]
        return {"pipelines": found}

    def _state(self, scope: Scope, request: Request) -> Response:
        record = self._pipeline(scope, request["name"])
        stages = [
            {
                "stageName": stage["Name"],
                "inboundTransitionState": {"enabled": True},
                "actionStates": [{"actionName": each["Name"]} for each in stage["Actions"]],
            }
            for stage in record.properties["Stages"]
        ]
        return {
            "pipelineName": request["name"],
            "pipelineVersion": 1,
            "stageStates": stages,
            "created": record.since,
            "updated": record.since,
        }

    def _executions(self, scope: Scope, request: Request) -> Response:
        self._pipeline(scope, request["pipelineName"])
        return {"pipelineExecutionSummaries": []}

    def _pipeline(self, scope: Scope, name: str) -> Record:
        found = dict(self._of(scope, _PIPELINE)).get(name)
        if found is None:
            words = f"Account '{scope.account}' does not have a pipeline with name '{name}'"
            raise ApiError("PipelineNotFoundException", words)
        return found


_PIPELINE = "AWS::CodePipeline::Pipeline"
_TARGET_PARTS = ("ResourceId", "ScalableDimension", "ServiceNamespace")
_SUSPENSIONS = (
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
)


def _matches(given: Mapping[str, Any], request: Request) -> bool:
    """Whether a target is among those that a request asks for."""
    ids = request.get("ResourceIds") or ([request["ResourceId"]] if "ResourceId" in request else [])
    dimension = request.get("ScalableDimension")
    return (
        given["ServiceNamespace"] == request["ServiceNamespace"]
        and (not ids or given["ResourceId"] in ids)
        and (dimension is None or given["ScalableDimension"] == dimension)
    )


def _linked_role(scope: Scope) -> str:
    return (
        f"arn:aws:iam::{scope.account}:role/aws-service-role/ecs.application-autoscaling."
        "amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"
    )


def _suspended(given: Mapping[str, Any]) -> dict[str, bool]:
    return {name: str(given.get(name, False)).lower() == "true" for name in _SUSPENSIONS}
