"""Every answer of the world held against botocore's model: an unknown member is a failure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from bgconsole.sandbox.api import Handlers
from bgconsole.sandbox.wire.models import service_model

SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "double": (float, int),
    "float": (float, int),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "blob": (bytes,),
}


def checked(
    service: str, operation: str, handlers: Handlers, request: dict[str, Any]
) -> dict[str, Any]:
    """Answer a request that botocore would send, with an answer that it would understand."""
    model = service_model(service).operation_model(operation)
    if model.input_shape is not None:
        errors = ParamValidator().validate(request, model.input_shape)
        assert not errors.has_errors(), errors.generate_report()
    answer = handlers.handle(operation, request)
    if model.output_shape is None:
        assert answer == {}
    else:
        fits(model.output_shape, answer, operation)
    return answer


def fits(shape: Shape, value: Any, where: str) -> None:
    """Fail unless a value has the shape: members, types, enumerated words."""
    if isinstance(shape, StructureShape):
        assert isinstance(value, dict), f"{where} is not a structure: {value!r}"
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{where} has members unknown to the model: {sorted(unknown)}"
        for name, member in value.items():
            fits(shape.members[name], member, f"{where}.{name}")
    elif isinstance(shape, ListShape):
        assert isinstance(value, list), f"{where} is not a list: {value!r}"
        for index, item in enumerate(value):
            fits(shape.member, item, f"{where}[{index}]")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            fits(shape.key, key, where)
            fits(shape.value, item, f"{where}.{key}")
    else:
        allowed = SCALARS[shape.type_name]
        is_bool_for_number = isinstance(value, bool) and bool not in allowed
        assert isinstance(value, allowed) and not is_bool_for_number, f"{where}: {value!r}"
        if isinstance(shape, StringShape) and shape.enum:
            assert value in shape.enum, f"{where}: {value!r} is none of {shape.enum}"
        if isinstance(value, datetime):
            assert value.tzinfo is not None, f"{where} has no time zone"
