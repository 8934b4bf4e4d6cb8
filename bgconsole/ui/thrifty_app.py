"""An app that writes little: of each frame only what the terminal does not show yet."""

from __future__ import annotations

import time
from typing import Any, TypeVar

from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen

from bgconsole.ui.terminal_frames import Frame, Shown

Result = TypeVar("Result")


class ThriftyApp(App[Result]):
    """Knows what it has written, and forgets it where the terminal may show something else."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = Shown()
        self.pressed_at = 0.0
        """When the last key came, by the monotonic clock."""

    def on_mount(self) -> None:
        """After another program had the terminal nothing is known of what it shows."""
        self.app_resume_signal.subscribe(self, lambda _: self._shown.forget())

    async def on_event(self, event: events.Event) -> None:
        """A terminal of another size may have moved its lines."""
        if isinstance(event, events.Resize):
            self._shown.forget()
        elif isinstance(event, events.Key):
            self.pressed_at = time.monotonic()
        await super().on_event(event)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Textual's own way to write a frame (8.2.8), with less in the frame."""
        if isinstance(renderable, ChopsUpdate | LayoutUpdate):
            super()._display(screen, Frame(renderable, self._shown))  # type: ignore[arg-type]
        else:
            super()._display(screen, renderable)
