"""AWS JSON 1.1 (Amazon ECS): bodies are JSON objects, errors carry `__type`."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, StructureShape

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.wire.models import missing_members, service_model, wire_error
from bgconsole.sandbox.wire.reply import Reply, own

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import Shape

_CONTENT_TYPE = "application/x-amz-json-1.1"


class JsonCodec:
    """The JSON protocol for one service."""

    def __init__(self, service: str) -> None:
        self._model = service_model(service)
        self._operations = frozenset(self._model.operation_names)

    def parse(self, operation: str, body: bytes) -> dict[str, Any]:
        """See `Codec.parse`. Members unknown to the model are ignored, as AWS ignores them."""
        if operation not in self._operations:
            raise ApiError("UnknownOperationException", f"Unknown operation {operation}.")
        try:
            document = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            raise ApiError("SerializationException", "The request body is not JSON.") from None
        if not isinstance(document, dict):
            raise ApiError("SerializationException", "The request body is not a JSON object.")
        shape = self._model.operation_model(operation).input_shape
        if shape is None:
            return {}
        request: dict[str, Any] = from_json(shape, document, "")
        for path in missing_members(shape, request):
            name = f"{path[:1].upper()}{path[1:]}"
            raise ApiError("InvalidParameterException", f"{name} cannot be blank.")
        return request

    def render(self, operation: str, result: Mapping[str, Any], request_id: str) -> Reply:
        """See `Codec.render`."""
        del request_id  # travels in a header only
        shape = self._model.operation_model(operation).output_shape
        document = to_json(shape, result, operation) if shape is not None else {}
        return Reply(200, _CONTENT_TYPE, json.dumps(document).encode())

    def refuse(self, error: ApiError, request_id: str) -> Reply:
        """See `Codec.refuse`."""
        del request_id
        code, status = wire_error(self._model, error)
        document = {"__type": code, "message": error.message}
        return Reply(status, _CONTENT_TYPE, json.dumps(document).encode())


def from_json(shape: Shape, value: Any, path: str) -> Any:
    """A JSON value as the typed value that `shape` describes.

    Raises:
        ApiError: SerializationException when the JSON type is not the model's.
    """
    if isinstance(shape, StructureShape):
        if shape.is_document_type:
            return value
        return {
            name: from_json(shape.members[name], member, f"{path}.{name}")
            for name, member in _expect(value, dict, path).items()
            if name in shape.members and member is not None
        }
    if isinstance(shape, ListShape):
        items = _expect(value, list, path)
        return [from_json(shape.member, item, f"{path}[{i}]") for i, item in enumerate(items)]
    if isinstance(shape, MapShape):
        entries = _expect(value, dict, path).items()
        return {key: from_json(shape.value, each, f"{path}.{key}") for key, each in entries}
    return _scalar_from_json(shape.type_name, value, path)


def to_json(shape: Shape, value: Any, path: str) -> Any:
    """A typed value as JSON's values; members that are `None` are left out.

    Raises:
        ShapeMismatch: when the value is not what `shape` describes.
    """
    if isinstance(shape, StructureShape):
        if shape.is_document_type:
            return value
        members = shape.members
        return {
            # Most members are text, and there are thousands: they need no path and no call.
            name: member
            if type(member) is str and members[name].type_name == "string"
            else to_json(members[name], member, f"{path}.{name}")
            for name, member in own(shape, value, path).items()
            if member is not None
        }
    if isinstance(shape, ListShape):
        items = own(shape, value, path)
        return [to_json(shape.member, item, f"{path}[{i}]") for i, item in enumerate(items)]
    if isinstance(shape, MapShape):
        entries = own(shape, value, path).items()
        return {key: to_json(shape.value, each, f"{path}.{key}") for key, each in entries}
    return _scalar_to_json(own(shape, value, path))


def _scalar_to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _scalar_from_json(type_name: str, value: Any, path: str) -> Any:
    match type_name:
        case "boolean":
            return _expect(value, bool, path)
        case "integer" | "long":
            whole = int(value) if isinstance(value, float) and value.is_integer() else value
            return _expect(whole, int, path)
        case "double" | "float":
            return float(_expect(value, float, path) if type(value) is not int else value)
        case "timestamp" | "blob":
            return _moment_or_bytes(type_name, value, path)
        case _:
            return _expect(value, str, path)


def _moment_or_bytes(type_name: str, value: Any, path: str) -> datetime | bytes:
    try:
        if type_name == "timestamp" and type(value) in (int, float):
            return datetime.fromtimestamp(value, UTC)
        return base64.b64decode(_expect(value, str, path), validate=True)
    except (OverflowError, OSError, binascii.Error, ValueError):
        raise _not_convertible(value, path) from None


def _expect(value: Any, kind: type, path: str) -> Any:
    if type(value) is not kind:
        raise _not_convertible(value, path)
    return value


def _not_convertible(value: Any, path: str) -> ApiError:
    where = path.lstrip(".") or "the request"
    kind = type(value).__name__
    return ApiError("SerializationException", f"{where}: a JSON {kind} cannot be used here.")
