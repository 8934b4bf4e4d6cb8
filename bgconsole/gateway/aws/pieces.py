"""Requests in pieces of the size that AWS takes, and times as the domain holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from botocore.client import BaseClient

Item = TypeVar("Item")

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def chunked(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Parts of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def utc(at: datetime | None) -> datetime | None:
    """In UTC, or None."""
    return at.astimezone(UTC) if at is not None else None


def utc_or_long_ago(at: datetime | None) -> datetime:
    """In UTC; 1970 for a time that AWS left out though it always gives it."""
    return utc(at) or LONG_AGO


def accepted(client: BaseClient, operation: str) -> frozenset[str]:
    """The members that a request of this operation may have, as the client's model knows them."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    return frozenset(shape.members) if shape is not None else frozenset()


def request_id(answer: Mapping[str, Any]) -> str:
    """AWS's id of the request that was answered."""
    return str(answer.get("ResponseMetadata", {}).get("RequestId", ""))
