"""A question about this console alone, answered with yes or no; the cursor starts on No."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalGroup
from textual.content import Content
from textual.widgets import Button, Static

from bgconsole.domain.plain import plain
from bgconsole.ui.screens.dialog import Dialog


class QuestionScreen(Dialog[bool]):
    """True means yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer(False)", "no"),
        Binding("y", "answer(True)", "yes"),
        Binding("left,right", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, *lines: str, yes: str, no: str = "stay", settle: float) -> None:
        """`yes` and `no` are what is done, in a word or two."""
        super().__init__(settle=settle)
        self._title = plain(title)
        self._lines = lines
        self._yes = yes
        self._no = no

    def compose(self) -> ComposeResult:
        """The question, the cursor on No."""
        with VerticalGroup(classes="dialog") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content(
                f"y: {self._yes} · n, esc: {self._no} · enter: what is marked"
            )
            for line in self._lines:
                yield Static(Content(plain(line)))
            with Horizontal(classes="buttons"):
                yield Button(Content(f"No, {self._no}"), id="no", compact=True)
                yield Button(
                    Content(f"Yes, {self._yes}"), id="yes", variant="warning", compact=True
                )

    def on_mount(self) -> None:
        """Start on No."""
        self.query_one("#no", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """Answer with a key."""
        self.dismiss(yes)
