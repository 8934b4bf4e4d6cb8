"""What `c` does on every screen: the text to the clipboard, and what that text was to the eye."""

from __future__ import annotations

from textual.app import App

from bgconsole.domain.cause import shorten
from bgconsole.domain.masking import mask

_SHOWN = 60
"""Characters of one line that are told: enough to see that it is the one that was meant."""


def copy(app: App[object], text: str) -> None:
    """Hand a text to the terminal's clipboard, and say what it was."""
    app.copy_to_clipboard(text)
    count = text.count("\n") + 1
    told = shorten(mask(text), _SHOWN) if count == 1 else f"{count} lines"
    app.notify(told, title="Copied", timeout=3, markup=False)
