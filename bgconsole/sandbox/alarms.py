"""CloudWatch's metrics and alarms, in the embedded engine, by its own API."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from .asgi import App, call
from .request_meter import NAMESPACE, RESPONSE_TIME, Minute
from .scope import Scope

log = logging.getLogger(__name__)

_VALUES = 150
"""Different values that one datum of PutMetricData may carry."""
_DATA = 500
"""Data that one call of PutMetricData may carry."""
_SHOWN = 100
"""Alarms on a page of DescribeAlarms."""


class EngineAlarms:
    """Metrics and alarms of one account and region, whoever made them."""

    def __init__(self, engine: App, scope: Scope) -> None:
        self._engine = engine
        self._scope = scope
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, names: Sequence[str], done: Callable[[Mapping[str, str]], None]) -> None:
        """Ask DescribeAlarms in the background and tell `done`."""

        async def ask() -> None:
            done(await self._states(names))

        self._spawn(ask())

    def put(self, at: datetime, minute: Minute) -> None:
        """PutMetricData in the background."""
        data = list(_data(at, minute))

        async def send() -> None:
            for first in range(0, len(data), _DATA):
                part = {"Namespace": NAMESPACE, "MetricData": data[first : first + _DATA]}
                await self._ask("PutMetricData", part)

        self._spawn(send())

    def judge_all(self, decide: Callable[[Mapping[str, Any]], tuple[str, str] | None]) -> None:
        """Ask `decide` of each metric alarm, and SetAlarmState where it says so."""

        async def go_through() -> None:
            async for alarm in self._alarms():
                decided = decide(alarm)
                if decided is not None:
                    state = {
                        "AlarmName": alarm["AlarmName"],
                        "StateValue": decided[0],
                        "StateReason": decided[1],
                    }
                    await self._ask("SetAlarmState", state)

        self._spawn(go_through())

    async def _states(self, names: Sequence[str]) -> dict[str, str]:
        told = await self._ask("DescribeAlarms", {"AlarmNames": list(names)})
        alarms = [*told.get("MetricAlarms", ()), *told.get("CompositeAlarms", ())]
        return {a["AlarmName"]: a["StateValue"] for a in alarms if a["AlarmName"] in names}

    async def _alarms(self) -> Any:
        asked: dict[str, Any] = {"AlarmTypes": ["MetricAlarm"], "MaxRecords": _SHOWN}
        while True:
            told = await self._ask("DescribeAlarms", asked)
            for alarm in told.get("MetricAlarms", ()):
                yield alarm
            if not told.get("NextToken"):
                return
            asked["NextToken"] = told["NextToken"]

    async def _ask(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "authorization": self._scope.signature,
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"GraniteServiceVersion20100801.{operation}",
        }
        answer = await call(self._engine, "POST", "/", headers, json.dumps(request).encode())
        if answer.status != 200:
            log.warning("the engine answered %s with %r", operation, answer.body[:200])
            return {}
        told: dict[str, Any] = json.loads(answer.body or b"{}")
        return told

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _data(at: datetime, minute: Minute) -> Iterator[dict[str, Any]]:
    for (name, dimensions), values in minute.values.items():
        shown = sorted(values)
        for first in range(0, len(shown), _VALUES):
            part = shown[first : first + _VALUES]
            yield {
                "MetricName": name,
                "Dimensions": [{"Name": n, "Value": v} for n, v in sorted(dimensions)],
                "Timestamp": at.timestamp(),
                "Unit": "Seconds" if name == RESPONSE_TIME else "Count",
                "Values": part,
                "Counts": [values[value] for value in part],
            }
