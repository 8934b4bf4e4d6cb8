"""The state of an alarm from datapoints, as CloudWatch's documentation tabulates it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bgconsole.sandbox.alarm_rules import judge, statistic

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def alarm(periods: int, needed: int, treat: str) -> dict[str, Any]:
    return {
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 5.0,
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": needed,
        "TreatMissingData": treat,
    }


@pytest.mark.parametrize(
    ("points", "needed", "missing", "ignore", "breaching", "not_breaching"),
    [
        # The newest point stands last, as documented: 0 is fine, X breaches, - is missing.
        ("0-X-X", 3, "OK", "OK", "OK", "OK"),
        ("-----", 3, "INSUFFICIENT_DATA", None, "ALARM", "OK"),
        ("0----", 3, "OK", None, "OK", "OK"),
        ("0XX-X", 3, "ALARM", "ALARM", "ALARM", "ALARM"),
        ("--X--", 3, "ALARM", None, "ALARM", "OK"),
        ("0-X-X", 2, "ALARM", "ALARM", "ALARM", "ALARM"),
        ("00X0X", 2, "ALARM", "ALARM", "ALARM", "ALARM"),
        ("0-X--", 2, "OK", "OK", "ALARM", "OK"),
    ],
)
def test_missing_data_are_treated_as_documented(
    points: str,
    needed: int,
    missing: str,
    ignore: str | None,
    breaching: str,
    not_breaching: str,
) -> None:
    values = {"0": (AT, 0.0), "X": (AT, 9.0), "-": None}
    newest_first = [values[each] for each in reversed(points)]
    expected = {
        "missing": missing,
        "ignore": ignore,
        "breaching": breaching,
        "notBreaching": not_breaching,
    }
    for treat, state in expected.items():
        judged = judge(alarm(3, needed, treat), newest_first)
        assert (judged.state if judged else None) == state, treat


def test_the_reason_tells_the_datapoints_and_the_threshold() -> None:
    judged = judge(alarm(1, 1, "notBreaching"), [(AT, 12.0), None, None])
    assert judged is not None
    assert judged.reason == (
        "Threshold Crossed: 1 out of the last 1 datapoint [12.0 (05/01/26 09:00:00)] was greater "
        "than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    judged = judge(alarm(1, 1, "notBreaching"), [None, None, None])
    assert judged is not None
    assert judged.reason == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was "
        "treated as [NonBreaching]."
    )


@pytest.mark.parametrize(
    ("operator", "state"),
    [
        ("GreaterThanOrEqualToThreshold", "ALARM"),
        ("GreaterThanThreshold", "OK"),
        ("LessThanThreshold", "OK"),
        ("LessThanOrEqualToThreshold", "ALARM"),
        ("GreaterThanUpperThreshold", None),
    ],
)
def test_operators_compare_and_bands_are_left_alone(operator: str, state: str | None) -> None:
    judged = judge({**alarm(1, 1, "missing"), "ComparisonOperator": operator}, [(AT, 5.0)])
    assert (judged.state if judged else None) == state


def test_statistics_of_values_and_how_often_they_were_seen() -> None:
    values = [{0.1: 8, 0.2: 1}, {0.9: 1}]
    assert statistic("Sum", values) == pytest.approx(1.9)
    assert statistic("Average", values) == pytest.approx(0.19)
    assert statistic("Minimum", values) == 0.1
    assert statistic("Maximum", values) == 0.9
    assert statistic("SampleCount", values) == 10
    assert statistic("p50", values) == 0.1
    assert statistic("p99", values) == pytest.approx(0.2 + 0.7 * 0.91)
    assert statistic("p100", values) == 0.9
    assert statistic("Sum", [{}]) is None
