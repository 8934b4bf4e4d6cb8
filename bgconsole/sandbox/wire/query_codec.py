"""AWS Query (Elastic Load Balancing v2): requests are form fields, replies are XML."""

from __future__ import annotations

import base64
import binascii
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

from botocore.model import ListShape, MapShape, StructureShape

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.wire.models import missing_members, service_model, wire_error
from bgconsole.sandbox.wire.reply import Reply, own

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import Shape

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAX_FIELDS = 10_000


class QueryCodec:
    """The Query protocol for one service."""

    def __init__(self, service: str) -> None:
        self._model = service_model(service)
        self._operations = frozenset(self._model.operation_names)
        self._namespace = str(cast("Mapping[str, Any]", self._model.metadata)["xmlNamespace"])

    def parse(self, operation: str, body: bytes) -> dict[str, Any]:
        """See `Codec.parse`. `body` holds the form fields, `Action` and `Version` among them."""
        if operation not in self._operations:
            version = self._model.api_version
            message = f"Could not find operation {operation} for version {version}"
            raise ApiError("InvalidAction", message)
        shape = self._model.operation_model(operation).input_shape
        if shape is None:
            return {}
        request: dict[str, Any] = _decode(shape, _tree(body), "")
        for path in missing_members(shape, request):
            name = f"{path[:1].lower()}{path[1:]}"
            raise ApiError(
                "ValidationError",
                f"1 validation error detected: Value null at '{name}' failed to satisfy "
                "constraint: Member must not be null",
            )
        return request

    def render(self, operation: str, result: Mapping[str, Any], request_id: str) -> Reply:
        """See `Codec.render`."""
        root = ET.Element(f"{operation}Response", xmlns=self._namespace)
        shape = self._model.operation_model(operation).output_shape
        if shape is not None:
            wrapper = shape.serialization.get("resultWrapper")
            holder = ET.SubElement(root, wrapper) if wrapper else root
            _encode_members(holder, shape, result, operation)
        metadata = ET.SubElement(root, "ResponseMetadata")
        ET.SubElement(metadata, "RequestId").text = request_id
        return _reply(200, root)

    def refuse(self, error: ApiError, request_id: str) -> Reply:
        """See `Codec.refuse`."""
        code, status = wire_error(self._model, error)
        root = ET.Element("ErrorResponse", xmlns=self._namespace)
        inner = ET.SubElement(root, "Error")
        ET.SubElement(inner, "Type").text = "Sender" if status < 500 else "Receiver"
        ET.SubElement(inner, "Code").text = _printable(code)
        ET.SubElement(inner, "Message").text = _printable(error.message)
        ET.SubElement(root, "RequestId").text = request_id
        return _reply(status, root)


def _reply(status: int, root: ET.Element) -> Reply:
    return Reply(status, "text/xml", ET.tostring(root, encoding="utf-8", xml_declaration=True))


# Requests: `A.member.1.B=x` is first unfolded into a tree, then read along the model's shapes.


@dataclass(slots=True)
class _Node:
    """One step of a dotted form field: its own value, and what lies below it."""

    value: str = ""
    below: dict[str, _Node] = field(default_factory=dict)


def _tree(body: bytes) -> _Node:
    root = _Node()
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise ApiError("MalformedQueryString", "The request body is not a form.") from None
    for name, value in fields:
        node = root
        for step in name.split("."):
            node = node.below.setdefault(step, _Node())
        node.value = value
    return root


def _decode(shape: Shape, node: _Node, path: str) -> Any:
    if isinstance(shape, StructureShape):
        return {
            name: _decode(member, child, f"{path}.{name}")
            for name, member in shape.members.items()
            if (child := node.below.get(_tag(member, name))) is not None
        }
    if isinstance(shape, ListShape):
        items = _numbered(node, shape, _name(shape.member, "member"), path)
        return [_decode(shape.member, each, f"{path}[{i}]") for i, each in enumerate(items)]
    if isinstance(shape, MapShape):
        result = {}
        for entry in _numbered(node, shape, "entry", path):
            key = entry.below.get(_name(shape.key, "key"), _Node()).value
            value = entry.below.get(_name(shape.value, "value"), _Node())
            result[key] = _decode(shape.value, value, f"{path}.{key}")
        return result
    return _decode_scalar(shape, node.value, path)


def _name(shape: Shape, default: str) -> str:
    return str(shape.serialization.get("name", default))


def _tag(member: Shape, name: str) -> str:
    if isinstance(member, ListShape) and member.serialization.get("flattened"):
        return _name(member.member, name)
    return _name(member, name)


def _numbered(node: _Node, shape: Shape, wrapper: str, path: str) -> list[_Node]:
    flattened = shape.serialization.get("flattened")
    holder = node if flattened else node.below.get(wrapper, _Node())
    try:
        by_number = {int(number): each for number, each in holder.below.items()}
    except ValueError:
        where = path.lstrip(".")
        raise ApiError("MalformedQueryString", f"{where} is not a numbered list.") from None
    return [by_number[number] for number in sorted(by_number)]


def _decode_scalar(shape: Shape, text: str, path: str) -> Any:
    try:
        match shape.type_name:
            case "boolean":
                value: Any = {"true": True, "false": False}[text.lower()]
            case "integer" | "long":
                value = int(text)
            case "double" | "float":
                value = float(text)
            case "timestamp":
                moment = datetime.fromisoformat(text)
                value = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            case "blob":
                value = base64.b64decode(text, validate=True)
            case _:
                value = text
    except (ValueError, KeyError, binascii.Error):
        message = f"Value '{text}' at '{path.lstrip('.')}' is not a {shape.type_name}."
        raise ApiError("ValidationError", message) from None
    return value


# Replies.


def _encode_members(parent: ET.Element, shape: Shape, value: Any, path: str) -> None:
    members = cast("StructureShape", shape).members
    for name, member in own(shape, value, path).items():
        if member is not None:
            _encode(parent, _tag(members[name], name), members[name], member, f"{path}.{name}")


def _encode(parent: ET.Element, tag: str, shape: Shape, value: Any, path: str) -> None:
    flat = bool(shape.serialization.get("flattened"))
    if isinstance(shape, StructureShape):
        _encode_members(ET.SubElement(parent, tag), shape, value, path)
    elif isinstance(shape, ListShape):
        holder = parent if flat else ET.SubElement(parent, tag)
        item_tag = tag if flat else _name(shape.member, "member")
        for index, each in enumerate(own(shape, value, path)):
            _encode(holder, item_tag, shape.member, each, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        holder = parent if flat else ET.SubElement(parent, tag)
        for key, each in own(shape, value, path).items():
            entry = ET.SubElement(holder, tag if flat else "entry")
            ET.SubElement(entry, _name(shape.key, "key")).text = _printable(key)
            _encode(entry, _name(shape.value, "value"), shape.value, each, f"{path}.{key}")
    else:
        ET.SubElement(parent, tag).text = _scalar_text(own(shape, value, path))


def _scalar_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return _printable(str(value))


def _printable(text: str) -> str:
    """XML 1.0 cannot carry control characters at all; they become U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)
