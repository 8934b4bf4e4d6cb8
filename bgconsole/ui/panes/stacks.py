"""Pane 3: the CloudFormation stacks, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from textual.app import ComposeResult
from textual.widgets import Static

from bgconsole.domain.duration import age
from bgconsole.domain.stacks import Stack
from bgconsole.ui.palette import Tone, stack_look, stack_words
from bgconsole.ui.panes.freshness import freshness, late_after, nothing
from bgconsole.ui.panes.pane import now
from bgconsole.ui.panes.table_pane import TablePane
from bgconsole.ui.widgets.keyed_table import Cell, Column, KeyedTable, Row


class StacksPane(TablePane):
    """One row a stack: glyph, name, status, age, and AWS's reason where it gives one."""

    NUMBER = "3"
    NAME = "Stacks"

    def body(self) -> ComposeResult:
        """The table, or words in its place."""
        yield Static(classes="message")
        yield KeyedTable(
            Column(2, 2),
            Column(12, 40, keep=4),
            Column(15, 46, keep=6),
            Column(8, 12, keep=3),
            Column(1, 400, keep=1),
        )

    def paint(self) -> None:
        """Show the stacks as of now."""
        if self.snapshot is None:
            return
        part, at = self.snapshot.stacks, now(self)
        stacks = part.value or ()
        fresh = freshness(part, at, late_after("stacks", self.snapshot))
        self.table.show(stack_row(stack, at, depth) for stack, depth in nested(stacks))
        self.table.set_class(fresh.dimmed, "-stale")
        self.say(nothing(part, fresh, "no stack in this region" if part.value == () else ""))
        self.dress([], fresh, self.table.counts)


def nested(stacks: Sequence[Stack]) -> Iterator[tuple[Stack, int]]:
    """Each stack with how deep it is nested, below the one that it is nested in."""
    known = {stack.arn for stack in stacks}

    def below(parent: str, depth: int) -> Iterator[tuple[Stack, int]]:
        for stack in stacks:
            if (stack.parent if stack.parent in known else "") == parent:
                yield stack, depth
                yield from below(stack.arn, depth + 1)

    yield from below("", 0)


def stack_row(stack: Stack, at: datetime, depth: int = 0) -> Row:
    """One stack as a row; `depth` says how deep it is nested."""
    look = stack_look(stack)
    tone = look.tone if look.tone is not Tone.GOOD else Tone.PLAIN
    return Row(
        stack.arn,
        (
            Cell(look.glyph, look.tone),
            Cell(f"{'  ' * (depth - 1)}└ {stack.name}" if depth else stack.name),
            Cell(stack_words(stack.status), tone),
            Cell(age(stack.changed_at, at), Tone.QUIET),
            Cell(stack.reason, tone if look.wrong else Tone.QUIET),
        ),
        wrong=look.wrong,
    )
