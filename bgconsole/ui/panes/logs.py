"""Pane 4: the newest lines of the whole log group, each side in its colour."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain.how_many import how_many
from bgconsole.domain.join import Side, sides
from bgconsole.domain.log_sides import LogSides
from bgconsole.domain.logs import to_milliseconds
from bgconsole.domain.plain import plain
from bgconsole.domain.snapshot import Snapshot
from bgconsole.ui.background import ask
from bgconsole.ui.keys import read
from bgconsole.ui.messages import Answered
from bgconsole.ui.palette import SIDE, Palette, Tone
from bgconsole.ui.panes.freshness import LEAST, Freshness, late, of_failure
from bgconsole.ui.panes.log_choice import LogChoice
from bgconsole.ui.panes.log_entry import Entry, entries_of, gap_entry
from bgconsole.ui.panes.log_filter import HELP, LogFilter, Test, log_filter, sought
from bgconsole.ui.panes.log_folds import Folds
from bgconsole.ui.panes.log_lines import LogLines
from bgconsole.ui.panes.log_stamps import moment_of
from bgconsole.ui.panes.log_text import as_text
from bgconsole.ui.panes.pane import Pane, now
from bgconsole.ui.panes.rates import Rates
from bgconsole.ui.widgets.fit import Piece, piece
from bgconsole.ui.widgets.line_view import CAPACITY, LineView
from bgconsole.ui.widgets.spark import spark
from bgconsole.ui.wiring import no_folder
from bgconsole.watch.batch import LogBatch, TailState

READING, BEGINS = "reading older lines …", "the log begins here"
COPY_LIMIT = 200_000
"""Characters that are copied: more would hold a slow terminal up for long."""


class LogsPane(Pane):
    """Follows the group; `add` takes what the tail read."""

    NUMBER = "4"
    NAME = "Logs"
    PLACEHOLDER = HELP
    DEFAULT_CSS = """
    LogsPane {
        & > LogLines.-stale { text-opacity: 70%; }
        & > .ask {
            display: none; dock: bottom; height: 1; border: none; padding: 0 1; background: $panel;
        }
        &.-asking > .ask { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "find", "ask('find')"),
        *read(KEYMAP, "jump", "ask('jump')"),
        *read(KEYMAP, "level", "level"),
        *read(KEYMAP, "side", "side"),
        *read(KEYMAP, "fold", "fold"),
        *read(KEYMAP, "range.shorter", "range(-1)"),
        *read(KEYMAP, "range.longer", "range(1)"),
        *read(KEYMAP, "save", "save"),
    ]

    class Older(Message):
        """Whoever reads is at the oldest line that was read, and wants more."""

    class Reread(Message):
        """Whoever reads wants a gap to be read."""

        def __init__(self, gap: int) -> None:
            super().__init__()
            self.gap = gap

    def __init__(
        self,
        *,
        capacity: int = CAPACITY,
        save: Callable[[str, str], str] = no_folder,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._capacity = capacity
        self._save = save
        self._numbers = count()
        self._state = TailState()
        self._heard = False
        self._rates = Rates()
        self._known = LogSides()
        self._learned: Snapshot | None = None
        self._gaps: dict[int, int] = {}
        self._asked_older = ""
        self._back_to: int | None = None
        """Epoch milliseconds: older lines are asked for until one of this time is here."""
        self._choice = LogChoice()
        self._asked = ""
        self._filtered = LogFilter()
        self._found = ""

    def body(self) -> ComposeResult:
        """The lines, or words in their place; below them what is asked."""
        yield Static(classes="message")
        yield LogLines(self._capacity)
        yield Input(classes="ask", compact=True)

    def sought(self) -> Iterator[Widget]:
        """The lines."""
        yield self._lines

    @property
    def selection(self) -> str | None:
        """The highlighted line's number."""
        line = self._lines.highlighted
        return str(line.sequence) if line is not None else None

    @property
    def copied(self) -> str | None:
        """The marked lines, else the highlighted one, as text with date and whole names."""
        lines = self._lines
        line = lines.highlighted
        chosen = lines.marked or ([line] if line is not None else [])
        return self._as_text(chosen)[:COPY_LIMIT].rstrip("\n") if chosen else None

    @property
    def highlighted(self) -> Entry | None:
        """The line that keys act on."""
        return self._lines.highlighted

    @property
    def state(self) -> TailState:
        """How the tail is doing."""
        return self._state

    @property
    def every(self) -> Sequence[Entry]:
        """All lines that are kept."""
        return self._lines.every

    def narrow(self, text: str, *, only_wrong: bool) -> None:
        """Show only the lines that pass everything that was asked for."""
        lines = self._lines
        self._filtered = log_filter(text, lines.side)
        tests = list(self._filtered.tests)
        if only_wrong:
            tests.append(_wrong)
        tests += self._choice.tests(lines.side)
        lines.folds = folds = Folds() if self._choice.folding else None
        if not self._found:
            lines.show_pattern(self._filtered.pattern)
        if folds is None and not tests:
            lines.narrow(None)
        else:
            lines.restyle()
            lines.narrow(partial(_keeps, tuple(tests), folds))

    @property
    def narrowed_to(self) -> str:
        """What is shown alone, but for the filter line."""
        told = self._choice.words
        return f"{told} · esc shows all" if told else ""

    def only(self, tasks: frozenset[str], whose: str) -> None:
        """Show the lines of these tasks (ids) alone, until the filter is cleared."""
        self._choose(replace(self._choice, tasks=tasks, whose=whose))

    def clear_filter(self) -> bool:
        """Show everything again; False where nothing was hidden."""
        if self.has_class("-asking") or self._found:
            self._leave_asking()
            self._find("")
            return True
        was, self._choice = self.narrowed_to, LogChoice()
        return super().clear_filter() or bool(was)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """`esc` first ends a search."""
        if action == "clear_filter" and (self.has_class("-asking") or self._found):
            return True
        return super().check_action(action, parameters)

    def lines_of(self, task: str) -> list[Entry]:
        """The lines of one task (its id) that are kept."""
        return [entry for entry in self._lines.every if entry.task == task]

    @property
    def sides(self) -> Mapping[str, Side]:
        """The side of every task that a line may come from, by its id."""
        return self._lines.sides

    def action_ask(self, what: str) -> None:
        """Type what to find, or where to go."""
        self._asked = what
        line = self._ask_line
        line.value = self._found if what == "find" else ""
        line.placeholder = (
            "find: text or /regex/ · enter · then n, N"
            if what == "find"
            else "go to: 14:02, 14:02:30, 14:02Z, 5m (ago) · enter alone: the next mark"
        )
        self.add_class("-asking")
        line.focus()

    def action_level(self) -> None:
        """Only lines of a level or worse: the next level."""
        self._choose(self._choice.with_next_level())

    def action_side(self) -> None:
        """The lines of one side, of the other, of both."""
        self._choose(self._choice.with_next_side())

    def action_fold(self) -> None:
        """One row for each request, or every line."""
        self._choose(replace(self._choice, folding=not self._choice.folding))

    def action_range(self, step: int) -> None:
        """Show lines of a shorter time, or a longer one."""
        if self._choice.back is None and step > 0:
            self._ask_for_older()
        self._choose(self._choice.with_range(step, now(self)))

    def _choose(self, choice: LogChoice) -> None:
        self._choice = choice
        self._narrow()

    def action_save(self) -> None:
        """Save the marked lines, else all that are shown, to a file."""
        lines = self._lines
        chosen, at = lines.marked or list(lines.ring.shown), now(self)
        if not chosen:
            self.app.notify("There is no line to save", severity="warning", markup=False)
            return
        name = f"logs-{self._state.group.strip('/').replace('/', '-') or 'lines'}"
        side_of, save = dict(lines.sides), self._save

        def write() -> tuple[str, int]:
            text = as_text(chosen, lambda entry: side_of.get(entry.task, Side.UNKNOWN))
            return save(f"{name}-{at:%Y%m%d-%H%M%S}.log", text), len(chosen)

        ask(self, "save", write)

    @on(Answered)
    def _answered(self, answer: Answered) -> None:
        if answer.error is not None:
            self.app.notify(plain(str(answer.error)), severity="error", markup=False)
        elif isinstance(answer.value, tuple):
            path, number = answer.value
            words = f"{how_many(number, 'line')}: {plain(path)}"
            self.app.notify(words, title="Saved", timeout=8, markup=False)

    def add(self, batch: LogBatch) -> None:
        """Take new lines, and how the tail is doing."""
        before, self._state, self._heard = self._state, batch.state, True
        numbers, tardy = self._numbers, batch.late
        entries = [
            entry
            for line in batch.lines
            for entry in entries_of(line, numbers, late=line.event_id in tardy)
        ]
        for entry in entries if not batch.older else ():
            if entry.first:
                self._rates.count(entry.at, entry.task, wrong=entry.wrong)
        done = [self._gaps.pop(n) for n in batch.closed if n in self._gaps]
        done += [self._gaps.pop(gap.number) for gap in batch.gaps if gap.number in self._gaps]
        if done:
            self._lines.discard(frozenset(done))
        for gap in batch.gaps:
            row = gap_entry(gap, numbers)
            self._gaps[gap.number] = row.sequence
            entries.append(row)
        if entries:
            self._lines.add(entries, older=batch.older)
        if batch.older:
            self._older_came(entries, batch.unread)
        if not self._lines.busy or not batch.lines or _told(before) != _told(batch.state):
            self.paint()

    def forget(self) -> None:
        """Begin anew with another service: no line and no side of the one before is kept."""
        self._state, self._heard = TailState(), False
        self._rates, self._known, self._learned = Rates(), LogSides(), None
        self._gaps.clear()
        self._asked_older, self._back_to = "", None
        self._lines.clear()
        self.paint()

    def paint(self) -> None:
        """Write the border, and colour lines by what is known of their tasks."""
        if self.snapshot is not None and self.snapshot is not self._learned:
            self._learn(self.snapshot)
        fresh = self._freshness()
        lines = self._lines
        lines.set_class(fresh.dimmed, "-stale")
        self.say("" if lines.busy or len(lines.ring.shown) else self._empty(fresh))
        self.dress(self._title(), fresh, (len(lines.ring.shown), len(lines.ring)))

    def _tick(self) -> None:
        super()._tick()
        self._lines.tick()

    def _learn(self, snapshot: Snapshot) -> None:
        self._learned = snapshot
        lines = self._lines
        lines.sides = self._known.known
        if self._known.learn(snapshot):
            lines.restyle()
            if self._choice.side is not None or "side:" in self._filter.value:
                self._narrow()

    def _freshness(self) -> Freshness:
        state, at = self._state, now(self)
        if self._filtered.problem:
            return Freshness(self._filtered.problem, Tone.BAD)
        if state.failure is not None:
            return of_failure(state.failure, state.read_at, at)
        if state.words:
            return Freshness(plain(state.words), Tone.WAITING)
        if not self._heard:
            return Freshness("waiting for the first answer")
        if state.read_at is not None and at - state.read_at > LEAST:
            return late(state.read_at, at)
        return Freshness()

    def _empty(self, fresh: Freshness) -> str:
        if len(self._lines.ring):
            return "no line passes the filter · esc shows all"
        if self._state.note:
            return plain(self._state.note)
        return "" if fresh else "no line in the last minutes"

    def _title(self) -> list[Piece]:
        state, lines = self._state, self._lines
        told = []
        if state.group:
            more = len(state.groups) - 1
            told.append(piece(30, plain(state.group) + (f" +{more}" if more > 0 else ""), ""))
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
        if self._asked_older and not lines.following:
            told.append(piece(45, self._asked_older, ""))
        if state.differing:
            names = ", ".join(str(group) for group in state.differing)
            words = f"≠ only one side logs to {plain(names)}"
            told.append(piece(15, words, "≠ groups differ"))
        if state.other_drivers:
            words = f"not here: {plain(', '.join(state.other_drivers))}"
            told.append(piece(12, words, "not all logs are here"))
        if state.lag_seconds is not None:
            told.append(piece(5, f"lag p99 {state.lag_seconds:.0f} s", ""))
        return [*told, *self._speeds()] if self._heard else told

    def _speeds(self) -> list[Piece]:
        """`old 12/s 3 err ▂▃▂ ▁▁█ · new …`, or one pair where there are no two sides."""
        end = now(self).timestamp()
        self._rates.forget_before(end)
        if self._learned is not None and sides(self._learned).old is not None:
            return [self._speed(side, end) for side in (Side.OLD, Side.NEW)]
        return [self._speed(None, end)]

    def _speed(self, side: Side | None, end: float) -> Piece:
        palette, known = Palette.of(self.app), self._lines.sides

        def wanted(task: str) -> bool:
            return side is None or known.get(task) is side

        rate, errors = self._rates.of(end, wanted)
        name = f"{side.value} " if side else ""
        style = palette.style(SIDE[side] if side else Tone.PLAIN)
        told = palette.style(Tone.BAD, bold=True) if errors else palette.style(Tone.QUIET)
        speed = f"{rate:.0f}/s" if rate >= 1 or not rate else f"{rate:.1f}/s"
        lines, wrong = self._rates.history(end, wanted)
        words = Content.assemble((f"{name}{speed}", style), (f" {errors} err", told))
        pictured = Content.assemble(
            words,
            (f" {spark(lines, len(lines))}", style),
            (f" {spark(wrong, len(wrong))}" if errors else "", told),
        )
        return piece(
            40 if errors else 10,
            pictured if self.size.width >= _PICTURED else words,
            words,
            Content.styled(f"{name}{errors} err", told) if errors else "",
        )

    @property
    def gap(self) -> int | None:
        """The number of the gap that is highlighted; None where a line is."""
        line = self._lines.highlighted
        sequence = line.sequence if line is not None else None
        return next((number for number, at in self._gaps.items() if at == sequence), None)

    def reread(self, gap: int) -> None:
        """Ask for what a gap hides; it closes when it is read."""
        self.app.notify("Reading it …", title="Gap", timeout=3, markup=False)
        self.post_message(self.Reread(gap))

    @on(LineView.Top)
    def _at_top(self, event: LineView.Top) -> None:
        event.stop()
        self._ask_for_older()

    def _ask_for_older(self) -> None:
        """One page at a time, and none that the oldest lines would have to make room for."""
        lines = self._lines
        if self._asked_older == READING or not self._heard:
            return
        if self._state.older == "end":
            self._asked_older = BEGINS
        elif lines.ring.full:
            self._asked_older = f"{len(lines.ring):,} lines are kept: no older ones"
        else:
            self._asked_older = READING
            self.post_message(self.Older())
        self.paint()

    def _older_came(self, entries: Sequence[Entry], unread: str) -> None:
        self._asked_older = ""
        if unread:
            self._asked_older = f"older lines: not read ({plain(unread)}), go on up to try again"
        elif not entries:
            ended = self._state.older == "end"
            self._asked_older = BEGINS if ended else "no older line yet: go on up"
        if self._back_to is not None:
            self._go_back_to(self._back_to, go_on=not unread)

    def _go_back_to(self, moment: int, *, go_on: bool = True) -> None:
        """To the first line of a time, and further back for it while older lines are to be had."""
        lines, self._back_to = self._lines, None
        lines.go_to((moment,))
        held = lines.ring.all
        if go_on and held and held[0].at > moment and not lines.following:
            self._ask_for_older()
            self._back_to = moment if self._asked_older == READING else None

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        if self._lines.following:
            self._back_to = None
        self.paint()

    @on(Input.Changed, ".ask")
    def _asking(self, event: Input.Changed) -> None:
        event.stop()
        if self._asked == "find":
            self._find(event.value)

    @on(Input.Submitted, ".ask")
    def _asked_for(self, event: Input.Submitted) -> None:
        event.stop()
        lines, value = self._lines, event.value.strip()
        if self._asked == "find":
            self._leave_asking()
            if value and not (lines.match(-1) or lines.match(1)):
                self.app.notify(f"{plain(value)} is on no other line", timeout=3, markup=False)
            return
        if not value:
            marked = {line.sequence for line in lines.marked}
            self._leave_asking()
            here = lines.highlighted
            later = here is not None and lines.seek(lambda e: e.sequence in marked, 1)
            if not later and marked:
                lines.go_to(lines.marked[0].order)
            return
        try:
            moment = moment_of(value, now(self))
        except ValueError as error:
            self.app.notify(str(error), severity="warning", markup=False)
            return
        self._leave_asking()
        self._go_back_to(to_milliseconds(moment))

    def _leave_asking(self) -> None:
        focused = self._ask_line.has_focus
        self.remove_class("-asking")
        if focused:
            self.focus()

    def _find(self, text: str) -> None:
        pattern, problem = sought(text)
        self._found = text if pattern is not None else ""
        self._lines.show_pattern(pattern or self._filtered.pattern)
        self._ask_line.set_class(bool(problem), "-wrong")

    def _as_text(self, chosen: Sequence[Entry]) -> str:
        return as_text(chosen, self._lines.side)

    @property
    def _ask_line(self) -> Input:
        return self.query_one("Input.ask", Input)

    @property
    def _lines(self) -> LogLines:
        return self.query_one(LogLines)


_PICTURED = 110
"""Columns from which the title has pictures of the speeds."""


def _told(state: TailState) -> tuple[object, ...]:
    """What is painted at once, however many lines come."""
    return state.note, state.words, state.failure, state.mode, state.group


def _wrong(entry: Entry) -> bool:
    return entry.wrong


def _keeps(tests: tuple[Test, ...], folds: Folds | None, entry: Entry) -> bool:
    """Whether a line passes every test. Where something may be missing is told in any case."""
    if not entry.gap and not all(test(entry) for test in tests):
        return False
    return folds is None or folds.take(entry)
