"""The line of pane names on a small screen: which panes there are, and which one is shown."""

from __future__ import annotations

from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.widget import Widget

from bgconsole.domain.snapshot import Snapshot, Source

_TABS: tuple[tuple[str, str, Source | None], ...] = (
    ("tasks", "1 Tasks", "tasks"),
    ("targets", "2 Targets", "targets"),
    ("stacks", "3 Stacks", "stacks"),
    ("logs", "4 Logs", None),
    ("probe", "5 Probe", None),
)


class PaneTabs(Widget):
    """Shown by the style sheet where only one pane fits. A tab whose data is stale carries `▲`."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    PaneTabs { height: 1; display: none; text-wrap: nowrap; }
    """

    snapshot: reactive[Snapshot | None] = reactive(None)
    chosen: reactive[str] = reactive("tasks")

    def render(self) -> Content:
        """The names, the chosen one marked by more than a colour."""
        return Content("").join(self._tab(*tab) for tab in _TABS)

    def on_click(self, event: Click) -> None:
        """A click on a tab shows its pane."""
        at = 0
        for pane, _, _ in _TABS:
            at += self._width(pane)
            if event.x < at:
                self.screen.call_later(self.screen.run_action, f"pane('{pane}')")
                return

    def _tab(self, pane: str, name: str, source: Source | None) -> Content:
        part = self.snapshot.part(source) if self.snapshot and source else None
        mark = " ▲" if part is not None and part.failure is not None else ""
        if pane == self.chosen:
            return Content.styled(f"▐{name}{mark}▌ ", "bold")
        return Content.styled(f" {name}{mark}  ", "dim")

    def _width(self, pane: str) -> int:
        return next(self._tab(*tab).cell_length for tab in _TABS if tab[0] == pane)
