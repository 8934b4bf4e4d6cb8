"""One stack: what the picture tells at once, its resources and events as they are read."""

from __future__ import annotations

from collections.abc import Callable

from textual import on

from bgconsole.ui import background
from bgconsole.ui.facts import Fact, Facts
from bgconsole.ui.messages import Answered
from bgconsole.ui.screens.reading import ReadingScreen
from bgconsole.ui.stack_facts import Inside

READ_EVERY = 2.0
"""Seconds from one answer to the next question while the page is open and the stack moves."""
READ_AT_REST = 30.0


class StackScreen(ReadingScreen):
    """Asks again while it is open; an answer that fails leaves what was read, and says so."""

    def __init__(
        self,
        title: str,
        tell: Callable[[], Facts],
        *,
        read: Callable[[], Inside],
        told_of: Callable[[Inside], Facts],
        moving: Callable[[], bool],
    ) -> None:
        """`read` blocks, and is called on another thread."""
        super().__init__(title, self._all)
        self._base = tell
        self._read = read
        self._told_of = told_of
        self._moving = moving
        self._inside: Inside | None = None
        self._problem = "asking AWS for its resources and events"

    def on_mount(self) -> None:
        """Show what is known, and ask for the rest."""
        super().on_mount()
        self._ask()

    def _ask(self) -> None:
        background.ask(self, self, self._read)

    @on(Answered)
    def _answered(self, answer: Answered) -> None:
        answer.stop()
        self._problem = ""
        if answer.error is not None:
            self._problem = f"not read: {answer.error}"
        elif isinstance(answer.value, Inside):
            self._inside = answer.value
        self.renew()
        self.set_timer(READ_EVERY if self._moving() else READ_AT_REST, self._ask)

    def _all(self) -> Facts:
        told = self._base()
        if not told:
            return ()
        if self._problem:
            told = (*told, Fact("", "resources and events", head=True), Fact("", self._problem))
        return (*told, *self._told_of(self._inside)) if self._inside else told
