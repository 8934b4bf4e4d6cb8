"""The exports that a template gives and takes, by name, as far as the text alone tells.

What only AWS knows, such as the region, stands in a name as it is written: it is the same for both
sides of one account and region.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_HOLE = re.compile(r"\$\{(!?)\s*([^}]*?)\s*\}")


def exports(tree: Mapping[str, Any], stack: str) -> frozenset[str]:
    """The names that its outputs are exported by."""
    outputs = tree.get("Outputs") or {}
    named = (output.get("Export") for output in outputs.values() if isinstance(output, Mapping))
    values = (export.get("Name") for export in named if isinstance(export, Mapping))
    return frozenset(name for value in values if (name := _name(value, _known(tree, stack))))


def imports(tree: Mapping[str, Any], stack: str) -> frozenset[str]:
    """The names that it asks for with ImportValue, anywhere."""
    found = (_name(value, _known(tree, stack)) for value in _asked(tree))
    return frozenset(name for name in found if name)


def _known(tree: Mapping[str, Any], stack: str) -> Mapping[str, str]:
    """What stands for a reference: the stack's name, and the defaults of parameters."""
    declared = tree.get("Parameters") or {}
    values = {
        name: str(about["Default"]) if "Default" in about else f"${{{stack}.{name}}}"
        for name, about in declared.items()
        if isinstance(about, Mapping)
    }
    return {**values, "AWS::StackName": stack}


def _asked(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "Fn::ImportValue":
                yield inner
            else:
                yield from _asked(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _asked(inner)


def _name(value: object, known: Mapping[str, str]) -> str:
    """A value as a name; empty where it is made in a way that this does not follow."""
    if isinstance(value, str | int):
        return str(value)
    if not isinstance(value, Mapping) or len(value) != 1:
        return ""
    (function, given), *_ = value.items()
    if function == "Ref":
        return known.get(str(given), f"${{{given}}}")
    if function == "Fn::Sub":
        text, more = given if isinstance(given, list) and len(given) == 2 else (given, {})
        own = {name: _name(inner, known) for name, inner in (more or {}).items()}
        return _filled(str(text), {**known, **own})
    if function == "Fn::Join" and isinstance(given, list) and len(given) == 2:
        separator, parts = given
        return str(separator).join(_name(part, known) for part in parts)
    return ""


def _filled(text: str, known: Mapping[str, str]) -> str:
    """A Sub's text; `${!Literal}` is a literal."""

    def filling(hole: re.Match[str]) -> str:
        literal, name = hole.groups()
        return f"${{{name}}}" if literal else known.get(name, f"${{{name}}}")

    return _HOLE.sub(filling, text)
