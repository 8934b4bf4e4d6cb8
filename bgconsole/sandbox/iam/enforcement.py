"""The layer that asks IAM before a call is answered, for keys of users and sessions of roles.

The root of an account, whose key id is the account's number, may do everything, and so may a key
that IAM here does not know.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from ..asgi import BodyTooLarge, Disconnected, headers_of, read_body, replay, send_answer
from ..calls import Call, call_of, denied, error_answer
from ..scope import signed_scope
from .questions import questions

if TYPE_CHECKING:
    from ..api import ApiError
    from ..asgi import App, Connection, Receive, Send
    from .questions import Question

_ROOT = re.compile(r"\d{12}")
_MAX_BODY = 8 * 1024 * 1024


class Refused(Protocol):
    """Why a principal may not."""

    @property
    def principal(self) -> str:
        """Its ARN."""
        ...

    @property
    def explicit(self) -> bool:
        """Whether a policy denies it, rather than none allowing it."""
        ...


class Judge(Protocol):
    """Who knows principals and their policies."""

    def limited(self, key_id: str, account: str) -> bool:
        """Whether a key belongs to a user or to a role's session."""
        ...

    def judge(self, key_id: str, account: str, region: str, question: Question) -> Refused | None:
        """`None` where the key's policies allow it."""
        ...

    def action(
        self, call: Call, connection: Connection, headers: dict[str, str], body: bytes
    ) -> Call:
        """The call with its operation named, where only its path tells it (REST)."""
        ...

    def resource(
        self, call: Call, connection: Connection, headers: dict[str, str], body: bytes, region: str
    ) -> str:
        """The ARN of what a call of the engine's own services acts on; `*` for none."""
        ...


class Enforced:
    """The app behind it, for those who may."""

    def __init__(self, app: App, judge: Judge) -> None:
        self._app = app
        self._judge = judge

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection; what is not signed passes."""
        headers = headers_of(connection) if connection["type"] == "http" else {}
        scope = signed_scope(headers.get("authorization", ""))
        key_id = call_of(connection, headers, b"").key_id if scope is not None else ""
        registry = connection.get("path", "").startswith("/v2/")
        if scope is None or registry or not key_id or _ROOT.fullmatch(key_id):
            await self._app(connection, receive, send)
            return
        if not self._judge.limited(key_id, scope.account):
            await self._app(connection, receive, send)
            return
        try:
            body = await read_body(receive, _MAX_BODY)
        except (BodyTooLarge, Disconnected):
            return
        call = call_of(connection, headers, body)
        call = self._judge.action(call, connection, headers, body)
        resource = self._judge.resource(call, connection, headers, body, scope.region)
        for question in questions(call, body, scope, resource):
            refused = self._judge.judge(key_id, scope.account, scope.region, question)
            if refused is not None:
                answer = error_answer(call, _words(call, question, refused), str(uuid.uuid4()))
                await send_answer(send, answer)
                return
        await self._app(connection, replay(body, receive), send)


def _words(call: Call, question: Question, refused: Refused) -> ApiError:
    service, _, action = question.action.partition(":")
    asked = replace(call, service=service, action=action)
    return denied(asked, refused.principal, resource=question.resource, explicit=refused.explicit)
