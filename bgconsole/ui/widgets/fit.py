"""One line made of pieces that give way, one after the other, until it fits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def fit(pieces: Sequence[Piece], width: int, between: str | Content = " · ") -> Content:
    """Join the pieces; where even their last forms are too long, the end is cut with `…`."""
    glue = between if isinstance(between, Content) else Content(between)
    state = [0] * len(pieces)
    line = _joined(pieces, state, glue)
    while line.cell_length > width:
        able = [n for n, p in enumerate(pieces) if state[n] < len(p.forms) - 1]
        if not able:
            return line.truncate(max(0, width), ellipsis=True)
        state[min(able, key=lambda n: pieces[n].keep)] += 1
        line = _joined(pieces, state, glue)
    return line


def _joined(pieces: Sequence[Piece], state: Iterable[int], glue: Content) -> Content:
    return glue.join([p.forms[n] for p, n in zip(pieces, state, strict=True) if p.forms[n]])
