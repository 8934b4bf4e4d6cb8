"""Live Tail through the gateway, from every world that the contract is kept in."""

from __future__ import annotations

import time
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config

from bgconsole.domain.errors import NotThere
from bgconsole.domain.logs import LiveUpdate, LogLine
from tests.contract.conftest import Subject, connected

GROUP, STREAM = "live", "ecs/web/0123456789abcdef0123456789abcdef"
UPDATES = 60
"""One a second: after so many what was written must have come."""


def written(url: str) -> int:
    """Write one line, of now; gives its time."""
    config = Config(inject_host_prefix=False)
    client = boto3.client("logs", endpoint_url=url, region_name="us-east-1", config=config)
    at = int(time.time() * 1000)
    event = {"timestamp": at, "message": "hello"}
    client.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=[event])
    return at


@pytest.fixture
def group(sandbox_url: str) -> Iterator[str]:
    """A log group with one stream; gives the sandbox's address."""
    config = Config(inject_host_prefix=False)
    client = boto3.client("logs", endpoint_url=sandbox_url, region_name="us-east-1", config=config)
    client.create_log_group(logGroupName=GROUP)
    client.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    yield sandbox_url
    client.delete_log_group(logGroupName=GROUP)


def test_a_session_brings_what_is_ingested_and_ends_when_closed(group: str) -> None:
    logs = connected(group).logs
    session = logs.live([GROUP])
    updates = session.updates()
    first = next(updates)
    assert first == LiveUpdate(())
    at = written(group)
    found: list[LogLine] = []
    for _ in range(UPDATES):
        found += next(updates).lines
        if found:
            break
    assert [(line.timestamp, line.stream, line.message, line.event_id) for line in found] == [
        (at, STREAM, "hello", "")
    ]
    assert found[0].ingestion >= at
    session.close()
    assert list(updates) == []
    polled = logs.page(GROUP, start=at).lines
    assert [(line.timestamp, line.ingestion, line.message) for line in polled] == [
        (line.timestamp, line.ingestion, line.message) for line in found
    ], "a poll brings the same line, with its id"
    assert polled[0].event_id


def test_no_session_of_a_group_that_is_not_there(subject: Subject) -> None:
    with pytest.raises(NotThere, match="No such log group"):
        subject.gateway.logs.live(["no-such-group"])
