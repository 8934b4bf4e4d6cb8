"""Secrets hidden wherever text is shown or kept: passwords in URLs, keys, tokens, named values.

Masking is by shape and by name, never by guessing at randomness: digests, request ids and ARNs
stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

MASK = "•••"

_SECRET_NAME = re.compile(
    r"pass(?:word|wd|phrase)?$|(?:^|[_.-])pass(?:word|wd|phrase)?|pwd|secret|token|credential"
    r"|api[_-]?key|access[_-]?key|private[_-]?key|master[_-]?key|signing[_-]?key|encryption"
    r"|auth(?:orization)?$|database[_-]?url|db[_-]?url|redis[_-]?url|dsn$|connection[_-]?string"
    r"|cookie|salt$",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(?P<before>\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)", re.I)
_NAMED = re.compile(
    r"(?P<kept>\barn:aws[\w-]*:[\w-]+:[\w-]*:\d*:[\w.@/:-]+|\bAWS::\w+::\w+)"
    r"|(?P<before>[\"']?\b[\w.-]*"
    r"(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)"
    r"[\w.-]*(?:\\*[\"'])?\s*[=:]\s*)"
    r"(?P<value>\\*\"[^\"]*\"|\\*'[^']*'|[^\s,;&\"'}]+)",
    re.IGNORECASE,
)
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bxox[abprs]-[\w-]{10,}"
    r"|(?<=Bearer )[\w.~+/=-]{8,}|(?<=Basic )[A-Za-z0-9+/=]{8,}"
    r"|(?<=X-Amz-Signature=)[0-9a-f]+|(?<=X-Amz-Security-Token=)[^&\s]+",
    re.DOTALL,
)

_PAIR = re.compile(
    r"(?P<before>Q(?:name|key|parameterkey|outputkey)Q\s*:\s*Q(?P<name>[^\\\"']*)Q\s*,"
    r"\s*Q(?:value|parametervalue|outputvalue)Q\s*:\s*)"
    r"(?P<value>\\*\"(?:(?!\\*\").)*\\*\"|\\*'(?:(?!\\*').)*\\*')".replace("Q", r"\\*[\"']"),
    re.IGNORECASE | re.DOTALL,
)
"""`{"name": "API_TOKEN", "value": "…"}`, as AWS writes what it calls environment or parameters."""

Value = TypeVar("Value")


def mask(text: str) -> str:
    """The text with every recognisable secret in it replaced."""
    text = _URL_PASSWORD.sub(lambda match: f"{match['before']}{MASK}", text)
    text = _SHAPES.sub(MASK, text)
    if "alue" in text:
        text = _PAIR.sub(_pair, text)
    return _NAMED.sub(_named, text)


def mask_value(name: str, value: str) -> str:
    """A value by its name: all of it where the name says that it is secret, else as `mask` does."""
    return MASK if value and _SECRET_NAME.search(name) else mask(value)


def mask_all(record: Mapping[str, object]) -> dict[str, object]:
    """A record of names and plain values, masked at every depth."""
    return {name: _deep(name, value) for name, value in record.items()}


def _deep(name: str, value: object) -> object:
    if isinstance(value, str):
        return mask_value(name, value)
    if isinstance(value, Mapping):
        return {str(key): _deep(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_deep(name, inner) for inner in value]
    return value


def _pair(match: re.Match[str]) -> str:
    return f"{match['before']}'{MASK}'" if _SECRET_NAME.search(match["name"]) else match[0]


def _named(match: re.Match[str]) -> str:
    # An ARN, a type of resource or a reference to a secret is not the secret.
    if match["kept"] or match["value"].strip("\\\"'").startswith(("arn:", MASK)):
        return match[0]
    return f"{match['before']}{MASK}"
