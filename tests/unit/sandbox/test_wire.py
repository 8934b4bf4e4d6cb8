"""The codecs against botocore itself: what it serialises we read, what we render it parses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import botocore.parsers
import botocore.serialize
import pytest
from botocore.model import ListShape, MapShape, StructureShape

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.wire.json_codec import JsonCodec
from bgconsole.sandbox.wire.models import service_model
from bgconsole.sandbox.wire.query_codec import QueryCodec
from bgconsole.sandbox.wire.reply import ShapeMismatch

if TYPE_CHECKING:
    from botocore.model import Shape

    from bgconsole.sandbox.wire.reply import Codec, Reply

CODECS: dict[str, Codec] = {"ecs": JsonCodec("ecs"), "elbv2": QueryCodec("elbv2")}
PROTOCOLS = {"ecs": "json", "elbv2": "query"}
OPERATIONS = [(s, name) for s in CODECS for name in service_model(s).operation_names]
MOMENT = datetime(2026, 3, 14, 2, 41, 7, 250_000, tzinfo=UTC)


def sample(shape: Shape, seed: int, above: tuple[str, ...] = ()) -> Any:
    """A full value of `shape`; a shape inside itself is cut off at its second turn."""
    if isinstance(shape, StructureShape):
        if shape.is_document_type:
            return {"any": ["thing", 1, None]}
        if above.count(shape.name) > 1:
            return {}
        inside = (*above, shape.name)
        return {n: sample(m, seed + i, inside) for i, (n, m) in enumerate(shape.members.items())}
    if isinstance(shape, ListShape):
        return [sample(shape.member, seed + i, above) for i in range(2)]
    if isinstance(shape, MapShape):
        return {f"a key/{i} é": sample(shape.value, seed + i, above) for i in range(2)}
    match shape.type_name:
        case "boolean":
            return seed % 2 == 0
        case "integer" | "long":
            return seed
        case "double" | "float":
            return seed + 0.5
        case "timestamp":
            return MOMENT
        case "blob":
            return b"\x00\xff bytes"
        case _:
            return f" value <{seed}> & 'ünï' 雪 "


def body_of(service: str, operation: str, request: dict[str, Any]) -> bytes:
    model = service_model(service)
    serializer = botocore.serialize.create_serializer(PROTOCOLS[service])
    sent = serializer.serialize_to_request(request, model.operation_model(operation))
    body = sent["body"]
    return body if isinstance(body, bytes) else urlencode(body).encode()


def parsed(service: str, operation: str, reply: Reply) -> dict[str, Any]:
    parser = botocore.parsers.ResponseParserFactory().create_parser(PROTOCOLS[service])
    answer = {"status_code": reply.status, "headers": {}, "body": reply.body}
    shape = service_model(service).operation_model(operation).output_shape
    result: dict[str, Any] = parser.parse(answer, shape)
    return result


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_botocores_request_is_read_whole(service: str, operation: str) -> None:
    shape = service_model(service).operation_model(operation).input_shape
    request = sample(shape, 1) if shape is not None else {}

    assert CODECS[service].parse(operation, body_of(service, operation, request)) == request


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_botocore_reads_our_reply_whole(service: str, operation: str) -> None:
    shape = service_model(service).operation_model(operation).output_shape
    result = sample(shape, 1) if shape is not None else {}

    answer = parsed(service, operation, CODECS[service].render(operation, result, "req-1"))

    answer.pop("ResponseMetadata")
    assert answer == result


@pytest.mark.parametrize("service", CODECS)
def test_every_modelled_error_reaches_the_client_as_itself(service: str) -> None:
    for shape in service_model(service).error_shapes:
        reply = CODECS[service].refuse(ApiError(shape.name, "because <so>"), "req-1")
        answer = parsed(service, service_model(service).operation_names[0], reply)

        assert answer["Error"]["Code"] == shape.error_code
        assert answer["Error"]["Message"] == "because <so>"
        assert reply.status >= 400


@pytest.mark.parametrize("service", CODECS)
def test_members_that_are_none_are_left_out(service: str) -> None:
    operation = {"ecs": "ListClusters", "elbv2": "DescribeRules"}[service]
    key = {"ecs": "nextToken", "elbv2": "NextMarker"}[service]
    listed = {"ecs": "clusterArns", "elbv2": "Rules"}[service]

    answer = parsed(
        service, operation, CODECS[service].render(operation, {key: None, listed: []}, "r")
    )

    assert key not in answer
    assert answer[listed] == []


@pytest.mark.parametrize("service", CODECS)
def test_a_result_that_the_model_lacks_is_a_bug_that_shows(service: str) -> None:
    operation = {"ecs": "ListClusters", "elbv2": "DescribeRules"}[service]
    listed = {"ecs": "clusterArns", "elbv2": "Rules"}[service]
    with pytest.raises(ShapeMismatch, match="nonsense"):
        CODECS[service].render(operation, {"nonsense": 1}, "r")
    with pytest.raises(ShapeMismatch, match=f"{operation}.{listed}"):
        CODECS[service].render(operation, {listed: "not a list"}, "r")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "SerializationException"),
        (b"[]", "SerializationException"),
        (b"[" * 100_000, "SerializationException"),
        (b'{"cluster": 5, "serviceName": "x"}', "SerializationException"),
        (b'{"serviceName": "x", "desiredCount": true}', "SerializationException"),
        (b'{"serviceName": "x", "desiredCount": 1.5}', "SerializationException"),
        (b'{"desiredCount": 2}', "InvalidParameterException"),
        (b'{"serviceName": null}', "InvalidParameterException"),
        (b'{"serviceName": "x", "placementConstraints": {}}', "SerializationException"),
        (b"\xff\xfe", "SerializationException"),
    ],
)
def test_a_bad_json_request_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(ApiError) as refusal:
        CODECS["ecs"].parse("CreateService", body)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"Port=80", "ValidationError"),
        (b"Name=x&Port=eighty", "ValidationError"),
        (b"Name=x&HealthCheckEnabled=maybe", "ValidationError"),
        (b"Name=x&Tags.member.first.Key=a", "MalformedQueryString"),
        (b"Name=x&Tags.member.1.Value=a", "ValidationError"),
        (b"\xff\xfe", "MalformedQueryString"),
        (b"&".join(b"a=1" for _ in range(10_001)), "MalformedQueryString"),
    ],
)
def test_a_bad_query_request_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(ApiError) as refusal:
        CODECS["elbv2"].parse("CreateTargetGroup", body)
    assert refusal.value.code == code


def test_list_items_come_in_the_order_of_their_numbers() -> None:
    fields = "&".join(f"Names.member.{i}=n{i}" for i in (10, 2, 1))
    request = CODECS["elbv2"].parse("DescribeLoadBalancers", fields.encode())
    assert request == {"Names": ["n1", "n2", "n10"]}


def test_an_empty_list_is_told_from_a_missing_one() -> None:
    assert CODECS["elbv2"].parse("DescribeLoadBalancers", b"Names=") == {"Names": []}
    assert CODECS["elbv2"].parse("DescribeLoadBalancers", b"") == {}


def test_unknown_members_of_a_request_are_ignored() -> None:
    body = json.dumps({"fromTheFuture": 1, "include": ["TAGS"]}).encode()
    assert CODECS["ecs"].parse("DescribeClusters", body) == {"include": ["TAGS"]}


@pytest.mark.parametrize(
    ("service", "code"), [("ecs", "UnknownOperationException"), ("elbv2", "InvalidAction")]
)
def test_an_unknown_operation_is_named(service: str, code: str) -> None:
    with pytest.raises(ApiError, match="Frobnicate") as refusal:
        CODECS[service].parse("Frobnicate", b"")
    assert refusal.value.code == code


def test_control_characters_never_break_the_xml() -> None:
    reply = CODECS["elbv2"].refuse(ApiError("ValidationError", "a\x00b\x1b[31mc"), "r")
    assert parsed("elbv2", "DescribeRules", reply)["Error"]["Message"] == "a\ufffdb\ufffd[31mc"
