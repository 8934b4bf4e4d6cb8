"""The rules over the probe's answers: failures, gaps, percentiles, versions, deployments, words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgconsole.domain.errors import Unreachable
from bgconsole.domain.probe import (
    ANSWERS_KEPT,
    RUNS_KEPT,
    VERSIONS_KEPT,
    Answer,
    ProbeRecord,
    letters,
)
from bgconsole.domain.probe_version import LONGEST, version_rule
from bgconsole.domain.probe_words import (
    counted,
    deployment_sentence,
    serves,
    since_key,
    spell_ms,
    standing,
)
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Failure
from tests import scenes
from tests.values import NOW

EVERY = 2.0
DOWN = {"status": 0, "error": "connection refused"}


def answer(second: float, latency: float = 10, status: int = 200, **more: Any) -> Answer:
    return Answer(NOW + timedelta(seconds=second), latency, status, **more)


def record(*answers: Answer, interval: float = EVERY) -> ProbeRecord:
    told = ProbeRecord.of("http://site/", interval)
    for each in answers:
        told = told.add(each)
    return told


def row(*statuses: int, interval: float = EVERY) -> ProbeRecord:
    return record(
        *(
            answer(n * interval, status=s, error="" if s else "connect timeout")
            for n, s in enumerate(statuses)
        ),
        interval=interval,
    )


def test_nothing_asked_is_nothing_said() -> None:
    told = record()
    assert counted(told.tally) == "no request was made"
    assert told.percentile(50) is None
    assert standing(told, healthy=True).severity is Severity.UNKNOWN


def test_all_well_is_quiet() -> None:
    told = row(200, 200, 204)
    assert (told.tally.good, told.tally.failed) == (3, 0)
    assert told.tally.longest_gap_ms == 0
    assert row(200, 200).tally.longest_gap_ms == 0
    assert standing(row(200, 200), healthy=True) == (
        type(standing(told, healthy=True))(Severity.GOOD, "")
    )


def test_one_failure_is_a_gap_of_an_interval_and_the_latency() -> None:
    told = record(answer(0), answer(2, **DOWN), answer(4, 220))
    # From 0.010 to 4.220, less the interval that lies between good answers anyway.
    assert told.tally.longest_gap_ms == pytest.approx(2210)
    assert (
        counted(told.tally) == "1 of 3 requests failed, longest gap 2.2 s, last connection refused"
    )


def test_a_slow_answer_is_a_gap_of_what_it_was_slower() -> None:
    told = record(answer(0, 10), answer(2, 220), answer(4, 10))
    assert told.tally.longest_gap_ms == pytest.approx(210)
    assert counted(told.tally) == "0 of 3 requests failed, longest gap 210 ms"


def test_a_gap_that_is_still_open_counts() -> None:
    told = record(answer(0), *(answer(n, 3000, 0, error="connect timeout") for n in (2, 5, 8)))
    assert told.tally.longest_gap_ms == pytest.approx(11_000 - 10 - 2000)


def test_failing_from_the_first_request_on_is_a_gap_since_then() -> None:
    assert record(answer(0, 3000, **DOWN)).tally.longest_gap_ms == pytest.approx(3000)
    told = record(answer(0, 3000, **DOWN), answer(3, 10))
    assert told.tally.longest_gap_ms == pytest.approx(3010)


def test_a_machine_that_slept_is_not_the_sites_gap() -> None:
    assert record(answer(0), answer(3600)).tally.longest_gap_ms == 0
    told = record(answer(0), answer(2, **DOWN), answer(3602), answer(3604))
    assert told.tally.longest_gap_ms == pytest.approx(2000)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([200, 302, 404, 500, 0]),
            st.floats(1, 5000),
            st.floats(0, 5),
        ),
        max_size=60,
    )
)
def test_a_tally_holds_whatever_comes(given_answers: list[tuple[int, float, float]]) -> None:
    at, told = 0.0, record()
    for status, latency, late in given_answers:
        told = told.add(answer(at, latency, status, error="" if status else "no answer"))
        at += max(EVERY, latency / 1000) + late
    tally = told.tally
    assert tally.good + tally.failed == tally.asked == len(given_answers)
    assert 0 <= tally.longest_gap_ms <= at * 1000 + 1  # a clock has whole microseconds
    if tally.failed == 0:
        assert tally.longest_gap_ms <= tally.slowest_ms + 0.01
    assert sum(run.count for run in told.runs) == len(given_answers)
    assert sum(run.count for run in told.runs if run.failed) == tally.failed
    p50, p95 = told.percentile(50), told.percentile(95)
    if p50 is not None and p95 is not None:
        assert p50 <= p95 <= tally.slowest_ms


def test_percentiles_are_of_good_answers_by_nearest_rank() -> None:
    told = record(*(answer(n, float(n)) for n in range(1, 101)), answer(200, 5000, status=502))
    assert (told.percentile(50), told.percentile(95), told.percentile(100)) == (50, 95, 100)
    assert told.tally.slowest_ms == 100


def test_what_was_so_before_is_no_failure() -> None:
    assert row(401, 401).tally.failed == 0
    assert counted(row(302, 302).tally).endswith("longest gap 0 ms, already HTTP 302 before")
    assert counted(row(401, 401).tally).endswith("already HTTP 401 before")
    assert row(200, 401).tally.failed == 1
    assert row(401, 403).tally.failed == 1
    assert counted(row(0, 200).tally).endswith("last connect timeout, the first one already")
    # A server's error or silence is one however it was before.
    assert row(503, 503).tally.failed == 2
    assert row(0, 0).tally.failed == 2


def test_a_good_answer_of_another_kind_is_told() -> None:
    told = record(answer(0), answer(2, status=302, location="/maintenance"))
    assert told.tally.failed == 0
    assert counted(told.tally).endswith("1 answered HTTP 302 → /maintenance, HTTP 200 before")
    now = standing(told, healthy=True)
    assert now == type(now)(Severity.GOOD, "answers HTTP 302 → /maintenance, HTTP 200 before")
    assert counted(row(503, 200).tally).endswith("last HTTP 503, already HTTP 503 before")


@pytest.mark.parametrize("status", [0, 502])
def test_a_failing_probe_alone_is_never_the_worst(status: int) -> None:
    told = row(200, status)
    well, ill = standing(told, healthy=True), standing(told, healthy=False)
    assert well.severity is Severity.WAITING
    assert ill.severity is Severity.BAD
    cause = "answers HTTP 502" if status else "cannot be reached from here (connect timeout)"
    assert (well.words, ill.words) == (f"{cause}; its targets are healthy", cause)
    unread = standing(told, healthy=None)
    assert unread.severity is Severity.WAITING
    assert unread.words == f"{cause}; its targets cannot be read now"


def test_what_fails_now_and_then_is_told_with_how_much_and_since_when() -> None:
    told = row(200, 0, 200, 500, 200)
    assert standing(told, healthy=True).words == (
        f"failed 2 of 4 requests since {NOW + timedelta(seconds=EVERY):%H:%M:%S} (HTTP 500); "
        "its targets are healthy"
    )
    over = told.add(answer(3 * EVERY + 62))
    assert standing(over, healthy=True).words == ""


def test_a_trouble_older_than_the_answers_that_are_kept_says_so() -> None:
    told = row(*([500, 200] * 400))
    assert told.trouble is not None
    assert told.trouble.older
    assert " since before " in standing(told, healthy=True).words


def test_a_probe_that_asks_once_an_hour_sees_its_trouble_too() -> None:
    assert row(200, 500, 200, 500, 200, interval=3600).trouble is not None


def test_the_targets_that_count_are_those_that_get_traffic() -> None:
    steady = scenes.steady()
    assert serves(steady)
    lost = replace(steady.targets, failure=Failure(Unreachable("No answer"), NOW, NOW))
    assert serves(replace(steady, targets=lost)) is None, "what was read before is not what is"
    assert not serves(scenes.waiting())
    balancing = scenes.steady().targets.value
    assert balancing
    [group] = balancing.groups
    sick = replace(group, targets=tuple(replace(t, state="unhealthy") for t in group.targets))
    part = replace(scenes.steady().targets, value=replace(balancing, groups=(sick,)))
    assert not serves(replace(scenes.steady(), targets=part))


def test_a_deployments_sentence() -> None:
    told = row(*[200] * 30)
    told = told.deploying("arn:1", NOW + timedelta(seconds=41), NOW + timedelta(seconds=60))
    for n in range(30, 412 + 21):
        told = told.add(answer(n * 2, 220 if n == 100 else 10))
    during = told.steady().during
    assert during
    assert during.ended
    # Those asked between its beginning and its being noticed count as well.
    assert deployment_sentence(during) == (
        "0 of 412 requests failed during this deployment, longest gap 210 ms"
    )


def test_a_deployment_that_was_met_half_way_is_not_called_whole() -> None:
    told = record().deploying("arn:1", NOW - timedelta(minutes=9), NOW)
    told = told.add(answer(0)).add(answer(60))
    assert told.during
    assert deployment_sentence(told.during) == (
        "0 of 2 requests failed in the 1:00 of this deployment that were watched, longest gap 0 ms"
    )


def test_nothing_asked_during_a_deployment_is_said() -> None:
    during = record().deploying("arn:1", NOW, NOW).during
    assert during
    assert deployment_sentence(during) == "no request was made during this deployment"


def test_seconds_from_the_key_to_the_last_bad_answer() -> None:
    pressed = NOW + timedelta(seconds=1)
    seen = record(
        answer(0, status=500),
        answer(2, status=502, version="43"),
        answer(4, version="43"),
        answer(6, version="42"),
        answer(8, version="42"),
    )
    words = since_key(seen, pressed)
    assert words == "last bad answer 3 s after the key (still 43), 1 of 4 requests failed since"
    assert since_key(row(200, 200), NOW).startswith("no bad answer after the key, 0 of 2 requests")
    assert since_key(row(200), pressed) == "", "nothing was asked, so nothing is said"


def test_deployments_are_told_apart() -> None:
    told = record().deploying("", NOW, NOW).add(answer(0))
    known = told.deploying("arn:1", NOW, NOW)
    assert known.during
    assert (known.during.key, known.during.tally.asked) == ("arn:1", 1), "the same, its name known"
    assert known.deploying("", NOW, NOW) is known
    other = known.deploying("arn:2", NOW + timedelta(seconds=1), NOW + timedelta(seconds=1))
    assert other.during
    assert (other.during.key, other.during.tally.asked) == ("arn:2", 0), "one replaced the other"
    done = other.steady()
    assert done.steady() is done
    assert done.deploying("arn:2", NOW, NOW) is done, "an old picture"
    again = done.add(answer(4)).deploying("arn:3", NOW + timedelta(seconds=8), NOW)
    assert again.during
    assert not again.during.ended


def test_what_is_kept_is_bounded() -> None:
    told = record(
        *(answer(n, status=200, version=f"v{n}") for n in range(ANSWERS_KEPT + RUNS_KEPT))
    )
    assert len(told.answers) == ANSWERS_KEPT
    assert len(told.runs) == RUNS_KEPT
    assert len(told.versions) == VERSIONS_KEPT
    assert told.tally.asked == ANSWERS_KEPT + RUNS_KEPT


def test_runs_join_what_is_the_same() -> None:
    told = record(
        answer(0, version="42"),
        answer(2, 99, version="42"),
        answer(4, status=503),
        answer(6, version="43"),
    )
    assert [(r.first.version, r.count, r.failed) for r in told.runs] == [
        ("42", 2, False),
        ("", 1, True),
        ("43", 1, False),
    ]
    assert told.versions == ("42", "43")


@pytest.mark.parametrize(
    ("versions", "given_letters"),
    [
        (("MEOW", "Posts"), "MP"),
        (("Posts", "Photos"), "PH"),
        (("42", "43"), "23"),
        (("12", "2"), "2A"),
        (("1f3c2aa", "1b"), "1B"),
        (("…", "aaa", "aa"), "AB" + "C"),
    ],
)
def test_every_version_has_a_letter_of_its_own(
    versions: tuple[str, ...], given_letters: str
) -> None:
    assert "".join(letters(versions).values()) == given_letters


@given(st.lists(st.text(max_size=6), unique=True, max_size=VERSIONS_KEPT))
def test_letters_are_never_shared(versions: list[str]) -> None:
    given_letters = letters(versions)
    assert len(set(given_letters.values())) == len(versions)
    assert all(len(letter) == 1 for letter in given_letters.values())


@pytest.mark.parametrize(
    ("rule", "body", "found"),
    [
        ("header:X-Revision", "", "42"),
        ("header:X-Nothing", "", ""),
        ("regex:<h1>(.*?)</h1>", "<h1>\n MEOW </h1><h1>b</h1>", "MEOW"),
        ("regex:v[0-9]+", "it is v12", "v12"),
        ("regex:(a)|(b)", "b", ""),
        ("regex:nope", "x", ""),
        ("json:build.number", '{"build": {"number": 7}}', "7"),
        ("json:0.tag", '[{"tag": "a"}]', "a"),
        ("json:build", '{"build": {"number": 7}}', ""),
        ("json:build.number", "<h1>no JSON</h1>", ""),
        ("json:a", "[" * 100_000, ""),
        ("regex:(x+)", "x" * 500, "x" * LONGEST),
    ],
)
def test_versions_are_found(rule: str, body: str, found: str) -> None:
    assert version_rule(rule).find({"X-Revision": " 42 "}, body) == found


@pytest.mark.parametrize("text", ["", "header", "header:", "h1:x", "regex:("])
def test_a_wrong_rule_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"is neither|is wrong"):
        version_rule(text)


def test_short_times() -> None:
    assert [spell_ms(ms) for ms in (-3, 0.4, 210.4, 999.7, 6240, 190_000)] == [
        "0 ms",
        "0 ms",
        "210 ms",
        "1.0 s",
        "6.2 s",
        "3:10",
    ]
