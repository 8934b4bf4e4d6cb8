"""CloudWatch in memory: what was put, and alarms that a test may define."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bgconsole.sandbox.ecs.alarms import AlarmTable
from bgconsole.sandbox.request_meter import NAMESPACE, Minute


class Alarms(AlarmTable):
    """Metric alarms; `states` holds what each shows."""

    def __init__(self) -> None:
        super().__init__()
        self.put_data: list[tuple[datetime, Minute]] = []
        self.reasons: dict[str, str] = {}
        self._alarms: dict[str, dict[str, Any]] = {}

    def define(self, name: str, metric: str, dimensions: Mapping[str, str], **more: Any) -> None:
        """An alarm over one minute that rings above `Threshold` 0; more of its members may come."""
        self.states[name] = "INSUFFICIENT_DATA"
        self._alarms[name] = {
            "Namespace": NAMESPACE,
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            **more,
        }

    def put(self, at: datetime, minute: Minute) -> None:
        """Keep it."""
        self.put_data.append((at, minute))

    def judge_all(self, decide: Callable[[Mapping[str, Any]], tuple[str, str] | None]) -> None:
        """Ask at once."""
        for name, alarm in self._alarms.items():
            decided = decide({**alarm, "AlarmName": name, "StateValue": self.states[name]})
            if decided is not None:
                self.states[name], self.reasons[name] = decided
