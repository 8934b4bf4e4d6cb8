"""StartLiveTail, read by botocore's own event stream parser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.eventstream import EventStream, NoInitialResponseError
from botocore.parsers import EventStreamJSONParser
from hypothesis import given
from hypothesis import strategies as st

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.asgi import Message
from bgconsole.sandbox.logs import event_stream
from bgconsole.sandbox.logs.live_tail import LiveTail
from bgconsole.sandbox.logs.service import MOST_SESSIONS
from bgconsole.sandbox.wire.models import service_model
from tests.unit.sandbox.logs.account import ARN, GROUP, SCOPE, STREAM, Account
from tests.unit.sandbox.shapes import fits

STREAM_SHAPE = (
    service_model("logs").operation_model("StartLiveTail").output_shape.members["responseStream"]
)


class Raw:
    """Bytes in pieces, as urllib3 gives them to botocore."""

    def __init__(self, body: bytes, piece: int = 1 << 20) -> None:
        self._pieces = [body[i : i + piece] for i in range(0, len(body), piece)]

    def stream(self) -> Iterator[bytes]:
        yield from self._pieces

    def close(self) -> None:
        """Nothing to close."""


def parsed(body: bytes, piece: int = 1 << 20) -> EventStream:
    return EventStream(Raw(body, piece), STREAM_SHAPE, EventStreamJSONParser(), "StartLiveTail")


class Listener:
    """A client of one session: what was sent to it, and a way to leave."""

    def __init__(self, account: Account, **request: Any) -> None:
        self.account = account
        tail = account.ask("StartLiveTail", **{"logGroupIdentifiers": [ARN], **request})
        assert isinstance(tail, LiveTail)
        self.tail = tail
        self.sent: list[Message] = []
        self.left = asyncio.Event()
        self.reading = asyncio.Event()
        self.reading.set()

    async def __aenter__(self) -> Listener:
        self.task = asyncio.create_task(self.tail.serve(self.receive, self.send))
        await settled()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.left.set()
        await self.task

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await self.reading.wait()
        self.sent.append(message)

    async def seconds(self, count: int) -> None:
        for _ in range(count):
            self.account.advance(seconds=1)
            await settled()

    @property
    def stream(self) -> EventStream:
        return parsed(b"".join(message.get("body", b"") for message in self.sent))

    def events(self) -> list[dict[str, Any]]:
        found = list(self.stream)  # botocore leaves the empty initial response out
        for event in found:
            fits(STREAM_SHAPE, event, "responseStream")
        return found

    def updates(self) -> list[dict[str, Any]]:
        return [event["sessionUpdate"] for event in self.events() if "sessionUpdate" in event]

    def texts(self) -> list[list[str]]:
        return [[r["message"] for r in update["sessionResults"]] for update in self.updates()]


async def settled() -> None:
    """Let every task run until it waits for something outside."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def account() -> Account:
    made = Account()
    made.stream()
    return made


async def test_a_start_then_an_update_a_second_with_what_came(account: Account) -> None:
    account.put((0, "before"))
    async with Listener(account) as listener:
        account.put((-60_000, "late"), (0, "now"))
        await listener.seconds(2)

    assert listener.sent[0]["status"] == 200
    headers = dict(listener.sent[0]["headers"])
    assert headers == {b"content-type": b"application/vnd.amazon.eventstream"}
    assert listener.stream.get_initial_response().payload == b"{}"
    start = listener.events()[0]["sessionStart"]
    assert start["logGroupIdentifiers"] == [ARN]
    assert len(start["sessionId"]) == len(start["requestId"]) == 36
    assert listener.texts() == [["late", "now"], []]
    late = listener.updates()[0]["sessionResults"][0]
    assert late == {
        "logStreamName": STREAM,
        "logGroupIdentifier": ARN,
        "message": "late",
        "timestamp": account.now - 62_000,
        "ingestionTime": account.now - 2_000,
    }
    assert listener.updates()[0]["sessionMetadata"] == {"sampled": False}


async def test_beyond_five_hundred_a_second_it_says_sampled(account: Account) -> None:
    async with Listener(account) as listener:
        account.put(*((i, str(i)) for i in range(501)))
        await listener.seconds(1)
        account.put((0, "after"))
        await listener.seconds(1)

    first, second = listener.updates()
    assert (len(first["sessionResults"]), first["sessionMetadata"]["sampled"]) == (500, True)
    assert (len(second["sessionResults"]), second["sessionMetadata"]["sampled"]) == (1, False)


