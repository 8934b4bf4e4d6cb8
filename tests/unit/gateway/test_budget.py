"""The token bucket never lets through more than it says, and the meter forgets after a minute."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bgconsole.gateway.aws.budget import CallMeter, TokenBucket


def test_a_burst_goes_at_once_and_then_the_rate_holds() -> None:
    bucket = TokenBucket(rate=2, burst=3)
    assert [bucket.take(10.0) for _ in range(5)] == [0, 0, 0, 0.5, 1.0]
    assert bucket.take(11.0) == 0.5
    assert bucket.take(100.0) == 0


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_no_second_sees_more_than_burst_and_rate(pauses: list[float]) -> None:
    bucket = TokenBucket(rate=5, burst=4)
    now, sent = 0.0, []
    for pause in pauses:
        now += pause
        sent.append(now + bucket.take(now))
    assert sent == sorted(sent)
    for first in sent:
        assert sum(1 for at in sent if first <= at < first + 1) <= 4 + 5 + 1


def test_the_clock_may_stand_or_go_back() -> None:
    bucket = TokenBucket(rate=1, burst=1)
    assert [bucket.take(5.0), bucket.take(4.0)] == [0, 1]


def test_the_meter_counts_one_minute() -> None:
    meter = CallMeter()
    for second in (0, 30, 59):
        meter.add(second)
    assert meter.count(59) == 3
    assert meter.count(60) == 2
    assert meter.count(200) == 0
