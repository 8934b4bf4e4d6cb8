"""Stopped tasks as rows: one a reason in the tasks pane, one a task on their own page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bgconsole.domain.cause import heart
from bgconsole.domain.duration import age, spell
from bgconsole.domain.join import SideView, TaskRow
from bgconsole.domain.services import Task
from bgconsole.domain.stopped import GROUP, StoppedGroup, grouped
from bgconsole.ui.palette import Tone
from bgconsole.ui.widgets.keyed_table import Cell, Column, Row

REASONS = 3
"""How many different reasons have a row of their own in the tasks pane."""
OTHERS = f"{GROUP}other reasons"
"""The key of the row that stands for the rest."""
COLUMNS = (
    Column(2, 2),
    Column(7, 9),
    Column(5, 9, keep=6),
    Column(7, 14, keep=8),
    Column(6, 14, keep=7),
    Column(4, 14, keep=3),
    Column(1, 400, keep=1),
)
"""Of the page: glyph, task, revision, exit code, how long ago, how long it lived, why."""


def group_rows(view: SideView, last_words: Mapping[str, str], at: datetime) -> list[Row]:
    """One row a reason for which tasks of a side failed, the commonest first.

    A revision is named where it is not the box's own.
    """
    groups = grouped(view.failed)
    rows = [_group_row(group, view, last_words, at) for group in groups[:REASONS]]
    rest = sum(len(group.rows) for group in groups[REASONS:])
    if rest:
        cells = (Cell("✖", Tone.BAD), Cell(f"{rest} ×", Tone.BAD), Cell("stopped", Tone.BAD))
        rows.append(Row(OTHERS, (*cells, *_EMPTY, Cell("for other reasons")), wrong=True))
    return rows


_EMPTY = (Cell(""), Cell(""), Cell(""))


def _group_row(
    group: StoppedGroup, view: SideView, last_words: Mapping[str, str], at: datetime
) -> Row:
    whose = "" if group.revision == view.revision else f"revision {group.revision}"
    words = next((last_words[row.id] for row in group.rows if row.id in last_words), "")
    told = filter(None, (whose, f"“{words}”" if words else "", heart(group.reason)))
    return Row(
        group.key,
        (
            Cell("✖", Tone.BAD),
            Cell(f"{len(group.rows)} ×", Tone.BAD),
            Cell("stopped", Tone.BAD),
            Cell(group.exit_words, Tone.BAD),
            Cell(""),
            Cell(age(group.rows[0].since, at), Tone.QUIET),
            Cell(" · ".join(told), Tone.BAD),
        ),
        wrong=True,
    )


def page_rows(
    groups: tuple[StoppedGroup, ...],
    tasks: Mapping[str, Task],
    last_words: Mapping[str, str],
    at: datetime,
) -> list[Row]:
    """A row a task, those that ended alike together. `tasks` are by ARN."""
    return [
        _page_row(group, row, tasks.get(row.key), last_words.get(row.id, ""), at)
        for group in groups
        for row in group.rows
    ]


def _page_row(
    group: StoppedGroup, row: TaskRow, task: Task | None, words: str, at: datetime
) -> Row:
    tone = Tone.BAD if group.failed else Tone.QUIET
    told = filter(None, (f"“{words}”" if words else "", heart(group.reason)))
    return Row(
        row.key,
        (
            Cell("✖" if group.failed else "◌", tone),
            Cell(row.id[:6]),
            Cell(f"rev {row.revision}"),
            Cell(group.exit_words if group.exit_words.startswith("exit") else "-", tone),
            Cell(f"{age(row.since, at)} ago", Tone.QUIET),
            Cell(lived(task), Tone.QUIET),
            Cell(" · ".join(told), tone),
        ),
        wrong=group.failed,
    )


def lived(task: Task | None) -> str:
    """`ran 3:10`, or that AWS never called it RUNNING: its containers may have begun, and ended."""
    if task is None or task.started_at is None:
        return "never RUNNING"
    ended = task.execution_stopped_at or task.stopping_at or task.stopped_at
    return f"ran {spell(ended - task.started_at)}" if ended else "ran -"
