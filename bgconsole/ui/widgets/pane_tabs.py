"""The line of pane names on a small screen: which panes there are, and which one is shown."""

from __future__ import annotations

from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.widget import Widget

_TABS = (
    ("tasks", "1 Tasks"),
    ("targets", "2 Targets"),
    ("stacks", "3 Stacks"),
    ("logs", "4 Logs"),
    ("probe", "5 Probe"),
)


class PaneTabs(Widget):
    """Shown by the style sheet where only one pane fits. A tab whose pane is stale carries `▲`."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    PaneTabs { height: 1; display: none; text-wrap: nowrap; }
    """

    chosen: reactive[str] = reactive("tasks")
    stale: reactive[frozenset[str]] = reactive(frozenset())
    """The ids of the panes that show what is not as of now."""

    def render(self) -> Content:
        """The names, the chosen one marked by more than a colour."""
        return Content("").join(self._tab(*tab) for tab in _TABS)

    def on_click(self, event: Click) -> None:
        """A click on a tab shows its pane."""
        at = 0
        for pane, _ in _TABS:
            at += self._width(pane)
            if event.x < at:
                self.screen.call_later(self.screen.run_action, f"pane('{pane}')")
                return

    def _tab(self, pane: str, name: str) -> Content:
        mark = " ▲" if pane in self.stale else ""
        if pane == self.chosen:
            return Content.styled(f"▐{name}{mark}▌ ", "bold")
        return Content.styled(f" {name}{mark}  ", "dim")

    def _width(self, pane: str) -> int:
        return next(self._tab(*tab).cell_length for tab in _TABS if tab[0] == pane)
