"""What is written of a frame brings the terminal to show all of it, and is not much."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from bgconsole.ui.terminal_frames import Frame, Shown, turned

WIDTH, HEIGHT = 24, 3
STYLES = tuple(
    Style.parse(words)
    for words in (
        "none", "bold", "#878b91 on #11151a", "bold #878b91 on #11151a", "#eacb80 on #11151a",
        "reverse #010203", "dim italic", "red on blue", "bright_red", "color(201) on default",
    )
)  # fmt: skip
CONSOLE = Console(color_system="truecolor", width=WIDTH)
NOTHING = ""


@dataclass
class Terminal:
    """Just enough of one: moves, SGR kept as it is named, text of one cell a character."""

    cells: dict[tuple[int, int], tuple[str, frozenset[str]]] = field(default_factory=dict)
    written: int = 0

    def write(self, data: str) -> None:
        x = y = 0
        style: dict[str, str] = {}
        self.written += len(data.encode())
        for token in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|[^\x1b]", data):
            if token[-1] == "H" and token[0] == "\x1b":
                y, x = (int(n) - 1 for n in token[2:-1].split(";"))
            elif token[0] == "\x1b":
                _apply(style, token[2:-1])
            else:
                self.cells[x, y] = (token, frozenset(style.items()))
                x += 1
        assert not style, "the terminal is left in its own style"


def _apply(style: dict[str, str], codes: str) -> None:
    numbers = (codes or "0").split(";")
    while numbers:
        number = int(numbers.pop(0))
        if number in (38, 48):
            count = 4 if numbers[0] == "2" else 2
            style["ink" if number == 38 else "ground"] = ";".join(numbers[:count])
            del numbers[:count]
        elif number == 0:
            style.clear()
        elif number in (39, 49):
            style.pop("ink" if number == 39 else "ground", None)
        elif number // 10 in (3, 9):
            style["ink"] = str(number)
        elif number // 10 in (4, 10):
            style["ground"] = str(number)
        else:
            style[str(number)] = "on"


def shown_by(strips: Sequence[Strip]) -> dict[tuple[int, int], tuple[str, frozenset[str]]]:
    """What a terminal shows that is told everything, each style by itself."""
    terminal = Terminal()
    for y, strip in enumerate(strips):
        terminal.write(f"\x1b[{y + 1};1H" + strip.render(CONSOLE))
    return terminal.cells


def strip(pieces: Sequence[tuple[str, int]]) -> Strip:
    """Pieces of text in the style of their number, filled up to the width."""
    segments, left = [], WIDTH
    for words, number in pieces:
        segments.append(Segment(words[:left], STYLES[number]))
        left -= len(segments[-1].text)
    segments.append(Segment(" " * left, STYLES[2]))
    return Strip([each for each in segments if each.text], WIDTH)


def whole(strips: Sequence[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[each] for each in strips], Region(0, 0, WIDTH, HEIGHT))


def part(strips: Sequence[Strip], rows: Sequence[int]) -> ChopsUpdate:
    """Only some rows, each in two chops, as they lie beside each other in two widgets."""
    half = WIDTH // 2
    chops = [{0: each.crop(0, half), half: each.crop(half, WIDTH)} for each in strips]
    return ChopsUpdate(chops, [(y, 0, WIDTH) for y in rows], [[half, WIDTH]] * len(strips))


TEXTS = st.text(alphabet="abc 0123█▁·─", min_size=0, max_size=12)
ROWS = st.lists(st.tuples(TEXTS, st.integers(0, len(STYLES) - 1)), max_size=4).map(strip)
SCREENS = st.lists(ROWS, min_size=HEIGHT, max_size=HEIGHT)


@settings(max_examples=150, deadline=None)
@given(first=SCREENS, later=st.lists(SCREENS, min_size=1, max_size=4), seed=st.integers(0, 99))
def test_after_each_frame_the_terminal_shows_what_it_should(
    first: list[Strip], later: list[list[Strip]], seed: int
) -> None:
    chance = random.Random(seed)
    terminal, known = Terminal(), Shown()
    terminal.write(Frame(whole(first), known).render_segments(CONSOLE))
    assert terminal.cells == shown_by(first)
    now = list(first)
    for screen in later:
        rows = sorted(chance.sample(range(HEIGHT), chance.randint(1, HEIGHT)))
        for y in rows:
            now[y] = screen[y]
        terminal.write(Frame(part(now, rows), known).render_segments(CONSOLE))
        assert terminal.cells == shown_by(now)


def test_of_a_row_in_which_a_figure_changes_the_figure_is_written() -> None:
    terminal, known = Terminal(), Shown()
    rows = [strip([("at 14:00:07", 2)])] * HEIGHT
    terminal.write(Frame(part(rows, [0]), known).render_segments(CONSOLE))
    terminal.written = 0
    later = [strip([("at 14:00:08", 2)])] * HEIGHT
    told = Frame(part(later, [0]), known).render_segments(CONSOLE)
    assert told == "\x1b[1;11H\x1b[38;2;135;139;145;48;2;17;21;26m8\x1b[0m"
    assert Frame(part(later, [0]), known).render_segments(CONSOLE) == NOTHING


def test_a_whole_screen_is_written_whole_so_that_it_mends_what_was_written_over_it() -> None:
    known, rows = Shown(), [strip([("abc", 1)])] * HEIGHT
    first = Frame(whole(rows), known).render_segments(CONSOLE)
    assert Frame(whole(rows), known).render_segments(CONSOLE) == first != NOTHING


def test_what_was_forgotten_is_written_again() -> None:
    known, rows = Shown(), [strip([("abc", 1)])] * HEIGHT
    first = Frame(part(rows, [1]), known).render_segments(CONSOLE)
    assert Frame(part(rows, [1]), known).render_segments(CONSOLE) == NOTHING
    known.forget()
    assert Frame(part(rows, [1]), known).render_segments(CONSOLE) == first


def test_what_lay_over_a_row_is_painted_over_once_it_is_gone() -> None:
    terminal, known = Terminal(), Shown()
    rows = [strip([("abcdefgh", 1)])] * HEIGHT
    terminal.write(Frame(part(rows, [0, 1, 2]), known).render_segments(CONSOLE))
    dialog = ChopsUpdate([{4: Strip([Segment("xxxx")], 4)}] * HEIGHT, [(1, 4, 8)], [[8]] * HEIGHT)
    terminal.write(Frame(dialog, known).render_segments(CONSOLE))
    assert terminal.cells[4, 1][0] == "x"
    terminal.write(Frame(part(rows, [0, 1, 2]), known).render_segments(CONSOLE))
    assert terminal.cells == shown_by(rows)


def test_a_row_whose_width_a_terminal_may_see_otherwise_is_never_cut() -> None:
    known = Shown()
    wide = [Strip([Segment("🙂 a1"), Segment(" " * (WIDTH - 5))], WIDTH)] * HEIGHT
    Frame(part(wide, [0]), known).render_segments(CONSOLE)
    later = [Strip([Segment("🙂 a2"), Segment(" " * (WIDTH - 5))], WIDTH)] * HEIGHT
    assert "🙂 a2" in Frame(part(later, [0]), known).render_segments(CONSOLE)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("", "", ""),
        ("1", "", "\x1b[0m"),
        ("", "1;31", "\x1b[1;31m"),
        ("1;31", "31", "\x1b[0;31m"),
        ("38;2;1;2;3;48;2;4;5;6", "38;2;9;2;3;48;2;4;5;6", "\x1b[38;2;9;2;3m"),
        ("38;2;1;2;3;48;2;4;5;6", "1;38;2;1;2;3;48;2;4;5;6", "\x1b[1m"),
        ("38;5;1;44", "44", "\x1b[39m"),
        ("38;5;1;44", "38;5;1", "\x1b[49m"),
        ("91", "91;104", "\x1b[104m"),
    ],
)
def test_a_style_is_turned_into_the_next_by_what_differs(
    before: str, after: str, told: str
) -> None:
    assert turned(before, after) == told
