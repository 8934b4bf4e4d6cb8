"""AWS JSON 1.1 for CloudWatch Logs, quick enough for pages of ten thousand events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..wire.json_codec import JsonCodec
from ..wire.reply import Reply


class LogsCodec(JsonCodec):
    """Renders without a look at the model: all of its answers are JSON's own values.

    Tests hold every answer against the model.
    """

    def __init__(self) -> None:
        super().__init__("logs")

    def render(self, operation: str, result: Mapping[str, Any], request_id: str) -> Reply:
        """See `Codec.render`."""
        del operation, request_id
        return Reply(200, "application/x-amz-json-1.1", json.dumps(result).encode())
