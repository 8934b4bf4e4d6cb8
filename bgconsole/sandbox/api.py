"""What the wire and the world agree on: handlers over model-shaped dicts, AWS's kind of error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

Request = Mapping[str, Any]
"""A request whose members are named as in the botocore service model; timestamps are
aware datetimes."""

Response = dict[str, Any]
"""A result in the same form; members that are `None` are left out of the reply."""


class ApiError(Exception):
    """What AWS answers instead of a result; the wire puts it in the protocol's own shape."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class Handlers(Protocol):
    """One AWS service: quick, synchronous, called on the event loop's thread only."""

    def handle(self, operation: str, request: Request) -> Response:
        """Answer one operation.

        Raises:
            ApiError: as AWS would refuse it; also for an operation that is not reproduced.
        """
        ...
