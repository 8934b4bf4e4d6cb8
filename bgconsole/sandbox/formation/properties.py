"""Template properties as API members: names by the service model, numbers out of strings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, StructureShape

from ..wire.models import service_model
from .api import ResourceFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from botocore.model import Shape


def request_for(
    service: str,
    operation: str,
    properties: Mapping[str, Any],
    *,
    renamed: Mapping[str, str] | None = None,
    left_out: Iterable[str] = (),
) -> dict[str, Any]:
    """The request that sets `properties`; those in `left_out` have another operation.

    `renamed` gives the API's name where it is not the property's in another case.

    Raises:
        ResourceFailure: a property that the operation does not know, or a value of a wrong type.
    """
    names = renamed or {}
    skipped = set(left_out)
    given = {names.get(k, k): v for k, v in properties.items() if k not in skipped}
    shape = service_model(service).operation_model(operation).input_shape
    if shape is None:
        return {}
    request: dict[str, Any] = api_value(shape, given, "#")
    return request


def api_value(shape: Shape, value: Any, path: str) -> Any:
    """A resolved template value as the typed value of an API shape.

    Raises:
        ResourceFailure: as `request_for`.
    """
    if isinstance(shape, StructureShape):
        return _structure(shape, value, path)
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            raise _invalid(path, f"expected type: JSONArray, found: {type(value).__name__}")
        return [api_value(shape.member, item, f"{path}/{i}") for i, item in enumerate(value)]
    if isinstance(shape, MapShape):
        entries = _mapping(value, path).items()
        return {key: api_value(shape.value, item, f"{path}/{key}") for key, item in entries}
    return _scalar(shape.type_name, value, path)


def _structure(shape: StructureShape, value: Any, path: str) -> Any:
    if shape.is_document_type:
        return json.loads(value) if isinstance(value, str) else value
    members = {name.lower(): name for name in shape.members}
    result = {}
    for key, item in _mapping(value, path).items():
        if item is None:
            continue
        name = members.get(key.lower())
        if name is None:
            raise _invalid(path, f"extraneous key [{key}] is not permitted")
        result[name] = api_value(shape.members[name], item, f"{path}/{key}")
    return result


def _mapping(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _invalid(path, f"expected type: JSONObject, found: {type(value).__name__}")
    return value


def _scalar(type_name: str, value: Any, path: str) -> Any:
    """Templates hold numbers and booleans as themselves or as strings (`!Ref` to a parameter)."""
    if isinstance(value, dict | list):
        raise _invalid(path, f"expected a single value, found: {type(value).__name__}")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        match type_name:
            case "boolean":
                typed: Any = {"true": True, "false": False}[text.lower()]
            case "integer" | "long":
                typed = int(text)
            case "double" | "float":
                typed = float(text)
            case _:
                typed = text
    except (ValueError, KeyError):
        raise _invalid(path, f"expected type: {type_name}, found: {text}") from None
    return typed


def _invalid(path: str, words: str) -> ResourceFailure:
    return ResourceFailure(f"Properties validation failed: {path}: {words}", "InvalidRequest")


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of `new` that `old` has not or has otherwise."""
    return {name: value for name, value in new.items() if old.get(name) != value}


def changed_or_reset(
    old: Mapping[str, Any], new: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """As `changed`, and the default of each property that is no longer given."""
    gone = {name: value for name, value in defaults.items() if name in old and name not in new}
    return gone | changed(old, new)
