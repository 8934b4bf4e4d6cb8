"""The timeline: everything that happened to the service, one line each, to read, copy and save.

Newest last, and it stays at its end while things happen: one reads an incident as the story that it
is, cause before effect, and as the logs and the text that goes to the incident channel stand too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import DataTable, Static

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain.how_many import how_many
from bgconsole.domain.moments import Moment, selected
from bgconsole.domain.plain import plain
from bgconsole.domain.seen import Seen
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.timeline import Heard, timeline, unseen
from bgconsole.domain.timeline_text import GLYPHS, as_json, clock_words, markdown
from bgconsole.ui.background import ask
from bgconsole.ui.copying import copy
from bgconsole.ui.keys import read
from bgconsole.ui.messages import Answered
from bgconsole.ui.palette import SEVERITY, Tone
from bgconsole.ui.panes.freshness import Freshness
from bgconsole.ui.panes.pane import Pane, now
from bgconsole.ui.widgets.fit import piece
from bgconsole.ui.widgets.keyed_table import Cell, Column, KeyedTable, Row
from bgconsole.ui.widgets.steady_footer import SteadyFooter

RANGES: tuple[timedelta | None, ...] = (
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=24),
    None,
)
"""How far back one looks; None is as far as anything is known."""
RANGE_WORDS = ("last 30 min", "last hour", "last 3 h", "last 24 h", "all that is known")
USUAL = 3
RECORDS_EVERY = 5.0
"""Seconds between two looks into the audit log: other consoles write it too."""


@dataclass(frozen=True, slots=True)
class Story:
    """What the console knows of what happened."""

    snapshot: Snapshot
    seen: Seen
    heard: Heard


class TimelinePane(Pane):
    """The lines, and below them the highlighted one in full."""

    NAME = "Timeline"
    DEFAULT_CSS = """
    TimelinePane {
        & > #whole { dock: bottom; height: auto; max-height: 5; padding: 0 1; background: $panel; }
    }
    """

    moments: tuple[Moment, ...] = ()
    lacking: tuple[str, ...] = ()
    range_words = ""
    _by_key: dict[str, Moment]

    def body(self) -> ComposeResult:
        """The table, or words in its place, and the line in full."""
        yield Static(classes="message")
        yield KeyedTable(
            Column(9, 20, keep=6),
            Column(2, 2, keep=6),
            Column(7, 11, keep=4),
            Column(20, 500, keep=1),
        )
        yield Static(id="whole")

    def sought(self) -> Iterator[Widget]:
        """The table."""
        yield self._table

    @property
    def selection(self) -> str | None:
        """What the highlighted line says."""
        one = self._highlighted
        return one.words if one else None

    @property
    def shown(self) -> tuple[Moment, ...]:
        """What the filters let through."""
        return selected(
            self.moments,
            at_least=Severity.UNKNOWN if self._only_wrong else Severity.GOOD,
            text=self._filter.value,
        )

    def narrow(self, text: str, *, only_wrong: bool) -> None:
        """Show only what holds the text, or only what is wrong."""
        del text, only_wrong  # `shown` reads both where they are kept
        self.fill()

    def show(self, moments: Sequence[Moment], lacking: Sequence[str], range_words: str) -> None:
        """Make these the lines, oldest first."""
        self.moments, self.lacking = tuple(moments), tuple(lacking)
        self.range_words = range_words
        self.fill()
        self.paint()

    def fill(self) -> None:
        """Fill the table; who was at its end stays there."""
        table, at = self._table, now(self)
        follows = table.cursor_row >= table.row_count - 1
        self._by_key = keyed(self.shown)
        table.show(_row(key, one, at) for key, one in self._by_key.items())
        if follows and table.row_count:
            table.move_cursor(row=table.row_count - 1, animate=False)

    def paint(self) -> None:
        """Say what is shown and what is lacking."""
        if not self.is_mounted:
            return
        fresh = Freshness()
        if self.lacking:
            count = len(self.lacking)
            words = f"not seen: {'; '.join(self.lacking)}"
            fresh = Freshness(words, Tone.BAD, brief=f"{count} sources not seen")
        title = [piece(9, self.NAME), piece(5, self.range_words), piece(1, "newest last")]
        self.dress(title, fresh, (len(self._by_key), len(self.moments)), named=False)
        self.say("" if self._by_key else self._nothing)
        self._tell_whole()

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self._by_key = {}
        super().on_mount()

    @on(DataTable.RowHighlighted)
    def _tell_whole(self) -> None:
        one = self._highlighted
        whole = self.query_one("#whole", Static)
        whole.display = one is not None
        if one is not None:
            stamp = f"{one.at.astimezone(now(self).tzinfo):%Y-%m-%d %H:%M:%S %Z}"
            told = f"{stamp} · {one.kind} · {one.source}" if one.source else f"{stamp} · {one.kind}"
            whole.update(Content.assemble((plain(told), "dim"), "\n", plain(one.words)))

    @property
    def _nothing(self) -> str:
        if self.moments:
            return "nothing that passes the filter"
        return f"nothing is known to have happened ({self.range_words})"

    @property
    def _highlighted(self) -> Moment | None:
        key = self._table.selection
        return self._by_key.get(key) if key is not None else None

    @property
    def _table(self) -> KeyedTable:
        return self.query_one(KeyedTable)


class TimelineScreen(Screen[None]):
    """Told again whenever the console has a newer picture.

    Args:
        tell: gives what the console knows now.
        ours: what we did ourselves; asked for off the screen's loop.
        save: keeps a text under a file name and gives its path; off the screen's loop too.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "range.shorter", "range(-1)", footer=True),
        *read(KEYMAP, "range.longer", "range(1)", footer=True),
        *read(KEYMAP, "copy", "copy", footer=True),
        *read(KEYMAP, "save", "save", footer=True),
        *read(KEYMAP, "back", "leave", footer=True),
    ]

    def __init__(
        self,
        tell: Callable[[], Story],
        *,
        ours: Callable[[Snapshot], tuple[Moment, ...]],
        save: Callable[[str, str], str],
    ) -> None:
        super().__init__()
        self._tell = tell
        self._ask_ours = ours
        self._save = save
        self._ours: tuple[Moment, ...] = ()
        self._trouble = ""
        self._range = USUAL
        self._chosen = False
        self._composed = False

    def compose(self) -> ComposeResult:
        """Title, lines, keys."""
        yield Static(classes="title")
        yield TimelinePane()
        yield SteadyFooter()

    def on_mount(self) -> None:
        """Fill it, and look into the audit log."""
        self._composed = True
        self._entitle(f"timeline · {self._tell().snapshot.ref}")
        self.renew()
        self.query_one(TimelinePane).focus()
        self._look_at_records()
        self.set_interval(RECORDS_EVERY, self._look_at_records)

    def renew(self) -> None:
        """Show what is known now."""
        if not self._composed:
            return
        story = self._tell()
        told = self._told(story)
        if not told and not self._chosen:
            # Nothing lately: the last deployment may be weeks ago, and is what is looked for.
            self._range = len(RANGES) - 1
            told = self._told(story)
        lacking = (*unseen(story.snapshot), *filter(None, (self._trouble,)))
        self.query_one(TimelinePane).show(told, lacking, RANGE_WORDS[self._range])

    def action_range(self, step: int) -> None:
        """Look back less far, or further."""
        self._chosen = True
        self._range = max(0, min(len(RANGES) - 1, self._range + step))
        self.renew()

    def action_leave(self) -> None:
        """Back to where one came from."""
        self.dismiss(None)

    def action_copy(self) -> None:
        """Copy what is shown, as Markdown."""
        pane = self.query_one(TimelinePane)
        told = markdown(self._tell().snapshot, pane.shown, self._left_out)
        copy(self.app, told, f"{how_many(len(pane.shown), 'line')} as Markdown")

    def action_save(self) -> None:
        """Save what is shown, as Markdown and as JSON."""
        snapshot, told = self._tell().snapshot, self.query_one(TimelinePane).shown
        left_out, at = self._left_out, now(self)
        name = f"timeline-{snapshot.ref.name}-{at:%Y%m%d-%H%M%S}"

        def save() -> tuple[str, str]:
            return (
                self._save(f"{name}.md", markdown(snapshot, told, left_out)),
                self._save(f"{name}.json", as_json(snapshot, told, left_out)),
            )

        ask(self, "save", save)

    @on(Answered)
    def _answered(self, answer: Answered) -> None:
        if answer.ticket == "save":
            self._saved(answer)
        elif answer.error is not None:
            self._trouble = f"our own operations: {plain(str(answer.error))}"
            self.renew()
        elif isinstance(answer.value, tuple) and answer.value != self._ours:
            self._ours, self._trouble = answer.value, ""
            self.renew()

    def _saved(self, answer: Answered) -> None:
        if answer.error is not None:
            self.app.notify(plain(str(answer.error)), severity="error", markup=False)
        elif isinstance(answer.value, tuple):
            page, data = (plain(str(path)) for path in answer.value)
            self.app.notify(f"{page}\n{data}", title="Saved", timeout=8, markup=False)
            # A toast goes, and breaks a path in two: the title keeps it whole.
            self._entitle(f"saved {page} and {Path(data).suffix}")

    def _entitle(self, words: str) -> None:
        self.query_one(".title", Static).update(Content.styled(plain(words), "bold"))

    def _look_at_records(self) -> None:
        snapshot = self._tell().snapshot
        ask(self, "ours", lambda: self._ask_ours(snapshot))

    def _told(self, story: Story) -> tuple[Moment, ...]:
        back = RANGES[self._range]
        since = now(self) - back if back is not None else None
        return timeline(
            story.snapshot, seen=story.seen, heard=story.heard, ours=self._ours, since=since
        )

    @property
    def _left_out(self) -> tuple[str, ...]:
        """What a reader of the copy must know that it does not hold."""
        pane = self.query_one(TimelinePane)
        told = [f"before the {RANGE_WORDS[self._range]}"] if RANGES[self._range] else []
        if hidden := len(pane.moments) - len(pane.shown):
            told.append(f"{how_many(hidden, 'line')} that a filter hides")
        return (*told, *pane.lacking)


def keyed(moments: Sequence[Moment]) -> dict[str, Moment]:
    """Each with a key that it keeps while counts in its words grow."""
    found: dict[str, Moment] = {}
    seen: Counter[str] = Counter()
    for one in moments:
        key = f"{one.at.timestamp()} {one.kind} {one.source}"
        seen[key] += 1
        found[f"{key} {seen[key]}"] = one
    return found


def _row(key: str, one: Moment, at: datetime) -> Row:
    tone = SEVERITY[one.severity] if one.severity is not Severity.BUSY else Tone.QUIET
    words = tone if one.wrong else Tone.PLAIN
    return Row(
        key,
        (
            Cell(clock_words(one.at, at), Tone.QUIET),
            Cell(GLYPHS[one.severity], tone),
            Cell(one.kind, tone),
            Cell(one.words, words),
        ),
        wrong=one.wrong,
    )