async def test_events_come_when_their_delay_is_over() -> None:
    account = Account(delay=3.0)
    account.stream()
    async with Listener(account) as listener:
        account.put((0, "slow"))
        await listener.seconds(4)

    assert listener.texts() == [[], [], ["slow"], []]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"logStreamNames": [STREAM]}, ["web error", "web fine"]),
        ({"logStreamNamePrefixes": ["ecs/side", "none"]}, ["side error"]),
        ({"logEventFilterPattern": "error"}, ["web error", "side error"]),
        ({"logEventFilterPattern": '{ $.level = "x" }'}, []),
    ],
)
async def test_what_is_chosen_is_sent(
    account: Account, request_: dict[str, Any], expected: list[str]
) -> None:
    account.stream("ecs/side/1")
    async with Listener(account, **request_) as listener:
        account.put((0, "web error"), (0, "web fine"))
        account.put((0, "side error"), stream="ecs/side/1")
        await listener.seconds(1)

    assert listener.texts() == [expected]
    assert listener.events()[0]["sessionStart"].items() >= request_.items()


async def test_it_ends_after_three_hours_with_the_exception(account: Account) -> None:
    async with Listener(account) as listener:
        account.advance(hours=3)
        await settled()
        assert listener.task.done()

    assert listener.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    with pytest.raises(Exception, match="SessionTimeoutException"):
        listener.events()


async def test_it_ends_quietly_with_the_server(account: Account) -> None:
    async with Listener(account) as listener:
        account.logs.close()
        await settled()
        assert listener.task.done()

    assert listener.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert [list(event) for event in listener.events()] == [["sessionStart"]]


async def test_a_slow_reader_loses_the_oldest_updates(account: Account) -> None:
    async with Listener(account) as listener:
        listener.reading.clear()
        for i in range(15):
            account.put((0, str(i)))
            await listener.seconds(1)
        listener.reading.set()
        await settled()

    # One was on its way when the reading stopped; ten more waited.
    assert listener.texts() == [["0"], *([str(i)] for i in range(5, 15))]


async def test_sessions_end_with_their_clients_and_are_counted(account: Account) -> None:
    for _ in range(2):
        async with asyncio.TaskGroup() as group:
            listeners = [Listener(account) for _ in range(MOST_SESSIONS)]
            with pytest.raises(ApiError, match="LimitExceededException"):
                Listener(account)
            for listener in listeners:
                listener.left.set()
                group.create_task(listener.tail.serve(listener.receive, listener.send))


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        ({"logGroupIdentifiers": [GROUP]}, "InvalidParameterException", "not the ARN"),
        ({"logGroupIdentifiers": [f"{ARN}x"]}, "ResourceNotFoundException", "does not exist"),
        (
            {"logGroupIdentifiers": [f"{ARN}{i}" for i in range(11)]},
            "InvalidParameterException",
            "length less than or equal to 10",
        ),
        ({"logStreamNames": ["a"], "logStreamNamePrefixes": ["a"]}, "InvalidParam", "together"),
        ({"logGroupIdentifiers": [ARN, ARN], "logStreamNames": ["a"]}, "InvalidParam", "one log"),
        ({"logEventFilterPattern": "a-b"}, "InvalidParameterException", "Invalid character"),
    ],
)
def test_a_session_that_aws_refuses_does_not_begin(
    account: Account, request_: dict[str, Any], code: str, words: str
) -> None:
    with pytest.raises(ApiError, match=words) as refused:
        Listener(account, **request_)

    assert refused.value.code.startswith(code)


@given(
    texts=st.lists(st.text(), min_size=1, max_size=5), piece=st.integers(min_value=1, max_value=99)
)
def test_botocore_reads_what_we_encode_however_it_is_cut(texts: list[str], piece: int) -> None:
    body = b"".join(
        event_stream.event("sessionUpdate", {"sessionResults": [{"message": t}]}) for t in texts
    )

    found = list(parsed(body, piece))

    assert [event["sessionUpdate"]["sessionResults"][0]["message"] for event in found] == texts


def test_a_stream_cut_short_gives_no_message() -> None:
    with pytest.raises(NoInitialResponseError):
        parsed(event_stream.event("initial-response", {})[:-1]).get_initial_response()


def test_the_answers_of_another_region_are_not_ours(account: Account) -> None:
    with pytest.raises(ApiError, match="The specified log group does not exist"):
        account.ask("StartLiveTail", logGroupIdentifiers=[ARN.replace(SCOPE.region, "eu-west-1")])
