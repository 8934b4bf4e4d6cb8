"""CloudWatch Logs through the front: what is ours, what is the engine's, and where they meet."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bgconsole.sandbox.asgi import (
    Answer,
    App,
    Connection,
    Message,
    Receive,
    Send,
    call,
    send_answer,
)
from bgconsole.sandbox.clock import VirtualClock
from bgconsole.sandbox.front import Front
from bgconsole.sandbox.logs.groups import engine_groups
from bgconsole.sandbox.logs.service import Logs
from bgconsole.sandbox.scope import Scope
from bgconsole.sandbox.worlds import WorldLike, Worlds

HERE = Scope("210987654321", "eu-west-1")
ARN = "arn:aws:logs:eu-west-1:210987654321:log-group:web"


class GroupsOnly:
    """An engine that knows log groups, and notes what else it is asked."""

    def __init__(self) -> None:
        self.groups = {"web": 1000, "web-two": 2000}
        self.asked: list[str] = []

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        headers = dict(connection["headers"])
        assert HERE.signature.encode() == headers[b"authorization"]
        operation = headers[b"x-amz-target"].decode().partition(".")[2]
        request = json.loads((await receive())["body"])
        answer: dict[str, Any] = {}
        if operation == "DescribeLogGroups":
            prefix = request.get("logGroupNamePrefix", "")
            found = sorted(name for name in self.groups if name.startswith(prefix))
            answer["logGroups"] = [
                {"logGroupName": name, "creationTime": self.groups[name], "retentionInDays": 7}
                for name in found[: request.get("limit", 50)]
            ]
        else:
            self.asked.append(operation)
        if operation == "DeleteLogGroup":
            del self.groups[request["logGroupName"]]
        await send_answer(send, Answer(200, (), json.dumps(answer).encode()))


class Stage:
    """A front over that engine."""

    def __init__(self) -> None:
        self.engine = GroupsOnly()
        self.clock = VirtualClock()
        self.logs = Logs(engine_groups(self.engine), self.clock)
        self.front: App = Front(self.engine, Worlds(no_world, 1.0), "127.0.0.1:1", logs=self.logs)

    async def ask(self, operation: str, **request: Any) -> tuple[int, dict[str, Any]]:
        headers = {"authorization": HERE.signature, "x-amz-target": f"Logs_20140328.{operation}"}
        answer = await call(self.front, "POST", "/", headers, json.dumps(request).encode())
        return answer.status, json.loads(answer.body)


async def no_world(scope: Scope, speed: float) -> WorldLike:
    raise AssertionError(f"a world was opened for {scope} at {speed}")


@pytest.fixture
async def stage() -> Stage:
    return Stage()


WEB = {"logGroupName": "web", "logStreamName": "s"}


async def test_events_are_ours_and_groups_are_the_engines(stage: Stage) -> None:
    now = int(stage.clock.now().timestamp() * 1000)
    assert await stage.ask("CreateLogStream", **WEB) == (200, {})
    event = {"timestamp": now, "message": "hello"}
    status, _ = await stage.ask("PutLogEvents", **WEB, logEvents=[event])
    assert status == 200

    _, answer = await stage.ask("FilterLogEvents", logGroupName="web")
    status, groups = await stage.ask("DescribeLogGroups")

    assert [event["message"] for event in answer["events"]] == ["hello"]
    assert [group["logGroupName"] for group in groups["logGroups"]] == ["web", "web-two"]
    assert stage.engine.asked == []


async def test_a_group_whose_name_only_begins_another_is_unknown(stage: Stage) -> None:
    status, answer = await stage.ask("FilterLogEvents", logGroupName="web-t")

    assert status == 400
    assert answer == {
        "__type": "ResourceNotFoundException",
        "message": "The specified log group does not exist.",
    }


async def test_the_streams_of_a_deleted_group_are_dropped(stage: Stage) -> None:
    await stage.ask("CreateLogStream", **WEB)
    assert await stage.ask("DeleteLogGroup", logGroupName="web") == (200, {})
    stage.engine.groups["web"] = 1000  # in the same millisecond, so that only dropping can tell

    assert await stage.ask("DescribeLogStreams", logGroupName="web") == (200, {"logStreams": []})
    assert stage.engine.asked == ["DeleteLogGroup"]


async def test_what_is_not_about_events_goes_to_the_engine(stage: Stage) -> None:
    await stage.ask("PutRetentionPolicy", logGroupName="web", retentionInDays=7)

    assert stage.engine.asked == ["PutRetentionPolicy"]


async def test_insights_over_our_events_is_refused_not_empty(stage: Stage) -> None:
    status, answer = await stage.ask("StartQuery", startTime=0, endTime=1, queryString="fields 1")

    assert status == 400
    assert answer["message"] == "The sandbox does not reproduce StartQuery yet"


async def test_a_live_tail_ends_when_its_client_leaves(stage: Stage) -> None:
    headers = {"authorization": HERE.signature, "x-amz-target": "Logs_20140328.StartLiveTail"}
    connection: Connection = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    body = json.dumps({"logGroupIdentifiers": [ARN]}).encode()
    asked: asyncio.Queue[Message] = asyncio.Queue()
    asked.put_nowait({"type": "http.request", "body": body})
    sent: asyncio.Queue[Message] = asyncio.Queue()
    serving = asyncio.create_task(stage.front(connection, asked.get, sent.put))

    assert (await sent.get())["status"] == 200
    assert b"initial-response" in (await sent.get())["body"]
    assert b"sessionStart" in (await sent.get())["body"]
    asked.put_nowait({"type": "http.disconnect"})
    await serving


async def test_a_live_tail_that_is_refused_is_an_ordinary_error(stage: Stage) -> None:
    status, answer = await stage.ask("StartLiveTail", logGroupIdentifiers=[f"{ARN}-three"])

    assert (status, answer["__type"]) == (400, "ResourceNotFoundException")
