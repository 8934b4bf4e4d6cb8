"""Stacks that import what others export: which come first, and which keep another."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.operations.stack_exports import exports, imports
from bgconsole.operations.stack_templates import TemplateLoader, templates_in, wanted
from tests.unit.operations.conftest import Desk, MakeDesk
from tests.unit.operations.stack_folder import written
from tests.unit.operations.test_stack_ways_back import DOWN, planned, refused, stack
from tests.unit.operations.test_up import ADD, Crew

NETWORK = """
Description: The network (stack znet).
Resources: {Vpc: {Type: "AWS::EC2::VPC"}}
Outputs:
  VpcId: {Value: !Ref Vpc, Export: {Name: !Sub "${AWS::StackName}-VpcId"}}
"""
SITE = """
Description: The site (stack asite).
Parameters:
  Network: {Type: String, Default: znet}
Resources:
  Group: {Type: "AWS::EC2::SecurityGroup", Properties: {VpcId: {"Fn::ImportValue": %s}}}
Outputs:
  LoadBalancerUrl: {Value: "http://site.example"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "cfn"
    made.mkdir()
    (made / "znet.yml").write_text(NETWORK)
    (made / "asite.yml").write_text(SITE % '!Sub "${Network}-VpcId"')
    return made


@pytest.fixture
def crew(desk: MakeDesk, folder: Path) -> Crew:
    world = ScriptedWorld()
    world.drafts = {"znet": (ADD,), "asite": (ADD,)}
    return Crew(desk(world), folder)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", "plain"),
        ('!Sub "${AWS::StackName}-VpcId"', "one-VpcId"),
        ('!Sub ["${N}-VpcId", {N: !Ref Given}]', "net-VpcId"),
        ('!Join ["-", [!Ref Given, !Ref "AWS::Region", VpcId]]', "net-${AWS::Region}-VpcId"),
        ('!Sub "${AWS::Region}-${!Literal}-${ Given }"', "${AWS::Region}-${Literal}-net"),
        ("!Ref Asked", "${one.Asked}"),
    ],
)
def test_a_name_is_read_as_far_as_the_text_tells(name: str, expected: str) -> None:
    text = (
        "Parameters: {Given: {Default: net}, Asked: {Type: String}}\n"
        f"Resources: {{A: {{Properties: {{X: [{{'Fn::ImportValue': {name}}}]}}}}}}\n"
        f"Outputs: {{O: {{Value: 1, Export: {{Name: {name}}}}}, P: {{Value: 2}}}}\n"
    )
    tree = yaml.load(text, TemplateLoader)
    assert exports(tree, "one") == imports(tree, "one") == {expected}


def test_a_name_that_is_made_otherwise_is_left_out() -> None:
    text = "Resources: {A: {X: {'Fn::ImportValue': !Select [0, [a, b]]}}}"
    assert imports(yaml.load(text, TemplateLoader), "one") == frozenset()


def test_what_exports_comes_first_and_is_brought_along(folder: Path) -> None:
    templates = templates_in(folder)
    assert [template.stack for template in templates] == ["znet", "asite"]
    chosen = wanted(templates, ())
    assert [t.stack for t in chosen if not isinstance(t, str)] == ["znet", "asite"]
    (folder / "asite.yml").write_text(SITE % "other-VpcId")
    assert [template.stack for template in templates_in(folder)] == ["asite", "znet"]


def test_what_imports_is_drafted_once_what_exports_is_there(crew: Crew) -> None:
    proposal = crew.planned()
    assert [stack for stack, _ in proposal.evidence.drafts] == ["znet"]  # type: ignore[union-attr]
    assert crew.desk.run(proposal).ok
    assert [s for name, s in crew.writes() if name == "execute"] == ["znet", "asite"]
    crew.world.drafts = {"asite": (ADD,)}
    proposal = crew.planned()
    assert [stack for stack, _ in proposal.evidence.drafts] == [  # type: ignore[union-attr]
        "znet",
        "asite",
    ]


def test_what_is_imported_keeps_its_stack(crew: Crew) -> None:
    somebody: Desk = crew.desk
    for name in ("znet", "asite"):
        stack(somebody.world, name)
    assert "asite uses what it made" in refused(somebody, DOWN, "znet").reason
    assert somebody.run(planned(somebody, DOWN)).ok
    assert somebody.world.stacks == {}


def test_templates_without_exports_are_in_the_order_that_feeds_them(tmp_path: Path) -> None:
    assert all(not template.after for template in templates_in(written(tmp_path)))
