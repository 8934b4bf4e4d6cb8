"""Application Auto Scaling's activities and CloudWatch's alarm history, read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bgconsole.domain.activity import Activity, AlarmChange, Scaling
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import utc_or_long_ago

PAGE = 50
"""Entries of each, the newest: one call for the service, one for each alarm."""


@dataclass(frozen=True, slots=True)
class AwsActivity:
    """The `ServiceActivity` port."""

    clients: Clients

    def recent(self, ref: ServiceRef, alarms: Sequence[str]) -> Activity:
        """DescribeScalingActivities of the service, DescribeAlarmHistory of each alarm."""
        return Activity(
            scaling=tuple(sorted(self._scaling(ref), key=lambda each: each.at)),
            alarms=tuple(
                sorted(
                    (change for name in alarms for change in self._alarm(name)),
                    key=lambda each: each.at,
                )
            ),
        )

    def _scaling(self, ref: ServiceRef) -> Iterator[Scaling]:
        words = f"scaling of service {ref}"
        with self.clients.reading("application-autoscaling:DescribeScalingActivities", words):
            answer = self.clients.client("application-autoscaling").describe_scaling_activities(
                ServiceNamespace="ecs",
                ResourceId=f"service/{ref.cluster}/{ref.name}",
                ScalableDimension="ecs:service:DesiredCount",
                MaxResults=PAGE,
            )
        for told in answer.get("ScalingActivities", ()):
            yield Scaling(
                at=utc_or_long_ago(told.get("StartTime")),
                description=str(told.get("Description", "")),
                cause=str(told.get("Cause", "")),
                status=str(told.get("StatusCode", "")),
                message=str(told.get("StatusMessage", "")),
            )

    def _alarm(self, name: str) -> Iterator[AlarmChange]:
        with self.clients.reading("cloudwatch:DescribeAlarmHistory", f"alarm {name}"):
            answer = self.clients.client("cloudwatch").describe_alarm_history(
                AlarmName=name,
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                HistoryItemType="StateUpdate",
                MaxRecords=PAGE,
            )
        for told in answer.get("AlarmHistoryItems", ()):
            new = _new_state(str(told.get("HistoryData", "")))
            yield AlarmChange(
                at=utc_or_long_ago(told.get("Timestamp")),
                name=str(told.get("AlarmName", name)),
                state=str(new.get("stateValue", "")),
                summary=str(told.get("HistorySummary", "")),
                reason=str(new.get("stateReason", "")),
            )


def _new_state(data: str) -> Mapping[str, Any]:
    """The `newState` of HistoryData; nothing where it is not as documented."""
    try:
        told = json.loads(data)
    except ValueError:
        return {}
    new = told.get("newState") if isinstance(told, dict) else None
    return new if isinstance(new, dict) else {}
