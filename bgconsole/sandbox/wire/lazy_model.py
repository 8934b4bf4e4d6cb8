"""A service model of botocore's that is read whole only when more is asked than its metadata.

The model of EC2 takes a tenth of a second to read; its protocol stands in the first lines.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore

if TYPE_CHECKING:
    from botocore.model import ServiceModel

_DATA = Path(botocore.__file__).parent / "data"
_HEAD = 16_384
_KEY = '"metadata":'


@cache
def metadata(service: str) -> dict[str, Any]:
    """The metadata of a service by its botocore name.

    Raises:
        LookupError: botocore has no such service.
    """
    versions = sorted((_DATA / service).glob("*/service-2.json.gz"))
    if not versions:
        raise LookupError(service)
    with gzip.open(versions[-1], "rt", encoding="utf-8") as model:
        head = model.read(_HEAD)
    found: dict[str, Any]
    found, _ = json.JSONDecoder().raw_decode(head.partition(_KEY)[2].lstrip())
    return found


class LazyModel:
    """Stands for a `ServiceModel`; anything but `metadata` loads it.

    Raises:
        LookupError: botocore has no such service.
    """

    def __init__(self, service: str) -> None:
        self.metadata = metadata(service)
        self._service = service

    def __getattr__(self, name: str) -> Any:
        """As the real model."""
        return getattr(self._real(), name)

    def _real(self) -> ServiceModel:
        from .models import service_model

        return service_model(self._service)
