"""The state of CloudWatch alarms, asked of the embedded engine by its own API."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence

from .asgi import App, call
from .scope import Scope

log = logging.getLogger(__name__)


class EngineAlarms:
    """Alarms of one account and region, whoever set their state."""

    def __init__(self, engine: App, scope: Scope) -> None:
        self._engine = engine
        self._scope = scope
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, names: Sequence[str], done: Callable[[Mapping[str, str]], None]) -> None:
        """Ask DescribeAlarms in the background and tell `done`."""

        async def ask() -> None:
            done(await self._states(names))

        task = asyncio.get_running_loop().create_task(ask())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _states(self, names: Sequence[str]) -> dict[str, str]:
        headers = {
            "authorization": self._scope.signature,
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": "GraniteServiceVersion20100801.DescribeAlarms",
        }
        asked = json.dumps({"AlarmNames": list(names)}).encode()
        answer = await call(self._engine, "POST", "/", headers, asked)
        if answer.status != 200:
            log.warning("the engine answered DescribeAlarms with %r", answer.body[:200])
            return {}
        told = json.loads(answer.body)
        alarms = [*told.get("MetricAlarms", ()), *told.get("CompositeAlarms", ())]
        return {a["AlarmName"]: a["StateValue"] for a in alarms if a["AlarmName"] in names}
