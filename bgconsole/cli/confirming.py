"""Whether a plan is confirmed: by flags, or by an answer on the terminal."""

from __future__ import annotations

import click

from bgconsole.cli.context import Invocation
from bgconsole.cli.plan_lines import asks
from bgconsole.domain.errors import Refused
from bgconsole.domain.plain import plain
from bgconsole.operations.several import Several
from bgconsole.operations.spec import Proposal, Risk


def confirmed_by_asking(
    invocation: Invocation, proposal: Proposal | Several, *, yes: bool, word: str | None
) -> bool:
    """Whether somebody was asked for it, which takes its time.

    Raises:
        Refused: it is not confirmed as hard as its risk asks.
    """
    if proposal.risk is Risk.SAFE:
        return False
    if proposal.risk is Risk.DISRUPTIVE and (yes or word == proposal.confirm):
        return False
    if word is not None:
        if proposal.risk is Risk.DANGEROUS and word == proposal.confirm:
            return False
        asked = f"This is confirmed with {asks(proposal)}"
        raise Refused("Not confirmed", f"{plain(word)!r} is not the word.", asked)
    if not invocation.context.interactive():
        raise Refused(
            "Not confirmed",
            "There is no terminal to ask on.",
            f"Read the plan with --dry-run, then add {asks(proposal)}",
        )
    return ask(proposal)


def ask(proposal: Proposal | Several) -> bool:
    """Ask on the terminal; false where there is nothing to ask for.

    Raises:
        Refused: the answer is no.
    """
    if proposal.risk is Risk.SAFE:
        return False
    if proposal.risk is Risk.DISRUPTIVE:
        agreed = click.confirm(f"{proposal.title}?", default=False, err=True)
    else:
        word = proposal.confirm
        question = f"Type {word} to {proposal.title.lower()}"
        agreed = click.prompt(question, default="", show_default=False, err=True).strip() == word
    if not agreed:
        raise Refused("Not confirmed", "Nothing was done.")
    return True
