"""Writes the tables of keys and of sub-commands into README.md, from the tables of the program.

`python scripts/readme.py`; a test tells when it must be run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from bgconsole.config.keymap import KEYMAP, Key, shown
from bgconsole.main import command_line

FILE = Path(__file__).parents[1] / "README.md"


def keys() -> str:
    """Every key: what reads first, then what writes."""
    rows = [key for kind in ("read", "write") for key in KEYMAP.values() if key.kind == kind]
    return "\n".join(("| key | does |", "|---|---|", *(_key_row(key) for key in rows)))


def commands() -> str:
    """Every sub-command with the first sentence of its help."""
    group = command_line()
    first = "Open the console on the profile and region that the AWS CLI would use."
    rows = [("bgconsole", first)]
    for name, command in sorted(group.commands.items()):
        sentence, _, _ = (command.help or "").partition("\n\n")
        rows.append((f"bgconsole {name}", " ".join(sentence.split())))
    return "\n".join(
        ("| command | does |", "|---|---|", *(f"| `{name}` | {does} |" for name, does in rows))
    )


def _key_row(key: Key) -> str:
    names = " ".join(f"`{shown(name)}`" for name in key.keys)
    return f"| {names} | {key.help} |"


BLOCKS: Mapping[str, Callable[[], str]] = {"keys": keys, "commands": commands}


def renewed(text: str) -> str:
    """The text with every block between `<!-- name -->` and `<!-- end of name -->` made anew."""
    for name, make in BLOCKS.items():
        between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        made = make() + "\n"
        text, count = between.subn(lambda found, made=made: found[1] + made + found[2], text)
        if count != 1:
            raise ValueError(f"README.md has {count} blocks named {name}")
    return text


if __name__ == "__main__":
    FILE.write_text(renewed(FILE.read_text("utf-8")), "utf-8")
