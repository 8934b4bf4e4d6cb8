"""The pure parts behind the screens: a run's state, a plan's text, facts, help, wrapped lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual.content import Content

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain.errors import AccessDenied, Unreachable
from bgconsole.domain.identity import Place
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.operations.outcome import Outcome, Progress
from bgconsole.operations.spec import NO_EVIDENCE, Check, Fact, Plan, Proposal, Risk
from bgconsole.operations.step import Step
from bgconsole.ui import facts, help_text, history_facts, plan_text, stack_facts
from bgconsole.ui.run_state import RunState
from bgconsole.ui.screens.run import headline
from bgconsole.ui.widgets.hanging_text import Line, wrapped
from bgconsole.watch.once import read
from tests import worlds
from tests.values import NOW, REF

PLAN = Plan(
    "Roll back web from revision 43 to 42",
    facts=(
        Fact("from", "revision 43", aside="live since 13:40"),
        Fact("to", "revision 42"),
        Fact("by", "an update"),
    ),
    checks=(
        Check("image is in ECR", "ok"),
        Check("task definition", "checking"),
        Check("image: not checked (AccessDenied: ecr:DescribeImages)", "not checked"),
        Check("1 migration ran since", "warning"),
    ),
    steps=(Step("point the service at it", "aws ecs update-service"), Step("follow")),
    confirm="42",
    notes=("the stack will differ",),
)
PROPOSAL = Proposal(
    OPERATIONS["service.rollback"],
    REF,
    {},
    PLAN,
    Snapshot(REF, Place("us-east-1", endpoint="127.0.0.1:4566")),
    evidence=NO_EVIDENCE,
    aside=NO_EVIDENCE,
    risk=Risk.DANGEROUS,
)


def _text(lines: list[Line]) -> str:
    return "\n".join(line.content.plain for line in lines)


def test_a_plan_shows_state_as_glyph_and_words() -> None:
    told = _text(plan_text.rest(PLAN, None))
    for line in (
        "✓ image is in ECR",
        "◌ task definition · checking",
        "? image: not checked (AccessDenied: ecr:DescribeImages)",
        "▲ 1 migration ran since",
        " 1 point the service at it",
        "   aws ecs update-service",
        "the stack will differ",
        "by     an update",
    ):
        assert line in told
    assert _text(plan_text.way(PLAN, None)).splitlines() == [
        " from   revision 43  live since 13:40",
        " to     revision 42",
    ]


def test_what_changed_is_marked() -> None:
    new = replace(
        PLAN,
        facts=(PLAN.facts[0], Fact("to", "revision 41"), PLAN.facts[2]),
        steps=(Step("register a copy", effect="prepares"), *PLAN.steps),
    )
    assert _text(plan_text.way(new, PLAN)).splitlines() == [
        " from   revision 43  live since 13:40",
        "▲to     revision 41",
    ]
    assert "▲1 register a copy" in _text(plan_text.rest(new, PLAN))
    assert " 2 point" in _text(plan_text.rest(new, PLAN))


def test_the_target_names_account_place_and_a_foreign_endpoint() -> None:
    told = plan_text.target(PROPOSAL).plain
    assert told.startswith("SANDBOX 127.0.0.1:4566 · account not known · us-east-1")


def test_a_run_goes_through_its_steps() -> None:
    state = RunState(1, PROPOSAL, NOW)
    assert state.steps == ("waits", "waits") and state.current == 0
    assert "reading the world" in headline(state, NOW).plain
    state = state.after(Progress("step started", 1, "a"), NOW)
    assert state.steps == ("runs", "waits")
    state = state.after(Progress("step done", 1, "a", request_id="r"), NOW)
    state = state.after(Progress("step started", 2, "b", command="aws c"), NOW)
    assert state.said == (("a", ""), ("b", "aws c")), "as it was begun, not as it was planned"
    assert state.steps == ("done", "runs")
    later = headline(state, NOW + timedelta(seconds=9)).plain
    assert "step 2 of 2 · 9 s" in later
    good = state.after(Progress("end", 2, "", outcome=Outcome(True, "Done", "", 0)), NOW)
    assert good.ended and good.steps == ("done", "done")
    assert headline(good, NOW).plain.startswith("✓ Done")
    bad = state.after(Progress("end", 2, "", outcome=Outcome(False, "Failed", "", 1)), NOW)
    assert bad.steps == ("done", "failed") and headline(bad, NOW).plain.startswith("✖ Failed")
    assert bad.stopped(None, NOW) is bad


@pytest.mark.parametrize("width", [40, 60, 80])
def test_where_there_is_little_room_the_summary_gives_way_not_the_outcome(width: int) -> None:
    long = replace(PROPOSAL, plan=replace(PROPOSAL.plan, summary="Force a redeploy of " + "x" * 90))
    state = RunState(1, long, NOW)
    assert headline(state, NOW, width).plain.endswith("… · reading the world once more · 0 s")
    assert headline(state, NOW, width).cell_length <= width
    good = state.after(Progress("end", 2, "", outcome=Outcome(True, "Done", "", 0)), NOW)
    told = headline(good, NOW, width).plain
    assert told.startswith("✓ Done  Force a redeploy") and told.endswith("… · took 0 s")
    assert len(told) <= width
    assert "x" * 90 in headline(good, NOW).plain


def test_a_run_that_broke_off_tells_error_and_request_id() -> None:
    error = AccessDenied("Access denied", "no", "ask", action="x", request_id="r-1")
    outcome = RunState(1, PROPOSAL, NOW).stopped(error, NOW).outcome
    assert outcome is not None and not outcome.ok and outcome.exit_code == 4
    assert outcome.sentence == "no\nask\nrequest id r-1"
    silent = RunState(1, PROPOSAL, NOW).stopped(None, NOW).outcome
    assert silent is not None and not silent.ok
    plain = RunState(1, PROPOSAL, NOW).stopped(Unreachable("No answer"), NOW).outcome
    assert plain is not None and plain.sentence == ""


def test_what_is_secret_in_a_description_is_masked() -> None:
    world = worlds.steady()
    name, stack = next(iter(world.stacks.items()))
    world.stacks[name] = replace(
        stack,
        outputs=(("DatabasePassword", "hunter2"), ("Url", "postgres://app:hunter3@db/app")),
        reason="password=hunter4",
    )
    taken = read(scripted_gateway(world), REF, lambda: NOW)
    told = " ".join(fact.value for fact in stack_facts.of_stack(taken, stack.arn, NOW))
    assert "hunter" not in told and "•••" in told


def test_what_is_gone_has_no_facts() -> None:
    empty = Snapshot(REF, Place("us-east-1"))
    assert facts.of_task(empty, "x", NOW) == facts.of_target(empty, "x|y") == ()
    assert stack_facts.of_stack(empty, "x", NOW) == ()
    assert [f.value for f in facts.events(empty, NOW)] == ["the service is not known yet"]
    assert [f.value for f in history_facts.history(empty, NOW)] == ["the history is not known yet"]


@pytest.mark.parametrize(
    ("world", "sides"),
    [
        (worlds.steady(), {"neither: no deployment is under way"}),
        (worlds.deploying(), {"old", "new"}),
    ],
)
def test_a_task_says_on_which_side_it_is(world: ScriptedWorld, sides: set[str]) -> None:
    snapshot = read(scripted_gateway(world), REF, lambda: NOW)
    told = {
        fact.value
        for task in world.tasks[REF]
        for fact in facts.of_task(snapshot, task.arn, NOW)
        if fact.label == "side"
    }
    assert told == sides


def test_help_sets_writes_apart_and_says_when_there_are_none() -> None:
    operation = OPERATIONS["service.rollback"]
    told = help_text.facts(KEYMAP, [(operation, None)], {}, read_only=False)
    assert told[0].value == "changing the world" and told[1].label == "R"
    assert "typed" in told[1].value
    assert not [fact for fact in told[2:] if fact.label in ("F", "R")]
    none = help_text.facts(KEYMAP, [], {}, read_only=True)
    assert "read-only" in none[1].value


def test_wrapped_rows_hang_below_their_text() -> None:
    line = Line(Content("label  one two three four"), 7)
    assert [row.plain.rstrip() for row in wrapped([line], 16)] == [
        "label  one two",
        "       three",
        "       four",
    ]
    assert wrapped([line], 0) == [line.content]
    long = Line(Content("arn    " + "x" * 30), 7)
    assert wrapped([long], 17)[0].plain.rstrip() == "arn    xxxxxxxxxx"
