"""FilterLogEvents: each event once and in order, whatever the pages; tokens as AWS's behave."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.logs import pages
from tests.unit.sandbox.logs.account import ARN, GROUP, SCOPE, STREAM, Account

STREAMS = ("ecs/app/1", "ecs/app/2", "ecs/sidecar/1")
BATCHES = st.lists(
    st.tuples(
        st.sampled_from(STREAMS),
        st.lists(st.tuples(st.integers(-3000, 60), st.text("ab", min_size=1, max_size=4))),
        st.integers(0, 40),
    ),
    max_size=12,
)


@pytest.fixture
def account() -> Account:
    made = Account()
    made.stream()
    return made


def order(event: dict[str, Any]) -> tuple[int, int, str]:
    return event["timestamp"], event["ingestionTime"], event["eventId"]


@given(batches=BATCHES, limit=st.integers(1, 7), newest_first=st.booleans())
def test_pages_give_each_event_once_and_in_order(
    batches: list[tuple[str, list[tuple[int, str]], int]], limit: int, newest_first: bool
) -> None:
    account = Account()
    for name in STREAMS:
        account.stream(name)
    written: list[tuple[str, int, str]] = []
    for name, lines, pause in batches:
        lines.sort(key=lambda line: line[0])
        if lines:
            account.put(*lines, stream=name)
            written += [(name, account.now + when, text) for when, text in lines]
        account.clock.advance(pause / 1000)

    found = account.pages(limit=limit, startFromHead=not newest_first, startTime=1_750_000_000_000)

    events = [event for page in found for event in page]
    assert all(len(page) <= limit for page in found)
    assert events == sorted(events, key=order, reverse=newest_first)
    assert len({event["eventId"] for event in events}) == len(events)
    assert all(len(event["eventId"]) == 56 for event in events)
    seen = [(event["logStreamName"], event["timestamp"], event["message"]) for event in events]
    assert sorted(seen) == sorted(written)


def test_lines_of_one_millisecond_stay_in_the_order_of_their_arrival(account: Account) -> None:
    account.put((0, "Started"), (0, "Processing"))
    account.put((0, "Completed"))

    assert account.messages() == ["Started", "Processing", "Completed"]


def test_both_times_are_included(account: Account) -> None:
    account.put((-2, "a"), (-1, "b"), (0, "c"), (1, "d"))

    assert account.messages(startTime=account.now - 1, endTime=account.now) == ["b", "c"]
    assert account.messages(startTime=account.now + 2) == []


def test_streams_are_chosen_by_name_or_prefix(account: Account) -> None:
    for name in ("ecs/app/2", "ecs/side/1"):
        account.stream(name)
        account.put((0, name), stream=name)
    account.put((1, STREAM))

    assert account.messages(logStreamNamePrefix="ecs/app/") == ["ecs/app/2", STREAM]
    assert account.messages(logStreamNames=["ecs/side/1", STREAM]) == ["ecs/side/1", STREAM]
    assert account.messages(logStreamNamePrefix="none") == []


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        ({"logStreamNames": ["no"]}, "ResourceNotFound", "The specified log stream does not exist"),
        ({"logStreamNames": [STREAM], "logStreamNamePrefix": "e"}, "InvalidParam", "together"),
        ({"logStreamNames": ["x"] * 101}, "InvalidParameter", "length less than or equal to 100"),
        ({"limit": 10_001}, "InvalidParameter", "value less than or equal to 10000"),
        ({"nextToken": "x"}, "InvalidParameter", "The specified nextToken is invalid."),
        ({"nextToken": "é"}, "InvalidParameter", "The specified nextToken is invalid."),
        ({"startFromHead": False, "startTime": 1_704_067_199_999}, "InvalidParam", "2024-01-01"),
        ({"startFromHead": False}, "InvalidParam", "2024-01-01"),
        ({"filterPattern": "x" * 1025}, "InvalidParameter", "less than or equal to 1024"),
    ],
)
def test_what_aws_refuses_is_refused(
    account: Account, request_: dict[str, Any], code: str, words: str
) -> None:
    with pytest.raises(ApiError, match=words) as refused:
        account.filter(**request_)

    assert refused.value.code.startswith(code)


def test_a_group_is_named_by_name_or_by_arn_and_by_one_of_them(account: Account) -> None:
    account.put((0, "here"))

    for identifier in (GROUP, ARN):
        answer = account.call("FilterLogEvents", logGroupIdentifier=identifier)
        assert [event["message"] for event in answer["events"]] == ["here"]
    with pytest.raises(ApiError, match="at 'logGroupIdentifier' failed to satisfy constraint"):
        account.call("FilterLogEvents", logGroupIdentifier=f"{ARN}:*")
    for both in ({}, {"logGroupName": GROUP, "logGroupIdentifier": ARN}):
        with pytest.raises(ApiError, match="InvalidParameterException"):
            account.call("FilterLogEvents", **both)
    with pytest.raises(ApiError, match="The specified log group does not exist"):
        account.call("FilterLogEvents", logGroupIdentifier=ARN.replace("us-east-1", "eu-west-1"))


def test_a_page_ends_at_ten_thousand_events(account: Account) -> None:
    account.put(*((i, "x") for i in range(10_000)))
    account.put((10_000, "last"))

    first, second = account.pages()

    assert (len(first), [event["message"] for event in second]) == (10_000, ["last"])


def test_a_page_ends_at_one_megabyte(account: Account) -> None:
    line = "x" * 189
    for part in range(2):
        account.put(*((part * 4000 + i, line) for i in range(4000)))

    assert [len(page) for page in account.pages()] == [4877, 3123]
    assert 4877 * (189 + 26) <= pages.MOST_BYTES < 4878 * (189 + 26)


def test_an_event_larger_than_a_page_is_a_page(account: Account) -> None:
    account.write(STREAM, [(account.now, "é" * 600_000), (account.now, "next")])

    assert [len(page) for page in account.pages()] == [1, 1]


def test_a_rare_pattern_gives_empty_pages_before_the_end(account: Account) -> None:
    for part in range(3):
        lines = [(account.now + part * 10_000 + i, "dull") for i in range(10_000)]
        account.write(STREAM, lines)
    account.write(STREAM, [(account.now + 30_000, "rare")])

    found = account.pages(filterPattern="rare")

    assert [[event["message"] for event in page] for page in found] == [[], ["rare"]]


def test_a_spent_token_gives_the_same_page_again(account: Account) -> None:
    account.put((0, "one"), (1, "two"))
    token = account.filter(limit=1)["nextToken"]
    before = account.filter(nextToken=token)
    account.advance(seconds=1)
    account.put((0, "three"))

    assert account.filter(nextToken=token) == before
    assert [event["message"] for event in before["events"]] == ["two"]
    assert account.messages() == ["one", "two", "three"]


def test_a_token_ends_after_a_day(account: Account) -> None:
    account.put((0, "one"), (1, "two"))
    token = account.filter(limit=1)["nextToken"]
    account.advance(hours=24)
    assert account.messages(nextToken=token) == ["two"]
    account.advance(seconds=1)

    with pytest.raises(ApiError, match="The specified nextToken is invalid"):
        account.filter(nextToken=token)


def test_a_token_is_for_its_own_group(account: Account) -> None:
    account.put((0, "one"), (1, "two"))
    token = account.filter(limit=1)["nextToken"]
    account.groups[SCOPE, "other"] = account.groups[SCOPE, GROUP]

    with pytest.raises(ApiError, match="The specified nextToken is invalid"):
        account.call("FilterLogEvents", logGroupName="other", nextToken=token)


def test_a_token_keeps_its_direction(account: Account) -> None:
    account.put((0, "one"), (1, "two"), (2, "three"))
    first = account.filter(startFromHead=False, startTime=account.now, limit=1)

    assert [event["message"] for event in first["events"]] == ["three"]
    assert account.messages(startTime=account.now, nextToken=first["nextToken"]) == ["two", "one"]
