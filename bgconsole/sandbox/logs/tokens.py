"""Opaque tokens: where the next page begins, readable by us alone, good for a day."""

from __future__ import annotations

import base64
import binascii
import json
from hashlib import blake2b
from typing import Any

from ..api import ApiError

LIFETIME = 24 * 3600 * 1000
"""Milliseconds."""
_DIGEST = 6


def mint(kind: str, now: int, *fields: object) -> str:
    """A token of one kind that carries `fields` (JSON's values)."""
    body = json.dumps([kind, now, *fields], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_digest(body) + body).decode()


def redeem(kind: str, token: str, now: int) -> list[Any]:
    """The fields of a token.

    Raises:
        ApiError: it is none of ours, of another kind, or older than a day.
    """
    try:
        raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise invalid() from None
    digest, body = raw[:_DIGEST], raw[_DIGEST:]
    if digest != _digest(body):
        raise invalid()
    fields: list[Any]
    minted_kind, minted, *fields = json.loads(body)
    if minted_kind != kind or now - minted > LIFETIME:
        raise invalid()
    return fields


def invalid() -> ApiError:
    """What AWS says of a token that it cannot use."""
    return ApiError("InvalidParameterException", "The specified nextToken is invalid.")


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=_DIGEST, person=b"bgc-log-token").digest()
