"""The front: one ASGI app that answers what is ours, and the rest from the engine.

Ours are ECS and ELBv2, from the worlds, the streams and events of CloudWatch Logs, and what can be
read of resources that are state only.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from .api import ApiError
from .asgi import (
    Answer,
    BodyTooLarge,
    Disconnected,
    collect,
    headers_of,
    read_body,
    replay,
    send_answer,
)
from .logs.codec import LogsCodec
from .logs.live_tail import LiveTail
from .recorded_reads import TARGETS
from .scope import registry_scope, signed_scope
from .wire.json_codec import JsonCodec
from .wire.query_codec import QueryCodec

if TYPE_CHECKING:
    from .asgi import App, Connection, Receive, Send
    from .logs.service import Logs
    from .recorded_reads import RecordedReads
    from .wire.reply import Codec, Reply
    from .worlds import WorldLike, Worlds

log = logging.getLogger(__name__)

_ECS_TARGET = "AmazonEC2ContainerServiceV20141113."
_LOGS_TARGET = "Logs_20140328."
_ECR_TARGET = "AmazonEC2ContainerRegistry_V20150921."
_ELBV2_VERSION = "2015-12-01"
_MAX_BODY = 8 * 1024 * 1024
_ECR_HOST = re.compile(rb"(https://)?\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com")
_ECR_TOKEN = re.compile(rb'("authorizationToken":\s*)"[^"]*"')


class Front:
    """Every request of a sandbox comes in here.

    ECR's registry has an address under amazonaws.com in the engine's answers, and a real Docker
    engine would push there; here it is `address`, where this front serves the registry.
    """

    def __init__(
        self,
        engine: App,
        worlds: Worlds[WorldLike],
        address: str,
        *,
        logs: Logs | None = None,
        recorded: RecordedReads | None = None,
        first: str = "",
    ) -> None:
        """Answer at once; with `first`, only user agents that contain it until `open` is set.

        Without `logs` all of CloudWatch Logs is the engine's.
        """
        self._engine = engine
        self._worlds = worlds
        self._logs = logs
        self._recorded = recorded
        self._address = address.encode()
        self._first = first
        self.open = asyncio.Event()
        if not first:
            self.open.set()
        self._codecs: dict[str, Codec] = {
            "ecs": JsonCodec("ecs"),
            "elbv2": QueryCodec("elbv2"),
            "logs": LogsCodec(),
        }

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if connection["type"] != "http":
            await self._engine(connection, receive, send)
            return
        try:
            await self._route(connection, receive, send)
        except Disconnected:
            return
        except BodyTooLarge:
            message = f"The request is larger than {_MAX_BODY} bytes."
            await send_answer(send, _plain(413, message))

    async def _route(self, connection: Connection, receive: Receive, send: Send) -> None:
        headers = headers_of(connection)
        path = str(connection["path"])
        target = headers.get("x-amz-target", "")
        signed = "authorization" in headers and not path.startswith("/v2/")
        if signed and self._first not in headers.get("user-agent", ""):
            await self.open.wait()
        if path.startswith("/_"):
            # The engine's own controls (reset, configuration) would leave our worlds behind.
            await send_answer(send, _plain(404, "There is nothing here."))
        elif path == "/v2" or path.startswith("/v2/"):
            await self._registry(connection, headers, receive, send)
        elif target.startswith(_ECS_TARGET):
            body = await read_body(receive, _MAX_BODY)
            await self._ours("ecs", target.removeprefix(_ECS_TARGET), headers, body, send)
        elif target.startswith(_LOGS_TARGET) and self._logs is not None:
            operation = target.removeprefix(_LOGS_TARGET)
            await self._log_call(self._logs, operation, connection, headers, receive, send)
        elif self._recorded is not None and target.startswith(tuple(TARGETS)):
            prefix, _, operation = target.partition(".")
            body = await read_body(receive, _MAX_BODY)
            await self._ours(TARGETS[f"{prefix}."], operation, headers, body, send)
        elif target.startswith(_ECR_TARGET):
            await self._ecr(connection, headers, receive, send)
        elif path == "/" and _may_be_query(connection, headers):
            await self._query(connection, headers, receive, send)
        else:
            await self._engine(connection, receive, send)

    async def _query(
        self, connection: Connection, headers: dict[str, str], receive: Receive, send: Send
    ) -> None:
        body = await read_body(receive, _MAX_BODY)
        form = body if connection["method"] == "POST" else bytes(connection["query_string"])
        fields = _first_fields(form)
        if fields.get("Version") == _ELBV2_VERSION and "Action" in fields:
            await self._ours("elbv2", fields["Action"], headers, form, send)
        else:
            await self._engine(connection, replay(body, receive), send)

    async def _log_call(
        self,
        logs: Logs,
        operation: str,
        connection: Connection,
        headers: dict[str, str],
        receive: Receive,
        send: Send,
    ) -> None:
        if operation in logs.operations:
            body = await read_body(receive, _MAX_BODY)
            tail = await self._ours("logs", operation, headers, body, send)
            if tail is not None:
                await tail.serve(receive, send)
        elif operation == "DeleteLogGroup":
            body = await read_body(receive, _MAX_BODY)
            answer = await collect(self._engine, connection, replay(body, receive))
            scope = signed_scope(headers.get("authorization", ""))
            if answer.status == 200 and scope is not None:
                logs.forget(scope, json.loads(body)["logGroupName"])
            await send_answer(send, answer)
        else:
            await self._engine(connection, receive, send)

    async def _ours(
        self, service: str, operation: str, headers: dict[str, str], body: bytes, send: Send
    ) -> LiveTail | None:
        """Answer; an answer that is a stream is given back to be served."""
        request_id = str(uuid.uuid4())
        if service not in self._codecs:  # seldom asked: its model is not loaded before
            self._codecs[service] = JsonCodec(service)
        codec = self._codecs[service]
        reply: Reply
        try:
            scope = signed_scope(headers.get("authorization", ""))
            if scope is None:
                raise ApiError("MissingAuthenticationToken", "Missing Authentication Token", 403)
            request = codec.parse(operation, body)
            if service == "logs" and self._logs is not None:
                result = await self._logs.handle(scope, operation, request)
            elif self._recorded is not None and service in TARGETS.values():
                result = self._recorded.handle(scope, service, operation, request)
            else:
                result = await self._worlds.handle(scope, service, operation, request)
            if isinstance(result, LiveTail):
                return result
            reply = codec.render(operation, result, request_id)
        except ApiError as refusal:
            reply = codec.refuse(refusal, request_id)
        except Exception:  # a client gets AWS's own kind of failure, we get the log
            log.exception("%s %s failed (request %s)", service, operation, request_id)
            words = f"The sandbox failed on {operation}; its log tells more (request {request_id})."
            reply = codec.refuse(ApiError("InternalFailure", words, 500), request_id)
        sent = (
            (b"content-type", reply.content_type.encode()),
            (b"x-amzn-requestid", request_id.encode()),
        )
        await send_answer(send, Answer(reply.status, sent, reply.body))
        return None

    async def _registry(
        self, connection: Connection, headers: dict[str, str], receive: Receive, send: Send
    ) -> None:
        """The engine finds the account in a signature; a Docker client sends a password."""
        given = headers.get("authorization", "")
        scope = registry_scope(given)
        if scope is None:
            await send_answer(send, _unauthorized(given))
            return
        kept = [(n, v) for n, v in connection["headers"] if n.lower() != b"authorization"]
        signed = [*kept, (b"authorization", scope.signature.encode())]
        await self._engine({**connection, "headers": signed}, receive, send)

    async def _ecr(
        self, connection: Connection, headers: dict[str, str], receive: Receive, send: Send
    ) -> None:
        body = await read_body(receive, _MAX_BODY)
        answer = await collect(self._engine, connection, replay(body, receive))
        told = _ECR_HOST.sub(
            lambda host: (b"http://" if host[1] else b"") + self._address, answer.body
        )
        scope = signed_scope(headers.get("authorization", ""))
        if scope is not None:
            token = scope.registry_token.encode()
            told = _ECR_TOKEN.sub(lambda given: given[1] + b'"' + token + b'"', told)
        await send_answer(send, Answer(answer.status, answer.headers, told))


def _may_be_query(connection: Connection, headers: dict[str, str]) -> bool:
    if connection["method"] == "POST":
        return headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return connection["method"] == "GET" and b"Action=" in connection["query_string"]


def _first_fields(form: bytes) -> dict[str, str]:
    """`Action` and `Version` of a form; whatever is wrong with the rest is the codec's to say."""
    try:
        fields = parse_qs(form.decode("latin-1"), keep_blank_values=True)
    except ValueError:
        return {}
    return {name: fields[name][0] for name in ("Action", "Version") if name in fields}


def _unauthorized(given: str) -> Answer:
    """As ECR refuses: 401 without a password, 403 with one that is not its own."""
    code, words = ("UNAUTHORIZED", "authentication required")
    if given:
        code, words = ("DENIED", "Your Authorization Token is invalid.")
    told = {"errors": [{"code": code, "message": words}]}
    headers = (
        (b"content-type", b"application/json"),
        (b"docker-distribution-api-version", b"registry/2.0"),
        (b"www-authenticate", b'Basic realm="sandbox",service="ecr.amazonaws.com"'),
    )
    return Answer(403 if given else 401, headers, json.dumps(told).encode())


def _plain(status: int, words: str) -> Answer:
    return Answer(status, ((b"content-type", b"text/plain; charset=utf-8"),), words.encode())
