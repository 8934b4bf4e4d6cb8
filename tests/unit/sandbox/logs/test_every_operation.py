"""Every operation of CloudWatch Logs that is ours, in the shape of its model."""

from __future__ import annotations

import json

import botocore.parsers
import pytest

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.logs.codec import LogsCodec
from bgconsole.sandbox.logs.handlers import NOT_REPRODUCED, OPERATIONS
from bgconsole.sandbox.logs.service import LIVE_TAIL, Logs
from bgconsole.sandbox.wire.models import service_model
from tests.unit.sandbox.logs.account import GROUP, SCOPE, STREAM, Account, at_once


def test_every_operation_answers_in_the_shape_of_its_model() -> None:
    account = Account()
    account.stream()
    account.put((-(15 * 24 * 3_600_000), "old"), (0, "a"), (1, "b"), (3 * 3_600_000, "new"))
    account.stream("empty")
    assert "nextToken" in account.filter(limit=1)
    account.call("GetLogEvents", logGroupName=GROUP, logStreamName=STREAM)
    assert "nextToken" in account.call("DescribeLogStreams", logGroupName=GROUP, limit=1)
    account.call("DeleteLogStream", logGroupName=GROUP, logStreamName=STREAM)

    assert account.answered == set(OPERATIONS)
    assert Logs.operations <= set(service_model("logs").operation_names)
    assert Logs.operations == account.answered | NOT_REPRODUCED | {LIVE_TAIL}


@pytest.mark.parametrize("operation", sorted(NOT_REPRODUCED))
def test_what_would_read_events_elsewhere_is_refused(operation: str) -> None:
    with pytest.raises(ApiError, match=f"does not reproduce {operation} yet"):
        at_once(Account().logs.handle(SCOPE, operation, {}))


def test_what_the_codec_renders_botocore_reads() -> None:
    account = Account()
    account.stream()
    account.put((0, "grün \x1b[31m\u2028"))
    answer = account.filter()
    reply = LogsCodec().render("FilterLogEvents", answer, "id")
    shape = service_model("logs").operation_model("FilterLogEvents").output_shape

    read = botocore.parsers.create_parser("json").parse(
        {"status_code": reply.status, "headers": {}, "body": reply.body}, shape
    )

    assert read["events"] == answer["events"]
    assert json.loads(reply.body) == answer
