"""Changes of text that repaint no more than what differs: what is written again crosses the link.

Textual repaints a whole widget with all its children for a new border title, and whenever a text is
set, the same or not (8.2.8). Panes tell their ages once a second, mostly the same words.
"""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import Static


def retell(static: Static, content: Content, *, layout: bool = True) -> None:
    """Set a text, unless it is there already."""
    shown = static.content
    if not (isinstance(shown, Content) and same(shown, content)):
        static.update(content, layout=layout)


def retitle(widget: Widget, title: Content, subtitle: Content) -> None:
    """Set what stands on the border: only its rows are painted again, and only if they differ."""
    for name, row, new in (
        ("_border_title", 0, title),
        ("_border_subtitle", widget.outer_size.height - 1, subtitle),
    ):
        old = getattr(widget, name)
        if isinstance(old, Content) and same(old, new):
            continue
        setattr(widget, name, new)
        x, y = widget.content_offset
        widget.refresh(Region(-x, row - y, widget.outer_size.width, 1))


def same(one: Content, other: Content) -> bool:
    """Whether they are drawn alike."""
    return one.plain == other.plain and one.spans == other.spans
