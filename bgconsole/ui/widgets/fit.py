"""One line made of pieces that give way, one after the other, until it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing to say, from its longest form to its shortest; an empty form leaves it out."""

    forms: tuple[Content, ...]
    keep: int
    """How long it keeps its form: the piece with the lowest number gives way first."""


def piece(keep: int, *forms: str | Content) -> Piece:
    """A piece from text. The text must be plain already; it is never read as markup."""
    return Piece(tuple(f if isinstance(f, Content) else Content(f) for f in forms), keep)


def fit(pieces: Sequence[Piece], width: int, between: str = " · ") -> Content:
    """Join the pieces; where even their last forms are too long, the end is cut with `…`."""
    (line,) = _shrunk((pieces,), width, between)
    return line if line.cell_length <= width else line.truncate(max(0, width), ellipsis=True)


def fit_apart(
    left: Sequence[Piece], right: Sequence[Piece], width: int, between: str = " · "
) -> Content:
    """One line of exactly `width` cells: some pieces at its left end, some at its right end."""
    start, end = _shrunk((left, right), width - 2, between)
    if start.cell_length + end.cell_length + 2 > width:
        return start.truncate(max(0, width), ellipsis=True, pad=True)
    return Content.assemble(start, " " * (width - start.cell_length - end.cell_length), end)


def _shrunk(groups: Sequence[Sequence[Piece]], width: int, between: str) -> list[Content]:
    forms = [[0] * len(pieces) for pieces in groups]
    while True:
        lines = [_joined(*pair, between) for pair in zip(groups, forms, strict=True)]
        able = [
            (p.keep, g, n)
            for g, pieces in enumerate(groups)
            for n, p in enumerate(pieces)
            if forms[g][n] < len(p.forms) - 1
        ]
        if not able or sum(line.cell_length for line in lines) <= width:
            return lines
        _, group, number = min(able)
        forms[group][number] += 1


def _joined(pieces: Sequence[Piece], forms: Sequence[int], between: str) -> Content:
    chosen = [p.forms[n] for p, n in zip(pieces, forms, strict=True) if p.forms[n]]
    return Content(between).join(chosen)
