"""The task-definition diff: old against new, line by line, asked of AWS when it is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain.definition_diff import Compared, DiffLine, Kind, difference
from bgconsole.domain.plain import plain
from bgconsole.ui import background
from bgconsole.ui.copying import copy
from bgconsole.ui.keys import read
from bgconsole.ui.messages import Answered
from bgconsole.ui.palette import Palette, Tone
from bgconsole.ui.screens.reading import Page
from bgconsole.ui.widgets.hanging_text import HangingText, Line
from bgconsole.ui.widgets.steady_footer import SteadyFooter

Documents = tuple[Mapping[str, object], Mapping[str, object]]
"""Of the old and of the new one."""
_LOOKS: Mapping[Kind, tuple[str, Tone]] = {
    "same": ("  ", Tone.PLAIN),
    "old": ("- ", Tone.OLD),
    "new": ("+ ", Tone.NEW),
    "left out": ("… ", Tone.QUIET),
}


class DefinitionDiffScreen(Screen[None]):
    """Both are immutable: what was read once is not read again."""

    DEFAULT_CSS = """
    DefinitionDiffScreen > Page { padding: 1 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "back", "leave", footer=True),
        *read(KEYMAP, "copy", "copy", footer=True),
    ]

    def __init__(self, what: Compared, ask: Callable[[], Documents]) -> None:
        """`ask` reads both documents; it blocks, and is called on another thread."""
        super().__init__()
        self._what = what
        self._ask = ask

    def compose(self) -> ComposeResult:
        """Title, what is compared, page, keys."""
        old, new = self._what.old, self._what.new
        title = f"task definition · revision {old.revision} → {new.revision}"
        yield Static(Content.styled(plain(title), "bold"), classes="title")
        with Page():
            yield HangingText(id="diff")
        yield SteadyFooter()

    def on_mount(self) -> None:
        """Ask."""
        self._show([("left out", "asking AWS for both task definitions")])
        self.query_one(Page).focus()
        background.ask(self, self, self._ask)

    @on(Answered)
    def _answered(self, answer: Answered) -> None:
        answer.stop()
        if answer.error is not None:
            error = answer.error
            told = (error.title, error.detail, error.hint)
            self._show([("same", words) for words in told if words])
            return
        old, new = cast(Documents, answer.value)
        self._show(self._told(old, new))

    def _told(self, old: Mapping[str, object], new: Mapping[str, object]) -> list[tuple[Kind, str]]:
        what = self._what
        lines: Sequence[DiffLine] = difference(
            old, new, old_digests=what.old.digests, new_digests=what.new.digests
        )
        head: list[tuple[Kind, str]] = [
            ("old", f"old  {what.old.words}"),
            ("new", f"new  {what.new.words}"),
            ("same", ""),
        ]
        if not lines:
            return [*head, ("same", "Nothing differs: the same content and the same images.")]
        return [
            *head,
            *((line.kind, line.text) for line in lines),
            ("same", ""),
            (
                "left out",
                "••• stands for a value that is not shown: the mark behind it differs "
                "where the value does",
            ),
        ]

    def _show(self, told: Sequence[tuple[Kind, str]]) -> None:
        palette = Palette.of(self.app)
        self.query_one("#diff", HangingText).show(
            Line(_drawn(kind, text, palette), _indent(text)) for kind, text in told
        )

    def action_leave(self) -> None:
        """Back to where one came from."""
        self.dismiss(None)

    def action_copy(self) -> None:
        """Copy the page."""
        copy(self.app, self.query_one("#diff", HangingText).text)


def _drawn(kind: Kind, text: str, palette: Palette) -> Content:
    sign, tone = _LOOKS[kind]
    return Content.styled(f"{sign}{plain(text)}" if text else "", palette.style(tone))


def _indent(text: str) -> int:
    return 4 + len(text) - len(text.lstrip())
