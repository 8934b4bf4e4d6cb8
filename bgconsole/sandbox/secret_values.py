"""Changes the values of secrets in the embedded engine, by Secrets Manager's own API."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
from collections.abc import Coroutine
from typing import Any

from .asgi import App, call
from .scope import Scope
from .stage import BadScenario

log = logging.getLogger(__name__)

_PASSWORD = re.compile(r"(?<=:)[^:@/]+(?=@)")


class EngineSecrets:
    """The secrets of one account and region."""

    def __init__(self, engine: App, scope: Scope, rng: random.Random) -> None:
        self._engine = engine
        self._scope = scope
        self._rng = rng
        self._first: dict[str, str] = {}
        self._last: asyncio.Task[None] | None = None

    async def value(self, reference: str) -> str | None:
        """What a container is given for a `valueFrom`: the secret, or one key of its JSON.

        `None` when there is no such secret or key.
        """
        parts = [*reference.split(":"), "", "", ""]
        told = await self._ask("GetSecretValue", {"SecretId": ":".join(parts[:7])})
        value: str | None = told.get("SecretString")
        key = parts[7]
        if value is None or not key:
            return value
        found = json.loads(value).get(key)
        return None if found is None else str(found)

    def change(self, reference: str) -> None:
        """Put another password into a secret's value, as a new version.

        Raises:
            BadScenario: the `valueFrom` is of no secret of Secrets Manager.
        """
        parts = reference.split(":")
        if len(parts) < 7 or parts[2] != "secretsmanager":
            raise BadScenario(f"{reference} is no secret of Secrets Manager")
        self._after_others(self._change(":".join(parts[:7])))

    def restore(self) -> None:
        """Put the values from before as new versions."""
        if self._last is not None:
            self._after_others(self._restore())

    async def settled(self) -> None:
        """Wait until all that was asked for is done."""
        if self._last is not None:
            await self._last

    async def _change(self, arn: str) -> None:
        told = await self._ask("GetSecretValue", {"SecretId": arn})
        value = told.get("SecretString")
        if value is None:
            return
        self._first.setdefault(arn, value)
        other = f"{self._rng.getrandbits(96):024x}"
        changed, places = _PASSWORD.subn(other, value, count=1)
        await self._put(arn, changed if places else other)

    async def _restore(self) -> None:
        first, self._first = self._first, {}
        for arn, value in first.items():
            await self._put(arn, value)

    async def _put(self, arn: str, value: str) -> None:
        await self._ask("PutSecretValue", {"SecretId": arn, "SecretString": value})

    def _after_others(self, work: Coroutine[Any, Any, None]) -> None:
        """One at a time, in the order that they were asked for."""
        before = self._last

        async def run() -> None:
            if before is not None:
                await before
            await work

        self._last = asyncio.get_running_loop().create_task(run())

    async def _ask(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "authorization": self._scope.signature,
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"secretsmanager.{operation}",
        }
        if operation.startswith("Put"):
            request["ClientRequestToken"] = f"{self._rng.getrandbits(128):032x}"
        answer = await call(self._engine, "POST", "/", headers, json.dumps(request).encode())
        if answer.status != 200:
            log.warning("the engine answered %s with status %d", operation, answer.status)
            return {}
        told: dict[str, Any] = json.loads(answer.body)
        return told
