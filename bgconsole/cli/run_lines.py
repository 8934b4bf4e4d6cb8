"""An operation carried out and told line by line, and what an interrupt leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import click

from bgconsole.cli.amount_lines import AmountLines
from bgconsole.domain.exit_codes import EXIT_INTERRUPTED
from bgconsole.domain.plain import plain
from bgconsole.operations.outcome import Outcome, Progress
from bgconsole.operations.runner import Runner
from bgconsole.operations.spec import Proposal


def run(runner: Runner, proposal: Proposal, *, asked: bool = True) -> int:
    """Carry out what was confirmed, and tell how it goes; gives the exit code.

    Args:
        runner: carries it out.
        proposal: what was confirmed.
        asked: whether somebody was asked meanwhile, so that the world may have moved.

    Raises:
        PlanChanged: before anything was done, another plan would be carried out now.
    """
    cancelled = threading.Event()
    outcome: Outcome | None = None
    told: list[Progress] = []
    amounts = AmountLines()
    try:
        for progress in runner.run(proposal, cancelled, at_once=not asked):
            if progress.kind != "output" and progress.amount is None:
                told.append(progress)
            if progress.outcome is not None:
                outcome = progress.outcome
            elif progress.amount is None:
                click.echo(_progress_line(progress), err=True)
            elif line := amounts.line(progress.step, progress.amount):
                click.echo(line, err=True)
    except KeyboardInterrupt:
        click.echo("\n".join(interrupted_lines(proposal, told)), err=True)
        return EXIT_INTERRUPTED
    if outcome is None:
        raise RuntimeError("an operation ended without an outcome")
    if outcome.receipt:
        click.echo("\n".join(outcome.receipt))
    if not outcome.ok:
        click.echo(f"bgconsole: {outcome.title}\n  {plain(outcome.sentence)}", err=True)
        if outcome.go_on:
            click.echo(f"  → {plain(outcome.go_on)}", err=True)
    return outcome.exit_code


def _progress_line(progress: Progress) -> str:
    if progress.kind == "output":
        return f"  │ {plain(progress.text)}"
    request = f"  (request {progress.request_id})" if progress.request_id else ""
    mark = {"step started": "…", "step done": "✓", "milestone": "◆"}.get(progress.kind, " ")
    return f"{mark} {progress.step} {plain(progress.text)}{request}"


def interrupted_lines(proposal: Proposal, told: Sequence[Progress]) -> Iterator[str]:
    """What an interrupt leaves behind: nothing, a call that may have arrived, or work under way.

    Args:
        proposal: what was confirmed.
        told: what its run told so far.
    """
    steps = dict(enumerate(proposal.plan.steps, 1))
    changing = {number for number, step in steps.items() if step.changes}
    done = {each.step for each in told if each.kind == "step done"}
    begun = [each.step for each in told if each.kind == "step started"]
    requests = ", ".join(dict.fromkeys(each.request_id for each in told if each.request_id))
    request = f" (request id {requests})" if requests else ""
    if changing and not changing.intersection(begun):
        yield "Interrupted: nothing was changed."
        return
    named = f"--cluster {proposal.ref.cluster} --service {proposal.ref.name}"
    stacks = proposal.operation.about == "stacks"
    go_on = next((each.go_on for each in reversed(told) if each.kind == "step started"), "")
    if changing <= done:
        yield f"Interrupted after it was sent{request}: AWS goes on, and this is not followed."
        yield plain(f"  → {go_on or f'bgconsole watch {named}'} follows it")
        return
    at = steps[begun[-1]]
    if at.effect != "serves" and not any(steps[number].effect == "serves" for number in done):
        yield plain(f"Interrupted{request} while it was to {at.words}.")
        yield "  What serves was not changed; no later step was begun."
        if go_on:
            yield plain(f"  → {go_on} goes on")
        return
    if at.effect == "looks":
        yield plain(f"Interrupted{request} while it was to {at.words}: AWS goes on with that.")
        yield "  No later step was begun."
        if go_on:
            yield plain(f"  → {go_on} goes on")
        return
    yield f"Interrupted while it was sent{request}: whether AWS took the call is not known."
    yield plain(f"  → {go_on if stacks else f'bgconsole status {named}'} tells")
