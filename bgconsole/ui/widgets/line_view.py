"""A long, growing list of lines: follows the end, and stands still under a reader.

Only visible lines are drawn; however many come, the screen is painted at most ten times a second,
and less often where nobody reads here or the terminal does not keep up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from operator import attrgetter
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bgconsole.config.keymap import KEYMAP
from bgconsole.ui.keys import read
from bgconsole.ui.terminal_backlog import terminal_is_behind
from bgconsole.ui.widgets.ring import Ring

PAUSE = 0.1
"""Seconds between two paints. A paint costs the same for one new line and for a thousand."""
ASIDE = 10
"""How many times as long it is while the view has not the focus: nobody reads so fast aside, and a
paint of a dozen lines is 6 kB on the link."""
MOST_PAUSE = 3.2
"""Seconds, for a terminal that does not take what is written."""
KEY_FIRST = 0.05
"""Seconds after a key in which no lines are painted."""
CAPACITY = 100_000
"""Lines that are kept."""
SPARE = 2
"""A capacity's half is kept beyond it while somebody reads: what is read does not fall out."""
MORE = "›"
"""Stands at the right edge of a line that goes on."""
SIDEWAYS = 16
"""Columns that one arrow key moves."""
WRAPPED_ROWS = 12
"""Rows of one wrapped line; what is left is read on its own page."""
CURSOR = "❯"
MARK = "●"


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

    class Top(Message):
        """Whoever reads has gone back to within a page of the oldest line that is kept."""

    class Opened(Message):
        """The highlighted line was clicked once more."""

    def __init__(self, capacity: int = CAPACITY, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.ring: Ring[Line] = Ring(capacity)
        self._waiting: list[Line] = []
        self._resting = False
        self._gave_way = False
        self._pause = PAUSE
        self._own_move = False
        self._style: Style | None = None
        self._strips: LRUCache[tuple[Any, ...], list[Strip]] = LRUCache(256)
        self._widest = 0
        self._cursor: tuple[Any, ...] | None = None
        self._marks: set[int] = set()
        self._wraps = False
        self._rows: list[tuple[int, int]] | None = None
        """Of a wrapped view, for each row of the screen: which line, and which part of it."""

    def segments(self, line: Line) -> list[Segment]:
        """One line as it is drawn, not cut and not padded."""
        raise NotImplementedError

    def cells(self, line: Line) -> int:
        """About how wide it is: how far one may go sideways."""
        raise NotImplementedError

    def hang(self, line: Line) -> int:
        """Columns by which what is wrapped stands in."""
        del line
        return 2

    def version(self, line: Line) -> int:
        """Another number whenever `segments` gives something else for the same line."""
        del line
        return 0

    def sign(self, line: Line) -> str:
        """One character for the column on the left, where neither cursor nor mark stands."""
        del line
        return " "

    @property
    def highlighted(self) -> Line | None:
        """The line that keys act on: who follows has the newest."""
        at = self._cursor_index
        return self.ring.shown[at] if at is not None else None

    @property
    def marked(self) -> list[Line]:
        """The marked lines that are still kept."""
        return [line for line in self.ring.all if line.sequence in self._marks]

    @property
    def wraps(self) -> bool:
        """Whether long lines go on below."""
        return self._wraps

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

    def add(self, lines: Sequence[Line], *, older: bool = False) -> None:
        """Take lines that are sorted among themselves; some may belong before earlier ones.

        `older`: they are history that was asked for, no news to whoever reads.
        """
        if older:
            # Somebody waits for them, and they are rare.
            self._flush(lines)
            return
        self._waiting.extend(lines)
        if self._resting or not self.busy:
            return
        self._flush()
        self._resting = True
        self.set_timer(self._next_pause(), self._rested)

    def discard(self, sequences: Collection[int]) -> None:
        """Take lines away, by their numbers."""
        anchor = self._anchor()
        if self.ring.discard(sequences):
            self._settle(anchor)
            self.refresh()

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
        self._marks.clear()
        self._cursor = None
        self._strips.clear()
        self._widest = 0
        self.following = True
        self._settle(None)
        self.refresh()

    def restyle(self) -> None:
        """Draw all anew: what `segments` gives has changed."""
        self._strips.clear()
        self.refresh()

    def wrap(self, wraps: bool) -> None:
        """Let long lines go on below, or be cut at the edge."""
        anchor = self._anchor()
        self._wraps = wraps
        self._strips.clear()
        self.scroll_to(x=0, animate=False)
        self._settle(anchor)
        self.refresh()

    def seek(self, wanted: Callable[[Line], bool], step: int) -> bool:
        """To the next line that is wanted, or the one before; False where there is none."""
        lines, at = self.ring.shown, self._cursor_index
        if at is None:
            return False
        ahead = range(at + 1, len(lines)) if step > 0 else range(at - 1, -1, -1)
        found = next((index for index in ahead if wanted(lines[index])), None)
        if found is None:
            return False
        self._to(found)
        return True

    def go_to(self, order: tuple[Any, ...]) -> None:
        """To the first line of this order or later, else to the last."""
        if self.ring.shown:
            self._to(min(self.ring.place(order), len(self.ring.shown) - 1), top=True)

    def mark(self) -> None:
        """Mark the highlighted line, or take its mark away, and go to the next one."""
        line = self.highlighted
        if line is not None:
            self._marks ^= {line.sequence}
            self.hold()
            self._move(1, keep=True)
            self.refresh()

    def hold(self) -> None:
        """Stop following, and stay here."""
        if self.following and self.ring.shown:
            self._cursor = self.ring.shown[-1].order
            self.following = False
            self.refresh()

    def action_follow(self) -> None:
        """To the newest line, and on with it."""
        self.following = True
        self._settle(None)
        self.refresh()

    def action_scroll_down(self) -> None:
        """One line on."""
        self._move(1)

    def action_scroll_up(self) -> None:
        """One line back."""
        self._move(-1)
        self._tell_top()

    def action_page_down(self) -> None:
        """One page on."""
        self._move(max(1, self._visible_lines - 1), page=True)

    def action_page_up(self) -> None:
        """One page back."""
        self._move(-max(1, self._visible_lines - 1), page=True)
        self._tell_top()

    def action_scroll_home(self) -> None:
        """To the oldest line that is kept."""
        if self.ring.shown:
            self._to(0)
        self._tell_top()

    def action_sideways(self, steps: int) -> None:
        """Along a long line."""
        self.scroll_relative(x=steps * SIDEWAYS, animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Whoever scrolls up reads: stop following. Whoever is back at the end follows again."""
        super().watch_scroll_y(old_value, new_value)
        self._rows = None
        if not self._own_move:
            self._scrolled()

    def watch_following(self, following: bool) -> None:
        """Who follows has seen everything; below who reads, nothing falls out for a while."""
        self.ring.spare = 0 if following else self.ring.capacity // SPARE
        if following:
            self.unseen = 0
            self._cursor = None
        self.post_message(self.Moved())

    def watch_unseen(self) -> None:
        """Tell the pane."""
        self.post_message(self.Moved())

    def on_focus(self) -> None:
        """Somebody reads here."""
        self._pause = PAUSE

    def on_click(self, event: Click) -> None:
        """The line under the mouse is the highlighted one; a second click opens it."""
        place = self._place(event.y)
        if place is None:
            return
        index = place[0]
        again = not self.following and index == self._cursor_index
        self.hold()
        self._cursor = self.ring.shown[index].order
        self.refresh()
        if again or event.chain > 1:
            self.post_message(self.Opened())

    def on_mouse_scroll_up(self, _: MouseScrollUp) -> None:
        """Reading begins with the first notch, also where all lines fit."""
        self.hold()
        self._tell_top()

    def on_mouse_scroll_down(self, _: MouseScrollDown) -> None:
        """At the end one follows."""
        if self.scroll_offset.y >= self.max_scroll_y:
            self.action_follow()

    def on_resize(self, _: Resize) -> None:
        """More or less of it is visible: the end stays the end."""
        self._strips.clear()
        self._settle(self._anchor())

    def notify_style_update(self) -> None:
        """Other colours."""
        super().notify_style_update()
        self._strips.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The visible lines; the widget's style is worked out once a paint, not once a line."""
        self._style = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One row."""
        style = self._style or self.rich_style
        width = self.scrollable_content_region.width
        place = self._place(y)
        if place is None:
            return Strip.blank(width, style)
        index, part = place
        line = self.ring.shown[index]
        here = not self.following and line.order == self._cursor
        sign = CURSOR if here else MARK if line.sequence in self._marks else self.sign(line)
        strips = self._drawn(line, sign, width, style)
        strip = strips[min(part, len(strips) - 1)]
        return strip.apply_style(_HERE) if here else strip

    def _drawn(self, line: Line, sign: str, width: int, style: Style) -> list[Strip]:
        x = 0 if self._wraps else self.scroll_offset.x
        key = (line.sequence, self.version(line), x, width, sign)
        strips = self._strips.get(key)
        if strips is None:
            whole = Strip(self.segments(line))
            room = width - 1
            rows = self._wrapped(line, whole, room) if self._wraps else [_cut(whole, x, room)]
            gutter = Segment(sign if len(sign) == 1 else " ")
            below = Segment(" ")
            strips = [
                Strip([below if n else gutter, *row.extend_cell_length(room)]).apply_style(style)
                for n, row in enumerate(rows)
            ]
            self._strips[key] = strips
        return strips

    def _wrapped(self, line: Line, whole: Strip, width: int) -> list[Strip]:
        indent = min(self.hang(line), max(0, width - 20))
        rows: list[Strip] = []
        at, room = 0, width
        while True:
            row = whole.crop(at, at + room)
            rows.append(row if not rows else Strip([Segment(" " * indent), *row]))
            at += row.cell_length or room
            room = width - indent
            if at >= whole.cell_length:
                return rows
            if len(rows) == WRAPPED_ROWS:
                rows[-1] = Strip([*rows[-1].crop(0, width - 1), Segment(MORE)])
                return rows

    def _height(self, index: int) -> int:
        """Rows of a line of the wrapped view."""
        line = self.ring.shown[index]
        width = self.scrollable_content_region.width
        if not self._wraps or self.cells(line) < width // 2 or width < 2:
            return 1
        return len(self._drawn(line, self.sign(line), width, self._style or self.rich_style))

    def _place(self, y: int) -> tuple[int, int] | None:
        """Which line stands on a row, and which part of it."""
        if not self._wraps:
            index = y + self.scroll_offset.y
            return (index, 0) if index < len(self.ring.shown) else None
        if self._rows is None:
            self._rows = list(self._laid_out())
        return self._rows[y] if y < len(self._rows) else None

    def _laid_out(self) -> Iterator[tuple[int, int]]:
        height, count, top = self.size.height, len(self.ring.shown), self.scroll_offset.y
        skip = 0
        if top >= self._last_top():
            top, skip = self._end()
        left = height
        for index in range(top, count):
            for part in range(skip, self._height(index)):
                if left == 0:
                    return
                yield (index, part)
                left -= 1
            skip = 0

    def _end(self) -> tuple[int, int]:
        """The first line that is seen when the last row is, and how much of it is above."""
        left = max(1, self.size.height)
        for index in range(len(self.ring.shown) - 1, -1, -1):
            rows = self._height(index)
            if rows >= left:
                return index, rows - left
            left -= rows
        return 0, 0

    def _last_top(self) -> int:
        """How far the view can be scrolled: a line that is cut there is whole one step before."""
        if not self._wraps:
            return max(0, len(self.ring.shown) - self.size.height)
        top, above = self._end()
        return top + 1 if above else top

    @property
    def _visible_lines(self) -> int:
        """How many lines the screen shows now."""
        if not self._wraps:
            return self.size.height
        first, last = self._place(0), self._place(self.size.height - 1)
        return last[0] - first[0] + 1 if first and last else self.size.height

    @property
    def _cursor_index(self) -> int | None:
        count = len(self.ring.shown)
        if not count:
            return None
        if self.following or self._cursor is None:
            return count - 1
        return min(self.ring.place(self._cursor), count - 1)

    def _move(self, lines: int, *, page: bool = False, keep: bool = False) -> None:
        at = self._cursor_index
        if at is None:
            return
        to = max(0, min(len(self.ring.shown) - 1, at + lines))
        if page:
            self._go(max(0, min(self._last_top(), self.scroll_offset.y + lines)))
        self._to(to, keep=keep)

    def _to(self, index: int, *, top: bool = False, keep: bool = False) -> None:
        """The cursor to a line, seen; on the last one is following, unless a wish keeps it."""
        self._cursor = self.ring.shown[index].order
        if index == len(self.ring.shown) - 1 and not keep:
            self.action_follow()
            return
        self.following = False
        height, y = self.size.height, self.scroll_offset.y
        self._rows = None
        if top:
            self._go(min(index, self._last_top()))
        elif index < y:
            self._go(index)
        elif self._wraps:
            bottom = self._place(height - 1)
            if bottom is not None and index > bottom[0]:
                self._go(min(index - max(1, self._visible_lines - 1), self._last_top()))
        elif index >= y + height:
            self._go(index - height + 1)
        self.refresh()

    def _scrolled(self) -> None:
        """By the wheel or the bar: the cursor stays among the lines that are seen."""
        top, last = self.scroll_offset.y, self._last_top()
        if top >= last:
            self.following = True
            return
        at = self._cursor_index
        self.following = False
        if at is not None:
            bottom = self._place(self.size.height - 1)
            at = max(top, min(at, bottom[0] if bottom else len(self.ring.shown) - 1))
            self._cursor = self.ring.shown[at].order

    def _tell_top(self) -> None:
        if not self.following and self.scroll_offset.y < self.size.height:
            self.post_message(self.Top())

    def _next_pause(self) -> float:
        """Longer and longer while the terminal does not take what is written (a slow link)."""
        usual = PAUSE if self.has_focus else PAUSE * ASIDE
        behind = terminal_is_behind(self.app)
        self._pause = min(MOST_PAUSE, self._pause * 2) if behind else max(usual, self._pause / 2)
        return self._pause

    def _rested(self) -> None:
        self._resting = False
        if self.busy:
            if terminal_is_behind(self.app) or self._gives_way():
                self._resting = True
                self.set_timer(self._next_pause(), self._rested)
            else:
                self.add(())

    def _gives_way(self) -> bool:
        """Whether lines wait for a turn, once, so that what a key changed is painted first."""
        pressed = getattr(self.app, "pressed_at", 0.0)
        self._gave_way = not self._gave_way and time.monotonic() - pressed < KEY_FIRST
        return self._gave_way

    def _flush(self, older: Sequence[Line] = ()) -> None:
        lines, self._waiting = self._waiting, []
        anchor = self._anchor()
        lines.sort(key=_order)
        self.ring.add(sorted(older, key=_order))
        fresh = self.ring.add(lines)
        self._widest = max(self._widest, *map(self.cells, lines), *map(self.cells, older), 0)
        self._settle(anchor)
        if not self.following:
            self.unseen += fresh
        self.refresh()

    def _anchor(self) -> tuple[Any, ...] | None:
        """What stands on the first visible line."""
        lines, top = self.ring.shown, self.scroll_offset.y
        return lines[top].order if not self.following and top < len(lines) else None

    def _settle(self, anchor: tuple[Any, ...] | None) -> None:
        self._rows = None
        rows = len(self.ring.shown)
        if self._wraps:
            size = Size(0, self._last_top() + self.size.height if rows else 0)
        else:
            size = Size(self._widest + 1, rows)
        if size != self.virtual_size:
            self.virtual_size = size
        if self.following:
            self._go(self.max_scroll_y)
        elif anchor is not None:
            self._go(self.ring.place(anchor))

    def _go(self, y: int) -> None:
        self._own_move = True
        try:
            self.scroll_to(y=y, animate=False, force=True)
        finally:
            self._own_move = False
        self._rows = None


def _cut(whole: Strip, x: int, width: int) -> Strip:
    strip = whole.crop(x, x + width)
    if whole.cell_length > x + width:
        return Strip([*strip.extend_cell_length(width).crop(0, width - 1), Segment(MORE)])
    return strip


_order = attrgetter("order")
_HERE = Style(reverse=True)
