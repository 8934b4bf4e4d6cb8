"""A row of bars, one a value: how something went, in as many cells."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def spark(values: Sequence[float], most: int) -> str:
    """The newest values, at most so many, as tall as the greatest of them; zero has the lowest."""
    shown = values[-most:] if most > 0 else ()
    highest = max(shown, default=0.0) or 1.0
    return "".join(BARS[min(7, int(max(0.0, value) / highest * 8))] for value in shown)
