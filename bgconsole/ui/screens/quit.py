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

KEYS = "y: quit · n, esc: stay · enter: what is marked"
AT_AWS = (
    "AWS goes on without the console; it will not be followed to its end here. "
    "Opened again, the console finds the deployment and shows it."
)
AT_SANDBOX = (
    "It will not be followed to its end here. A sandbox that the demo started ends with the "
    "console, and its deployment with it; another endpoint ({}) goes on."
)


class QuitScreen(Dialog[bool]):
    """True means: leave."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer(False)", "stay"),
        Binding("y", "answer(True)", "quit"),
        Binding("left,right", "app.focus_next", show=False),
    ]

    def __init__(self, operation: str, *, settle: float, endpoint: str = "") -> None:
        """`endpoint` names, in words, one that is not AWS's own."""
        super().__init__(settle=settle)
        self._operation = plain(operation)
        self._endpoint = plain(endpoint)

    def compose(self) -> ComposeResult:
        """The question, the cursor on No."""
        with VerticalGroup(classes="dialog") as box:
            box.border_title = Content("Quit now?")
            yield Static(Content(f"{self._operation} is under way."))
            box.border_subtitle = Content(KEYS)
            yield Static(Content(AT_SANDBOX.format(self._endpoint) if self._endpoint else AT_AWS))
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
