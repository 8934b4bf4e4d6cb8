"""Pane 4: the newest lines of the whole log group, each side in its colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

from rich.cells import cell_len
from rich.segment import Segment
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from bgconsole.domain.join import Side, sides
from bgconsole.domain.plain import plain
from bgconsole.domain.snapshot import Snapshot
from bgconsole.ui.palette import SIDE, Palette, Tone
from bgconsole.ui.panes.freshness import LEAST, Freshness, late, of_failure
from bgconsole.ui.panes.log_entry import Entry, Level, entries_of, local_time
from bgconsole.ui.panes.pane import Pane, now
from bgconsole.ui.panes.rates import Rates
from bgconsole.ui.panes.tasks import SHORT_ID
from bgconsole.ui.widgets.fit import Piece, piece
from bgconsole.ui.widgets.line_view import CAPACITY, LineView
from bgconsole.watch.batch import LogBatch, TailState

FINE = 100
"""From so many columns on, times have thousandths."""

_LEVELS: Mapping[Level, Tone] = {
    "FATAL": Tone.BAD,
    "ERROR": Tone.BAD,
    "WARN": Tone.WAITING,
    "INFO": Tone.QUIET,
    "DEBUG": Tone.QUIET,
    "": Tone.QUIET,
}


class LogLines(LineView[Entry]):
    """Draws an entry: time, side, task, level, text."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        super().__init__(capacity)
        self.sides: dict[str, Side] = {}
        """By task id; a task that ECS has forgotten keeps the side that it had."""

    @property
    def two_sides(self) -> bool:
        """Whether lines of an old and a new side are told apart."""
        return any(side in (Side.OLD, Side.NEW) for side in self.sides.values())

    def side(self, entry: Entry) -> Side:
        """Which side an entry's task is on."""
        return self.sides.get(entry.task, Side.UNKNOWN)

    def segments(self, line: Entry) -> list[Segment]:
        """The columns of one line; those that tell nothing here are left out."""
        palette = Palette.of(self.app)
        side = self.side(line)
        quiet, colour = palette.rich(Tone.QUIET), palette.rich(SIDE[side])
        level = palette.rich(_LEVELS[line.level], bold=line.wrong)
        fine = self.size.width >= FINE
        task = line.task[:SHORT_ID] or line.stream.rpartition("/")[2][:SHORT_ID]
        drawn = [Segment(local_time(line.at, fine=fine) + " ", quiet)]
        if self.two_sides:
            drawn.append(Segment(f"{_SIDE_WORDS[side]} ", colour))
        drawn.append(Segment(f"{plain(task):<{SHORT_ID}} ", colour))
        drawn.append(Segment(f"{line.level:<5} ", level))
        text = line.text if line.first else f"  {line.text}"
        loud = palette.rich(Tone.BAD) if line.wrong else palette.rich(Tone.PLAIN)
        drawn.append(Segment(text, loud))
        return drawn

    def cells(self, line: Entry) -> int:
        """Its text and the columns before it."""
        text = line.text
        return 34 + (len(text) if text.isascii() else cell_len(text))


