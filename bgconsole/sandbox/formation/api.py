"""How a resource type calls our services, and how a refusal reads in a stack event."""

from __future__ import annotations

import secrets
import string
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..api import ApiError, Response
from ..scope import Scope

_SERVICES = {"ecs": "Ecs", "elbv2": "ElasticLoadBalancingV2"}
_POLL_SECONDS = 0.05
_HANDLER_TIMEOUT_SECONDS = 3 * 60 * 60
_SUFFIX = string.ascii_letters + string.digits


class ResourceFailure(Exception):
    """Why a resource could not be made, in the words of CloudFormation's handlers."""

    def __init__(self, message: str, handler_code: str) -> None:
        token = uuid.uuid4()
        super().__init__(
            f'Resource handler returned message: "{message}" '
            f"(RequestToken: {token}, HandlerErrorCode: {handler_code})"
        )


class NotFound(ResourceFailure):
    """The resource is not there (any more)."""


class Cancelled(Exception):
    """The stack's update was cancelled meanwhile; the text is the reason of the resource."""


@dataclass(frozen=True, slots=True)
class Aws:
    """The worlds, called from a worker thread; time can be replaced in tests."""

    handle: Callable[[Scope, str, str, dict[str, Any]], Response]
    pause: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    cancelled: Callable[[], str] = str
    """Why the operation under way must not go on; empty when it may."""

    def call(self, scope: Scope, service: str, operation: str, request: dict[str, Any]) -> Response:
        """One operation of `ecs` or `elbv2`.

        Raises:
            NotFound: the service says that what is named does not exist.
            ResourceFailure: any other refusal.
        """
        try:
            return self.handle(scope, service, operation, request)
        except ApiError as refusal:
            words = (
                f"{refusal.message} (Service: {_SERVICES[service]}, "
                f"Status Code: {refusal.status}, Request ID: {uuid.uuid4()})"
            )
            code = _handler_code(refusal)
            raise (NotFound if code == "NotFound" else ResourceFailure)(words, code) from refusal

    def until_settled(self) -> Iterator[None]:
        """Turns of a wait for something to settle, for as long as CloudFormation would wait.

        Raises:
            ResourceFailure: after three hours.
            Cancelled: somebody cancelled the stack's update.
        """
        end = self.monotonic() + _HANDLER_TIMEOUT_SECONDS
        while self.monotonic() < end:
            yield
            if reason := self.cancelled():
                raise Cancelled(reason)
            self.pause(_POLL_SECONDS)
        raise ResourceFailure("Exceeded attempts to wait", "NotStabilized")


def _handler_code(refusal: ApiError) -> str:
    if "NotFound" in refusal.code or refusal.code == "ServiceNotActiveException":
        return "NotFound"
    if "AlreadyExists" in refusal.code or refusal.code.startswith("Duplicate"):
        return "AlreadyExists"
    if "AccessDenied" in refusal.code:
        return "AccessDenied"
    return "ServiceInternalError" if refusal.status >= 500 else "InvalidRequest"


def generated_name(stack: str, logical_id: str, limit: int = 255) -> str:
    """A name for a resource whose template gives none: stack, logical id, a random end."""
    suffix = "".join(secrets.choice(_SUFFIX) for _ in range(12))
    room = max(limit - len(suffix) - 1, 0)
    head = f"{stack}-{logical_id}"
    if len(head) > room:
        half = room // 2
        head = f"{stack[:half].rstrip('-')}-{logical_id[: room - half - 1]}"
    return f"{head}-{suffix}"
