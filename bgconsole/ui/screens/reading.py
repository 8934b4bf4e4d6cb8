"""A page to read: all facts of a row, the events, the deployments, the keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain.plain import plain
from bgconsole.ui.copying import copy
from bgconsole.ui.facts import Fact, Facts
from bgconsole.ui.keys import read
from bgconsole.ui.widgets.hanging_text import HangingText, Line
from bgconsole.ui.widgets.steady_footer import SteadyFooter

_LABEL, _LONGEST = 17, 32
"""Cells of the column of labels: as wide as the longest of a page wants, within these."""


class Page(VerticalScroll, inherit_bindings=False):
    """The part that moves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "move.down", "scroll_down"),
        *read(KEYMAP, "move.up", "scroll_up"),
        *read(KEYMAP, "move.first", "scroll_home"),
        *read(KEYMAP, "move.last", "scroll_end"),
        *read(KEYMAP, "move.page-down", "page_down"),
        *read(KEYMAP, "move.page-up", "page_up"),
    ]


class ReadingScreen(Screen[None]):
    """Shows what `tell` gives, again whenever the console has a newer picture."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "back", "leave", footer=True),
        *read(KEYMAP, "copy", "copy", footer=True),
    ]

    def __init__(self, title: str, tell: Callable[[], Facts]) -> None:
        super().__init__()
        self._title = plain(title)
        self._tell = tell
        self._facts: Facts = ()
        self._composed = False

    def compose(self) -> ComposeResult:
        """Title, page, keys."""
        yield Static(Content.styled(self._title, "bold"), classes="title")
        with Page():
            yield HangingText(id="facts")
        yield SteadyFooter()

    def on_mount(self) -> None:
        """Fill the page."""
        self._composed = True
        self.renew()
        self.query_one(Page).focus()

    def renew(self) -> None:
        """Tell again; what is gone from the picture stays as it was last seen."""
        facts = self._tell()
        if facts and facts != self._facts and self._composed:
            self._facts = facts
            self.query_one(HangingText).show(drawn(facts))

    def action_leave(self) -> None:
        """Back to where one came from."""
        self.dismiss(None)

    def action_copy(self) -> None:
        """Copy the page."""
        wide = _label_width(self._facts)
        told = (f"{fact.label:<{wide}} {fact.value}".strip() for fact in self._facts)
        copy(self.app, "\n".join(plain(line) for line in told))


def drawn(facts: Facts) -> list[Line]:
    """Labels in one column, values in the next; a part begins after an empty line."""
    told: list[Line] = []
    wide = _label_width(facts)
    for fact in facts:
        told += _lines(fact, wide, first=not told)
    return told


def _label_width(facts: Facts) -> int:
    longest = max((cell_len(plain(fact.label)) for fact in facts), default=0)
    return min(_LONGEST, max(_LABEL, longest))


def _lines(fact: Fact, wide: int, *, first: bool) -> list[Line]:
    if fact.head:
        gap = [] if first else [Line(Content(""))]
        return [*gap, Line(Content.styled(plain(fact.value), "bold"))]
    label = Content.styled(f"{plain(fact.label):<{wide}} ", "dim")
    return [Line(label + Content(plain(fact.value)), wide + 1)]
