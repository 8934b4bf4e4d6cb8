"""Keeps a paste a paste, however it comes.

Two faults of Textual's parser, seen in 8.2.8. It takes everything for pasted text until it sees the
closing marker with no gap of 100 ms in it: on a slow link a marker in pieces leaves the keyboard
dead for good, ctrl+q too. And an escape inside pasted text is handed on as keys. Here a
piece of the closing marker waits for the rest, and escapes inside a paste are taken out.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual import _xterm_parser
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

START = _xterm_parser.BRACKETED_PASTE_START
END = _xterm_parser.BRACKETED_PASTE_END


class PatientParser(XTermParser):
    """The same parser, but for what it is fed while a paste is under way."""

    _pasting = False
    _held = ""
    """The beginning of a closing marker."""
    _before = ""
    """The end of what was fed last, outside a paste: it may hold half an opening marker."""

    def feed(self, data: str) -> Iterable[Message]:
        """Parse; no data at all means the end of the input, as ever."""
        if not data:
            return super().feed(data)
        clean = "".join(self._clean(self._held + data))
        return super().feed(clean) if clean else ()

    def _clean(self, text: str) -> Iterable[str]:
        self._held = ""
        while text:
            if self._pasting:
                pasted, end, text = text.partition(END)
                self._pasting = not end
                if self._pasting:
                    self._held = _beginning_of_end(pasted)
                    pasted = pasted.removesuffix(self._held)
                yield pasted.replace("\x1b", "") + end
            else:
                known = len(self._before)
                typed, start, text = (self._before + text).partition(START)
                self._pasting, self._before = bool(start), "" if start else typed[-len(START) :]
                yield (typed + start)[known:]


def _beginning_of_end(text: str) -> str:
    pieces = (END[:length] for length in range(len(END) - 1, 0, -1))
    return next((piece for piece in pieces if text.endswith(piece)), "")


def install() -> None:
    """Make the terminal driver use it; the driver offers no other way."""
    vars(linux_driver)["XTermParser"] = PatientParser
