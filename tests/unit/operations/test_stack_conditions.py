"""Which resources would stand: conditions by the values that are known."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bgconsole.domain.artifacts import Bucket, Held
from bgconsole.operations.stack_conditions import Values, handed_on, standing, with_defaults
from bgconsole.operations.stack_package import packaged
from bgconsole.operations.stack_templates import TemplateLoader, template_of

CFN = Path(__file__).parents[3] / "cfn"
TEXT = """
Parameters:
  Size: {Default: 2}
  Logs: {Default: true}
  Subnets: {Default: "a,b"}
  Asked: {Type: String}
Conditions:
  Other: !Equals [!Ref Size, 2]
  It: %s
Resources:
  Always: {Type: A}
  Maybe: {Type: B, Condition: It}
"""


@pytest.mark.parametrize(
    ("condition", "given", "stands"),
    [
        ('!Equals [!Ref Size, "2"]', {}, True),
        ("!Equals [!Ref Size, 2]", {"Size": "3"}, False),
        ('!Equals [!Ref Logs, "true"]', {}, True),
        ("!Not [!Condition Other]", {}, False),
        ("!And [!Condition Other, !Equals [!Ref Logs, false]]", {}, False),
        ("!Or [!Not [!Condition Other], !Equals [!Ref Logs, true]]", {}, True),
        ("!Or [!Not [!Condition Other], !Equals [!Ref Logs, false]]", {}, False),
        ('!Equals [!Join ["", !Ref Subnets], ""]', {}, False),
        ('!Equals [!Join ["", !Ref Subnets], ""]', {"Subnets": ""}, True),
        ('!Equals [!Join ["-", [x, !Ref Size]], "x-2"]', {}, True),
        ("!Equals [!If [Other, left, right], right]", {}, False),
        # What is not known may be so; what is known decides where it can.
        ("!Equals [!Ref Asked, x]", {}, True),
        ("!Not [!Equals [!Ref Asked, x]]", {}, True),
        ("!And [!Equals [!Ref Asked, x], !Not [!Condition Other]]", {}, False),
        ("!Or [!Equals [!Ref Asked, x], !Not [!Condition Other]]", {}, True),
        ('!Equals [!Join ["", [!Ref Asked]], ""]', {}, True),
        ("!Equals [!If [Gone, a, b], c]", {}, True),
        ("!Equals [!Select [0, [a]], b]", {}, True),
        ("!Condition It", {}, True),
        ("!Sub text", {}, True),
    ],
)
def test_a_resource_stands_unless_its_condition_is_surely_false(
    condition: str, given: Values, stands: bool
) -> None:
    tree = yaml.load(TEXT % condition, TemplateLoader)
    found = standing(tree, with_defaults(tree, given))
    assert found == ({"Always": "A", "Maybe": "B"} if stands else {"Always": "A"})


def test_a_nested_stack_gets_what_is_handed_on_and_not_its_default() -> None:
    tree = yaml.load(
        "Parameters: {Size: {Default: 2}}\nResources: {A: {Properties: {Parameters: "
        "{Given: !Ref Size, Made: !GetAtt B.Outputs.C}}}}",
        TemplateLoader,
    )
    given = handed_on(tree, "A", with_defaults(tree, {}))
    assert given == {"Given": "2", "Made": None}
    inner = {"Parameters": {"Made": {"Default": "x"}, "Own": {"Default": "y"}}}
    assert with_defaults(inner, given) == {"Given": "2", "Made": None, "Own": "y"}


@pytest.mark.parametrize(
    ("given", "gateways", "services"),
    [
        ({}, 1, 0),
        ({"Egress": "nat-per-zone", "DockerImage": "web:1"}, 2, 1),
        ({"Egress": "endpoints"}, 0, 0),
    ],
)
def test_the_product_s_own_are_counted_by_what_is_asked_for(
    given: Values, gateways: int, services: int
) -> None:
    template = template_of(CFN / "main.yml")
    values = with_defaults(template.tree, given)
    held = Held(Bucket("b", "1"))
    _, package = packaged(CFN, template, held, "{}/{}".format, values)
    stands = standing(template.tree, values)
    kinds = [kind for name in stands for kind in package.kinds[name]]
    assert kinds.count("AWS::EC2::NatGateway") == gateways
    assert kinds.count("AWS::ECS::Service") == services
