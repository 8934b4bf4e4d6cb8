"""Faults in front of the API: each service's own words and shape, read by botocore itself."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from botocore.parsers import create_parser

from bgconsole.sandbox.asgi import Answer, Connection, Receive, Send, call, headers_of, send_answer
from bgconsole.sandbox.control import Control
from bgconsole.sandbox.faults import Faults, Faulty
from bgconsole.sandbox.scenarios import Stage
from tests.unit.sandbox.story import Story

KEY = "123456789012"


def signed(service: str, **more: str) -> dict[str, str]:
    credential = f"{KEY}/20260101/us-east-1/{service}/aws4_request"
    return {
        "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host",
        **more,
    }


ECS = ("POST", "/", signed("ecs", **{"x-amz-target": "X.ListClusters"}), b"{}")
ELB = (
    "POST",
    "/",
    signed("elasticloadbalancing"),
    b"Action=DescribeRules&Version=2015-12-01",
)
EC2 = ("POST", "/", signed("ec2"), b"Action=DescribeVpcs&Version=2016-11-15")
METRICS = (
    "POST",
    "/service/GraniteServiceVersion20100801/operation/DescribeAlarms",
    signed("monitoring"),
    b"\xa0",
)
PARSERS = {"ecs": "json", "elb": "query", "ec2": "ec2", "metrics": "smithy-rpc-v2-cbor"}
CALLS = {"ecs": ECS, "elb": ELB, "ec2": EC2, "metrics": METRICS}


async def answering(connection: Connection, receive: Receive, send: Send) -> None:
    body = (await receive())["body"]
    await send_answer(send, Answer(200, (), b"served " + body))


class Bench:
    """A faulty app whose time stands still until a test moves it."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.time = 0.0
        self.slept: list[float] = []
        self.app = Faulty(
            answering, self.faults, random.Random(1), now=lambda: self.time, sleep=self._sleep
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def ask(self, request: tuple[str, str, dict[str, str], bytes]) -> Answer:
        method, path, headers, body = request
        return await call(self.app, method, path, headers, body)

    async def error(self, name: str) -> tuple[str, str, int]:
        """Code, message and status as botocore reads them."""
        answer = await self.ask(CALLS[name])
        parser = create_parser(PARSERS[name])
        headers = {n.decode().title(): v.decode() for n, v in answer.headers}
        response = {"status_code": answer.status, "headers": headers, "body": answer.body}
        error = parser.parse(response, None)["Error"]
        return error["Code"], error["Message"], answer.status


async def test_nothing_is_wrong_to_begin_with() -> None:
    assert (await Bench().ask(ECS)).body == b"served {}"


@pytest.mark.parametrize(
    ("name", "code", "status"),
    [
        ("ecs", "AccessDeniedException", 400),
        ("elb", "AccessDenied", 403),
        ("ec2", "UnauthorizedOperation", 403),
        ("metrics", "AccessDeniedException", 400),
    ],
)
async def test_a_denied_action_is_refused_as_its_service_does(
    name: str, code: str, status: int
) -> None:
    bench = Bench()
    actions = {
        "ecs": "ecs:ListClusters",
        "elb": "elasticloadbalancing:Describe*",
        "ec2": "ec2:describevpcs",
        "metrics": "cloudwatch:DescribeAlarms",
    }
    bench.faults.denied.add(actions[name])
    told, message, shown = await bench.error(name)
    assert (told, shown) == (code, status)
    assert "is not authorized to perform" in message or "not authorized" in message
    for other in CALLS.keys() - {name}:
        assert (await bench.ask(CALLS[other])).status == 200


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ecs", "ExpiredTokenException"),
        ("elb", "ExpiredToken"),
        ("ec2", "RequestExpired"),
        ("metrics", "ExpiredTokenException"),
    ],
)
async def test_expired_credentials_are_those_of_one_key(name: str, code: str) -> None:
    bench = Bench()
    bench.faults.expired.add(KEY)
    assert (await bench.error(name))[0] == code
    method, path, headers, body = CALLS[name]
    fresh = {k: v.replace(KEY, "ASIAFRESH", 1) for k, v in headers.items()}
    assert (await bench.ask((method, path, fresh, body))).status == 200


@pytest.mark.parametrize(("name", "code"), [("ecs", "ThrottlingException"), ("elb", "Throttling")])
async def test_each_service_has_a_bucket_that_fills_again(name: str, code: str) -> None:
    bench = Bench()
    bench.faults.calls_per_second = 2
    for _ in range(2):
        assert (await bench.ask(CALLS[name])).status == 200
    assert (await bench.error(name))[:2] == (code, "Rate exceeded")
    assert (await bench.ask(EC2)).status == 200
    bench.time += 0.5
    assert (await bench.ask(CALLS[name])).status == 200
    assert (await bench.ask(CALLS[name])).status == 400


