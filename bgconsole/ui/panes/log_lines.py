"""How a log line is drawn: time, side, task, level, text; and the keys for reading lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain.join import Side
from bgconsole.domain.plain import plain
from bgconsole.ui.keys import read
from bgconsole.ui.palette import SIDE, Palette, Tone
from bgconsole.ui.panes.log_entry import Entry, Level
from bgconsole.ui.panes.log_folds import Folds, tail_words
from bgconsole.ui.panes.log_stamps import Stamp, stamp_text
from bgconsole.ui.panes.pane import now
from bgconsole.ui.panes.tasks import SHORT_ID
from bgconsole.ui.widgets.line_view import CAPACITY, LineView

FINE = 100
"""From so many columns on, times have thousandths."""
LATE = "~"
"""Stands on the left of a line that came after lines that it belongs before."""
SIDE_WORDS = {Side.OLD: "old", Side.NEW: "new", Side.SOLE: "   ", Side.UNKNOWN: " ? "}
_LEVELS: Mapping[Level, Tone] = {
    "FATAL": Tone.BAD,
    "ERROR": Tone.BAD,
    "WARN": Tone.WAITING,
    "INFO": Tone.QUIET,
    "DEBUG": Tone.QUIET,
    "": Tone.QUIET,
}
_FOUND = Style(bold=True, reverse=True)


def _shortened(text: str, cells: int) -> str:
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, max(1, cells - 1)) + "…"


class LogLines(LineView[Entry]):
    """Draws entries, and goes from error to error, by match and by time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "error.next", "error(1)"),
        *read(KEYMAP, "error.previous", "error(-1)"),
        *read(KEYMAP, "match.next", "match(1)"),
        *read(KEYMAP, "match.previous", "match(-1)"),
        *read(KEYMAP, "wrap", "wrap"),
        *read(KEYMAP, "times", "times"),
        *read(KEYMAP, "mark", "mark_line"),
        *read(KEYMAP, "hold", "hold_or_follow"),
    ]

    def __init__(self, capacity: int = CAPACITY) -> None:
        super().__init__(capacity)
        self.sides: Mapping[str, Side] = {}
        """By task id; a task that ECS has forgotten keeps the side that it had."""
        self.stamp = Stamp.LOCAL
        self.pattern: re.Pattern[str] | None = None
        """What is sought: it stands out."""
        self.folds: Folds | None = None
        """Where requests are folded."""

    @property
    def two_sides(self) -> bool:
        """Whether lines of an old and a new side are told apart."""
        return any(side in (Side.OLD, Side.NEW) for side in self.sides.values())

    def side(self, entry: Entry) -> Side:
        """Which side an entry's task is on."""
        return self.sides.get(entry.task, Side.UNKNOWN)

    def wrong(self, entry: Entry) -> bool:
        """Whether a line is an error, or one is folded behind it."""
        fold = self.folds.of(entry) if self.folds else None
        return entry.wrong or (fold is not None and fold.wrong)

    def segments(self, line: Entry) -> list[Segment]:
        """The columns of one line; those that tell nothing here are left out."""
        palette = Palette.of(self.app)
        quiet = palette.rich(Tone.QUIET)
        fine = self.size.width >= FINE
        drawn = [Segment(self._stamped(line, fine=fine), quiet)]
        if line.gap:
            return [*drawn, Segment(line.text, palette.rich(Tone.WAITING, bold=True))]
        side, wrong = self.side(line), self.wrong(line)
        if self.two_sides:
            drawn.append(Segment(f"{SIDE_WORDS[side]} ", palette.rich(SIDE[side])))
        task = line.task[:SHORT_ID] or line.stream.rpartition("/")[2][:SHORT_ID]
        drawn.append(Segment(f"{plain(task):<{SHORT_ID}} ", palette.task(line.task or line.stream)))
        level = palette.rich(_LEVELS[line.level], bold=line.wrong)
        drawn.append(Segment(f"{line.level:<5} ", level))
        text = line.text if line.first else f"  {line.text}"
        loud = palette.rich(Tone.BAD) if wrong else palette.rich(Tone.PLAIN)
        fold = self.folds.of(line) if self.folds else None
        words = tail_words(fold) if fold is not None else ""
        if not words:
            return [*drawn, *self._text(text, loud)]
        if not self.wraps:
            # How it ended matters more than the end of how it began.
            room = self.size.width - 2 - self.hang(line)
            text = _shortened(text, max(room // 2, room - cell_len(words) - 2))
        return [*drawn, *self._text(text, loud), Segment(f"  {words}", loud if wrong else quiet)]

    def cells(self, line: Entry) -> int:
        """Its text and the columns before it."""
        text = line.text
        return 34 + (len(text) if text.isascii() else cell_len(text))

    def hang(self, line: Entry) -> int:
        """What is wrapped stands below the text."""
        stamp = len(self._stamped(line, fine=self.size.width >= FINE))
        columns = 0 if line.gap else (4 if self.two_sides else 0) + SHORT_ID + 1 + 6
        return stamp + columns

    def version(self, line: Entry) -> int:
        """Counts the lines that are folded behind it."""
        fold = self.folds.of(line) if self.folds else None
        return fold.lines if fold is not None else 0

    def sign(self, line: Entry) -> str:
        """Whether it came late."""
        return LATE if line.late else " "

    def show_pattern(self, pattern: re.Pattern[str] | None) -> None:
        """Let what is sought stand out."""
        if pattern != self.pattern:
            self.pattern = pattern
            self.restyle()

    def match(self, step: int) -> bool:
        """To the next line that holds what is sought, or the one before."""
        pattern = self.pattern
        return pattern is not None and self.seek(lambda e: pattern.search(e.text) is not None, step)

    def tick(self) -> None:
        """A second passed: ages have changed."""
        if self.stamp is Stamp.AGO:
            self.restyle()

    def action_error(self, step: int) -> None:
        """To the next error, or the one before."""
        if not self.seek(lambda entry: entry.first and self.wrong(entry), step):
            self._no("no later error" if step > 0 else "no earlier error")

    def action_match(self, step: int) -> None:
        """To the next match, or the one before."""
        if self.pattern is None:
            self._no(f"{KEYMAP['find'].shown} finds, {KEYMAP['filter'].shown} filters: then n, N")
        elif not self.match(step):
            self._no("no later match" if step > 0 else "no earlier match")

    def action_wrap(self) -> None:
        """Let long lines go on below, or cut them."""
        self.wrap(not self.wraps)

    def action_times(self) -> None:
        """Times in the next way."""
        self.stamp = self.stamp.next
        self.restyle()
        self._no(f"times: {self.stamp.value}")

    def action_mark_line(self) -> None:
        """Mark the line."""
        self.mark()

    def action_hold_or_follow(self) -> None:
        """Stop here, or go on with the newest."""
        if self.following:
            self.hold()
        else:
            self.action_follow()

    def _stamped(self, line: Entry, *, fine: bool) -> str:
        at = now(self).timestamp() if self.stamp is Stamp.AGO else 0.0
        return stamp_text(self.stamp, line.at, at, fine=fine)

    def _text(self, text: str, style: Style) -> list[Segment]:
        if self.pattern is None:
            return [Segment(text, style)]
        drawn, at = [], 0
        for found in self.pattern.finditer(text):
            if found.end() > found.start():
                drawn.append(Segment(text[at : found.start()], style))
                drawn.append(Segment(found[0], style + _FOUND))
                at = found.end()
        return [*drawn, Segment(text[at:], style)]

    def _no(self, words: str) -> None:
        self.app.notify(words, timeout=3, markup=False)
