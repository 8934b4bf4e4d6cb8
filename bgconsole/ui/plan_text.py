"""A plan as it is read in a dialog and while it runs."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from bgconsole.domain.duration import spell
from bgconsole.domain.plain import plain
from bgconsole.operations.spec import CHECK_GLYPHS, Check, CheckState, Fact, Plan, Proposal
from bgconsole.operations.step import Step
from bgconsole.ui.outside import one_line
from bgconsole.ui.panes.freshness import cause_words, late_after
from bgconsole.ui.run_state import RunState
from bgconsole.ui.widgets.hanging_text import Line

STYLES = {
    "ok": "$text-success",
    "warning": "bold $text-warning",
    "problem": "bold $text-error",
    "not checked": "$text-warning",
    "checking": "dim",
}
TYPED = 16
"""Cells of a wrong word that are said again."""


def target(proposal: Proposal) -> Content:
    """Where it is done: account, alias, region, cluster, and an endpoint that is not AWS's own."""
    place = proposal.snapshot.place
    identity = proposal.snapshot.identity.value
    account = "account not known"
    if identity is not None:
        account = f"account {identity.account}" + (f" ({identity.alias})" if identity.alias else "")
    told = (place.endpoint_words, account, place.region, proposal.ref.cluster)
    return one_line(" · ".join(filter(None, told)), "bold")


def seen(proposal: Proposal, asked_at: datetime, now: datetime) -> Content:
    """How old what the plan rests on is, and since when AWS is silent; empty where it is fresh.

    Args:
        proposal: the plan, with the picture that it was made from.
        asked_at: when the question came up: a plan that was fresh then does not age by being read.
        now: the time of day.
    """
    part = proposal.snapshot.service
    if part.fetched_at is None:
        return Content("")
    failure = part.failure
    late = late_after("service", proposal.snapshot)
    if failure is None and (late is None or asked_at - part.fetched_at <= late):
        return Content("")
    told = f"▲ as of {spell(now - part.fetched_at)} ago"
    if failure is not None:
        since = failure.since.astimezone().strftime("%H:%M:%S")
        told += f", {cause_words(failure.error)} since {since}"
    return one_line(told, "bold $text-warning")


def alert(refusal: str, *, changed: bool, beside: RunState | None = None) -> Content:
    """What must be seen before anything else; empty where nothing must.

    `beside` is the run that is followed now, and is not any more once this is confirmed; where it
    has ended meanwhile, how.
    """
    if beside is not None and not refusal and not changed:
        summary = beside.proposal.plan.summary
        if not beside.ended:
            return one_line(f"▲ goes on, not followed here any more: {summary}", "bold")
        outcome = beside.outcome
        ok = outcome is not None and outcome.ok
        how = f": {outcome.title}" if outcome is not None else ""
        state: CheckState = "ok" if ok else "problem"
        return one_line(f"{CHECK_GLYPHS[state]} has ended{how} · {summary}", STYLES[state])
    if refusal:
        return one_line(f"✖ not possible: {refusal}", "bold $text-error")
    if changed:
        return Content.styled(
            "▲ the world has changed: this is the plan now, changed lines are marked",
            "bold $text-warning",
        )
    return Content("")


def way(plan: Plan, before: Plan | None) -> list[Line]:
    """What is live, and what will be."""
    return [_fact(fact, before) for fact in plan.facts if _in_view(fact, plan)]


def rest(plan: Plan, before: Plan | None) -> list[Line]:
    """All else: further facts, checks, steps with their commands, notes."""
    told = [_fact(fact, before) for fact in plan.facts if not _in_view(fact, plan)]
    told += [check(each) for each in plan.checks]
    if told:
        told.append(Line(Content("")))
    known = {step.words for step in before.steps} if before else set()
    for number, each in enumerate(plan.steps, 1):
        changed = before is not None and each.words not in known
        told += step(number, each, "▲" if changed else " ")
    if plan.otherwise is not None:
        told += [Line(Content("")), Line(one_line(f"ctrl+t: {plan.otherwise.words}", "bold"), 8)]
    if notes := (*plan.notes, *plan.left_to_do):
        told += [Line(Content("")), *(Line(one_line(note)) for note in notes)]
    return told


def check(each: Check) -> Line:
    """One look-up: what came of it, in a glyph and words."""
    style = STYLES[each.state]
    return Line(Content.assemble((f"{each.glyph} ", style), (plain(each.told), style)), 2)


def step(number: int, each: Step, mark: str) -> list[Line]:
    """One step in words, and below it the command that does the same."""
    style = "bold $text-warning" if mark == "▲" else ""
    told = [Line(Content.assemble((f"{mark}{number} ", style), (plain(each.words), style)), 3)]
    if each.command:
        told.append(Line(Content.styled(f"   {plain(each.command)}", "dim"), 5))
    return told


def asked(proposal: Proposal, word: str, typed: str = "") -> Content:
    """The question in front of the field; what was `typed` instead is named."""
    if typed:
        return Content.assemble(
            ("✖ ", "bold $text-error"),
            "type ",
            (plain(word), "bold $text-warning"),
            (f", not {one_line(typed).truncate(TYPED, ellipsis=True)}:", "bold $text-error"),
        )
    verb = plain(proposal.operation.title).lower()
    return Content.assemble("type ", (plain(word), "bold $text-warning"), f" to {verb}:")


def _in_view(fact: Fact, plan: Plan) -> bool:
    labels = [each.label.lower() for each in plan.facts]
    return fact.label.lower() in (set(labels) & set(plan.in_view) or labels[:2])


def _fact(fact: Fact, before: Plan | None) -> Line:
    was = {each.label: each.value for each in before.facts} if before else {}
    changed = before is not None and fact.decides and was.get(fact.label) != fact.value
    mark, style = ("▲", "bold $text-warning") if changed else (" ", "")
    if fact.loud and not changed:
        style = "bold $text-error"
    told = Content.assemble(
        (f"{mark}{plain(fact.label):<6} ", style or "dim"),
        (plain(fact.value), style),
        (f"  {plain(fact.aside)}" if fact.aside else "", "dim"),
    )
    return Line(told, 8)
