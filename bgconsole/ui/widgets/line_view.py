"""A long, growing list of lines: follows the end, and stands still under a reader.

Only visible lines are drawn; however many come, the screen is painted at most ten times a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.events import Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bgconsole.config.keymap import KEYMAP
from bgconsole.ui.keys import read
from bgconsole.ui.widgets.ring import Ring

PAUSE = 0.1
"""Seconds between two paints. A paint costs the same for one new line and for a thousand."""
CAPACITY = 100_000
"""Lines that are kept."""
MORE = "›"
"""Stands at the right edge of a line that goes on."""
SIDEWAYS = 16
"""Columns that one arrow key moves."""


class Numbered(Protocol):
    """What a line is to the view."""

    @property
    def order(self) -> tuple[Any, ...]:
        """Where it stands among the others; its own alone."""
        ...

    @property
    def sequence(self) -> int:
        """Its number by arrival: it names the drawn line for good, wherever the line moves."""
        ...


Line = TypeVar("Line", bound=Numbered)


class LineView(ScrollView, Generic[Line], can_focus=True, inherit_bindings=False):
    """Subclasses say how a line is drawn."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    LineView {
        height: 1fr;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-color: $foreground 25%;
        scrollbar-size-horizontal: 0;
        overflow-x: scroll;
        overflow-y: scroll;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "move.down", "scroll_down"),
        *read(KEYMAP, "move.up", "scroll_up"),
        *read(KEYMAP, "move.first", "scroll_home"),
        *read(KEYMAP, "move.last", "follow"),
        *read(KEYMAP, "move.page-down", "page_down"),
        *read(KEYMAP, "move.page-up", "page_up"),
        Binding("right", "sideways(1)", "Right", show=False),
        Binding("left", "sideways(-1)", "Left", show=False),
    ]

    following: reactive[bool] = reactive(True, repaint=False, init=False)
    """Whether the newest line stays in view."""
    unseen: reactive[int] = reactive(0, repaint=False, init=False)
    """Lines that came since the reader stopped following."""

    class Moved(Message):
        """`following` or `unseen` changed."""

    def __init__(self, capacity: int = CAPACITY, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.ring: Ring[Line] = Ring(capacity)
        self._waiting: list[Line] = []
        self._resting = False
        self._own_move = False
        self._style: Style | None = None
        self._strips: LRUCache[tuple[int, int, int], Strip] = LRUCache(1024)
        self._widest = 0

    def segments(self, line: Line) -> list[Segment]:
        """One line as it is drawn, not cut and not padded."""
        raise NotImplementedError

    def cells(self, line: Line) -> int:
        """About how wide it is: how far one may go sideways."""
        raise NotImplementedError

    @property
    def busy(self) -> bool:
        """Whether lines wait to be painted."""
        return bool(self._waiting)

    @property
    def waiting(self) -> int:
        """How many lines wait to be painted."""
        return len(self._waiting)

    @property
    def every(self) -> list[Line]:
        """All lines that are kept, those that wait to be painted last."""
        return [*self.ring.all, *self._waiting]

    def add(self, lines: Sequence[Line]) -> None:
        """Take lines that are sorted among themselves; some may belong before earlier ones."""
        self._waiting.extend(lines)
        if self._resting or not self._waiting:
            return
        self._flush()
        self._resting = True
        self.set_timer(PAUSE, self._rested)

    def narrow(self, keeps: Callable[[Line], bool] | None) -> None:
        """Show only the lines that the predicate keeps, from where the reader is."""
        anchor = self._anchor()
        self.ring.narrow(keeps)
        self._settle(anchor)
        self.refresh()

    def clear(self) -> None:
        """Forget every line, and follow."""
        self.ring = Ring(self.ring.capacity)
        self._waiting.clear()
        self._strips.clear()
        self._widest = 0
        self.following = True
        self._settle(None)
        self.refresh()

    def restyle(self) -> None:
        """Draw all anew: what `segments` gives has changed."""
        self._strips.clear()
        self.refresh()

    def action_follow(self) -> None:
        """To the newest line, and on with it."""
        self.following = True
        self._to_end()

    def action_scroll_down(self) -> None:
        """One line on."""
        self.scroll_relative(y=1, animate=False)

    def action_scroll_up(self) -> None:
        """One line back."""
        self.scroll_relative(y=-1, animate=False)

    def action_page_down(self) -> None:
        """One page on."""
        self.scroll_relative(y=max(1, self.size.height - 1), animate=False)

    def action_page_up(self) -> None:
        """One page back."""
        self.scroll_relative(y=-max(1, self.size.height - 1), animate=False)

    def action_scroll_home(self) -> None:
        """To the oldest line that is kept."""
        self.scroll_to(y=0, animate=False)

    def action_sideways(self, steps: int) -> None:
        """Along a long line."""
        self.scroll_relative(x=steps * SIDEWAYS, animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Whoever scrolls up reads: stop following. Whoever is back at the end follows again."""
        super().watch_scroll_y(old_value, new_value)
        if not self._own_move:
            self.following = round(new_value) >= self.max_scroll_y

    def watch_following(self, following: bool) -> None:
        """Who follows has seen everything."""
        if following:
            self.unseen = 0
        self.post_message(self.Moved())

    def watch_unseen(self) -> None:
        """Tell the pane."""
        self.post_message(self.Moved())

    def on_resize(self, _: Resize) -> None:
        """More or less of it is visible: the end stays the end."""
        self._strips.clear()
        if self.following:
            self._to_end()

    def notify_style_update(self) -> None:
        """Other colours."""
        super().notify_style_update()
        self._strips.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The visible lines; the widget's style is worked out once a paint, not once a line."""
        self._style = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One visible line."""
        style = self._style or self.rich_style
        scroll_x, scroll_y = self.scroll_offset
        width = self.scrollable_content_region.width
        lines = self.ring.shown
        if y + scroll_y >= len(lines):
            return Strip.blank(width, style)
        line = lines[y + scroll_y]
        key = (line.sequence, scroll_x, width)
        strip = self._strips.get(key)
        if strip is None:
            whole = Strip(self.segments(line))
            strip = whole.crop(scroll_x, scroll_x + width).extend_cell_length(width)
            if whole.cell_length > scroll_x + width:
                strip = Strip([*strip.crop(0, width - 1), Segment(MORE)])
            strip = strip.apply_style(style)
            self._strips[key] = strip
        return strip

    def _rested(self) -> None:
        self._resting = False
        if self._waiting:
            self.add(())

    def _flush(self) -> None:
        lines, self._waiting = self._waiting, []
        anchor = self._anchor()
        lines.sort(key=lambda line: line.order)
        fresh = self.ring.add(lines)
        self._widest = max(self._widest, *map(self.cells, lines))
        self._settle(anchor)
        if not self.following:
            self.unseen += fresh
        self.refresh()

    def _anchor(self) -> tuple[Any, ...] | None:
        """What stands on the first visible line."""
        lines, top = self.ring.shown, self.scroll_offset.y
        return lines[top].order if not self.following and top < len(lines) else None

    def _settle(self, anchor: tuple[Any, ...] | None) -> None:
        size = Size(self._widest, len(self.ring.shown))
        if size != self.virtual_size:
            self.virtual_size = size
        if self.following:
            self._to_end()
        elif anchor is not None:
            self._go(self.ring.place(anchor))

    def _to_end(self) -> None:
        self._go(self.max_scroll_y)

    def _go(self, y: int) -> None:
        self._own_move = True
        try:
            self.scroll_to(y=y, animate=False, force=True)
        finally:
            self._own_move = False
