"""Each minute of AWS's time: the load balancers' counts go to CloudWatch, and its alarms follow."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from .alarm_rules import MORE, Datapoint, judge, statistic
from .clock import Clock
from .ecs.alarms import AlarmStates
from .request_meter import NAMESPACE, Dimensions, Key, Minute, RequestMeter

MINUTE = 60.0
MINUTE_FLOOR = 1.0
"""Real seconds, while an account is filled and no wait takes any time."""
_KEPT = 24 * 60
"""Minutes: the longest that periods and evaluation periods may reach back together."""


class CloudWatch(AlarmStates, Protocol):
    """Where metrics go and alarms are."""

    def put(self, at: datetime, minute: Minute) -> None:
        """Put the data of the minute that began then; in the background."""
        ...

    def judge_all(self, decide: Callable[[Mapping[str, Any]], tuple[str, str] | None]) -> None:
        """Ask `decide` of each metric alarm, as DescribeAlarms gives it, in the background.

        It tells the new state and its reason, `None` where nothing changes.
        """
        ...


class Minutes:
    """Reports and judges as long as the clock runs."""

    def __init__(
        self,
        clock: Clock,
        meter: RequestMeter,
        cloudwatch: CloudWatch,
        knows: Callable[[str], bool],
    ) -> None:
        """`knows` tells whether a value of the dimension LoadBalancer is of a balancer of ours."""
        self._clock = clock
        self._meter = meter
        self._cloudwatch = cloudwatch
        self._knows = knows
        self._past: deque[tuple[datetime, Minute]] = deque(maxlen=_KEPT)
        self._began = clock.now()

    def start(self) -> None:
        """Begin the first minute."""
        self._began = self._clock.now()
        self._clock.call_later(MINUTE, self._over, floor=MINUTE_FLOOR)

    def _over(self) -> None:
        began, minute = self._began, self._meter.take()
        self._past.appendleft((began, minute))
        if minute.values:
            self._cloudwatch.put(began, minute)
        self._cloudwatch.judge_all(self._decide)
        self.start()

    def _decide(self, alarm: Mapping[str, Any]) -> tuple[str, str] | None:
        """Alarms of other metrics, or set by hand without dimensions, are left alone."""
        if alarm.get("Namespace") != NAMESPACE or "MetricName" not in alarm:
            return None
        given = {d["Name"]: d["Value"] for d in alarm.get("Dimensions") or ()}
        if not self._knows(given.get("LoadBalancer", "")):
            return None
        judged = judge(alarm, self._points(alarm, frozenset(given.items())))
        if judged is None or judged.state == alarm["StateValue"]:
            return None
        return judged.state, judged.reason

    def _points(
        self, alarm: Mapping[str, Any], dimensions: Dimensions
    ) -> Sequence[Datapoint | None]:
        name = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        length = max(1, int(alarm.get("Period") or MINUTE) // int(MINUTE))
        key: Key = (alarm["MetricName"], dimensions)
        past = list(self._past)[: (int(alarm["EvaluationPeriods"]) + MORE) * length]
        points: list[Datapoint | None] = []
        for index in range(0, len(past), length):
            period = past[index : index + length]
            value = statistic(name, (minute.values.get(key, {}) for _, minute in period))
            points.append(None if value is None else (period[-1][0], value))
        return points
