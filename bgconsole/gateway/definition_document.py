"""What a task definition says as a plain structure, without any value that may be a secret.

Shared by every gateway, so that no environment value ever leaves one.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from bgconsole.domain.masking import MASK, mask_value

OF_THE_REVISION = frozenset(
    {
        "taskDefinitionArn",
        "revision",
        "status",
        "registeredAt",
        "registeredBy",
        "deregisteredAt",
        "deleteRequestedAt",
        "requiresAttributes",
        "compatibilities",
    }
)
"""Members of a task definition that say nothing about what it runs."""
_REFERENCES = frozenset({"secrets", "secretOptions"})
"""Lists of names and ARNs of secrets; they hold no value."""


def masked_document(raw: Mapping[str, Any], key: bytes) -> Mapping[str, object]:
    """What `raw`, as DescribeTaskDefinition gives it, says of what is run.

    Every environment value is `••• 3fa2c1`, every other secret is masked by its shape or name and
    has such a mark behind it. Equal values have equal marks under one `key`, others differ; without
    the key a mark tells nothing about the value.
    """
    said = {name: value for name, value in raw.items() if name not in OF_THE_REVISION}
    return {name: _masked(name, value, key) for name, value in said.items()}


def _masked(name: str, value: object, key: bytes) -> object:
    if name in _REFERENCES:
        return value
    if name == "environment" and isinstance(value, list | tuple):
        return [
            {**pair, "value": f"{MASK} {_mark(str(pair.get('value', '')), key)}"} for pair in value
        ]
    if isinstance(value, Mapping):
        return {str(inner): _masked(str(inner), each, key) for inner, each in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(name, each, key) for each in value]
    if isinstance(value, str) and not value.startswith("arn:"):
        shown = mask_value(name, value)
        return shown if shown == value else f"{shown} {_mark(value, key)}"
    return value


def _mark(value: str, key: bytes) -> str:
    return hmac.new(key, value.encode(), "sha256").hexdigest()[:6]
