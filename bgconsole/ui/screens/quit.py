"""Asks before the console is left in the middle of an operation."""

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


class QuitScreen(Dialog[bool]):
    """True means: leave."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer(False)", "stay"),
        Binding("y", "answer(True)", "quit"),
        Binding("left,right", "app.focus_next", show=False),
    ]

    def __init__(self, operation: str, *, settle: float) -> None:
        super().__init__(settle=settle)
        self._operation = plain(operation)

    def compose(self) -> ComposeResult:
        """The question, the cursor on No."""
        with VerticalGroup(classes="dialog") as box:
            box.border_title = Content("Quit now?")
            yield Static(Content(f"{self._operation} is under way."))
            yield Static(
                Content(
                    "AWS goes on without the console; it will not be followed to its end here. "
                    "Opened again, the console finds the deployment and shows it."
                )
            )
            with Horizontal(classes="buttons"):
                yield Button("No, stay", id="no", compact=True)
                yield Button("Yes, quit", id="yes", variant="warning", compact=True)

    def on_mount(self) -> None:
        """Start on No."""
        self.query_one("#no", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, leave: bool) -> None:
        """Answer with a key."""
        self.dismiss(leave)
