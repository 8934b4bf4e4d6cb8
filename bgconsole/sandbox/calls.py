"""What a signed request asks for, and refusals in the shape of its protocol."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from .api import ApiError
from .asgi import Answer
from .scope import signed_scope

if TYPE_CHECKING:
    from .asgi import Connection

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/[a-z0-9-]+/([a-z0-9-]+)/")
_IAM_PREFIX = {"monitoring": "cloudwatch"}


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
    region: str = ""

    @property
    def iam_action(self) -> str:
        """As a policy names it."""
        return f"{self.service}:{self.action}"

    @property
    def is_form(self) -> bool:
        """Whether its body is a form."""
        return self.protocol in ("query", "ec2")


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
    region = scope.region if scope else ""
    return Call(_IAM_PREFIX.get(service, service), action, protocol, key_id, account, region)


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


def denied(call: Call, principal: str, *, resource: str = "", explicit: bool = False) -> ApiError:
    """AccessDenied as IAM words it; `explicit` is that of a policy that denies."""
    reason = (
        "with an explicit deny in an identity-based policy"
        if explicit
        else f"because no identity-based policy allows the {call.iam_action} action"
    )
    on_what = f" on resource: {resource}" if resource and resource != "*" else ""
    words = f"User: {principal} is not authorized to perform: {call.iam_action}{on_what} {reason}"
    if call.protocol == "ec2":
        words = f"You are not authorized to perform this operation. {words}"
        return ApiError("UnauthorizedOperation", words, 403)
    if call.protocol == "query":
        return ApiError("AccessDenied", words, 403)
    return ApiError("AccessDeniedException", words)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cbor(texts: dict[str, str]) -> bytes:
    """A map of a few short texts in CBOR, the shape of an error there."""
    parts = [bytes([0xA0 + len(texts)])]
    for text in (each for pair in texts.items() for each in pair):
        content = text.encode()
        parts.append(b"\x79" + len(content).to_bytes(2) + content)
    return b"".join(parts)
