"""Filter patterns over JSON messages: `{ $.level = "error" && ($.took > 500 || $.id IS NULL) }`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from .pattern import Matches, compile_regex, invalid_character, refused, unescaped

Holds = Callable[[Any], bool]
"""Whether a condition holds for a decoded message."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<join>&&|\|\||\(|\))
      | (?P<selector>\$(?:\.[\w-]+|\[(?:\d+|\*)\])*(?![.\[]))
      | (?P<sign>!=|<=|>=|=|<|>)
      | "(?P<quoted>(?:[^"\\]|\\.)*)"
      | %(?P<regex>[^%]+)%
      | (?P<word>[\w.*+-]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_STEP = re.compile(r"\.([\w-]+)|\[(\d+|\*)\]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_DEEPEST = 40
_MISSING = object()
_STATES: dict[str, object] = {"NULL": None, "TRUE": True, "FALSE": False}
_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}


def compile_json(text: str) -> Matches:
    """What tells whether a message is JSON for which `text`, without its braces, holds.

    Raises:
        ApiError: InvalidParameterException, when it is no pattern.
    """
    parser = _Parser(list(_tokens(text)))
    holds = parser.any_of(0)
    if not parser.at_end:
        raise refused("Invalid filter pattern")

    def matches(message: str) -> bool:
        if message.lstrip()[:1] not in ("{", "["):
            return False
        try:
            return holds(json.loads(message))
        except (ValueError, RecursionError):
            return False

    return matches


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None:
            raise invalid_character(text[at:].lstrip()[0])
        at = token.end()
        yield str(token.lastgroup), token[str(token.lastgroup)]


class _Parser:
    """Recursive descent; && binds tighter than ||."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def any_of(self, depth: int) -> Holds:
        parts = [self._all_of(depth)]
        while self._take("join", "||"):
            parts.append(self._all_of(depth))
        return parts[0] if len(parts) == 1 else lambda value: any(part(value) for part in parts)

    def _all_of(self, depth: int) -> Holds:
        parts = [self._condition(depth)]
        while self._take("join", "&&"):
            parts.append(self._condition(depth))
        return parts[0] if len(parts) == 1 else lambda value: all(part(value) for part in parts)

    def _condition(self, depth: int) -> Holds:
        if depth < _DEEPEST and self._take("join", "("):
            inside = self.any_of(depth + 1)
            if not self._take("join", ")"):
                raise refused("Invalid filter pattern")
            return inside
        selector = self._next("selector")
        if self._take("word", "IS"):
            state = self._next("word")
            if state not in _STATES:
                raise refused("Invalid filter pattern")
            wanted = _STATES[state]
            return lambda value: any(found is wanted for found in _select(selector, value))
        if self._take("word", "NOT"):
            if self._next("word") != "EXISTS":
                raise refused("Invalid filter pattern")
            return lambda value: all(found is _MISSING for found in _select(selector, value))
        agrees = self._comparison(self._next("sign"))
        return lambda value: any(agrees(found) for found in _select(selector, value))

    def _comparison(self, sign: str) -> Holds:
        if self.at_end:
            raise refused("Invalid filter pattern")
        kind, text = self._tokens[self._at]
        self._at += 1
        number = float(text) if kind == "word" and _NUMBER.fullmatch(text) else None
        if sign in _COMPARED:
            if number is None:
                raise refused("Invalid filter pattern")
            compare, bound = _COMPARED[sign], number
            return lambda found: _is_number(found) and compare(found, bound)
        if kind not in ("word", "quoted", "regex"):
            raise refused("Invalid filter pattern")
        equal = _equal(kind, text, number)
        if sign == "=":
            return lambda found: _is_scalar(found) and equal(found)
        return lambda found: _is_scalar(found) and not equal(found)

    def _take(self, kind: str, text: str) -> bool:
        if self.at_end or self._tokens[self._at] != (kind, text):
            return False
        self._at += 1
        return True

    def _next(self, kind: str) -> str:
        if self.at_end or self._tokens[self._at][0] != kind:
            raise refused("Invalid filter pattern")
        self._at += 1
        return self._tokens[self._at - 1][1]


def _equal(kind: str, text: str, number: float | None) -> Holds:
    if kind == "regex":
        search = compile_regex(text).search
        return lambda found: search(_text(found)) is not None
    if number is not None:
        return lambda found: found == number if _is_number(found) else _text(found) == text
    wanted = unescaped(text) if kind == "quoted" else text
    # AWS: an asterisk stands for any text, but only at the beginning or the end.
    open_left, open_right = wanted.startswith("*"), wanted.endswith("*")
    middle = wanted[open_left : len(wanted) - open_right] if wanted != "*" else ""
    expression = (".*" if open_left else "") + re.escape(middle) + (".*" if open_right else "")
    matches = re.compile(expression, re.DOTALL).fullmatch
    return lambda found: matches(_text(found)) is not None


def _select(selector: str, value: Any) -> list[Any]:
    """The values that a selector points at: one, or with `[*]` many; `_MISSING` for none."""
    found = [value]
    for name, index in _STEP.findall(selector):
        if name:
            found = [v.get(name, _MISSING) if isinstance(v, dict) else _MISSING for v in found]
        elif index == "*":
            found = [item for v in found if isinstance(v, list) for item in v]
        else:
            place = int(index)
            found = [
                v[place] if isinstance(v, list) and place < len(v) else _MISSING for v in found
            ]
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
