"""A settings file read with the place of everything in it, so that an error can point at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bgconsole.domain.errors import ConfigurationError
from bgconsole.domain.plain import plain

_KINDS = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:bool": "yes or no",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:timestamp": "a date",
    "tag:yaml.org,2002:map": "a mapping",
    "tag:yaml.org,2002:seq": "a list",
}
_TRUE = frozenset({"true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class Item:
    """A value in a file, and where it stands."""

    node: Node
    file: Path

    @property
    def place(self) -> str:
        """`config.yml:3:9`: file, line and column, from 1."""
        mark = self.node.start_mark
        return f"{self.file}:{mark.line + 1}:{mark.column + 1}" if mark else str(self.file)

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return _KINDS.get(self.node.tag, f"of the unknown kind {plain(self.node.tag)}")

    def wrong(self, problem: str, hint: str = "") -> ConfigurationError:
        """The error that says what is wrong here."""
        return ConfigurationError("The configuration is wrong", f"{self.place}: {problem}", hint)

    def text(self, name: str) -> str:
        """The value as text.

        Raises:
            ConfigurationError: it is something else, or empty.
        """
        if not isinstance(self.node, ScalarNode) or self.kind != "text" or not self.node.value:
            hint = "Write it in quotes" if self.kind in ("a number", "yes or no", "a date") else ""
            raise self.wrong(f"{name} must be text, and is {self._shown}", hint)
        return str(self.node.value)

    def yes(self, name: str) -> bool:
        """The value as true or false.

        Raises:
            ConfigurationError: it is something else.
        """
        if not isinstance(self.node, ScalarNode) or self.kind != "yes or no":
            raise self.wrong(f"{name} must be true or false, and is {self._shown}")
        return str(self.node.value).lower() in _TRUE

    def number(self, name: str) -> float:
        """The value as a number.

        Raises:
            ConfigurationError: it is something else.
        """
        if isinstance(self.node, ScalarNode) and self.kind == "a number":
            try:
                return float(str(self.node.value).replace("_", ""))
            except ValueError:  # 0x10, 1:30, .inf: numbers of YAML that nobody means
                pass
        raise self.wrong(f"{name} must be a number, and is {self._shown}")

    def items(self, name: str) -> tuple[Item, ...]:
        """The values of a list.

        Raises:
            ConfigurationError: it is no list.
        """
        if not isinstance(self.node, SequenceNode):
            raise self.wrong(f"{name} must be a list, and is {self._shown}")
        return tuple(Item(node, self.file) for node in self.node.value)

    def entries(self, name: str) -> Iterator[tuple[str, Item, Item]]:
        """The keys of a mapping, each as text and as an item, with the values.

        Raises:
            ConfigurationError: it is no mapping, or has a key twice, or one that is not text.
        """
        if not isinstance(self.node, MappingNode):
            raise self.wrong(f"{name} must be a mapping (name: value), and is {self._shown}")
        seen: dict[str, Item] = {}
        for key_node, node in self.node.value:
            key = Item(key_node, self.file)
            if not isinstance(key_node, ScalarNode):
                raise key.wrong(f"a name in {name} must be text, and is {key.kind}")
            text = str(key_node.value)
            if first := seen.get(text):
                raise key.wrong(f"{plain(text)} stands here twice; first at {first.place}")
            seen[text] = key
            yield text, key, Item(node, self.file)

    @property
    def _shown(self) -> str:
        if isinstance(self.node, ScalarNode) and self.kind != "nothing":
            value = plain(str(self.node.value), limit=40)
            return f"{value!r} ({self.kind})" if value else "empty"
        return self.kind


def read_yaml(file: Path) -> Item | None:
    """The only document of a file; None where there is no such file, or nothing in it.

    Raises:
        ConfigurationError: it cannot be read, or is no YAML.
    """
    title = "The configuration cannot be read"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            title, f"{file}: not UTF-8 text (byte {error.start + 1})"
        ) from None
    except OSError as error:
        raise ConfigurationError(title, f"{file}: {error.strerror}") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        problem = error.problem or error.context or "no YAML"
        if "'\\t'" in problem:
            problem = "a tab stands where YAML wants spaces"
        raise ConfigurationError(title, f"{place}: {problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(title, f"{file}: {plain(str(error))}") from None
    if node is None or node.tag == "tag:yaml.org,2002:null":
        return None
    return Item(node, file)
