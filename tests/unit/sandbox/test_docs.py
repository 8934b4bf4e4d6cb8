"""docs/sandbox.md says what the code does: scenarios, operations, and a test for each behaviour."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from click.testing import CliRunner

from bgconsole.sandbox.command import sandbox
from bgconsole.sandbox.scenarios import SCENARIOS
from tests.unit.sandbox.story import Story

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "sandbox.md"


def section(name: str) -> str:
    text = PAGE.read_text("utf-8")
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- end of {name} -->", text, re.DOTALL)
    assert found, f"docs/sandbox.md has no section {name}"
    return found[1]


def scenario_table() -> str:
    rows = ["| scenario | value | what happens |", "| --- | --- | --- |"]
    for scenario in SCENARIOS:
        default = f" ({scenario.default})" if scenario.default else ""
        value = scenario.takes + default
        rows.append(f"| `{scenario.name}` | {value} | {scenario.summary} |")
    return "\n".join(rows) + "\n"


def operation_list() -> str:
    world = Story().world
    lines = []
    for title, operations in (
        ("Amazon ECS", world.ecs.operations),
        ("Elastic Load Balancing v2", world.elbv2.operations),
    ):
        lines.append(f"{title}: {', '.join(f'`{name}`' for name in sorted(operations))}.\n")
    return "\n".join(lines)


def test_every_scenario_is_listed() -> None:
    assert section("scenarios") == scenario_table()


def test_help_names_every_scenario_and_what_it_takes() -> None:
    told = CliRunner().invoke(sandbox, ["--help"], terminal_width=200).output
    words = " ".join(told.split())
    for scenario in SCENARIOS:
        assert f" {scenario.usage} {scenario.summary}" in words


def test_every_operation_is_listed() -> None:
    assert section("operations") == operation_list()


def test_every_behaviour_names_a_test_that_is_there_or_says_that_it_is_not() -> None:
    known = {
        f"{path.stem}::{node.name}"
        for path in HERE.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    rows = [line.strip("|\n ").split(" | ") for line in section("behaviours").splitlines()[2:]]
    assert len(rows) > 40
    for _, shown in rows:
        if not shown.startswith("not yet"):
            assert shown.strip("`") in known, f"{shown} is not there"
