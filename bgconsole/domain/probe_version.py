"""Where an answer says which version it is from: a header, a place in its JSON, or a pattern."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LONGEST = 40
"""Characters of a version that are kept."""
DEFAULT = "header:X-Revision"


@dataclass(frozen=True, slots=True)
class VersionRule:
    """How to find the version; made by `version_rule`."""

    kind: Literal["header", "json", "regex"]
    what: str

    def find(self, headers: Mapping[str, str], body: str) -> str:
        """The version, trimmed; empty where the answer does not say.

        Args:
            headers: whose look-up does not care for case.
            body: the text, or its beginning.
        """
        if self.kind == "header":
            found: object = headers.get(self.what, "")
        elif self.kind == "json":
            found = _at(body, self.what.split("."))
        else:
            match = re.search(self.what, body, re.DOTALL)
            found = (match[1] or "" if match.re.groups else match[0]) if match else ""
        return " ".join(str(found).split())[:LONGEST]


def version_rule(text: str) -> VersionRule:
    """Read `header:NAME`, `json:a.b` or `regex:PATTERN` (its first group, or all of it).

    Raises:
        ValueError: it is none of them, in words.
    """
    kind, colon, what = text.partition(":")
    if not colon or not what or kind not in ("header", "json", "regex"):
        raise ValueError(f"{text!r} is neither header:NAME nor json:a.b nor regex:PATTERN")
    if kind == "regex":
        try:
            re.compile(what)
        except re.error as error:
            raise ValueError(f"the pattern {what!r} is wrong: {error}") from None
        return VersionRule("regex", what)
    return VersionRule("header" if kind == "header" else "json", what)


def _at(body: str, path: list[str]) -> object:
    """The text, number or truth value at a path of names and list indexes; empty without one."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for name in path:
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return ""
    return value if isinstance(value, str | int | float) else ""
