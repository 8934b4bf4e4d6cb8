"""Draft change sets: made to see what would change, found again by name, never left behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from bgconsole.domain.change_set import GLYPHS, Change, ChangeSet, without_idle
from bgconsole.domain.errors import GatewayError, NotThere, Unreachable
from bgconsole.gateway.port import Gateway
from bgconsole.operations.spec import Fact
from bgconsole.operations.stack_layout import Turn

POLL = 1.0
"""Seconds between two looks at a draft that AWS works out."""
LOOKS = 120


def draft(gateway: Gateway, turn: Turn, wait: Callable[[float], object] = time.sleep) -> ChangeSet:
    """What a turn would change, once AWS has worked it out; one of the same name is used again.

    Raises:
        GatewayError: AWS refuses, or could not be reached.
    """
    name = turn.draft_name
    try:
        found = gateway.stacks.change_set(turn.stack, name)
    except NotThere:
        found = None
    if found is not None and not (found.pending or found.ready):
        gateway.stack_changes.discard(turn.stack, name)
        found = None
    if found is None:
        lost: Unreachable | None = None
        try:
            gateway.stack_changes.draft(
                turn.stack,
                name,
                template=turn.template.body,
                parameters=turn.values,
                keep=turn.keep,
                create=turn.creates,
                nested=turn.nests,
                tags=turn.tags,
            )
        except Unreachable as error:
            lost = error  # only its answer may be
        try:
            found = gateway.stacks.change_set(turn.stack, name)
        except NotThere:
            if lost is None:
                raise
            raise lost from None
    for _ in range(LOOKS):
        if not found.pending:
            break
        wait(POLL)
        found = gateway.stacks.change_set(turn.stack, name)
    if turn.package and turn.package.whole:
        found = replace(found, changes=without_idle(found.changes))
    return found


def change_fact(change: Change, *, loud: bool) -> Fact:
    """One change of a draft as a line of a plan."""
    verb = change.verb.upper() if change.destroys else change.verb
    what = f"({', '.join(change.what)})" if change.what else ""
    kept = "· the old one is kept" if change.destroys and change.protected else ""
    words = " ".join(filter(None, (verb, change.kind, what, kept)))
    return Fact(f"  {GLYPHS[change.verb]} {change.logical_id}", words, loud=loud)


def discard(gateway: Gateway, stack: str, name: str) -> None:
    """Delete a draft of a stack, and the stack where it was nothing but that.

    Another draft is left alone, whoever made it: somebody may be reading it.

    Raises:
        GatewayError: something stays.
    """
    try:
        if name in gateway.stacks.change_sets(stack):
            gateway.stack_changes.discard(stack, name)
        there = gateway.stacks.stack(stack)
        if there.status == "REVIEW_IN_PROGRESS" and not gateway.stacks.change_sets(stack):
            gateway.stack_changes.delete(there.arn)
    except NotThere:
        return


def discard_all(gateway: Gateway, drafts: tuple[tuple[str, str], ...]) -> None:
    """The same for several; all are tried.

    Raises:
        GatewayError: of the last that stays.
    """
    stays: GatewayError | None = None
    for stack, name in drafts:
        try:
            discard(gateway, stack, name)
        except GatewayError as error:
            stays = error
    if stays is not None:
        raise stays
