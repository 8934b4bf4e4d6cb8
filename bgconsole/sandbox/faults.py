"""Trouble between a client and the API: throttling, refusals, expiry, slowness, cut connections.

One ASGI app in front of everything, so that every service fails in its own words and shape.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .api import ApiError
from .asgi import BodyTooLarge, Disconnected, headers_of, read_body, replay, send_answer
from .calls import Call, call_of, denied, error_answer
from .settings import PROVISIONER

if TYPE_CHECKING:
    from .asgi import App, Connection, Receive, Send

_MAX_BODY = 8 * 1024 * 1024


@dataclass(slots=True)
class Faults:
    """What is wrong now; nothing to begin with."""

    calls_per_second: float | None = None
    """Each service answers so many calls a second and throttles the rest."""
    log_calls_per_second: float | None = None
    """Reads of CloudWatch Logs are throttled beyond so many a second in each region; 0: beyond
    AWS's own quota of the region."""
    denied: set[str] = field(default_factory=set)
    """IAM actions that are refused, such as `ecs:UpdateService`; `*` and `?` as in policies."""
    expired: set[str] = field(default_factory=set)
    """Access key ids whose session is over."""
    latency: float = 0.0
    """Seconds that every call takes longer."""
    jitter: float = 0.0
    """Seconds that it takes longer still, at random up to this."""
    resets: float = 0.0
    """The share of answers that are cut in the middle, 0 to 1."""

    def clear(self) -> None:
        """Nothing is wrong any more."""
        self.calls_per_second = self.log_calls_per_second = None
        self.denied.clear()
        self.expired.clear()
        self.latency = self.jitter = self.resets = 0.0

    @property
    def any(self) -> bool:
        """Whether something is wrong."""
        slow = self.latency or self.jitter or self.resets
        throttled = self.calls_per_second is not None or self.log_calls_per_second is not None
        return bool(throttled or self.denied or self.expired or slow)


class Faulty:
    """The app behind it, with faults."""

    def __init__(
        self,
        app: App,
        faults: Faults,
        rng: random.Random,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._app = app
        self._faults = faults
        self._rng = rng
        self._now = now
        self._sleep = sleep
        self._buckets: dict[str, tuple[float, float]] = {}

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection; what is not signed passes untouched."""
        headers = headers_of(connection) if connection["type"] == "http" else {}
        exempt = PROVISIONER in headers.get("user-agent", "")
        if not self._faults.any or exempt or "Credential=" not in headers.get("authorization", ""):
            await self._app(connection, receive, send)
            return
        try:
            body = await read_body(receive, _MAX_BODY)
        except (BodyTooLarge, Disconnected):
            return
        await self._serve(call_of(connection, headers, body), connection, body, receive, send)

    async def _serve(
        self, call: Call, connection: Connection, body: bytes, receive: Receive, send: Send
    ) -> None:
        faults = self._faults
        wait = faults.latency + self._rng.random() * faults.jitter
        if wait:
            await self._sleep(wait)
        if faults.resets and self._rng.random() < faults.resets:
            await _cut(send)
        elif (refusal := self._refusal(call)) is not None:
            await send_answer(send, error_answer(call, refusal, str(uuid.uuid4())))
        else:
            await self._app(connection, replay(body, receive), send)

    def _refusal(self, call: Call) -> ApiError | None:
        if call.key_id in self._faults.expired:
            return _expired(call)
        if self._throttled(call.service, self._faults.calls_per_second) or self._quota_used(call):
            if call.protocol == "ec2":
                return ApiError("RequestLimitExceeded", "Request limit exceeded.", 503)
            code = "Throttling" if call.protocol == "query" else "ThrottlingException"
            return ApiError(code, "Rate exceeded")
        wanted = call.iam_action.lower()
        if any(fnmatchcase(wanted, pattern.lower()) for pattern in self._faults.denied):
            return denied(call, f"arn:aws:iam::{call.account}:root")
        return None

    def _quota_used(self, call: Call) -> bool:
        """Whether a read of logs is beyond what its account has in its region."""
        rate = self._faults.log_calls_per_second
        if rate is None or call.service != "logs":
            return False
        quotas = {**LOG_QUOTAS, "FilterLogEvents": filter_quota(call.region)}
        if call.action not in quotas:
            return False
        bucket = f"{call.action} {call.account} {call.region}"
        return self._throttled(bucket, rate or quotas[call.action])

    def _throttled(self, bucket: str, rate: float | None) -> bool:
        """Take one from a bucket; it holds what a second gives, at least one."""
        if rate is None:
            return False
        full = max(1.0, rate)
        now = self._now()
        left, then = self._buckets.get(bucket, (full, now))
        left = min(full, left + (now - then) * rate)
        throttled = left < 1.0
        self._buckets[bucket] = (left if throttled else left - 1.0, now)
        return throttled


LOG_QUOTAS = {
    "DescribeLogGroups": 10.0,
    "DescribeLogStreams": 25.0,
    "GetLogEvents": 10.0,
    "StartLiveTail": 5.0,
}
"""Calls a second of an account in a region (the quotas of CloudWatch Logs in AWS's user guide)."""
_FIVE = frozenset({"eu-central-1", "ap-northeast-3", "ap-southeast-3", "ca-west-1", "il-central-1"})


def filter_quota(region: str) -> float:
    """Calls of FilterLogEvents a second that AWS gives an account in a region."""
    return 25.0 if region == "us-east-1" else 5.0 if region in _FIVE else 10.0


def _expired(call: Call) -> ApiError:
    if call.protocol == "ec2":
        return ApiError("RequestExpired", "Request has expired.")
    words = "The security token included in the request is expired"
    if call.protocol == "query":
        return ApiError("ExpiredToken", words, 403)
    return ApiError("ExpiredTokenException", words)


async def _cut(send: Send) -> None:
    """Promise more than is sent: the server closes the connection when we return."""
    headers = [(b"content-type", b"application/x-amz-json-1.1"), (b"content-length", b"4096")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"', "more_body": True})
