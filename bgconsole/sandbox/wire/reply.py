"""What goes back over HTTP, and what every codec can do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, cast

from botocore.model import StructureShape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import Shape

    from bgconsole.sandbox.api import ApiError


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer."""

    status: int
    content_type: str
    body: bytes


class ShapeMismatch(ValueError):
    """A result that the service model does not describe: a bug of ours, never the caller's."""


class Codec(Protocol):
    """One service in one protocol."""

    def parse(self, operation: str, body: bytes) -> dict[str, Any]:
        """The typed request of `operation`, its required members checked.

        Raises:
            ApiError: unknown operation, or a body that AWS refuses before the service sees it.
        """
        ...

    def render(self, operation: str, result: Mapping[str, Any], request_id: str) -> Reply:
        """The reply that carries `result`.

        Raises:
            ShapeMismatch: when `result` is not what the model says the operation returns.
        """
        ...

    def refuse(self, error: ApiError, request_id: str) -> Reply:
        """The reply that carries `error`, in the protocol's own shape."""
        ...


_KINDS: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list, tuple),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "float": (int, float),
    "timestamp": (datetime,),
    "blob": (bytes,),
}


def own(shape: Shape, value: Any, path: str) -> Any:
    """`value`, after checking it against what the model expects at `path` of a result.

    Raises:
        ShapeMismatch: a value of another type, or a member that the structure does not have.
    """
    kinds = _KINDS.get(shape.type_name, (str,))
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        found = type(value).__name__
        raise ShapeMismatch(f"{path}: {found} where the model has a {shape.type_name}")
    if isinstance(shape, StructureShape):
        unknown = cast("dict[str, Any]", value).keys() - shape.members.keys()
        if unknown:
            raise ShapeMismatch(f"{path}: {shape.name} has no member {', '.join(sorted(unknown))}")
    return value
