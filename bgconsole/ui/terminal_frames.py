"""What of a frame is written: what the terminal does not show yet, and no colour twice.

Textual writes each changed region whole, with all of a style before every piece of text and a
reset behind it (8.2.8). Over a slow link that is most of what is sent: of a title in which one
figure changes, the figure alone goes out here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

_SINGLE = re.compile("[ -~·×…→›“”✓✖\u2500-\u25ff]*")
"""Text of which each character takes one cell in every terminal: only then it is known where a part
of a row stands."""
_RESET = "\x1b[0m"


class Piece(NamedTuple):
    """A strip, and where it is."""

    x: int
    y: int
    strip: Strip


@dataclass(slots=True)
class Shown:
    """What the terminal shows, as far as it was written: strips by row and column.

    Forget it whenever the terminal may show something else: another size, another program.
    """

    _rows: dict[int, dict[int, Strip]] = field(default_factory=dict)

    def forget(self) -> None:
        """Nothing is known of what is there."""
        self._rows.clear()

    def before(self, piece: Piece) -> Strip | None:
        """What is there now, if it begins and ends where this piece does; the piece is there then.

        Whatever else it covers is not known any more.
        """
        row = self._rows.setdefault(piece.y, {})
        found = row.pop(piece.x, None)
        end = piece.x + piece.strip.cell_length
        covered = [x for x, strip in row.items() if x < end and x + strip.cell_length > piece.x]
        for x in covered:
            _let_go(row.pop(x))
        row[piece.x] = piece.strip
        if found is None:
            return None
        if found is not piece.strip:
            _let_go(found)
        return found if found.cell_length == piece.strip.cell_length else None


def _let_go(strip: Strip) -> None:
    """A strip that was divided at its own width keeps itself in a cache of its own (8.2.8).

    Without this only a full collection would free it: a megabyte a second where lines come fast.
    """
    strip._divide_cache.clear()


class Frame(CompositorUpdate):
    """One of Textual's updates, as it is written here.

    A whole screen is written whole: so it mends what somebody else has written over it.
    """

    def __init__(self, update: ChopsUpdate | LayoutUpdate, shown: Shown) -> None:
        self._update = update
        self._shown = shown

    def render_segments(self, console: Console) -> str:
        """What is to be written to the terminal."""
        colors = console._color_system or ColorSystem.TRUECOLOR
        whole = isinstance(self._update, LayoutUpdate)
        if whole:
            self._shown.forget()
        told: list[str] = []
        current = ""
        for piece in _pieces(self._update):
            before = self._shown.before(piece)
            segments = list(piece.strip)
            if before is not None:
                offset, segments = changed(list(before), segments)
            else:
                offset = 0
            if not segments:
                continue
            told.append(f"\x1b[{piece.y + 1};{piece.x + offset + 1}H")
            for text, style, _ in segments:
                codes, link = _codes(style, colors)
                told.append(turned(current, codes))
                told.append(f"\x1b]8;{link}\x1b\\{text}\x1b]8;;\x1b\\" if link else text)
                current = codes
        if current:
            told.append(_RESET)
        return "".join(told)


def _pieces(update: ChopsUpdate | LayoutUpdate) -> Iterator[Piece]:
    """The strips of an update in the order in which Textual writes them."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for part in line:
                yield Piece(x, y, part)
                x += part.cell_length
        return
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x > x2 or end <= x1:
                continue
            inside = x2 > x >= x1 and end <= x2
            yield Piece(x, y, strip if inside else strip.crop(0, min(end, x2) - x))


def changed(before: list[Segment], after: list[Segment]) -> tuple[int, list[Segment]]:
    """The part of a row that is not as it was: the cell at which it begins, and its segments.

    Both are of the same width.
    """
    if not _SINGLE.fullmatch("".join(segment.text for segment in (*before, *after))):
        return (0, []) if before == after else (0, after)
    first, shorter = 0, min(len(before), len(after))
    while first < shorter and before[first] == after[first]:
        first += 1
    last = 0
    while last < shorter - first and before[-1 - last] == after[-1 - last]:
        last += 1
    offset = sum(len(segment.text) for segment in after[:first])
    old = before[first : len(before) - last]
    new = after[first : len(after) - last]
    if not old or not new or old[0].style != new[0].style:
        return offset, new
    text, was = new[0].text, old[0].text
    head, tail = _same(was, text), 0
    if len(old) == len(new) == 1:
        tail = _same(was[::-1], text[::-1])
    part = Segment(text[head : len(text) - tail], new[0].style)
    return offset + head, [segment for segment in (part, *new[1:]) if segment.text]


def _same(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def _codes(style: Style | None, colors: ColorSystem) -> tuple[str, str]:
    """The parameters of SGR that a style is, and its link."""
    if style is None:
        return "", ""
    link = f"id={style._link_id};{style._link}" if style._link else ""
    return style._ansi or style._make_ansi_codes(colors), link


@lru_cache(maxsize=4096)
def turned(before: str, after: str) -> str:
    """The sequence that turns one style of the terminal into another; empty where it is the same.

    Both are parameters of SGR as rich makes them; an empty one is the terminal's own style.
    """
    if before == after:
        return ""
    if not after:
        return _RESET
    was, now = _parts(before), _parts(after)
    if not was.flags <= now.flags:
        return f"\x1b[0;{after}m"
    new = sorted(now.flags - was.flags, key=int)
    if now.ink != was.ink:
        new.append(now.ink or "39")
    if now.ground != was.ground:
        new.append(now.ground or "49")
    return f"\x1b[{';'.join(new)}m"


class _Parts(NamedTuple):
    flags: frozenset[str]
    ink: str
    ground: str


@lru_cache(maxsize=4096)
def _parts(codes: str) -> _Parts:
    flags, ink, ground = set(), "", ""
    numbers = iter(codes.split(";") if codes else ())
    for number in numbers:
        whole = number
        if number in ("38", "48"):
            kind = next(numbers)
            whole = ";".join((number, kind, *_take(numbers, 3 if kind == "2" else 1)))
        if _is_color(int(number), 30):
            ink = whole
        elif _is_color(int(number), 40):
            ground = whole
        else:
            flags.add(number)
    return _Parts(frozenset(flags), ink, ground)


def _is_color(number: int, base: int) -> bool:
    return base <= number <= base + 9 or base + 60 <= number <= base + 67


def _take(numbers: Iterable[str], count: int) -> list[str]:
    iterator = iter(numbers)
    return [next(iterator) for _ in range(count)]
