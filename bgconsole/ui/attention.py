"""Calls for a person who looks elsewhere: the terminal's bell, and a desktop notice by OSC 9."""

from __future__ import annotations

from collections.abc import Callable

from bgconsole.domain.plain import plain
from bgconsole.domain.severity import Severity
from bgconsole.domain.verdict import Verdict

LONGEST = 160
"""Characters of a notice; terminals cut longer ones, or drop them."""


class Attention:
    """Heeds verdicts, and calls when one is worth turning round for.

    Args:
        how: `bell`, `notice`, `both` or `off`.
        write: takes bytes for the terminal as text.
    """

    def __init__(self, how: str, write: Callable[[str], None]) -> None:
        self._how = how
        self._write = write

    def heed(self, before: Severity | None, found: Verdict, name: str) -> None:
        """A service's verdict has another severity now; the first of all calls for nobody."""
        if before is None or not calls(before, found.severity):
            return
        if self._how in ("bell", "both"):
            self._write("\a")
        if self._how in ("notice", "both"):
            words = plain(f"{name}: {found.word}. {found.sentence}")
            self._write(f"\x1b]9;{words[:LONGEST]}\a")


def calls(before: Severity, after: Severity) -> bool:
    """Whether a change is worth a call: it went bad, it waits for somebody, or it is well again."""
    if after in (Severity.BAD, Severity.WAITING):
        return before is not after
    return after is Severity.GOOD and before is not Severity.UNKNOWN
