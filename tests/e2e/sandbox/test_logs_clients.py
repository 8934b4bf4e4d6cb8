"""CloudWatch Logs of the sandbox, used by the clients that people have: boto3, awslogs, aws."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.e2e.conftest import PROGRAM

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

    from tests.e2e.conftest import Sandbox

GROUP = "democluster"
AWSLOGS = str(Path(sys.executable).parent / "awslogs")
AWS = Path(__file__).parents[3] / ".venv-tools" / "bin" / "aws"
EVENTS, STREAMS = 20_000, 8
LINE = "x" * 169 + " %019d"
SERVER_SECONDS = 0.3
"""A full page has to be there well before."""


def logs(sandbox: Sandbox) -> CloudWatchLogsClient:
    told = sandbox.environment
    return boto3.client(
        "logs",
        endpoint_url=told["AWS_ENDPOINT_URL"],
        region_name=told["AWS_REGION"],
        aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
        config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
    )


def fill(client: CloudWatchLogsClient, group: str) -> int:
    """Write to eight streams by turns; gives the time of the first event."""
    client.create_log_group(logGroupName=group)
    first = int(time.time() * 1000) - EVENTS
    for stream in range(STREAMS):
        name = f"ecs/app/{stream}"
        client.create_log_stream(logGroupName=group, logStreamName=name)
        numbers = range(stream, EVENTS, STREAMS)
        client.put_log_events(
            logGroupName=group,
            logStreamName=name,
            logEvents=[{"timestamp": first + n, "message": LINE % n} for n in numbers],
        )
    return first


def test_boto3_pages_through_everything_once_and_in_order(sandbox: Sandbox) -> None:
    client = logs(sandbox)
    first = fill(client, "many")
    pages, took = [], []
    begun = time.perf_counter()
    for page in client.get_paginator("filter_log_events").paginate(logGroupName="many"):
        pages.append(page["events"])
        took.append(time.perf_counter() - begun)
        begun = time.perf_counter()

    events = [event for page in pages for event in page]
    assert [event["message"] for event in events] == [LINE % n for n in range(EVENTS)]
    assert [event["timestamp"] for event in events] == list(range(first, first + EVENTS))
    ids = [event["eventId"] for event in events]
    assert ids == sorted(set(ids))
    print(f"pages of {[len(page) for page in pages]} in {[round(t, 3) for t in took]} s")  # noqa: T201
    assert min(took[:-1]) < SERVER_SECONDS

    newest = client.filter_log_events(
        logGroupName="many", startTime=first, startFromHead=False, limit=3
    )
    assert [event["message"] for event in newest["events"]] == [
        LINE % (EVENTS - n) for n in (1, 2, 3)
    ]
    streams = client.get_paginator("describe_log_streams").paginate(
        logGroupName="many", PaginationConfig={"PageSize": 3}
    )
    assert len([s for page in streams for s in page["logStreams"]]) == STREAMS
    client.delete_log_group(logGroupName="many")
    with pytest.raises(ClientError, match="The specified log group does not exist"):
        client.filter_log_events(logGroupName="many")


def test_what_tasks_write_is_read_and_tailed(sandbox: Sandbox) -> None:
    client = logs(sandbox)
    [group] = client.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    tail = client.start_live_tail(logGroupIdentifiers=[group["logGroupArn"]])
    updates = iter(tail["responseStream"])
    start = next(updates)["sessionStart"]
    assert start["logGroupIdentifiers"] == [group["logGroupArn"]]
    tailed = []
    while not tailed:  # the sandbox's own visitors make the tasks write every second or so
        tailed = next(updates)["sessionUpdate"]["sessionResults"]
    tail["responseStream"].close()

    events = client.filter_log_events(logGroupName=GROUP)["events"]
    key = ("logStreamName", "timestamp", "ingestionTime", "message")
    known = {tuple(event[k] for k in key) for event in events}
    assert {tuple(one[k] for k in key) for one in tailed} <= known
    assert {event["logStreamName"].rpartition("/")[0] for event in events} == {
        "ecs/democluster-container"
    }
    requests: dict[str, list[str]] = {}
    for event in events:
        found = re.match(r"\[([0-9a-f]{8})\] (Started|Processing|Completed)", event["message"])
        if found:
            requests.setdefault(found[1], []).append(found[2])
    whole = [turns for turns in requests.values() if "Completed" in turns]
    assert whole
    assert all(turns == ["Started", "Processing", "Completed"] for turns in whole)


def test_awslogs_and_the_aws_command_do_their_normal_jobs(sandbox: Sandbox) -> None:
    client = logs(sandbox)
    fill(client, "many")

    got = sandbox.run(AWSLOGS, "get", GROUP, "ALL", "-s5m", "--no-color")
    assert got.returncode == 0, got.stderr
    assert "democluster ecs/democluster-container/" in got.stdout
    assert "=> Booting Puma" in got.stdout
    assert sandbox.run(AWSLOGS, "groups").stdout.split() == [GROUP, "many"]
    listed = sandbox.run(AWSLOGS, "streams", "many").stdout.split()
    assert listed == [f"ecs/app/{stream}" for stream in range(STREAMS)]
    every = sandbox.run(AWSLOGS, "get", "many", "ALL", "-s5m", "-GS", "--no-color")
    assert every.stdout.split("\n")[:-1] == [LINE % n for n in range(EVENTS)]
    ours = sandbox.run(*PROGRAM, "logs", "many", "ALL", "-s5m", "-GS", "--no-color")
    assert ours.returncode == 0, ours.stderr
    assert ours.stdout == every.stdout
    chosen = ("get", "many", "ecs/app/[12]", "-s5m", "-GS", "--no-color", "-f", "?00011 ?19993")
    some = sandbox.run(AWSLOGS, *chosen)
    lines = [LINE % n for n in range(EVENTS) if n % STREAMS in (1, 2)]
    assert some.stdout.split("\n")[:-1] == [
        line for line in lines if "00011" in line or "19993" in line
    ]
    ours = sandbox.run(*PROGRAM, "logs", *chosen[1:])
    assert ours.stdout == some.stdout, "the same flags, the same lines"

    if not AWS.exists():
        pytest.skip("the aws command is not installed beside")
    answer = sandbox.run(
        str(AWS), "logs", "filter-log-events", "--log-group-name", "many", "--output", "json"
    )
    assert answer.returncode == 0, answer.stderr
    assert [e["message"] for e in json.loads(answer.stdout)["events"]] == [
        LINE % n for n in range(EVENTS)
    ]
    one = sandbox.run(
        str(AWS),
        *("logs", "get-log-events", "--log-group-name", "many", "--log-stream-name", "ecs/app/3"),
        *("--limit", "2", "--output", "json"),
    )
    assert [e["message"] for e in json.loads(one.stdout)["events"]] == [LINE % 19987, LINE % 19995]
