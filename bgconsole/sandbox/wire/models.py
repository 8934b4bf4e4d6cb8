"""The service models that botocore ships, and small questions asked of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import botocore.loaders
from botocore.model import ListShape, ServiceModel, StructureShape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.model import Shape

    from bgconsole.sandbox.api import ApiError

_LOADER = botocore.loaders.Loader()


@cache
def service_model(name: str) -> ServiceModel:
    """The model of one service by its botocore name (`ecs`, `elbv2`); loaded once."""
    return ServiceModel(_LOADER.load_service_model(name, "service-2"), name)


def missing_members(shape: Shape, value: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Paths of required members that `value` lacks, in the model's order (`actions[0].type`)."""
    if not isinstance(shape, StructureShape):
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{path}{name}"
    for name, member in value.items():
        if name in shape.members:
            yield from _missing_inside(shape.members[name], member, f"{path}{name}")


def _missing_inside(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        if not shape.is_document_type:
            yield from missing_members(shape, value, f"{path}.")
    elif isinstance(shape, ListShape):
        for index, item in enumerate(value):
            yield from _missing_inside(shape.member, item, f"{path}[{index}]")


def wire_error(model: ServiceModel, error: ApiError) -> tuple[str, int]:
    """The code as it travels and the HTTP status of `error`.

    A modelled exception may be raised by its shape's name; what travels can differ from it
    (`LoadBalancerNotFoundException` travels as `LoadBalancerNotFound`), and the model may know
    its status.
    """
    for shape in cast("list[StructureShape]", model.error_shapes):
        if error.code in (shape.name, shape.error_code):
            modelled = shape.metadata.get("error", {}).get("httpStatusCode")
            status = int(modelled) if modelled and error.status == 400 else error.status
            return str(shape.error_code), status
    return error.code, error.status