async def test_zero_calls_a_second_throttles_after_the_first() -> None:
    bench = Bench()
    bench.faults.calls_per_second = 0
    assert (await bench.ask(ECS)).status == 200
    bench.time += 3600
    assert (await bench.ask(ECS)).status == 400


async def test_a_region_has_a_quota_of_reads_of_its_logs() -> None:
    bench = Bench()
    bench.faults.log_calls_per_second = 0

    async def served(region: str, action: str = "FilterLogEvents") -> int:
        credential = f"{KEY}/20260101/{region}/logs/aws4_request"
        headers = {
            "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host",
            "x-amz-target": f"Logs_20140328.{action}",
        }
        asked = [await bench.ask(("POST", "/", headers, b"{}")) for _ in range(40)]
        return sum(answer.status == 200 for answer in asked)

    regions = ("us-east-1", "eu-central-1", "eu-west-1")
    assert [await served(region) for region in regions] == [25, 5, 10]
    assert await served("eu-west-1", "StartLiveTail") == 5
    assert await served("eu-west-1", "PutLogEvents") == 40
    assert (await bench.ask(ECS)).status == 200
    bench.time += 1
    assert await served("eu-central-1") == 5
    bench.faults.clear()
    assert await served("eu-central-1") == 40


async def test_latency_and_jitter_make_calls_slower() -> None:
    bench = Bench()
    bench.faults.latency, bench.faults.jitter = 0.3, 0.2
    for _ in range(20):
        await bench.ask(ECS)
    assert all(0.3 <= seconds <= 0.5 for seconds in bench.slept)
    assert len(set(bench.slept)) > 1


async def test_a_cut_answer_promises_more_than_it_sends() -> None:
    bench = Bench()
    bench.faults.resets = 1.0
    answer = await bench.ask(ECS)
    assert int(answer.header("content-length")) > len(answer.body)


async def test_what_is_not_signed_and_the_provisioner_pass() -> None:
    bench = Bench()
    bench.faults.denied.add("*")
    assert (await bench.ask(("GET", "/v2/", {}, b""))).status == 200
    method, path, headers, body = ECS
    own = {**headers, "user-agent": "Boto3 bgconsole-provision"}
    assert (await bench.ask((method, path, own, body))).status == 200


async def controlled(method: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    story = Story()
    story.build()
    faults = Faults()

    async def stage() -> Stage:
        return Stage(story.world, faults, "repo:crash")

    app = Control(answering, stage)
    answer = await call(app, method, "/_sandbox/scenario", headers, body)
    return answer.status, json.loads(answer.body)


async def test_the_control_endpoint_lists_and_begins_scenarios() -> None:
    status, listed = await controlled("GET")
    assert status == 200
    assert "throttling" in [scenario["name"] for scenario in listed["scenarios"]]
    status, began = await controlled("POST", b'{"scenario": "throttling=3"}')
    assert (status, began["began"]) == (200, "throttling=3")


@pytest.mark.parametrize(
    ("method", "body", "headers", "status"),
    [
        ("POST", b"{}", {}, 400),
        ("POST", b"[]", {}, 400),
        ("POST", b'{"scenario": 3}', {}, 400),
        ("POST", b'{"scenario": "unheard-of"}', {}, 400),
        ("POST", b'{"scenario": "throttling=often"}', {}, 400),
        ("POST", b'{"scenario": "spot-reclaim"}', {}, 400),
        ("POST", b'{"scenario": "none"}', {"origin": "http://example.com"}, 403),
        ("DELETE", b"", {}, 405),
    ],
)
async def test_the_control_endpoint_refuses(
    method: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    answered, told = await controlled(method, body, **headers)
    assert answered == status
    assert told["error"]


async def test_a_page_that_found_another_name_for_loopback_is_refused() -> None:
    connection_host = {"host": "evil.example:4566"}

    async def stage() -> Stage:
        raise AssertionError("not reached")

    async def renamed(connection: Connection, receive: Receive, send: Send) -> None:
        pairs = {**headers_of(connection), **connection_host}
        headers = [(n.encode(), v.encode()) for n, v in pairs.items()]
        await Control(answering, stage)({**connection, "headers": headers}, receive, send)

    assert (await call(renamed, "GET", "/_sandbox/scenario", {})).status == 403
