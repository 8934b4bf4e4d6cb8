"""The timeline: what is in it, in which order, once each; and what it looks like elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bgconsole.domain.activity import Activity, AlarmChange, Scaling
from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.logs import LogLine, to_milliseconds
from bgconsole.domain.moments import Moment, merged, moment, selected
from bgconsole.domain.services import ServiceEvent
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.timeline import HEARD, NOTHING_HEARD, hear, timeline, unseen
from bgconsole.domain.timeline_text import as_json, clock_words, markdown, text_lines
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.once import read
from bgconsole.watch.sources import SOURCES
from tests import values, worlds
from tests.values import BAD, MEOW, NOW, REF, SERVICE


def look(world: ScriptedWorld) -> Snapshot:
    return read(scripted_gateway(world), REF, lambda: NOW, SOURCES)


def of_kind(moments: tuple[Moment, ...], kind: str) -> list[str]:
    return [one.words for one in moments if one.kind == kind]


def event(ago: float, words: str, number: int = 0) -> ServiceEvent:
    return ServiceEvent(
        f"event-{number}", NOW - timedelta(seconds=ago), f"(service {SERVICE}) {words}"
    )


def line(task_id: str, ago: float, message: str) -> LogLine:
    at = to_milliseconds(NOW - timedelta(seconds=ago))
    return LogLine(at, at, f"{at}", "democluster", f"ecs/web/{task_id}", message)


def with_events(world: ScriptedWorld, *events: ServiceEvent) -> ScriptedWorld:
    world.services[REF] = replace(world.services[REF], events=events)
    return world


@pytest.mark.parametrize("name", sorted(worlds.BUILDERS))
def test_in_every_world_it_is_ordered_and_says_nothing_twice(name: str) -> None:
    told = timeline(look(worlds.BUILDERS[name]()))
    assert [one.at for one in told] == sorted(one.at for one in told)
    assert len(set(told)) == len(told) > 0


def test_a_roll_back_reads_as_the_story_that_it_is() -> None:
    registered, *told = timeline(look(worlds.rolled_back()), since=NOW - timedelta(minutes=10))
    assert (registered.kind, registered.source) == ("change", "ops")
    assert registered.words == "task definition democluster-task-family:3 was registered"
    kinds = [(one.kind, one.severity) for one in told]
    assert kinds[0] == ("deployment", Severity.BUSY)
    assert told[0].words.startswith("revision 3 (bad0c0d · sha256:0ff1ce00): deployment began")
    assert told[0].words.endswith("in place of revision 2")
    assert ("task", Severity.BAD) in kinds[1:3]
    back = next(one for one in told if "roll back to revision 2 began" in one.words)
    assert back.severity is Severity.BAD
    assert values.BREAKER_WORDS in back.words
    assert "(deployment ecs-svc/8471120934415586902) deployment failed" in " ".join(
        of_kind(told, "event")
    )
    assert [one.words for one in told if one.kind == "deployment"][-1].startswith(
        "revision 3: rolled back after 2:59"
    )


def test_a_success_is_good_and_says_how_long_it_took() -> None:
    ends = [one for one in timeline(look(worlds.steady())) if "deployed" in one.words]
    assert [(one.severity, one.words) for one in ends] == [
        (Severity.GOOD, "revision 1: deployed after 2:59"),
        (Severity.GOOD, "revision 2: deployed after 2:59"),
    ]
    assert ends[0].source == "ecs-svc/6216346761948112104"


def test_stopped_tasks_are_counted_by_their_reason() -> None:
    world = worlds.crash_looping(failed=3)
    scaled = replace(
        values.crashed(MEOW, 9, minutes=2),
        stop_code="ServiceSchedulerInitiated",
        stopped_reason=f"Scaling activity initiated by (deployment ecs-svc/{BAD.number})",
        containers=(),
    )
    world.tasks[REF] = (*world.tasks[REF], scaled)
    snapshot = look(world)
    first = min(
        (t for t in world.tasks[REF] if t.stopped and t.started_by.endswith(BAD.number)),
        key=lambda task: task.stopped_at or NOW,
    )
    snapshot = replace(snapshot, last_words={first.id: "PG::UndefinedColumn: posts.summary"})
    ours, theirs = sorted(
        (one for one in timeline(snapshot) if one.kind == "task"), key=lambda one: -one.severity
    )
    assert ours.severity is Severity.BAD
    assert ours.at == first.stopped_at
    assert 'revision 3: 3 tasks within 2:00 stopped: exit 1 ("PG::UndefinedColumn' in ours.words
    assert first.id in ours.words
    assert theirs.severity is Severity.BUSY
    assert "1 task stopped: Scaling activity initiated by" in theirs.words


def test_a_steady_state_that_is_only_said_again_is_folded() -> None:
    steady = "has reached a steady state."
    world = with_events(
        worlds.steady(),
        event(60, steady, 5),
        event(6 * 3600, steady, 4),
        event(12 * 3600, steady, 3),
        event(13 * 3600, "has stopped 1 running tasks: (task abc).", 2),
        event(18 * 3600, steady, 1),
    )
    told = of_kind(timeline(look(world)), "event")
    assert told == [
        steady,
        "has stopped 1 running tasks: (task abc).",
        f"{steady} (said 3 times, last at 2026-03-01 13:59:00 UTC)",
    ]
    lately = of_kind(timeline(look(world), since=NOW - timedelta(hours=1)), "event")
    assert lately == [steady]


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        ("has reached a steady state.", Severity.GOOD),
        ("(deployment ecs-svc/1) deployment completed.", Severity.GOOD),
        ("(deployment ecs-svc/1) deployment failed: alarm detected.", Severity.BAD),
        ("rolling back to deployment ecs-svc/2.", Severity.BAD),
        ("(task 1) (port 3000) is unhealthy in (target-group x) due to (reason y)", Severity.BAD),
        ("was unable to place a task. Reason: no capacity", Severity.BAD),
        ("is unable to consistently start tasks successfully.", Severity.BAD),
        ("registered 2 targets in (target-group x)", Severity.BUSY),
    ],
)
def test_events_keep_awss_words_and_are_weighed(words: str, severity: Severity) -> None:
    (told,) = (
        one
        for one in timeline(look(with_events(worlds.steady(), event(9, words))))
        if one.kind == "event"
    )
    assert (told.words, told.severity) == (words, severity)


def test_the_first_error_line_of_each_side_is_told() -> None:
    world = worlds.deploying()
    old = [t for t in world.tasks[REF] if t.task_definition.endswith(":1")]
    new = [t for t in world.tasks[REF] if t.task_definition.endswith(":2")]
    lines = [
        line(new[1].id, 20, "RuntimeError: later"),
        line(new[0].id, 30, "I, [1] Completed 200 OK"),
        line(new[0].id, 25, "PG::Error: first of the new"),
        line(old[0].id, 300, "KeyError: of the old"),
    ]
    heard = hear(hear(NOTHING_HEARD, lines[:1]), lines[1:])
    told = [one for one in timeline(look(world), heard=heard) if one.kind == "error"]
    assert [one.words for one in told] == [
        "revision 1: first error line: KeyError: of the old",
        "revision 2: first error line: PG::Error: first of the new",
    ]
    assert told[1].source == f"task {new[0].id}"


def test_lines_that_come_late_may_be_the_first_and_what_is_kept_is_bounded() -> None:
    heard = hear(NOTHING_HEARD, [line("a", 10, "KeyError: b"), line("a", 5, "KeyError: c")])
    assert heard["a"].message == "KeyError: b"
    heard = hear(heard, [line("a", 20, "KeyError: a")])
    assert heard["a"].message == "KeyError: a"
    assert hear(heard, [line("a", 1, "KeyError: d"), line("", 30, "KeyError: no task")]) is heard
    many = hear(heard, [line(f"t{n}", 1, "KeyError: x") for n in range(HEARD + 5)])
    assert len(many) == HEARD


def test_a_stack_is_dated_by_its_beginning() -> None:
    world = worlds.steady()
    stack = world.stacks["democluster"]
    world.stacks["democluster"] = replace(
        stack, status="UPDATE_ROLLBACK_COMPLETE", reason="Resource x failed", updated_at=NOW
    )
    told = timeline(look(world), since=NOW)
    assert [(one.words, one.severity) for one in told if one.kind == "stack"] == [
        (
            "stack democluster: a change began, update rollback complete by now: Resource x failed",
            Severity.BAD,
        )
    ]


def test_without_records_the_deployments_that_are_left_are_told() -> None:
    world = worlds.deploying()
    world.fail("services.service_deployments", AccessDenied("AWS denies", action="ecs:List"))
    snapshot = look(world)
    assert of_kind(timeline(snapshot), "deployment") == ["revision 1: began", "revision 2: began"]
    assert unseen(snapshot) == ("deployment history: AWS denies",)


def test_scaling_and_alarms_stand_in_it_with_their_cause() -> None:
    world = worlds.steady()
    world.activity = Activity(
        scaling=(
            Scaling(
                NOW - timedelta(minutes=9),
                "Setting desired count to 6.",
                "alarm high",
                "Successful",
            ),
            Scaling(
                NOW - timedelta(minutes=8), "Setting desired count to 8.", "", "Failed", "no room"
            ),
        ),
        alarms=(
            AlarmChange(
                NOW - timedelta(minutes=7), "5xx", "ALARM", "updated from OK to ALARM", "5 > 4"
            ),
            AlarmChange(NOW - timedelta(minutes=6), "5xx", "OK", "updated from ALARM to OK"),
        ),
    )
    told = [
        (one.kind, one.source, one.words, one.severity)
        for one in timeline(look(world), since=NOW - timedelta(minutes=10))
        if one.source in ("autoscaling", "5xx")
    ]
    assert told == [
        ("change", "autoscaling", "Setting desired count to 6: alarm high", Severity.BUSY),
        ("change", "autoscaling", "Setting desired count to 8 (failed no room)", Severity.BAD),
        ("alarm", "5xx", "5xx: updated from OK to ALARM: 5 > 4", Severity.BAD),
        ("alarm", "5xx", "5xx: updated from ALARM to OK", Severity.GOOD),
    ]


def test_what_is_not_read_yet_is_said_to_be_missing() -> None:
    empty = Snapshot(REF, worlds.steady().place)
    assert len(unseen(empty)) == 6
    assert timeline(empty) == ()


def test_secrets_and_sequences_of_terminals_never_enter_it() -> None:
    world = with_events(
        worlds.steady(),
        event(5, "failed: postgres://u:hunter2@db/x \x1b[31mred\x1b]52;c;aGk=\x07\nnext"),
    )
    told = " ".join(of_kind(timeline(look(world)), "event"))
    assert "hunter2" not in told
    assert told.isprintable()
    assert "52;c" not in told


def at(seconds: int, kind: str = "event", severity: Severity = Severity.BUSY) -> Moment:
    return moment(NOW + timedelta(seconds=seconds), kind, "x", f"{kind} at {seconds}", severity)  # type: ignore[arg-type]


def test_groups_are_merged_by_time_and_the_given_order_breaks_ties() -> None:
    first, second = at(5, "deployment"), at(5, "event")
    assert merged([at(9), first], [second, at(1), first]) == (at(1), first, second, at(9))


def test_filters_are_all_to_be_passed() -> None:
    told = (at(0), at(10, "task", Severity.BAD), at(20, "hook", Severity.WAITING))
    assert selected(told) == told
    assert selected(told, since=NOW + timedelta(seconds=10)) == told[1:]
    assert selected(told, kinds=("task",)) == (told[1],)
    assert selected(told, at_least=Severity.UNKNOWN) == told[1:]
    assert selected(told, text="AT 20") == (told[2],)
    assert selected(told, text="HOOK", kinds=("task",)) == ()


def test_times_are_short_and_never_ambiguous() -> None:
    assert clock_words(NOW, NOW) == "14:00:00"
    assert clock_words(NOW - timedelta(days=1), NOW) == "02-28 14:00:00"
    assert clock_words(NOW - timedelta(days=90), NOW) == "2025-12-01 14:00:00"
    (told,) = text_lines([at(0, "task", Severity.BAD)], NOW)
    assert told == "14:00:00  ✖ task        task at 0"


def test_markdown_is_a_list_in_which_data_is_no_markup_and_calls_nobody() -> None:
    hostile = moment(NOW, "error", "x", "*b* `c` [l](http://x) <!channel> @here @team | ~s~")
    page = markdown(
        look(worlds.steady()), [at(-86_400, "task", Severity.BAD), hostile], ["tasks: no"]
    )
    assert page.startswith("**democluster-cluster/democluster-service** · account 123456789012")
    assert "2026-02-28, times in UTC\n\n- `14:00:00` ✖ **task**: task at -86400" in page
    assert "2026-03-01, times in UTC" in page
    assert r"\*b\* \`c\` \[l\](http://x) \<!channel\>" in page
    assert "@here" not in page
    assert "@team" not in page
    assert "- ? not seen: tasks: no" in page
    assert "Nothing is known" in markdown(look(worlds.steady()), [])


def test_json_says_the_same() -> None:
    told = json.loads(as_json(look(worlds.steady()), [at(0, "task", Severity.BAD)], ["tasks: no"]))
    assert told["service"] == {"cluster": REF.cluster, "name": REF.name}
    assert told["place"]["account"] == "123456789012"
    assert told["moments"] == [
        {
            "at": "2026-03-01T14:00:00+00:00",
            "kind": "task",
            "severity": "bad",
            "source": "x",
            "words": "task at 0",
        }
    ]
    assert told["unseen"] == ["tasks: no"]
