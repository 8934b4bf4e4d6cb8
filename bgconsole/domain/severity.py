"""How bad something is, and the glyph that says so without colour."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType


class Severity(IntEnum):
    """Worse is larger; `UNKNOWN` is never green and never hides something worse."""

    GOOD = 0
    BUSY = 1
    UNKNOWN = 2
    WAITING = 3
    BAD = 4


GLYPHS: Mapping[Severity, str] = MappingProxyType(
    {
        Severity.GOOD: "●",
        Severity.BUSY: "◐",
        Severity.UNKNOWN: "?",
        Severity.WAITING: "▲",
        Severity.BAD: "✖",
    }
)
