"""Text from outside made harmless to a terminal: AWS names, log lines, container output."""

from __future__ import annotations

import re

# OSC/DCS/APC/PM/SOS strings up to their terminator, CSI sequences, then any two-byte escape.
_ESCAPES = re.compile(
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?"
)
# C0 (but not tab), DEL, C1, bidirectional controls, zero-width and line separators, surrogates.
_UNSAFE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
LINE_LIMIT = 10_000
"""Characters of one line that are kept for showing; the rest is told as a count."""


def plain(text: str, limit: int = LINE_LIMIT) -> str:
    """One line that no terminal acts on: sequences removed, tabs spaced, controls shown as `·`.

    Printable text passes unchanged (the common case is one test).
    """
    if len(text) > limit:
        text = f"{text[:limit]}… (+{len(text) - limit} characters)"
    if text.isprintable():
        return text
    text = _ESCAPES.sub("", text).rstrip("\r\n").expandtabs(4)
    return _UNSAFE.sub("·", text)


def plain_lines(text: str, limit: int = LINE_LIMIT) -> list[str]:
    """The same for text that may hold several lines: each made plain, none joined."""
    return [plain(line, limit) for line in text.split("\n")]
