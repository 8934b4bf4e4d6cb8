"""Real pages for list operations: an opaque token that says where the next page begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from .api import ApiError

T = TypeVar("T")


def page(
    items: Sequence[T], *, token: str | None, size: int, error: str
) -> tuple[list[T], str | None]:
    """One page of `items` and the token of the next, `None` at the end.

    Raises:
        ApiError: the token is not one that this function made (code `error`).
    """
    start = _offset(token, error)
    end = start + size
    following = _token(end) if end < len(items) else None
    return list(items[start:end]), following


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"page:{offset}".encode()).decode()


def _offset(token: str | None, error: str) -> int:
    if not token:
        return 0
    try:
        kind, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if kind == "page":
            return int(number)
    except (ValueError, binascii.Error):
        pass
    raise ApiError(error, "Invalid token")
