"""What the documents say is so: keys, sub-commands, command lines, links, exit codes."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from bgconsole.domain import errors
from bgconsole.main import command_line

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCUMENTS = (README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))


def script() -> ModuleType:
    """`scripts/readme.py`, which is no module of the package."""
    made = importlib.util.spec_from_file_location("readme", ROOT / "scripts" / "readme.py")
    assert made and made.loader
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


def test_tables_of_keys_and_commands_are_the_programs() -> None:
    text = README.read_text("utf-8")
    assert script().renewed(text) == text, "run: python scripts/readme.py"


def test_every_exit_code_is_told() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", README.read_text("utf-8"), re.M)}
    raised = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.BgconsoleError)
    }
    assert raised | {0, 2, 70, 130} <= told


def links() -> Iterator[tuple[Path, str]]:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text("utf-8")):
            if "://" not in target:
                yield document, target


@pytest.mark.parametrize(
    ("document", "target"), links(), ids=lambda part: getattr(part, "name", part)
)
def test_every_linked_file_is_there(document: Path, target: str) -> None:
    assert (document.parent / target).exists()


def shown_commands() -> list[str]:
    """Every `bgconsole …` in a block of code or between back-ticks, as it would be typed."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        for block in re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S):
            lines = (line.removeprefix("$ ") for line in block.splitlines())
            found += [line for line in lines if line.startswith("bgconsole ")]
        prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        found += re.findall(r"`(bgconsole [^`]+)`", prose)
    return sorted(dict.fromkeys(found))


@pytest.mark.parametrize("line", shown_commands())
def test_every_command_shown_is_understood(line: str) -> None:
    words = re.split(r"\s{3,}|\s[#|>]\s|\s&&\s", line)[0]
    _, *arguments = shlex.split(words)
    if "COMMAND" in arguments:
        arguments[arguments.index("COMMAND")] = "status"
    understood(command_line(), "bgconsole", arguments)


def understood(command: click.Command, name: str, arguments: list[str], parent=None) -> None:  # type: ignore[no-untyped-def]
    """Parse and run nothing; asking for help or the version is understood too."""
    try:
        context = command.make_context(name, list(arguments), parent=parent)
    except click.exceptions.Exit as asked:
        assert asked.exit_code == 0
        return
    rest = [*context._protected_args, *context.args]
    if isinstance(command, click.Group) and rest:
        sub_name, sub_command, left = command.resolve_command(context, rest)
        assert sub_command is not None
        understood(sub_command, str(sub_name), left, context)


def test_a_wrong_command_is_noticed() -> None:
    with pytest.raises(click.UsageError):
        understood(command_line(), "bgconsole", ["statsu"])
    with pytest.raises(click.UsageError):
        understood(command_line(), "bgconsole", ["status", "--jsn"])
