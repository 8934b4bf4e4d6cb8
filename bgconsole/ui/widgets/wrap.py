"""Text wrapped at words, but never between a number and its unit: `100 %` and `12 s` stay whole."""

from __future__ import annotations

import re

from textual.content import Content

_UNIT = re.compile(r"(?<=\d) (?=(?:%|ms|s|min|h|d|[KMG]i?B)(?!\w))")
GLUE = "\ue000"
"""Stands for such a space while text is broken (Textual breaks at the no-break space as well)."""


def wrap(text: Content, width: int) -> list[Content]:
    """Rows of at most `width` cells."""
    glued = _UNIT.sub(GLUE, text.plain)
    if glued == text.plain:
        return text.wrap(width)
    rows = Content(glued, spans=list(text.spans)).wrap(width)
    return [Content(row.plain.replace(GLUE, " "), spans=list(row.spans)) for row in rows]
