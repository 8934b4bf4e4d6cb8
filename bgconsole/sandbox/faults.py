"""Trouble between a client and the API: throttling, refusals, expiry, slowness, cut connections.

One ASGI app in front of everything, so that every service fails in its own words and shape.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from .api import ApiError
from .asgi import Answer, BodyTooLarge, Disconnected, headers_of, read_body, replay, send_answer
from .scope import signed_scope
from .settings import PROVISIONER

if TYPE_CHECKING:
    from .asgi import App, Connection, Receive, Send

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/[a-z0-9-]+/([a-z0-9-]+)/")
_MAX_BODY = 8 * 1024 * 1024
_IAM_PREFIX = {"monitoring": "cloudwatch"}


@dataclass(slots=True)
class Faults:
    """What is wrong now; nothing to begin with."""

    calls_per_second: float | None = None
    """Each service answers so many calls a second and throttles the rest."""
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
        self.calls_per_second = None
        self.denied.clear()
        self.expired.clear()
        self.latency = self.jitter = self.resets = 0.0

    @property
    def any(self) -> bool:
        """Whether something is wrong."""
        slow = self.latency or self.jitter or self.resets
        return bool(self.calls_per_second is not None or self.denied or self.expired or slow)


@dataclass(frozen=True, slots=True)
class Call:
    """What a request asks for, as far as its headers and its form tell."""

    service: str
    """The prefix of its IAM actions."""
    action: str
    protocol: str
    """`json`, `query`, `ec2` or `cbor`: the shape of its errors."""
    key_id: str
    account: str

    @property
    def iam_action(self) -> str:
        """As a policy names it."""
        return f"{self.service}:{self.action}"


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
        if self._throttled(call.service):
            if call.protocol == "ec2":
                return ApiError("RequestLimitExceeded", "Request limit exceeded.", 503)
            code = "Throttling" if call.protocol == "query" else "ThrottlingException"
            return ApiError(code, "Rate exceeded")
        wanted = call.iam_action.lower()
        if any(fnmatchcase(wanted, pattern.lower()) for pattern in self._faults.denied):
            return _denied(call)
        return None

    def _throttled(self, service: str) -> bool:
        """Take one from the service's bucket; it holds what a second gives, at least one."""
        rate = self._faults.calls_per_second
        if rate is None:
            return False
        full = max(1.0, rate)
        now = self._now()
        left, then = self._buckets.get(service, (full, now))
        left = min(full, left + (now - then) * rate)
        throttled = left < 1.0
        self._buckets[service] = (left if throttled else left - 1.0, now)
        return throttled


def call_of(connection: Connection, headers: dict[str, str], body: bytes) -> Call:
    """What a signed request asks for."""
    authorization = headers.get("authorization", "")
    signed = _CREDENTIAL.search(authorization)
    key_id, service = signed.groups() if signed else ("", "")
    scope = signed_scope(authorization)
    account = scope.account if scope else ""
    path = str(connection["path"])
    target = headers.get("x-amz-target", "")
    if target:
        protocol, action = "json", target.rpartition(".")[2]
    elif "/operation/" in path:
        protocol, action = "cbor", path.rpartition("/")[2]
    else:
        form = body or bytes(connection["query_string"])
        fields = parse_qs(form.decode("latin-1"))
        action = fields.get("Action", [path])[0]
        protocol = "ec2" if service == "ec2" else "query"
    return Call(_IAM_PREFIX.get(service, service), action, protocol, key_id, account)


def error_answer(call: Call, error: ApiError, request_id: str) -> Answer:
    """An error in the shape of the call's protocol."""
    identity = (b"x-amzn-requestid", request_id.encode())
    if call.protocol == "json":
        text = json.dumps({"__type": error.code, "message": error.message})
        kind = b"application/x-amz-json-1.1"
        return Answer(error.status, ((b"content-type", kind), identity), text.encode())
    if call.protocol == "cbor":
        content = _cbor({"__type": error.code, "message": error.message})
        sent = (
            (b"content-type", b"application/cbor"),
            (b"smithy-protocol", b"rpc-v2-cbor"),
            (b"x-amzn-query-error", f"{error.code};Sender".encode()),
            identity,
        )
        return Answer(error.status, sent, content)
    inner = f"<Code>{error.code}</Code><Message>{_escaped(error.message)}</Message>"
    if call.protocol == "ec2":
        text = (
            f"<Response><Errors><Error>{inner}</Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return Answer(error.status, ((b"content-type", b"text/xml"), identity), text.encode())


def _expired(call: Call) -> ApiError:
    if call.protocol == "ec2":
        return ApiError("RequestExpired", "Request has expired.")
    words = "The security token included in the request is expired"
    if call.protocol == "query":
        return ApiError("ExpiredToken", words, 403)
    return ApiError("ExpiredTokenException", words)


def _denied(call: Call) -> ApiError:
    if call.protocol == "ec2":
        words = "You are not authorized to perform this operation."
        return ApiError("UnauthorizedOperation", words, 403)
    words = (
        f"User: arn:aws:iam::{call.account}:root is not authorized to perform: {call.iam_action} "
        f"because no identity-based policy allows the {call.iam_action} action"
    )
    if call.protocol == "query":
        return ApiError("AccessDenied", words, 403)
    return ApiError("AccessDeniedException", words)


async def _cut(send: Send) -> None:
    """Promise more than is sent: the server closes the connection when we return."""
    headers = [(b"content-type", b"application/x-amz-json-1.1"), (b"content-length", b"4096")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"', "more_body": True})


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cbor(texts: dict[str, str]) -> bytes:
    """A map of a few short texts in CBOR, the shape of an error there."""
    parts = [bytes([0xA0 + len(texts)])]
    for text in (each for pair in texts.items() for each in pair):
        content = text.encode()
        parts.append(b"\x79" + len(content).to_bytes(2) + content)
    return b"".join(parts)
