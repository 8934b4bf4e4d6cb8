"""The verdict with what the probe saw: errors are told, never red alone, and "safe" is earned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bgconsole.domain.probe import Answer, ProbeRecord
from bgconsole.domain.probed_verdict import probed
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.verdict import Verdict, verdict
from bgconsole.gateway.scripted import scripted_gateway
from bgconsole.watch.once import read
from tests import worlds
from tests.values import NOW, REF

AFTER = timedelta(seconds=2)


def steady(minutes_since: float) -> Snapshot:
    """All is well, and the newest deployment succeeded so long ago."""
    world = worlds.steady()
    newest, *rest = world.history[REF]
    ended = NOW - timedelta(minutes=minutes_since)
    world.history[REF] = (replace(newest, finished_at=ended), *rest)
    return read(scripted_gateway(world), REF, lambda: NOW)


def asked(count: int, *, status: int = 200, error: str = "", last: int = 0) -> ProbeRecord:
    """So many answers, two seconds apart up to now; the `last` of them as said."""
    record = ProbeRecord.of("http://site", 2)
    for number in range(count):
        good = number < count - last
        at = NOW - AFTER * (count - number)
        answer = Answer(at, 10.0, 200) if good else Answer(at, 10.0, status, error)
        record = record.add(answer)
    return record


def judged(snapshot: Snapshot, record: ProbeRecord | None) -> Verdict:
    return probed(verdict(snapshot, NOW), snapshot, record, NOW)


def test_without_a_probe_nothing_is_added() -> None:
    snapshot = steady(3)
    assert judged(snapshot, None) == verdict(snapshot, NOW)
    assert judged(snapshot, ProbeRecord.of("http://site", 2)) == verdict(snapshot, NOW)


@pytest.mark.parametrize(
    ("requests", "minutes", "words"),
    [
        (80, 3, "0 of 80 requests failed in 2 min: safe to leave"),
        (80, 1, "0 of 30 requests failed in 1 min: too little to judge yet"),
        (1, 3, "0 of 1 request failed in 2 s: too little to judge yet"),
    ],
)
def test_safe_to_leave_wants_requests_and_time(requests: int, minutes: float, words: str) -> None:
    found = judged(steady(minutes), asked(requests))
    assert found.severity is Severity.GOOD
    assert found.sentence.endswith(f", {words}")


def test_long_after_a_deployment_nothing_is_said_of_it() -> None:
    snapshot = steady(300)
    assert judged(snapshot, asked(80)).sentence == verdict(snapshot, NOW).sentence


def test_errors_of_the_site_are_amber_while_its_targets_are_healthy() -> None:
    found = judged(steady(3), asked(80, status=500, last=3))
    assert (found.severity, found.word) == (Severity.WAITING, "STEADY, ERRORS")
    since = (NOW - AFTER * 3).astimezone()
    assert found.sentence.endswith(f"The site answers HTTP 500 since {since:%H:%M:%S}")


@pytest.mark.parametrize("newest_fails", [True, False])
def test_a_site_that_fails_some_requests_is_amber_whatever_the_newest_answer(
    *, newest_fails: bool
) -> None:
    record = ProbeRecord.of("http://site", 2)
    for number in range(18):
        fails = number % 3 == (2 if newest_fails else 1)
        at = NOW - AFTER * (18 - number)
        record = record.add(Answer(at, 10.0, 500 if fails else 200))
    found = judged(steady(3), record)
    assert (found.severity, found.word) == (Severity.WAITING, "STEADY, ERRORS")
    asked = 16 if newest_fails else 17
    since = (NOW - AFTER * asked).astimezone()
    told = f"The site failed 6 of {asked} requests since {since:%H:%M:%S} (HTTP 500)"
    assert found.sentence.endswith(told)


def test_a_single_failure_that_is_over_is_counted_and_not_amber() -> None:
    record = asked(40, status=500, last=1)
    record = record.add(Answer(NOW, 10.0, 200))
    found = judged(steady(3), record)
    assert found.severity is Severity.GOOD
    assert "1 of 41 requests failed" in found.sentence


def test_errors_that_ended_a_while_ago_are_not_told_as_going_on() -> None:
    record = asked(40, status=500, last=20)
    for second in range(0, 64, 2):
        record = record.add(Answer(NOW + timedelta(seconds=second), 10.0, 200))
    later = NOW + timedelta(seconds=64)
    found = probed(verdict(steady(3), NOW), steady(3), record, later)
    assert found.word == "STEADY"


def test_a_site_that_is_not_reached_from_here_leaves_the_verdict_as_it_is() -> None:
    snapshot = steady(3)
    found = judged(snapshot, asked(80, status=0, error="connect timeout", last=3))
    assert (found.severity, found.word) == (Severity.GOOD, "STEADY")
    assert found.evidence[0].startswith("the site cannot be reached from here since ")


def test_a_deployment_that_failed_says_what_users_noticed() -> None:
    world = worlds.crash_looping()
    snapshot = read(scripted_gateway(world), REF, lambda: NOW)
    newest = world.history[REF][0].arn
    record = asked(80).deploying(newest, NOW - timedelta(seconds=30), NOW)
    found = judged(snapshot, record)
    assert found.severity is Severity.BAD
    assert found.evidence[0].startswith("0 of 15 requests failed")


def test_what_was_asked_during_another_deployment_is_not_told_of_this_one() -> None:
    snapshot = read(scripted_gateway(worlds.crash_looping()), REF, lambda: NOW)
    record = asked(80).deploying("one before", NOW - timedelta(seconds=30), NOW)
    assert judged(snapshot, record) == verdict(snapshot, NOW)
