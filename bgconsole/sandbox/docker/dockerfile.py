"""A Dockerfile as the classic builder reads it: instructions, their flags, variables in them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

WORDS = {
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
}  # fmt: skip
_DIRECTIVE = re.compile(r"#\s*escape\s*=\s*(\S)\s*$", re.IGNORECASE)
_VARIABLE = re.compile(r"\\\$|\$(?:(\w+)|\{(\w+)(?:(:[-+])([^}]*))?\})")
_HEREDOC = re.compile(r"<<-?[\"']?\w")


class BadDockerfile(Exception):
    """It cannot be read; the text is what an engine says."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its lines joined."""

    word: str
    """In capitals."""
    flags: Mapping[str, str]
    """`--from=build` is `from`: `build`."""
    rest: str
    """What stands behind word and flags."""
    text: str
    """All of it, as the build shows it."""

    @property
    def words(self) -> list[str]:
        """The rest as a list: of a JSON array its strings, else split at blanks."""
        return self.array or self.rest.split()

    @property
    def array(self) -> list[str] | None:
        """The strings of a JSON array; `None` where the rest is none."""
        if not self.rest.startswith("["):
            return None
        try:
            listed = json.loads(self.rest)
        except ValueError:
            return None
        return [str(each) for each in listed] if isinstance(listed, list) else None


def parse(text: str) -> tuple[Instruction, ...]:
    """The instructions of a Dockerfile.

    Raises:
        BadDockerfile: an instruction is unknown, one comes before FROM, or there is none.
    """
    instructions: list[Instruction] = []
    lines = text.splitlines()
    escape = _escape(lines)
    number = 0
    while number < len(lines):
        first = number
        joined, number = _logical_line(lines, number, escape)
        if joined:
            instructions.append(_instruction(joined, first + 1))
    if not instructions:
        raise BadDockerfile("dockerfile parse error: file with no instructions")
    if next((i.word for i in instructions if i.word != "ARG"), "") != "FROM":
        raise BadDockerfile("dockerfile parse error: no build stage in current context")
    return tuple(instructions)


def expanded(text: str, variables: Mapping[str, str]) -> str:
    r"""`$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:+other}` filled in; `\$` stays a dollar."""

    def value(match: re.Match[str]) -> str:
        plain, braced, operator, word = match.groups()
        if plain is None and braced is None:
            return "$"
        found = variables.get(plain or braced, "")
        if operator == ":-":
            return found or word
        if operator == ":+":
            return word if found else ""
        return found

    return _VARIABLE.sub(value, text)


def pairs(rest: str) -> dict[str, str]:
    """`A=1 B="two words"`, or the old `A one and more`.

    Raises:
        BadDockerfile: a quote is not closed.
    """
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise BadDockerfile(f"dockerfile parse error: {error}") from None
    if words and "=" not in words[0]:
        name, _, value = rest.partition(" ")
        return {name: value.strip()}
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def _escape(lines: list[str]) -> str:
    for line in lines:
        if not line.startswith("#"):
            break
        if found := _DIRECTIVE.match(line):
            return found[1]
    return "\\"


def _logical_line(lines: list[str], number: int, escape: str) -> tuple[str, int]:
    parts: list[str] = []
    while number < len(lines):
        line = lines[number].rstrip() if parts else lines[number].strip()
        number += 1
        if line.lstrip().startswith("#") or (parts and not line):
            continue
        if not line.endswith(escape):
            parts.append(line)
            break
        parts.append(line.removesuffix(escape))
    return "".join(parts), number


def _instruction(joined: str, line: int) -> Instruction:
    word, _, rest = joined.partition(" ")
    word, rest = word.upper(), rest.strip()
    if word not in WORDS:
        raise BadDockerfile(f"dockerfile parse error line {line}: unknown instruction: {word}")
    flags = {}
    text = f"{word} {rest}"
    while rest.startswith("--") and word in ("ADD", "COPY", "FROM", "HEALTHCHECK", "RUN"):
        flag, _, rest = rest.partition(" ")
        name, _, value = flag.removeprefix("--").partition("=")
        flags[name] = value
        rest = rest.strip()
    if word in ("RUN", "COPY", "ADD") and _HEREDOC.search(rest):
        raise BadDockerfile(
            f"dockerfile parse error line {line}: a here-document needs BuildKit, "
            "which this engine has not"
        )
    if not rest and word not in ("HEALTHCHECK", "CMD"):
        raise BadDockerfile(
            f"dockerfile parse error line {line}: {word} requires at least one argument"
        )
    return Instruction(word, flags, rest, text)
