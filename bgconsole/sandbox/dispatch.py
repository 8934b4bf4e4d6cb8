"""Operation names to functions, and the refusal of those that are not reproduced."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .api import ApiError, Request, Response

Operation = Callable[[Request], Response]


def without_none(value: object) -> object:
    """The same structure without the members that are `None`, as they are left out of replies."""
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_none(item) for item in value]
    return value


def answer(
    operations: Mapping[str, Operation], code: str, operation: str, request: Request
) -> Response:
    """Run one operation.

    Raises:
        ApiError: with `code`, when the operation is not reproduced; or as the operation refuses.
    """
    run = operations.get(operation)
    if run is None:
        raise ApiError(code, f"The sandbox does not reproduce {operation} yet")
    result = without_none(run(request))
    assert isinstance(result, dict)  # noqa: S101 - without_none keeps the type
    return result
