"""The server's half of AWS's event stream encoding: prelude, headers, payload, checksums.

https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import json
import struct
from binascii import crc32
from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def event(kind: str, payload: Mapping[str, Any]) -> bytes:
    """A message of an event type; `initial-response` is the first of every stream."""
    headers = {":message-type": "event", ":event-type": kind}
    return _message({**headers, ":content-type": "application/json"}, payload)


def exception(kind: str, message: str) -> bytes:
    """A modelled exception inside the stream."""
    headers = {":message-type": "exception", ":exception-type": kind}
    return _message({**headers, ":content-type": "application/json"}, {"message": message})


def _message(headers: Mapping[str, str], payload: Mapping[str, Any]) -> bytes:
    encoded = b"".join(_header(name, value) for name, value in headers.items())
    body = json.dumps(payload).encode()
    # Two lengths, their checksum, headers, payload, and the checksum of everything before it.
    prelude = struct.pack(">II", len(encoded) + len(body) + 16, len(encoded))
    start = prelude + struct.pack(">I", crc32(prelude)) + encoded + body
    return start + struct.pack(">I", crc32(start))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack(">B", len(key)) + key + struct.pack(">BH", _STRING, len(text)) + text
