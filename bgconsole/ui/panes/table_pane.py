"""A pane whose rows stand in one table, which takes focus and filter and holds the highlight."""

from __future__ import annotations

from collections.abc import Iterator

from textual.widget import Widget

from bgconsole.ui.panes.pane import Pane
from bgconsole.ui.widgets.keyed_table import KeyedTable


class TablePane(Pane):
    """What panes of one table share; `body` yields the table, `paint` fills it."""

    def sought(self) -> Iterator[Widget]:
        """The table."""
        yield self.table

    @property
    def selection(self) -> str | None:
        """The highlighted row's key."""
        return self.table.selection

    def narrow(self, text: str, *, only_wrong: bool) -> None:
        """Show only rows that hold the text, or only those that are not well."""
        self.table.narrow(text, only_wrong=only_wrong)

    @property
    def table(self) -> KeyedTable:
        """The one table."""
        return self.query_one(KeyedTable)
