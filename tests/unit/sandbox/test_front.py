"""The front: what is ours, what is the engine's, and what a client sees when something is wrong."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any
from urllib.parse import urlencode

import pytest

from bgconsole.sandbox.api import ApiError, Request, Response
from bgconsole.sandbox.asgi import Answer, Connection, Receive, Send, call, read_body, send_answer
from bgconsole.sandbox.front import Front
from bgconsole.sandbox.scope import Scope, registry_scope, signed_scope
from bgconsole.sandbox.worlds import Worlds

ADDRESS = "127.0.0.1:4566"
HERE = Scope("210987654321", "eu-west-1")
ECS = {
    "authorization": HERE.signature,
    "x-amz-target": "AmazonEC2ContainerServiceV20141113.ListClusters",
}
FORM = {"authorization": HERE.signature, "content-type": "application/x-www-form-urlencoded"}


class Recorded:
    """Handlers that note what they were asked and answer what the test says."""

    def __init__(self, answer: Response | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Request]] = []

    def handle(self, operation: str, request: Request) -> Response:
        self.asked.append((operation, request))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class AWorld:
    def __init__(self, ecs: Response | Exception, elbv2: Response | Exception) -> None:
        self.ecs = Recorded(ecs)
        self.elbv2 = Recorded(elbv2)
        self.speed = 0.0
        self.closed = False

    def set_speed(self, speed: float) -> None:
        self.speed = speed

    async def close(self) -> None:
        self.closed = True


class TheEngine:
    """An engine that notes its requests and answers with `body`."""

    def __init__(self, body: bytes = b"the engine") -> None:
        self.body = body
        self.seen: list[tuple[Connection, bytes]] = []

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        self.seen.append((connection, await read_body(receive, 1 << 30)))
        headers = ((b"content-type", b"text/plain"), (b"content-length", b"10"))
        await send_answer(send, Answer(200, headers, self.body))


class Stage:
    """A front over a recording engine and recording worlds."""

    def __init__(
        self,
        *,
        ecs: Response | Exception | None = None,
        elbv2: Response | Exception | None = None,
        engine: bytes = b"the engine",
        first: str = "",
    ) -> None:
        self.opened: dict[Scope, AWorld] = {}
        self.engine = TheEngine(engine)

        async def open_one(scope: Scope, speed: float) -> AWorld:
            world = AWorld(ecs or {"clusterArns": []}, elbv2 or {"Rules": []})
            world.speed = speed
            self.opened[scope] = world
            return world

        self.worlds = Worlds(open_one, 7.0)
        self.front = Front(self.engine, self.worlds, ADDRESS, first=first)

    async def post(self, headers: dict[str, str], body: bytes = b"{}", path: str = "/") -> Answer:
        return await call(self.front, "POST", path, headers, body)


async def test_ecs_is_ours_in_the_account_and_region_of_the_signature() -> None:
    stage = Stage(ecs={"clusterArns": ["arn:x"], "nextToken": None})

    answer = await stage.post(ECS, b'{"maxResults": 3}')

    assert (answer.status, json.loads(answer.body)) == (200, {"clusterArns": ["arn:x"]})
    assert answer.header("content-type") == "application/x-amz-json-1.1"
    assert answer.header("x-amzn-requestid")
    assert stage.opened[HERE].ecs.asked == [("ListClusters", {"maxResults": 3})]
    assert stage.engine.seen == []


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_elbv2_is_ours_by_its_version(method: str) -> None:
    stage = Stage(elbv2={"Rules": [{"RuleArn": "arn:r"}]})
    form = urlencode({"Action": "DescribeRules", "Version": "2015-12-01", "ListenerArn": "l"})
    path, body = (f"/?{form}", b"") if method == "GET" else ("/", form.encode())

    answer = await call(stage.front, method, path, FORM, body)

    assert b"<RuleArn>arn:r</RuleArn>" in answer.body
    assert stage.opened[HERE].elbv2.asked == [("DescribeRules", {"ListenerArn": "l"})]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (FORM, b"Action=DescribeStacks&Version=2010-05-15"),
        (FORM, b"Action=DescribeLoadBalancers&Version=2012-06-01"),
        (FORM, b"\xff\xfe=&&&"),
        ({"x-amz-target": "Logs_20140328.DescribeLogGroups"}, b"{}"),
        ({"x-amz-target": "secretsmanager.ListSecrets"}, b"\x00\x01"),
    ],
)
async def test_the_rest_is_the_engines_with_its_body(headers: dict[str, str], body: bytes) -> None:
    stage = Stage()

    answer = await stage.post(headers, body)

    assert answer.body == b"the engine"
    assert stage.engine.seen[0][1] == body
    assert stage.opened == {}


async def test_a_refusal_is_told_in_the_protocols_own_shape() -> None:
    refusal = ApiError("ClusterNotFoundException", "Cluster not found.")
    stage = Stage(ecs=refusal, elbv2=ApiError("RuleNotFoundException", "none"))

    of_ecs = await stage.post(ECS)
    of_elbv2 = await stage.post(FORM, b"Action=DescribeRules&Version=2015-12-01")

    assert of_ecs.status == 400
    assert json.loads(of_ecs.body) == {
        "__type": "ClusterNotFoundException",
        "message": "Cluster not found.",
    }
    assert b"<Code>RuleNotFound</Code><Message>none</Message>" in of_elbv2.body


@pytest.mark.parametrize(
    "trouble", [{"notAMember": 1}, KeyError("secret-value"), RecursionError("deep")]
)
async def test_a_bug_of_ours_is_a_server_error_without_its_insides(
    trouble: Any, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(ecs=trouble)

    with caplog.at_level(logging.ERROR):
        answer = await stage.post(ECS)

    told = json.loads(answer.body)
    assert (answer.status, told["__type"]) == (500, "InternalFailure")
    assert "Traceback" not in told["message"]
    assert "secret-value" not in told["message"]
    assert answer.header("x-amzn-requestid") in caplog.text


@pytest.mark.parametrize("header", ["", "Bearer x", "AWS4-HMAC-SHA256 Credential=nonsense"])
async def test_an_unsigned_call_is_refused(header: str) -> None:
    stage = Stage()

    answer = await stage.post({**ECS, "authorization": header})

    assert json.loads(answer.body)["__type"] == "MissingAuthenticationToken"
    assert stage.opened == {}


async def test_a_body_has_a_limit() -> None:
    stage = Stage()

    answer = await stage.post(ECS, b" " * (8 * 1024 * 1024 + 1))

    assert answer.status == 413


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_localstack/health", "/_ministack/config"])
async def test_the_engines_own_controls_are_not_reachable(path: str) -> None:
    stage = Stage()

    assert (await stage.post({}, b"", path)).status == 404
    assert stage.engine.seen == []


async def test_ecr_tells_where_the_registry_really_is() -> None:
    host = "210987654321.dkr.ecr.eu-west-1.amazonaws.com"
    told = {
        "repositoryUri": f"{host}/demorepo",
        "proxyEndpoint": f"https://{host}",
        "authorizationToken": "c29tZXRoaW5n",
    }
    stage = Stage(engine=json.dumps(told).encode())
    target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"

    answer = await stage.post({"authorization": HERE.signature, "x-amz-target": target})

    assert json.loads(answer.body) == {
        "repositoryUri": f"{ADDRESS}/demorepo",
        "proxyEndpoint": f"http://{ADDRESS}",
        "authorizationToken": HERE.registry_token,
    }
    assert answer.header("content-length") == str(len(answer.body))


async def test_a_docker_clients_password_names_account_and_region() -> None:
    stage = Stage()
    basic = {"authorization": f"Basic {HERE.registry_token}"}

    await call(stage.front, "GET", "/v2/demorepo/manifests/1f3c2aa", basic)

    (connection, _) = stage.engine.seen[0]
    signed = dict(connection["headers"])[b"authorization"].decode()
    assert signed_scope(signed) == HERE


@pytest.mark.parametrize("header", ["", "Basic ???", "Basic QVdTOng=", "Bearer x"])
async def test_the_registry_wants_the_password_that_ecr_gave(header: str) -> None:
    assert registry_scope(header) is None
    stage = Stage()

    answer = await call(stage.front, "GET", "/v2/", {"authorization": header} if header else {})

    code = json.loads(answer.body)["errors"][0]["code"]
    assert (answer.status, code) == ((403, "DENIED") if header else (401, "UNAUTHORIZED"))
    assert stage.engine.seen == []


def test_a_key_id_that_is_no_account_means_the_demos_account() -> None:
    signature = Scope("AKIAIOSFODNN7EXAMPLE", "eu-west-1").signature
    assert signed_scope(signature) == Scope("123456789012", "eu-west-1")


async def test_worlds_are_apart_by_account_and_region_and_opened_once() -> None:
    stage = Stage()
    there = Scope(HERE.account, "us-east-1")

    await asyncio.gather(
        stage.post(ECS), stage.post(ECS), stage.post({**ECS, "authorization": there.signature})
    )

    assert {scope: len(w.ecs.asked) for scope, w in stage.opened.items()} == {HERE: 2, there: 1}
    assert [world.speed for world in stage.opened.values()] == [7.0, 7.0]
    stage.worlds.set_speed(2.0)
    assert [world.speed for world in stage.opened.values()] == [2.0, 2.0]
    await stage.worlds.close()
    assert all(world.closed for world in stage.opened.values())


async def test_while_it_holds_only_the_first_are_answered() -> None:
    stage = Stage(first="the-provisioner")
    held = asyncio.ensure_future(stage.post(ECS))

    answered = await stage.post({**ECS, "user-agent": "Boto3/1 the-provisioner"})

    assert answered.status == 200
    assert not held.done()
    stage.front.open.set()
    assert (await held).status == 200
