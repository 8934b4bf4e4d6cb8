"""What an operation tells, without secrets: names of AWS's and texts of others come into plans."""

from __future__ import annotations

from dataclasses import replace

from bgconsole.domain.masking import mask
from bgconsole.operations.outcome import Outcome, Progress
from bgconsole.operations.spec import No, Plan


def masked_plan(plan: Plan) -> Plan:
    """The plan with every text masked; what its steps do stays."""
    return replace(
        plan,
        summary=mask(plan.summary),
        facts=tuple(replace(f, value=mask(f.value), aside=mask(f.aside)) for f in plan.facts),
        checks=tuple(replace(check, words=mask(check.words)) for check in plan.checks),
        steps=tuple(
            replace(step, words=mask(step.words), command=mask(step.command)) for step in plan.steps
        ),
        notes=tuple(map(mask, plan.notes)),
        left_to_do=tuple(map(mask, plan.left_to_do)),
        before=mask(plan.before),
        after=mask(plan.after),
    )


def masked_no(no: No) -> No:
    """The refusal with every text masked; what may be chosen instead stays as it is typed."""
    return replace(
        no,
        reason=mask(no.reason),
        choices=tuple((value, mask(words)) for value, words in no.choices),
        command=mask(no.command),
    )


def masked_progress(progress: Progress) -> Progress:
    """What a run tells, masked; lines of output are masked where they are read."""
    if progress.kind == "output":
        return progress
    outcome = progress.outcome
    return replace(
        progress,
        text=mask(progress.text),
        command=mask(progress.command),
        outcome=_masked_outcome(outcome) if outcome is not None else None,
    )


def _masked_outcome(outcome: Outcome) -> Outcome:
    receipt = tuple(map(mask, outcome.receipt))
    return replace(outcome, sentence=mask(outcome.sentence), receipt=receipt)
