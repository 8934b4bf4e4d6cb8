"""GetLogEvents walks a stream both ways; DescribeLogStreams pages by name and by time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgconsole.sandbox.api import ApiError
from tests.unit.sandbox.logs.account import GROUP, STREAM, Account


def get(account: Account, **request: Any) -> tuple[list[str], str, str]:
    answer = account.call("GetLogEvents", logGroupName=GROUP, logStreamName=STREAM, **request)
    texts = [event["message"] for event in answer["events"]]
    return texts, answer["nextForwardToken"], answer["nextBackwardToken"]


def ten() -> Account:
    account = Account()
    account.stream()
    account.put(*((i, str(i)) for i in range(10)))
    return account


@given(limit=st.integers(1, 12))
def test_forward_to_the_end_where_the_token_stays_and_finds_what_comes(limit: int) -> None:
    account = ten()
    texts, token, _ = get(account, startFromHead=True, limit=limit)
    found = list(texts)
    while True:
        texts, following, _ = get(account, nextToken=token, startFromHead=True, limit=limit)
        if following == token:
            break
        found += texts
        token = following

    assert (found, texts) == ([str(i) for i in range(10)], [])
    account.put((10, "new"))
    assert get(account, nextToken=token, startFromHead=True)[0] == ["new"]


@given(limit=st.integers(1, 12))
def test_backward_from_the_newest_to_the_beginning(limit: int) -> None:
    account = ten()
    texts, _, token = get(account, limit=limit)
    found = list(texts)
    while True:
        texts, _, following = get(account, nextToken=token, limit=limit)
        if following == token:
            break
        found = [*texts, *found]
        token = following

    assert (found, texts) == ([str(i) for i in range(10)], [])


def test_either_token_of_an_empty_page_leads_back() -> None:
    account = ten()
    _, end, beginning = get(account)
    empty, forward, backward = get(account, nextToken=end)
    assert (empty, forward) == ([], end)
    assert get(account, nextToken=backward)[0] == [str(i) for i in range(10)]
    empty, forward, backward = get(account, nextToken=beginning)
    assert (empty, backward) == ([], beginning)
    assert get(account, nextToken=forward)[0] == [str(i) for i in range(10)]


def test_a_stream_without_events_has_tokens_and_they_go_on() -> None:
    account = Account()
    account.stream()
    texts, forward, _ = get(account)
    account.put((0, "first"))

    assert texts == []
    assert get(account, nextToken=forward)[0] == ["first"]


def test_the_end_is_left_out_and_the_newest_come_first_by_default() -> None:
    account = ten()

    assert get(account, startTime=account.now + 2, endTime=account.now + 5)[0] == ["2", "3", "4"]
    assert get(account, limit=3)[0] == ["7", "8", "9"]
    assert get(account, limit=3, startFromHead=True)[0] == ["0", "1", "2"]


def test_tokens_look_like_those_of_aws_and_others_are_refused() -> None:
    account = ten()
    _, forward, backward = get(account)

    assert (forward[:2], backward[:2], len(forward)) == ("f/", "b/", 60)
    for token in ("x", "f/1/s", backward[:-1]):
        with pytest.raises(ApiError, match="The specified nextToken is invalid"):
            get(account, nextToken=token)


def names(account: Account, **request: Any) -> list[list[str]]:
    found, token = [], {}
    while True:
        answer = account.call("DescribeLogStreams", logGroupName=GROUP, **request, **token)
        found.append([stream["logStreamName"] for stream in answer["logStreams"]])
        if "nextToken" not in answer:
            return found
        token = {"nextToken": answer["nextToken"]}


def test_streams_by_name_fifty_a_page() -> None:
    account = Account()
    made = sorted(account.stream(f"s{i}") for i in range(120))

    assert names(account) == [made[:50], made[50:100], made[100:]]
    assert names(account, descending=True, limit=50)[0] == made[:-51:-1]
    assert names(account, logStreamNamePrefix="s11") == [[n for n in made if n.startswith("s11")]]
    with pytest.raises(ApiError, match="less than or equal to 50"):
        names(account, limit=51)


def test_streams_by_the_time_of_their_last_event() -> None:
    account = Account()
    for name, when in (("b", 5), ("a", 9), ("c", 1)):
        account.put((when, "x"), stream=account.stream(name))
    account.stream("silent")

    assert names(account, orderBy="LastEventTime") == [["silent", "c", "b", "a"]]
    assert names(account, orderBy="LastEventTime", descending=True, limit=3) == [
        ["a", "b", "c"],
        ["silent"],
    ]
    with pytest.raises(ApiError, match="Cannot order by LastEventTime with a logStreamNamePrefix"):
        names(account, orderBy="LastEventTime", logStreamNamePrefix="a")


def test_a_token_is_for_its_own_order() -> None:
    account = Account()
    for name in "abc":
        account.stream(name)
    answer = account.call("DescribeLogStreams", logGroupName=GROUP, limit=1)

    with pytest.raises(ApiError, match="The specified nextToken is invalid"):
        names(account, descending=True, nextToken=answer["nextToken"])
