"""What `c` does on every screen: the text to the clipboard, and what that text was to the eye."""

from __future__ import annotations

from typing import Any

from textual.app import App

from bgconsole.domain.cause import shorten
from bgconsole.domain.how_many import how_many
from bgconsole.domain.masking import mask

SENT = "Sent to the terminal's clipboard"
"""The terminal does not answer whether it took it."""
REFUSED = "A terminal may refuse it (OSC 52): then select with shift and the mouse."
_SHOWN = 60
"""Characters of one line that are told: enough to see that it is the one that was meant."""


def copy(app: App[Any], text: str, what: str = "") -> None:
    """Hand a text to the terminal's clipboard, and say what it was, or `what`.

    The first time it is told as well what to do where the terminal does not take it.
    """
    first = not app.clipboard
    app.copy_to_clipboard(text)
    count = text.count("\n") + 1
    told = what or (shorten(mask(text), _SHOWN) if count == 1 else how_many(count, "line"))
    words = f"{told}\n{REFUSED}" if first else told
    app.notify(words, title=SENT, timeout=8 if first else 3, markup=False)
