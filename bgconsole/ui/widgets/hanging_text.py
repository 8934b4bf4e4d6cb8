"""Lines whose further rows stand below their text, not below their label or number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from bgconsole.ui.widgets.wrap import wrap


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and by how many cells what is wrapped is moved in."""

    content: Content
    indent: int = 0


class HangingText(Widget):
    """As high as its lines need at the width that it gets."""

    DEFAULT_CSS = """
    HangingText { width: 1fr; height: auto; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: tuple[Line, ...] = ()

    def show(self, lines: Iterable[Line]) -> None:
        """Make these the lines."""
        self._lines = tuple(lines)
        self.refresh(layout=True)

    @property
    def text(self) -> str:
        """What is shown, unwrapped."""
        return "\n".join(line.content.plain for line in self._lines)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """How many rows the lines take."""
        del container, viewport
        return len(wrapped(self._lines, width))

    def render(self) -> Content:
        """All rows."""
        return Content("\n").join(wrapped(self._lines, self.size.width))


def wrapped(lines: Iterable[Line], width: int) -> list[Content]:
    """Rows of at most `width` cells."""
    rows: list[Content] = []
    for line in lines:
        if line.content.cell_length <= width or width <= line.indent + 8:
            rows.append(line.content)
            continue
        first, *further = wrap(line.content[line.indent :], width - line.indent)
        rows.append(line.content[: line.indent] + first)
        rows += [Content(" " * line.indent) + row for row in further]
    return rows
