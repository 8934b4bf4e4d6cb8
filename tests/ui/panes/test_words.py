"""What is said, as pure functions: levels, freshness, the header, the verdict's lines, fitting."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import pytest
from textual.content import Content
from textual.theme import BUILTIN_THEMES

from bgconsole.domain.errors import AccessDenied, ExpiredCredentials, NotThere
from bgconsole.domain.identity import Identity, Place
from bgconsole.domain.join import sides
from bgconsole.domain.rollback import WayBack
from bgconsole.domain.severity import Severity
from bgconsole.domain.since import Since
from bgconsole.domain.snapshot import Failure, Part, Snapshot
from bgconsole.domain.stacks import Stack
from bgconsole.domain.verdict import Progress, Verdict
from bgconsole.ui.palette import Palette, Tone, health_look, stack_look, stack_words, task_look
from bgconsole.ui.panes.freshness import freshness, late_after
from bgconsole.ui.panes.headline import header_line, verdict_lines
from bgconsole.ui.panes.log_entry import entries_of, level_of
from bgconsole.ui.panes.stopped import group_rows, lived
from bgconsole.ui.panes.targets import group_line, share, target_row
from bgconsole.ui.theme import THEMES
from bgconsole.ui.widgets.fit import fit, fit_apart, piece
from bgconsole.ui.widgets.hanging_text import Line
from bgconsole.ui.widgets.hanging_text import wrapped as hanging
from bgconsole.ui.widgets.wrap import wrap
from tests import scenes, worlds
from tests.values import NOW, REF


def test_a_task_that_died_while_it_booted_is_not_said_never_to_have_run() -> None:
    booting = worlds.steady().tasks[REF][0]
    died = replace(booting, started_at=None, stopped_at=NOW)
    assert lived(died) == "never RUNNING"
    assert lived(replace(died, started_at=NOW - timedelta(seconds=33))) == "ran 33 s"
    assert lived(replace(died, started_at=NOW, stopped_at=None)) == "ran -"


def test_a_narrow_line_of_a_group_keeps_what_tells_it_from_the_other() -> None:
    steady = scenes.steady().targets.value
    assert steady
    names = ("democluster-target-group", "democluster-target-group-green")
    lines = [
        group_line(replace(steady.groups[0], name=name), palette(), 45).plain for name in names
    ]
    assert lines[0].startswith("democl…t-group  ") and lines[1].startswith("democl…p-green  ")
    for line in lines:
        assert "…" not in line[14:], "how many are healthy is not cut"
    narrow = group_line(replace(steady.groups[0], name=names[1]), palette(), 29).plain
    assert narrow == "dem…reen  prod 100 %  4/4"
    rows = [
        target_row(replace(group, name=name), group.targets[0], several=True)
        for group, name in zip((steady.groups[0],) * 2, names, strict=True)
    ]
    assert [row.cells[4].text for row in rows] == ["democl…t-group", "democl…p-green"]


def test_the_row_of_a_reason_begins_with_what_is_wrong() -> None:
    why = "ResourceInitializationError: unable to pull secrets or registry auth: no such secret"
    crashed = sides(scenes.crash_looping()).new
    assert crashed
    stopped = replace(crashed.failed[0], ending=why)
    (row,) = group_rows(replace(crashed, stopped=(stopped,)), {}, NOW)
    assert row.cells[-1].text == "ResourceInitializationError: no such secret"


def palette(name: str = "textual-dark") -> Palette:
    theme = next(t for t in (*THEMES, *BUILTIN_THEMES.values()) if t.name == name)
    variables = {**theme.to_color_system().generate(), **theme.variables}
    return Palette.of(cast(Any, SimpleNamespace(current_theme=theme, theme_variables=variables)))


@pytest.mark.parametrize("name", [t.name for t in (*THEMES, *BUILTIN_THEMES.values())])
def test_every_theme_has_every_tone(name: str) -> None:
    colours = palette(name)
    for tone in Tone:
        colours.rich(tone)
        colours.chip(tone)
    assert colours.style(Tone.OLD) != colours.style(Tone.NEW)
    assert colours.style(Tone.GOOD) != colours.style(Tone.BAD)


def test_old_and_good_states_differ_without_colour() -> None:
    states = ("healthy", "initial", "unhealthy", "draining", "unused")
    assert len({health_look(state).glyph for state in states}) == len(states)
    assert health_look("frobnicated").glyph == "?"
    assert task_look("running", "unhealthy").wrong
    assert not task_look("pending", "not registered").wrong
    assert task_look("running", "").tone is Tone.GOOD


def test_a_roll_back_under_way_is_wrong_already() -> None:
    stack = Stack("s", "a", "UPDATE_ROLLBACK_IN_PROGRESS")
    assert stack_look(stack).wrong
    assert stack_words(stack.status) == "update failed, rolling back"


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("I, [2026-03-01T13:59:58.1 #1]  INFO -- : [a] Started GET", "INFO"),
        ("E, [2026-03-01T13:59:58.1 #1] ERROR -- : no", "ERROR"),
        ("F, [x #1] FATAL -- : [a] ", "FATAL"),
        ("W, [x #1]  WARN -- : info", "WARN"),
        ("Completed 500 Internal Server Error in 4ms", "ERROR"),
        ("INFO Completed 503 Service Unavailable", "ERROR"),
        ("Completed 200 OK in 503ms", ""),
        ("PG::UndefinedColumn: ERROR:  column", "ERROR"),
        ("ActiveRecord::StatementInvalid (PG::UndefinedColumn: x)", "ERROR"),
        ("ActionController::RoutingError (No route", "ERROR"),
        ('{"level":"warning","msg":"x"}', "WARN"),
        ('{"level":"debug"}', "DEBUG"),
        ("GET /errors", ""),
        ("", ""),
    ],
)
def test_level(text: str, level: str) -> None:
    assert level_of(text) == level


def test_an_event_of_several_lines_is_several_entries_in_order() -> None:
    event = scenes.line(1, "E, [t #1] ERROR -- : boom\n  from a.rb:1\n\ttabbed\r\n", "t1")
    entries = list(entries_of(event, count(7)))
    assert [e.text for e in entries] == ["boom", "  from a.rb:1", "    tabbed"]
    assert [e.sequence for e in entries] == [7, 8, 9]
    assert [e.level for e in entries] == ["ERROR"] * 3
    assert sorted(entries, key=lambda e: e.order) == entries


def test_hundred_kilobytes_on_one_line_are_cut_with_a_note() -> None:
    (entry,) = entries_of(scenes.line(1, "x" * 100_000), count())
    assert entry.text.endswith("… (+90000 characters)")


def test_freshness_words() -> None:
    ok: Part[int] = Part(1, NOW)
    at = NOW + timedelta(seconds=34)
    words = {
        "fresh": freshness(ok, at).words,
        "waiting": freshness(Part(), at).words,
        "throttled": freshness(_failing(ok, scenes.THROTTLED), at).words,
        "denied": freshness(_failing(Part(), scenes.DENIED), at).words,
        "denied later": freshness(_failing(ok, scenes.DENIED), at).words,
        "expired": freshness(_failing(ok, ExpiredCredentials("expired")), at).words,
        "gone": freshness(_failing(Part(), NotThere("no such cluster")), at).words,
        "due": freshness(_failing(ok, scenes.CLOSED), at + timedelta(seconds=8)).words,
    }
    assert words == {
        "fresh": "",
        "waiting": "waiting for the first answer",
        "throttled": "stale 34 s: throttled, next try 8 s",
        "denied": "AccessDenied: needs elasticloadbalancing:DescribeTargetHealth",
        "denied later": "stale 34 s: AccessDenied: needs elasticloadbalancing:DescribeTargetHealth",
        "expired": "stale 34 s: credentials expired, next try 8 s",
        "gone": "no such cluster, next try 8 s",
        "due": "stale 42 s: no answer, trying now",
    }


@pytest.mark.parametrize("width", [40, 60, 80, 120, 160, 200])
def test_header_keeps_account_region_and_service(width: int) -> None:
    line = header_line(_here(), NOW, palette(), width, read_only=False).plain
    assert len(line) == width
    if width >= 60:
        for word in ("123456789012", "us-east-1", "democluster-service"):
            assert word in line


def test_header_tells_what_must_be_known() -> None:
    taken = _here(
        place=Place("us-east-1", "demo", endpoint="127.0.0.1:4566"),
        identity=Part(
            Identity("123456789012", "arn", expires_at=NOW + timedelta(minutes=12, seconds=30)),
            NOW,
        ),
    )
    for width in (120, 160, 200):
        line = header_line(taken, NOW, palette(), width, read_only=True).plain
        for word in ("SANDBOX 127.0.0.1:4566", "credentials 12:30 left", "READ-ONLY", "us-east-1"):
            assert word in line, (width, line)
    line = header_line(taken, NOW, palette(), 80, read_only=True).plain
    for word in ("SANDBOX", "12:30 left", "RO", "123456789012", "democluster-service"):
        assert word in line, line
    named = _here(place=taken.place)
    assert "SANDBOX 127.0.0.1:4566" in header_line(named, NOW, palette(), 80, read_only=False).plain
    late = header_line(taken, NOW + timedelta(hours=1), palette(), 160, read_only=False).plain
    assert "credentials expired" in late
    early = _here(identity=Part(Identity("1", "a", expires_at=NOW + timedelta(hours=1)), NOW))
    assert "credentials" not in header_line(early, NOW, palette(), 160, read_only=False).plain


def test_header_pulse() -> None:
    whole = "every 10 s · 38 calls/min · all fresh · 14:00:00"
    assert whole in header_line(_here(), NOW, palette(), 160, read_only=False).plain
    stale = scenes.failed(_here(), scenes.THROTTLED, "tasks", "targets")
    for width in (90, 160):
        assert "2 stale" in header_line(stale, NOW, palette(), width, read_only=False).plain


def test_header_names_the_permission_that_a_source_lacks() -> None:
    lacking = scenes.failed(_here(), scenes.DENIED, "metrics")
    shown = header_line(lacking, NOW, palette(), 160, read_only=False).plain
    assert f"needs {scenes.DENIED.action}" in shown
    assert "stale" not in shown
    assert "all fresh" not in shown
    other = AccessDenied("AccessDenied", action="ecr:DescribeImages")
    both = scenes.failed(lacking, other, "images")
    assert " and 1 more" in header_line(both, NOW, palette(), 200, read_only=False).plain
    assert "2 not allowed" in header_line(both, NOW, palette(), 80, read_only=False).plain
    throttled = scenes.failed(lacking, scenes.THROTTLED, "tasks")
    assert "1 stale" in header_line(throttled, NOW, palette(), 200, read_only=False).plain
    unread = "AccessDenied: needs iam:ListAccountAliases"
    nameless = _here(identity=Part(Identity("123456789012", "arn", unread=unread), NOW))
    assert (
        "alias needs iam:ListAccountAliases"
        in header_line(nameless, NOW, palette(), 200, read_only=False).plain
    )
    assert "all fresh" in header_line(nameless, NOW, palette(), 120, read_only=False).plain


def test_only_what_is_asked_often_grows_old() -> None:
    asked_long_ago = _here(identity=Part(Identity("1", "a"), NOW - timedelta(minutes=4)))
    assert "all fresh" in header_line(asked_long_ago, NOW, palette(), 120, read_only=False).plain
    refused = scenes.failed(_here(), scenes.THROTTLED, "identity")
    assert "1 stale" in header_line(refused, NOW, palette(), 120, read_only=False).plain
    hanging = _here(stacks=Part((), NOW - timedelta(minutes=4)))
    assert "1 stale" in header_line(hanging, NOW, palette(), 120, read_only=False).plain


def test_a_silence_shows_with_its_age_before_any_call_has_failed() -> None:
    taken = _here()
    for seconds, word in ((20, "all fresh"), (30, "stale, oldest 30 s")):
        later = NOW + timedelta(seconds=seconds)
        assert word in header_line(taken, later, palette(), 160, read_only=False).plain
    quick = _here(interval=2.0)
    later = NOW + timedelta(seconds=13)
    assert "oldest 13 s" in header_line(quick, later, palette(), 160, read_only=False).plain
    assert "13 s old" in header_line(quick, later, palette(), 80, read_only=False).plain
    assert freshness(quick.tasks, later, late_after("tasks", quick)).words == "last answer 13 s ago"
    assert not freshness(quick.stacks, later, late_after("stacks", quick))
    assert late_after("identity", quick) is None


KEYS = {"service.rollback": "R", "service.approve": "A"}
LONG = Verdict(
    Severity.BAD,
    "ROLLED BACK",
    "revision 44 never became healthy: 3 of 3 tasks exited 1 "
    '("PG::UndefinedColumn: posts.summary does not exist, says the server at great length"). '
    "43 serves 100 %, 4/4 healthy, 0 of 388 requests failed.",
    evidence=("tasks: throttled since 14:02:11", "target health: not read yet"),
    way_back=WayBack("43", "4 new tasks"),
    progress=Progress(3, 8, "1/4 healthy · 4 old still to go"),
)


@pytest.mark.parametrize(("width", "limit"), [(78, 4), (118, 6), (158, 6), (38, 4), (20, 4)])
def test_verdict_fits(width: int, limit: int) -> None:
    lines = [line.plain for line in verdict_lines(LONG, palette(), width, limit, NOW, KEYS)]
    assert len(lines) <= limit
    assert all(len(line) <= width for line in lines)
    assert lines[0].startswith(" ✖ ROLLED BACK")
    if width > 38:
        assert any("R back to 43" in line for line in lines)
        assert any("1/4 healthy" in line for line in lines)


@pytest.mark.parametrize(("width", "limit"), [(78, 3), (78, 4), (118, 2), (118, 6)])
def test_who_serves_is_said_however_long_the_cause_is(width: int, limit: int) -> None:
    serves = "Revision 43 serves 100 %: 4/4 healthy"
    cause = " ".join(f"word{number}" for number in range(80))
    told = replace(LONG, sentence=f"revision 44 is not coming up: {cause}. {serves}", served=serves)
    lines = [line.plain for line in verdict_lines(told, palette(), width, limit, NOW, KEYS)]
    shown = " ".join(line.strip() for line in lines)
    assert serves in shown and "… Revision" in shown
    assert "R back to 43" in shown
    assert lines[0].startswith(" ✖ ROLLED BACK   revision 44 is not coming up: word0")
    assert all(len(line) <= width for line in lines)


NO_CAPACITY = replace(
    LONG,
    word="FAILING",
    sentence="the redeploy of revision 2 is not coming up: AWS has no Fargate capacity now (4 of 4 "
    "tasks not placed); a roll back needs no new task: 4 old ones still run. Revision 2 serves "
    "100 %: 4/4 healthy",
    served="Revision 2 serves 100 %: 4/4 healthy",
    helps="a roll back needs no new task: 4 old ones still run",
    way_back=WayBack("2", "warm: old tasks still run"),
)


def test_what_is_said_of_a_roll_back_is_not_cut_in_the_middle() -> None:
    """As it is on 80x24."""
    lines = [line.plain for line in verdict_lines(NO_CAPACITY, palette(), 78, 4, NOW, KEYS)]
    shown = " ".join(line.strip() for line in lines)
    assert f"{NO_CAPACITY.helps}. {NO_CAPACITY.served}" in shown
    assert "AWS has no Fargate capacity now" in shown and "R back to 2 (warm" in shown
    assert all(len(line) <= 78 for line in lines)


def test_a_cause_is_cut_between_words_and_stays_longer_than_what_is_said_of_a_roll_back() -> None:
    cause = " ".join(f"word{number}" for number in range(80))
    helps = "tasks of revision 43 fail as well (Essential container in task exited, exit code 1)"
    told = replace(
        NO_CAPACITY,
        sentence=f"revision 44 is not coming up: {cause}; {helps}. {NO_CAPACITY.served}",
        helps=helps,
    )
    lines = [line.plain for line in verdict_lines(told, palette(), 78, 4, NOW, KEYS)]
    shown = " ".join(line.strip() for line in lines)
    assert "word7" in shown and helps not in shown and NO_CAPACITY.served in shown
    cut = shown.partition("… ")[0].rpartition(" ")[2]
    assert cut in cause.split()


def test_steady_is_one_quiet_line() -> None:
    calm = Verdict(
        Severity.GOOD,
        "STEADY",
        "Revision 2 serves 100 %: 4/4 healthy",
        way_back=WayBack("1", "4 new tasks"),
    )
    (line,) = verdict_lines(calm, palette(), 78, 4, NOW, KEYS)
    assert line.plain.startswith(" ● STEADY ")
    assert line.plain.endswith("R back to 1 (4 new tasks)")


@pytest.mark.parametrize("width", range(20, 60))
def test_a_number_is_never_parted_from_its_unit(width: int) -> None:
    told = "Revision 2 serves 100 %: 4/4 healthy, 0 of 7 requests failed in 12 s, p95 250 ms, 3 min"
    text = Content.assemble((told, "bold"))
    rows = wrap(text, width)
    assert " ".join(row.plain.strip() for row in rows) == told
    assert all(row.cell_length <= width for row in rows)
    for whole in ("100 %", "12 s", "250 ms", "3 min"):
        assert any(whole in row.plain for row in rows)
    calm = Verdict(Severity.GOOD, "STEADY", told)
    shown = [line.plain for line in verdict_lines(calm, palette(), max(40, width), 6, NOW, KEYS)]
    assert any("100 %" in line for line in shown)
    hung = hanging([Line(text)], width)
    assert [row.plain for row in hung] == [row.plain for row in rows]


def test_what_to_press_is_said_with_the_keys_that_are_bound() -> None:
    waits = Verdict(
        Severity.WAITING,
        "WAITING FOR YOU",
        "revision 43 waits at post-test",
        way_back=WayBack("42", "warm, about 45 s"),
        approvable=True,
    )
    cases = (
        (KEYS, "   A go on · R back to 42 (warm, about 45 s)"),
        (KEYS | {"service.rollback": "f4"}, "   A go on · f4 back to 42 (warm, about 45 s)"),
        ({}, "   the way is back to 42 (warm, about 45 s)"),
    )
    for bound, words in cases:
        (line,) = verdict_lines(waits, palette(), 118, 4, NOW, bound)
        assert line.plain.endswith(words)


def test_since_when_stands_before_what_is_wrong_and_after_what_is_well() -> None:
    began = NOW - timedelta(minutes=12)
    ill = replace(LONG, since=Since("begun", began))
    first = verdict_lines(ill, palette(), 158, 6, NOW, KEYS)[0].plain
    assert first.startswith(" ✖ ROLLED BACK   begun 13:48, 12 min ago · revision 44 never")
    brief = replace(ill, sentence="revision 44 never became healthy. 43 serves 100 %")
    first = verdict_lines(brief, palette(), 78, 4, NOW, KEYS)[0].plain
    assert first.startswith(" ✖ ROLLED BACK   begun 13:48 · revision 44 never")
    well = Verdict(Severity.GOOD, "STEADY", "Revision 2 serves", since=Since("deployed", began))
    (line,) = verdict_lines(well, palette(), 78, 4, NOW, KEYS)
    assert line.plain == " ● STEADY  Revision 2 serves · deployed 13:48"


@pytest.mark.parametrize("width", range(38, 178, 5))
@pytest.mark.parametrize("severity", [Severity.BAD, Severity.BUSY])
def test_since_when_takes_no_word_and_a_line_only_of_what_is_bad(
    severity: Severity, width: int
) -> None:
    bare = replace(LONG, severity=severity, evidence=(), progress=None)
    without = verdict_lines(bare, palette(), width, 6, NOW, KEYS)
    since = replace(bare, since=Since("begun", NOW - timedelta(days=3)))
    told = verdict_lines(since, palette(), width, 6, NOW, KEYS)
    cuts = [sum(line.plain.count("…") for line in lines) for lines in (without, told)]
    assert cuts[0] == cuts[1]
    assert len(told) == len(without) or (
        severity is Severity.BAD and "begun 2026-02-26" in told[0].plain
    )


@pytest.mark.parametrize(
    ("percent", "words"),
    [(0, "░░░░░░░░ 0 %"), (100, "████████ 100 %"), (0.4, "█░░░░░░░ <1 %"), (99, "███████░ 99 %")],
)
def test_a_share_that_is_not_all_never_looks_like_all(percent: float, words: str) -> None:
    assert share("prod", percent, palette(), 8).plain == f"prod {words}"


def test_pieces_give_way_by_rank() -> None:
    pieces = [piece(1, "one", "1", ""), piece(9, "service"), piece(2, "two", "")]
    assert [fit(pieces, width).plain for width in (40, 18, 14, 10, 7, 5)] == [
        "one · service · two",
        "1 · service · two",
        "service · two",
        "service",
        "service",
        "serv…",
    ]
    assert fit_apart([piece(1, "left")], [piece(2, "right")], 14).plain == "left     right"
    assert fit_apart([piece(1, "left")], [piece(2, "right")], 8).plain == "left    "


def _failing(part: Part[Any], error: Any) -> Part[Any]:
    return replace(part, failure=Failure(error, NOW, NOW + timedelta(seconds=42)))


def _here(**changes: Any) -> Snapshot:
    return replace(scenes.steady(), **{"calls_per_minute": 38, **changes})
