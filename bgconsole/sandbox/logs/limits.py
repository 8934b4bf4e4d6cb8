"""The lengths, ranges, patterns and words that the service model allows in a request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from ..api import ApiError, Request

_MOST_TOLD = 10


def check(shape: Shape | None, request: Request) -> None:
    """Hold a request against its model's limits.

    Raises:
        ApiError: InvalidParameterException, in the words of AWS's own validation.
    """
    if shape is None:
        return
    broken = []
    for complaint in _complaints(shape, request, ""):
        broken.append(complaint)
        if len(broken) == _MOST_TOLD:
            break
    if broken:
        errors = "error" if len(broken) == 1 else "errors"
        message = f"{len(broken)} validation {errors} detected: {'; '.join(broken)}"
        raise ApiError("InvalidParameterException", message)


def _complaints(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            yield from _complaints(shape.members[name], member, f"{path}.{name}" if path else name)
        return
    if isinstance(shape, MapShape):
        return  # of entities alone, which nothing here reads
    rule = _rule(shape, value)
    if rule:
        shown = "[...]" if isinstance(value, list) and value else str(value)
        yield f"Value '{shown}' at '{path}' failed to satisfy constraint: Member must {rule}"
    if isinstance(shape, ListShape):
        for index, item in enumerate(value, start=1):
            yield from _complaints(shape.member, item, f"{path}.{index}.member")


def _rule(shape: Shape, value: Any) -> str:
    """The rule that the value breaks, empty for none."""
    limits = shape.metadata
    number = type(value) is int
    measured, what = (value, "value") if number else (_length(value), "length")
    if "min" in limits and measured < limits["min"]:
        return f"have {what} greater than or equal to {limits['min']}"
    if "max" in limits and measured > limits["max"]:
        return f"have {what} less than or equal to {limits['max']}"
    if "pattern" in limits and not _compiled(limits["pattern"]).fullmatch(value):
        return f"satisfy regular expression pattern: {limits['pattern']}"
    if limits.get("enum") and value not in limits["enum"]:
        return f"satisfy enum value set: [{', '.join(limits['enum'])}]"
    return ""


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str | list) else 0


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
