"""Bytes on their way, as few lines of text."""

from __future__ import annotations

from bgconsole.domain.amount_words import progress, share
from bgconsole.domain.plain import plain
from bgconsole.watch.telling import Amount

PARTS = 4
"""A line for each quarter of the way: enough to see it move, and a log stays readable."""


class AmountLines:
    """Remembers what was printed of each thing that is measured."""

    def __init__(self) -> None:
        self._parts: dict[str, int] = {}

    def line(self, step: int, amount: Amount) -> str:
        """What to print now; empty where it is too little news."""
        part = int(share(amount.done, amount.total) * PARTS)
        if self._parts.get(amount.of) == part:
            return ""
        self._parts[amount.of] = part
        return f"  {step} {plain(amount.of)}: {progress(amount.done, amount.total)}"
