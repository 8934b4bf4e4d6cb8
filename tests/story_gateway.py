"""The AWS gateway over a story's world: botocore's own bytes, a virtual clock, no socket."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from bgconsole.domain.identity import Place
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.aws.caller import Caller
from bgconsole.gateway.aws.changes import AwsChanges
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.services import AwsServices
from bgconsole.gateway.aws.targets import AwsTargets
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.wire.json_codec import JsonCodec
from bgconsole.sandbox.wire.query_codec import QueryCodec
from bgconsole.sandbox.wire.reply import Reply
from tests.unit.sandbox.story import CLUSTER, SERVICE, Story

REF = ServiceRef(CLUSTER, SERVICE)


def story_gateway(story: Story, rest: ScriptedWorld) -> Gateway:
    """ECS and load balancing are the story's, spoken in AWS's protocols; all else is scripted."""
    wire = _Wire(story)

    def session() -> Any:
        made = botocore.session.Session()
        made.set_credentials("AKIDEXAMPLE", "not-a-secret")
        made.register("before-send", wire.answer)
        return made

    clients = Clients(region="us-east-1", caller=Caller(), new_session=session, wait=lambda _: None)
    return replace(
        scripted_gateway(rest),
        place=Place("us-east-1"),
        services=AwsServices(clients),
        changes=AwsChanges(clients),
        targets=AwsTargets(clients, lambda: story.clock.now().timestamp()),
    )


class _Wire:
    """Answers a prepared request as the sandbox's front would; one at a time."""

    def __init__(self, story: Story) -> None:
        self._lock = threading.Lock()
        self._ecs = (JsonCodec("ecs"), story.world.ecs)
        self._elbv2 = (QueryCodec("elbv2"), story.world.elbv2)

    def answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        body = request.body or b""
        form = body if isinstance(body, bytes) else str(body).encode()
        target = request.headers.get("X-Amz-Target", b"")
        named = target.decode() if isinstance(target, bytes) else str(target)
        if named:
            (codec, handlers), operation = self._ecs, named.rpartition(".")[2]
        else:
            (codec, handlers), operation = self._elbv2, parse_qs(form.decode())["Action"][0]
        reply: Reply
        with self._lock:
            try:
                asked = codec.parse(operation, form)
                reply = codec.render(operation, handlers.handle(operation, asked), "request")
            except ApiError as refusal:
                reply = codec.refuse(refusal, "request")
        headers = {"content-type": reply.content_type, "x-amzn-requestid": "request"}
        return AWSResponse(request.url, reply.status, headers, _Raw(reply.body))


class _Raw(io.BytesIO):
    """What urllib3 would give."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()
