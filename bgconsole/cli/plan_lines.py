"""A plan as lines of text: what a dry run prints is what the dialog shows."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from shlex import quote

import click

from bgconsole.domain.plain import plain
from bgconsole.operations.several import Several
from bgconsole.operations.spec import Fact, Proposal, Risk
from bgconsole.operations.words import place_words


def plan_lines(proposal: Proposal, changed: Collection[str] = ()) -> Iterator[str]:
    """The target, the facts, the checks, the steps with their commands, the notes.

    Args:
        proposal: with its evidence.
        changed: labels of facts that differ from what was shown before; they are marked.
    """
    plan = proposal.plan
    yield plain(plan.summary)
    yield f"  {plain(place_words(proposal.snapshot))}"
    for fact in plan.facts:
        yield _fact(fact, marked=fact.label in changed)
    for check in plan.checks:
        yield f"  {check.glyph} {plain(check.told)}"
    for number, step in enumerate(plan.steps, 1):
        yield f"  {number} {plain(step.words)}"
        if step.command:
            yield f"      {plain(step.command)}"
    if plan.otherwise is not None:
        flags = " ".join(
            f"--{name}" if value == "yes" else f"--{name} {quote(value)}"
            for name, value in plan.otherwise.params.items()
        )
        yield f"  or {plain(plan.otherwise.words)}: bgconsole {proposal.operation.command} {flags}"
    for note in (*plan.notes, *plan.left_to_do):
        yield f"  {plain(note)}"


def asks(proposal: Proposal | Several) -> str:
    """How it is confirmed, in words; empty where nothing is asked."""
    if proposal.risk is Risk.SAFE:
        return ""
    if proposal.risk is Risk.DISRUPTIVE:
        return "--yes"
    return f"--confirm {proposal.confirm}"


def _fact(fact: Fact, *, marked: bool) -> str:
    aside = f"   {plain(fact.aside)}" if fact.aside else ""
    line = f"{'▲' if marked else ' '} {plain(fact.label):<6} {plain(fact.value)}{aside}"
    return click.style(line, fg="red", bold=True) if fact.loud and not _plain_only() else line


def _plain_only() -> bool:
    return bool(os.environ.get("NO_COLOR"))
