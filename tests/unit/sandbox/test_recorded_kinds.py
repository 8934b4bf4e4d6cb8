"""Types that are state only: their properties are CloudFormation's, and are checked."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.formation.api import ResourceFailure
from bgconsole.sandbox.formation.recorded import Record, Records, recorded_types
from bgconsole.sandbox.formation.recorded_kinds import KINDS
from bgconsole.sandbox.recorded_reads import RecordedReads
from bgconsole.sandbox.scope import DEMO_SCOPE
from tests.values import NOW

TOOLS = Path(__file__).parents[3] / ".venv-tools" / "bin" / "python"
DUMP = """
import json, sys
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as schemas
print(json.dumps({t: schemas.get_resource_schema("us-east-1", t).schema for t in sys.argv[1:]}))
"""
NAMES = [kind.name for kind in KINDS]


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    if not TOOLS.is_file():
        pytest.skip("cfn-lint is not installed (make check does it): no schemas to compare with")
    told = subprocess.run(
        [TOOLS, "-c", DUMP, *NAMES], capture_output=True, text=True, timeout=60, check=True
    )
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def names(schema: dict[str, Any], part: str) -> set[str]:
    """The property names of one of a schema's lists of pointers, nested ones left out."""
    pointers = (path.removeprefix("/properties/") for path in schema.get(part, ()))
    return {pointer for pointer in pointers if "/" not in pointer}


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_the_table_is_what_the_schema_says(kind: Any, schemas: dict[str, Any]) -> None:
    schema = schemas[kind.name]
    given = {
        k: v
        for k, v in schema["properties"].items()
        if k not in names(schema, "readOnlyProperties")
    }
    assert set(kind.properties) == set(given)
    assert set(kind.required) == set(schema.get("required", ()))
    assert set(kind.create_only) == names(schema, "createOnlyProperties")
    for name, told in given.items():
        wanted = told.get("type", "object")
        assert kind.properties[name] == wanted, name
        if name in kind.enums:
            assert set(kind.enums[name]) == set(told["enum"])


@pytest.mark.parametrize(
    ("kind", "properties", "words"),
    [
        ("AWS::EC2::FlowLog", {"ResourceId": "vpc-1"}, r"required key \[ResourceType\] not found"),
        ("AWS::EC2::EIP", {"Domian": "vpc"}, r"extraneous key \[Domian\] is not permitted"),
        ("AWS::EC2::NatGateway", {"Tags": "no list"}, "/Tags: expected type: array"),
        ("AWS::EC2::NatGateway", {"ConnectivityType": "open"}, "not a valid enum value"),
        (
            "AWS::EC2::SecurityGroupEgress",
            {"GroupId": "sg-1", "IpProtocol": "tcp", "FromPort": "http"},
            "/FromPort: expected type: integer",
        ),
    ],
)
def test_what_the_schema_refuses_fails_the_resource(
    kind: str, properties: dict[str, Any], words: str
) -> None:
    types = {each.name: each for each in recorded_types(Records(lambda: NOW))}
    with pytest.raises(ResourceFailure, match=words):
        types[kind].create(DEMO_SCOPE, "stack", "Thing", properties)


def test_what_was_made_is_remembered_changed_and_forgotten() -> None:
    records = Records(lambda: NOW)
    types = {each.name: each for each in recorded_types(records)}
    kind = types["AWS::ApplicationAutoScaling::ScalableTarget"]
    properties = {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceId": "service/cluster/web",
        "MinCapacity": "2",
        "MaxCapacity": "8",
    }
    made = kind.create(DEMO_SCOPE, "stack", "Target", properties)
    assert made.physical_id == "service/cluster/web|ecs:service:DesiredCount|ecs"
    assert list(records.of(DEMO_SCOPE, kind.name)) == [(made.physical_id, Record(properties, NOW))]
    more = properties | {"MaxCapacity": "9"}
    kind.update(DEMO_SCOPE, made.physical_id, properties, more)
    assert [r.properties["MaxCapacity"] for _, r in records.of(DEMO_SCOPE, kind.name)] == ["9"]
    asked = {"ServiceNamespace": "ecs", "ResourceIds": ["service/cluster/web"]}
    reads = RecordedReads(records)
    told = reads.handle(DEMO_SCOPE, "application-autoscaling", "DescribeScalableTargets", asked)
    assert [(t["MinCapacity"], t["MaxCapacity"]) for t in told["ScalableTargets"]] == [(2, 9)]
    asked = {"ServiceNamespace": "ecs", "ResourceIds": ["service/cluster/other"]}
    told = reads.handle(DEMO_SCOPE, "application-autoscaling", "DescribeScalableTargets", asked)
    assert told == {"ScalableTargets": []}
    kind.delete(DEMO_SCOPE, made.physical_id, more)
    assert list(records.of(DEMO_SCOPE, kind.name)) == []


def test_the_document_marks_each_as_state_only() -> None:
    text = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text()
    (paragraph,) = (part for part in text.split("\n\n") if part.startswith("State only"))
    assert sorted(re.findall("`(AWS::[^`]+)`", paragraph)) == sorted(NAMES)


def test_a_pipeline_shows_its_stages_and_that_nothing_ran() -> None:
    records = Records(lambda: NOW)
    types = {each.name: each for each in recorded_types(records)}
    stages = [
        {"Name": "Source", "Actions": [{"Name": "GitHub"}]},
        {"Name": "Deploy", "Actions": [{"Name": "Service"}]},
    ]
    pipeline = types["AWS::CodePipeline::Pipeline"]
    pipeline.create(DEMO_SCOPE, "stack", "It", {"Name": "demo", "Stages": stages, "RoleArn": "r"})
    reads = RecordedReads(records)

    def ask(operation: str, **request: str) -> dict[str, Any]:
        return reads.handle(DEMO_SCOPE, "codepipeline", operation, request)

    assert [p["name"] for p in ask("ListPipelines")["pipelines"]] == ["demo"]
    state = ask("GetPipelineState", name="demo")
    assert [s["stageName"] for s in state["stageStates"]] == ["Source", "Deploy"]
    assert ask("ListPipelineExecutions", pipelineName="demo") == {"pipelineExecutionSummaries": []}
    with pytest.raises(ApiError, match="PipelineNotFoundException"):
        ask("ListPipelineExecutions", pipelineName="other")
    with pytest.raises(ApiError, match="StartPipelineExecution"):
        ask("StartPipelineExecution", name="demo")
