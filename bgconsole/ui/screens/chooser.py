"""A searchable list to choose from: clusters, services, profiles, regions, versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalGroup
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from bgconsole.domain.errors import BgconsoleError
from bgconsole.domain.plain import plain
from bgconsole.ui.background import ask
from bgconsole.ui.messages import Answered
from bgconsole.ui.outside import one_line

Choices = Sequence[tuple[str, str]]
"""Values, each with its words."""


class ChooserScreen(ModalScreen[str | None]):
    """Gives the chosen value, or None where nothing was chosen.

    The list is asked for off the screen's loop; where that fails it says so and asks again.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back"),
        Binding("up", "move('cursor_up')", show=False),
        Binding("down", "move('cursor_down')", show=False),
        Binding("pageup", "move('page_up')", show=False),
        Binding("pagedown", "move('page_down')", show=False),
        Binding("ctrl+r", "again", "ask again", show=False),
    ]
    RETRY = 5.0
    """Seconds between two tries."""

    def __init__(
        self,
        title: str,
        list_choices: Callable[[], Choices],
        *,
        about: str = "",
        first: str = "",
        mark: str = "last time",
        known: Choices | None = None,
        free: bool = False,
    ) -> None:
        """`free` takes what was typed where nothing is named so."""
        super().__init__()
        self._free = free
        self._title = plain(title)
        self._about = about
        self._list_choices = list_choices
        self._first = first
        self._mark = mark
        self._choices: Choices = known or ()
        self._known = known is not None
        self._ticket = 0

    def compose(self) -> ComposeResult:
        """What to find, then what there is."""
        with VerticalGroup(classes="dialog chooser") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content("enter: choose · esc: back · up down: move")
            if self._about:
                yield Static(one_line(self._about), id="about")
            yield Input(placeholder="type to find", id="find", compact=True)
            yield Static(id="state")
            yield OptionList(markup=False, compact=True)

    def on_mount(self) -> None:
        """Ask, unless it is known already."""
        self.query_one(OptionList).can_focus = False
        self.query_one("#find").focus()
        if self._known:
            self._fill()
        else:
            self.action_again()

    def action_again(self) -> None:
        """Ask for the list."""
        self._ticket += 1
        if not self._choices:
            self._say("asking …")
        ask(self, self._ticket, self._list_choices)

    @on(Answered)
    def _answered(self, answer: Answered) -> None:
        if answer.ticket != self._ticket:
            return
        if answer.error is not None:
            self._say_error(answer.error)
            self.set_timer(self.RETRY, self.action_again)
            return
        self._choices = answer.value if isinstance(answer.value, tuple) else ()
        self._fill()

    @on(Input.Changed)
    def _fill(self) -> None:
        typed = self.query_one("#find", Input).value
        sought = typed.casefold()
        found = [
            (value, words)
            for value, words in self._choices
            if sought in value.casefold() or sought in words.casefold()
        ]
        # "1" is not the first of 10, 11, 12: what is named just so comes first.
        found.sort(key=lambda choice: (choice[0] != self._first, choice[0].casefold() != sought))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(self._prompt(*choice)) for choice in found)
        self._found = tuple(value for value, _ in found)
        options.highlighted = 0 if found else None
        nothing = "nothing is named so" if self._choices else "there is nothing here"
        if self._free and typed.strip():
            nothing = f"not in the list: enter takes {typed.strip()}"
        self._say("" if found else nothing)

    def _prompt(self, value: str, words: str) -> Content:
        mark = f"   {self._mark}" if value == self._first and self._first else ""
        return Content.assemble(plain(words or value), (mark, "dim"))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        at = self.query_one(OptionList).highlighted
        typed = self.query_one("#find", Input).value.strip()
        if at is not None:
            self.dismiss(self._found[at])
        elif self._free and typed:
            self.dismiss(typed)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._found[event.option_index])

    def action_move(self, how: str) -> None:
        """Move in the list while the field keeps the cursor."""
        getattr(self.query_one(OptionList), f"action_{how}")()

    def action_leave(self) -> None:
        """Choose nothing."""
        self.dismiss(None)

    def _say(self, words: str) -> None:
        state = self.query_one("#state", Static)
        state.display = bool(words)
        state.update(one_line(words, "dim"))

    def _say_error(self, error: BgconsoleError) -> None:
        state = self.query_one("#state", Static)
        state.display = True
        told = (f"✖ {error}", f"trying again every {self.RETRY:.0f} s; ctrl+r asks now")
        state.update(Content("\n").join(one_line(line) for line in told))
