"""The command palette: everything that a key does, and the pickers, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from bgconsole.domain.plain import plain


@dataclass(frozen=True, slots=True)
class Command:
    """One entry."""

    title: str
    help: str
    run: Callable[[], object]
    key: str = ""
    """The key that does the same, and what the footer calls it: `U update`."""

    @property
    def shown(self) -> str:
        """The line that is listed, and searched: who knows the footer's word finds it by that."""
        return plain("   ".join(filter(None, (self.title, self.key))))


class Commanded(Protocol):
    """Who knows the commands that exist now."""

    def commands(self) -> tuple[Command, ...]:
        """In the order in which they are listed."""
        ...


class Commands(Provider):
    """The console's own commands; Textual's (screenshot, theme, maximise) are left out."""

    @property
    def _commands(self) -> tuple[Command, ...]:
        return cast(Commanded, self.app).commands()

    async def discover(self) -> Hits:
        """All of them, where nothing is typed yet."""
        for command in self._commands:
            title = Content(command.shown)
            yield DiscoveryHit(title, command.run, text=command.title, help=plain(command.help))

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for command in self._commands:
            title = command.shown
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), command.run, help=plain(command.help))
