"""What tasks write, put into CloudWatch Logs of the embedded engine."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from .asgi import call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .asgi import Answer, App
    from .scope import Scope

log = logging.getLogger(__name__)

_MAX_EVENTS = 10_000
"""Of one PutLogEvents call, as AWS limits it."""


class LogWriter:
    """Writes lines to log streams, making a stream with its first line."""

    def __init__(self, engine: App) -> None:
        self._engine = engine

    async def put(
        self, scope: Scope, group: str, stream: str, lines: Sequence[tuple[int, str]]
    ) -> None:
        """Add lines, each with its time in milliseconds; lost, and logged, if the group is gone."""
        where = {"logGroupName": group, "logStreamName": stream}
        for start in range(0, len(lines), _MAX_EVENTS):
            batch = sorted(lines[start : start + _MAX_EVENTS], key=lambda line: line[0])
            # AWS takes no empty message; a container that writes an empty line means a blank one.
            events = [{"timestamp": at, "message": text or " "} for at, text in batch]
            put = {**where, "logEvents": events}
            answer = await self._ask(scope, "PutLogEvents", put)
            if answer.status == 400 and b"ResourceNotFoundException" in answer.body:
                await self._ask(scope, "CreateLogStream", where)
                answer = await self._ask(scope, "PutLogEvents", put)
            if answer.status != 200:
                log.warning("%d lines lost for %s %s: %s", len(batch), group, stream, answer.body)

    async def _ask(self, scope: Scope, operation: str, request: dict[str, Any]) -> Answer:
        headers = {
            "authorization": scope.signature,
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"Logs_20140328.{operation}",
        }
        return await call(self._engine, "POST", "/", headers, json.dumps(request).encode())
