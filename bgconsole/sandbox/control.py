"""The sandbox's own endpoint: list scenarios, begin one while everything runs.

`GET /_sandbox/scenario` lists them; `POST /_sandbox/scenario` with `{"scenario": "NAME=VALUE"}`
begins one. It is no AWS API and no client of AWS ever asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from .api import ApiError
from .asgi import Answer, BodyTooLarge, Disconnected, headers_of, read_body, send_answer
from .scenarios import SCENARIOS, BadScenario, Scenario, Stage, begin

if TYPE_CHECKING:
    from .asgi import App, Connection, Receive, Send

PATH = "/_sandbox/scenario"
_MAX_BODY = 65536


class Control:
    """Answers its own path, from this machine's programs only, and hands on all else."""

    def __init__(self, app: App, stage: Callable[[], Awaitable[Stage]]) -> None:
        self._app = app
        self._stage = stage

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if connection["type"] != "http" or connection["path"] != PATH:
            await self._app(connection, receive, send)
            return
        try:
            body = await read_body(receive, _MAX_BODY)
        except (BodyTooLarge, Disconnected):
            return
        status, told = await self._answer(connection, body)
        kind = ((b"content-type", b"application/json"),)
        await send_answer(send, Answer(status, kind, json.dumps(told).encode() + b"\n"))

    async def _answer(self, connection: Connection, body: bytes) -> tuple[int, dict[str, Any]]:
        if not from_this_machine(headers_of(connection)):
            return 403, {"error": "for programs of this machine only"}
        if connection["method"] == "GET":
            return 200, {"scenarios": [_row(scenario) for scenario in SCENARIOS]}
        if connection["method"] != "POST":
            return 405, {"error": "GET or POST"}
        try:
            asked = json.loads(body)["scenario"]
            if not isinstance(asked, str):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            return 400, {"error": 'the body is {"scenario": "NAME"} or {"scenario": "NAME=VALUE"}'}
        try:
            scenario = begin(await self._stage(), asked)
        except (BadScenario, ApiError) as refusal:
            return 400, {"error": str(refusal)}
        return 200, {"began": asked, "summary": scenario.summary}


def from_this_machine(headers: Mapping[str, str]) -> bool:
    """Whether a request is a program's: a page in a browser must not reach us by one of its own."""
    host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
    return "origin" not in headers and host in ("127.0.0.1", "localhost")


def _row(scenario: Scenario) -> dict[str, str]:
    return {
        "name": scenario.name,
        "takes": scenario.takes,
        "default": scenario.default,
        "summary": scenario.summary,
    }
