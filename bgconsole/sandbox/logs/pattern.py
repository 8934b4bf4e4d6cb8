"""Filter patterns as AWS documents them: terms, "phrases", -excluded, ?any ?of, %regex%, { JSON }.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence

from ..api import ApiError

Matches = Callable[[str], bool]
"""Whether a message matches."""

_TOKEN = re.compile(
    r"""\s*(?P<sign>[-?]?)\s*
        (?: "(?P<phrase>(?:[^"\\]|\\.)+)" | %(?P<regex>[^%]+)% | (?P<word>\w+) )
        (?=\s|$)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_REGEX_PIECE = re.compile(r"[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|*+.]|\\(?:x[0-9a-fA-F]{2}|[^x])")
_MOST_REGEXES = 2


def compile_pattern(pattern: str | None) -> Matches | None:
    """What tells whether a message matches; `None` when every message does.

    Raises:
        ApiError: InvalidParameterException: not a pattern, or a kind that is not reproduced.
    """
    from .json_pattern import compile_json

    text = (pattern or "").strip()
    if not text:
        return None
    if text.startswith("{"):
        if not text.endswith("}"):
            raise refused("If a filter pattern starts with '{' it must end with '}'")
        return compile_json(text[1:-1])
    if text.startswith("["):
        raise refused("The sandbox does not reproduce space-delimited filter patterns ([...]) yet")
    return _terms(text)


def compile_regex(source: str) -> re.Pattern[str]:
    """A regular expression of the kind that may stand between percent signs.

    Raises:
        ApiError: a character that AWS does not allow there (parentheses, spaces), or no expression.
    """
    at = 0
    while at < len(source):
        piece = _REGEX_PIECE.match(source, at)
        if piece is None:
            raise invalid_character(source[at])
        at = piece.end()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of sets that Python may read anew
            return re.compile(source, re.ASCII)
    except re.error:
        raise refused("Invalid filter pattern") from None


def unescaped(quoted: str) -> str:
    """The text between two double quotes, its backslashes taken away."""
    return _ESCAPED.sub(r"\1", quoted)


def invalid_character(found: str) -> ApiError:
    """What AWS says of a character that has to be quoted."""
    return refused(f"Invalid character(s) in term '{found}'")


def refused(message: str) -> ApiError:
    """How a pattern is refused."""
    return ApiError("InvalidParameterException", message)


def _terms(text: str) -> Matches:
    signed: dict[str, list[Matches]] = {"": [], "-": [], "?": []}
    at = regexes = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _complaint(text[at:].lstrip().lstrip("-?"))
        at = token.end()
        if token["regex"] is not None:
            regexes += 1
            search = compile_regex(token["regex"]).search
            signed[token["sign"]].append(_searched(search))
        else:
            signed[token["sign"]].append(_contained(token["word"] or unescaped(token["phrase"])))
    if regexes > _MOST_REGEXES:
        raise refused(f"A filter pattern can have at most {_MOST_REGEXES} regular expressions")
    required, excluded, optional = signed[""], signed["-"], signed["?"]
    if optional and (required or excluded):
        # AWS: combined with other terms the question mark is ignored.
        required, optional = [*required, *optional], []
    return _joined(required, excluded, optional)


def _joined(
    required: Sequence[Matches], excluded: Sequence[Matches], optional: Sequence[Matches]
) -> Matches:
    if len(required) == 1 and not excluded:
        return required[0]

    def matches(message: str) -> bool:
        return (
            all(term(message) for term in required)
            and not any(term(message) for term in excluded)
            and (not optional or any(term(message) for term in optional))
        )

    return matches


def _contained(term: str) -> Matches:
    return lambda message: term in message


def _searched(search: Callable[[str], object | None]) -> Matches:
    return lambda message: search(message) is not None


def _complaint(rest: str) -> ApiError:
    if rest.startswith('""'):
        return invalid_character('""')
    wrong = re.search(r"[^\w\s]", rest)
    return invalid_character(wrong[0]) if wrong else refused("Invalid filter pattern")
