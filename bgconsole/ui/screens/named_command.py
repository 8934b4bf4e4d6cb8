"""A command that the console names and does not run: why, and the command, to be copied."""

from __future__ import annotations

from bgconsole.domain.plain import plain
from bgconsole.ui.copying import copy
from bgconsole.ui.facts import Fact
from bgconsole.ui.screens.reading import ReadingScreen


class NamedCommandScreen(ReadingScreen):
    """The copy key takes the command alone, as it is to be pasted."""

    def __init__(self, title: str, why: str, command: str) -> None:
        super().__init__(title, lambda: (Fact("why", why), Fact("run yourself", command)))
        self._command = command

    def action_copy(self) -> None:
        """Copy the command."""
        copy(self.app, plain(self._command))