class LogsPane(Pane):
    """Follows the group; `add` takes what the tail read."""

    NUMBER = "4"
    NAME = "Logs"
    DEFAULT_CSS = """
    LogsPane > LogLines.-stale { text-opacity: 70%; }
    """

    def __init__(
        self,
        *,
        capacity: int = CAPACITY,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._capacity = capacity
        self._numbers = count()
        self._state = TailState()
        self._heard = False
        self._rates = Rates()
        self._learned: Snapshot | None = None
        self._only: frozenset[str] = frozenset()
        self._whose = ""

    def body(self) -> ComposeResult:
        """The lines, or words in their place."""
        yield Static(classes="message")
        yield LogLines(self._capacity)

    def sought(self) -> Iterator[Widget]:
        """The lines."""
        yield self._lines

    @property
    def selection(self) -> str | None:
        """No line is highlighted yet."""
        return None

    def narrow(self, text: str, *, only_wrong: bool) -> None:
        """Show only lines that hold the text, only errors, or only some tasks' lines."""
        wanted, only = text.casefold(), self._only
        if not wanted and not only_wrong and not only:
            self._lines.narrow(None)
            return
        self._lines.narrow(
            lambda entry: (
                (not only_wrong or entry.wrong)
                and (not only or entry.task in only)
                and wanted in entry.text.casefold()
            )
        )

    @property
    def narrowed_to(self) -> str:
        """Whose lines are shown alone."""
        return f"only {self._whose} · esc shows all" if self._only else ""

    def only(self, tasks: frozenset[str], whose: str) -> None:
        """Show the lines of these tasks (ids) alone, until the filter is cleared."""
        self._only, self._whose = tasks, whose
        self._narrow()

    def clear_filter(self) -> bool:
        """Show everything again; False where nothing was hidden."""
        was = bool(self._only)
        self._only = frozenset()
        return super().clear_filter() or was

    def lines_of(self, task: str) -> list[Entry]:
        """The lines of one task (its id) that are kept."""
        return [entry for entry in self._lines.every if entry.task == task]

    @property
    def sides(self) -> Mapping[str, Side]:
        """The side of every task that a line may come from, by its id."""
        return self._lines.sides

    def add(self, batch: LogBatch) -> None:
        """Take new lines, and how the tail is doing."""
        self._state, self._heard = batch.state, True
        entries = [e for line in batch.lines for e in entries_of(line, self._numbers)]
        if entries:
            for entry in entries:
                if entry.first:
                    self._rates.count(entry.at, entry.task, wrong=entry.wrong)
            self._lines.add(entries)
        self.paint()

    def forget(self) -> None:
        """Begin anew with another service: no line and no side of the one before is kept."""
        self._state, self._heard = TailState(), False
        self._rates = Rates()
        self._lines.clear()
        self.paint()

    def paint(self) -> None:
        """Write the border, and colour lines by what is known of their tasks."""
        if self.snapshot is not None and self.snapshot is not self._learned:
            self._learn(self.snapshot)
        fresh = self._freshness()
        lines = self._lines
        lines.set_class(fresh.dimmed, "-stale")
        self.say("" if len(lines.ring) else self._empty(fresh))
        self.dress(self._title(), fresh, (len(lines.ring.shown), len(lines.ring)))

    def _learn(self, snapshot: Snapshot) -> None:
        self._learned = snapshot
        both = sides(snapshot)
        known = {
            row.id: side.side
            for side in (both.old, both.new)
            if side
            for row in (*side.stopped, *side.rows)
        }
        if any(self._lines.sides.get(task) is not side for task, side in known.items()):
            self._lines.sides.update(known)
            self._lines.restyle()

    def _freshness(self) -> Freshness:
        state, at = self._state, now(self)
        if state.failure is not None:
            return of_failure(state.failure, state.read_at, at)
        if not self._heard:
            return Freshness("waiting for the first answer")
        if state.read_at is not None and at - state.read_at > LEAST:
            return late(state.read_at, at)
        return Freshness()

    def _empty(self, fresh: Freshness) -> str:
        if self._state.note:
            return plain(self._state.note)
        return "" if fresh else "no line in the last minutes"

    def _title(self) -> list[Piece]:
        state, lines = self._state, self._lines
        told = []
        if state.group:
            told.append(piece(30, plain(state.group), ""))
        if lines.following and self._heard:
            told.append(piece(20, "following", ""))
        elif not lines.following:
            palette = Palette.of(self.app)
            words = f"paused · +{lines.unseen} new · G follows"
            told.append(
                piece(
                    50, Content.styled(words, palette.style(Tone.WAITING)), f"+{lines.unseen} new"
                )
            )
        if state.lag_seconds is not None:
            told.append(piece(5, f"lag p99 {state.lag_seconds:.0f} s", ""))
        return [*told, *self._speeds()] if self._heard else told

    def _speeds(self) -> list[Piece]:
        """`old 12/s 0 err · new 14/s 0 err`, or one pair where there are no two sides."""
        end = now(self).timestamp()
        self._rates.forget_before(end)
        if self._lines.two_sides:
            return [self._speed(side, end) for side in (Side.OLD, Side.NEW)]
        return [self._speed(None, end)]

    def _speed(self, side: Side | None, end: float) -> Piece:
        palette, known = Palette.of(self.app), self._lines.sides
        rate, errors = self._rates.of(end, lambda task: side is None or known.get(task) is side)
        name = f"{side.value} " if side else ""
        style = palette.style(SIDE[side] if side else Tone.PLAIN)
        told = palette.style(Tone.BAD, bold=True) if errors else palette.style(Tone.QUIET)
        speed = f"{rate:.0f}/s" if rate >= 1 or not rate else f"{rate:.1f}/s"
        return piece(
            40 if errors else 10,
            Content.assemble((f"{name}{speed}", style), (f" {errors} err", told)),
            Content.styled(f"{name}{errors} err", told) if errors else "",
        )

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        self.paint()

    @property
    def _lines(self) -> LogLines:
        return self.query_one(LogLines)


_SIDE_WORDS = {Side.OLD: "old", Side.NEW: "new", Side.SOLE: "   ", Side.UNKNOWN: " ? "}
