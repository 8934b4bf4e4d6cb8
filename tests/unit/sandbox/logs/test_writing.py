"""PutLogEvents, and the life of a stream: what is taken, what is refused, what is kept."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.logs import store
from bgconsole.sandbox.logs.groups import GroupFacts
from tests.unit.sandbox.logs.account import GROUP, SCOPE, STREAM, Account

HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.fixture
def account() -> Account:
    made = Account()
    made.stream()
    return made


def test_what_is_too_old_or_too_new_is_left_out_and_told(account: Account) -> None:
    answer = account.put(
        (-14 * DAY - 1, "old"), (0, "now"), (2 * HOUR, "soon"), (2 * HOUR + 1, "new")
    )

    assert answer["rejectedLogEventsInfo"] == {
        "tooOldLogEventEndIndex": 1,
        "tooNewLogEventStartIndex": 3,
    }
    assert account.messages() == ["now", "soon"]


def test_a_batch_that_is_whole_is_answered_without_rejections(account: Account) -> None:
    answer = account.put((0, "now"))

    assert set(answer) == {"nextSequenceToken"}


def test_what_the_groups_retention_ends_is_left_out_and_later_removed(account: Account) -> None:
    account.groups[SCOPE, GROUP] = replace(account.groups[SCOPE, GROUP], retention=1)
    answer = account.put((-DAY - 1, "expired"), (0, "kept"))
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    assert account.messages() == ["kept"]

    account.advance(days=1, milliseconds=1)

    assert account.messages() == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([(1, "b"), (0, "a")], "Log events in a single PutLogEvents request must be in chrono"),
        ([(-DAY - 1, "a"), (0, "b")], "cannot span more than 24 hours"),
        ([(0, "é" * 524_275)], "Upload too large: 1048576 bytes exceeds limit of 1048576"),
        ([(0, "")], "Value '' at 'logEvents.1.member.message' failed to satisfy constraint"),
        ([], "Member must have length greater than or equal to 1"),
        ([(i, "x") for i in range(10_001)], "Member must have length less than or equal to 10000"),
    ],
)
def test_a_batch_that_breaks_a_rule_is_refused_whole(
    account: Account, lines: list[tuple[int, str]], words: str
) -> None:
    if words.startswith("Upload"):
        account.put((0, lines[0][1]))  # just fits
        lines = [(0, lines[0][1] + "x")]
        words = words.replace("1048576 bytes", "1048577 bytes")
    before = account.messages()
    with pytest.raises(ApiError, match=words) as refused:
        at_least_sent(account, lines)

    assert refused.value.code == "InvalidParameterException"
    assert account.messages() == before


def at_least_sent(account: Account, lines: list[tuple[int, str]]) -> None:
    """Past botocore, which would not send an empty list."""
    events = [{"timestamp": account.now + when, "message": text} for when, text in lines]
    request = {"logGroupName": GROUP, "logStreamName": STREAM, "logEvents": events}
    from tests.unit.sandbox.logs.account import at_once

    at_once(account.logs.handle(SCOPE, "PutLogEvents", request))


def test_a_stream_is_made_once_described_and_deleted(account: Account) -> None:
    with pytest.raises(ApiError, match="The specified log stream already exists"):
        account.stream()
    account.advance(seconds=5)
    account.put((-2000, "a"), (-1000, "b"))
    account.stream("other")
    account.put((0, "stays"), stream="other")

    described = account.call("DescribeLogStreams", logGroupName=GROUP)["logStreams"][0]
    assert described["firstEventTimestamp"] == account.now - 2000
    assert described["lastEventTimestamp"] == account.now - 1000
    assert described["lastIngestionTime"] == account.now
    assert described["creationTime"] == account.now - 5000
    assert described["arn"].endswith(f":log-group:{GROUP}:log-stream:{STREAM}")

    account.call("DeleteLogStream", logGroupName=GROUP, logStreamName=STREAM)
    assert account.messages() == ["stays"]
    for operation in ("DeleteLogStream", "GetLogEvents"):
        with pytest.raises(ApiError, match="The specified log stream does not exist"):
            account.call(operation, logGroupName=GROUP, logStreamName=STREAM)
    with pytest.raises(ApiError, match="The specified log stream does not exist"):
        account.put((0, "x"))


@pytest.mark.parametrize("name", ["a:b", "a*", "x" * 513])
def test_a_streams_name_has_aws_limits(account: Account, name: str) -> None:
    with pytest.raises(ApiError, match="at 'logStreamName' failed to satisfy constraint"):
        account.stream(name)


def test_an_unknown_group_is_refused_in_aws_words(account: Account) -> None:
    with pytest.raises(ApiError, match="The specified log group does not exist") as refused:
        account.call("CreateLogStream", logGroupName="none", logStreamName="s")

    assert refused.value.code == "ResourceNotFoundException"


def test_a_group_made_again_is_empty(account: Account) -> None:
    account.put((0, "old"))
    account.groups[SCOPE, GROUP] = GroupFacts(account.now + 1, None)

    assert account.messages() == []
    assert account.call("DescribeLogStreams", logGroupName=GROUP)["logStreams"] == []


def test_regions_do_not_see_each_other(account: Account) -> None:
    account.put((0, "here"))
    there = replace(SCOPE, region="eu-west-1")
    account.groups[there, GROUP] = account.groups[SCOPE, GROUP]

    assert account.call("FilterLogEvents", scope=there, logGroupName=GROUP)["events"] == []


def test_a_task_makes_its_stream_and_its_lines_stay_in_order(account: Account) -> None:
    account.write("ecs/app/2", [(account.now, "Started"), (account.now - 900, "Processing")])
    account.write("ecs/app/2", [(account.now - 5, "Completed")])

    assert account.messages() == ["Started", "Processing", "Completed"]


def test_lines_for_a_group_that_is_gone_are_lost_and_said_to_be(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    account.groups.clear()
    with caplog.at_level(logging.WARNING):
        account.write(STREAM, [(account.now, "x")])

    assert "1 lines of /ecs/web ecs/app/1 are lost" in caplog.text


def test_with_a_delay_an_event_is_seen_that_much_later() -> None:
    account = Account(delay=12.0)
    account.stream()
    account.put((0, "slow"))
    written = account.now
    account.logs.set_delay(3.0)
    account.put((1, "quick"))

    assert account.messages() == []
    account.advance(seconds=3)
    assert account.messages() == ["quick"]
    account.advance(seconds=9)
    events = account.filter()["events"]
    assert [event["message"] for event in events] == ["slow", "quick"]
    assert [event["ingestionTime"] - written for event in events] == [12_000, 3_000]


def test_a_stream_deleted_meanwhile_takes_what_waited_with_it() -> None:
    account = Account(delay=5.0)
    account.stream()
    account.put((0, "gone"))
    account.call("DeleteLogStream", logGroupName=GROUP, logStreamName=STREAM)
    account.stream()
    account.advance(seconds=5)

    assert account.messages() == []


def test_only_the_newest_events_of_a_group_are_kept(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_EVENTS", 50)
    account.stream("other")
    for i in range(120):
        account.put((i, str(i)), stream=("other", STREAM)[i % 2])

    kept = account.messages()

    assert 50 <= len(kept) <= 55
    assert kept == [str(i) for i in range(120 - len(kept), 120)]
    mine = account.call("GetLogEvents", logGroupName=GROUP, logStreamName=STREAM)["events"]
    assert [event["message"] for event in mine] == [text for text in kept if int(text) % 2]


def test_the_bytes_of_a_group_are_bounded_too(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_BYTES", 10_000)
    for i in range(40):
        account.put((i, f"{i:974d}"))  # 1000 bytes each

    assert account.messages()[-1].strip() == "39"
    assert 10 <= len(account.messages()) <= 11
