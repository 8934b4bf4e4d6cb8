"""The page of the documentation that tells every setting and key: made from their own words.

`python -m bgconsole.config.document > docs/configuration.md`
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby

from bgconsole.config.keymap import KEYMAP, Key, shown
from bgconsole.config.options import OPTIONS, Option

_HEAD = """\
# Configuration

<!-- Made from bgconsole/config by `python -m bgconsole.config.document`; do not edit. -->

Nothing needs to be configured. What is, is read from, later beats earlier:

1. your file, `~/.config/bgconsole/config.yml` (`$XDG_CONFIG_HOME` is honoured),
2. the project's file, `bgconsole.yml` in the folder where `bgconsole` is started,
3. the section of the profile in use, under `profiles:` of either file,
4. environment variables,
5. flags.

`BGCONSOLE_CONFIG=FILE` reads that file alone in place of 1 and 2 (`/dev/null`: none).

Mappings (`risk`, `keys`) are joined entry by entry, everything else is replaced. `bgconsole config`
prints what is in force and where each setting was said. A mistake is told with file, line and
column, and nothing is started.

```yaml
profile: staging
cluster: democluster-cluster
risk:
  service.force-redeploy: dangerous
profiles:
  prod:
    operate: ['democluster-cluster/*']
  audit:
    read_only: true
```

In variables a list is written with commas (`BGCONSOLE_OPERATE='a/*,b/*'`), a mapping as `id=value`
with commas (`BGCONSOLE_RISK=service.rollback=dangerous`).
"""
_GROUPS = {
    "panes": "Panes",
    "move": "Moving",
    "look": "Looking",
    "change": "Changing the world",
    "console": "The console",
}


def document() -> str:
    """The whole page, as Markdown."""
    return "\n".join((_HEAD, "## Settings", *_settings(), *_keys())) + "\n"


def _settings() -> Iterator[str]:
    for option in OPTIONS.values():
        yield f"\n### `{option.name}`\n"
        yield f"{option.help}\n"
        yield f"Default: {option.default}. {_where(option)}\n"
        yield f"```yaml\n{option.example}\n```"


def _where(option: Option) -> str:
    told = [f"Variable: `{option.variable}`."]
    if option.flag:
        told.append(f"Flag: `{option.flag}`.")
    if option.of_profile:
        told.append("May stand under a profile.")
    return " ".join(told)


def _keys() -> Iterator[str]:
    yield "\n## Keys\n"
    yield "The ids are those of the setting `keys` and, for operations, of `risk`.\n"
    yield "Keys that write are shifted letters (`G` and `N` only move); read-only unbinds them."
    for group, keys in groupby(KEYMAP.values(), key=lambda key: key.group):
        yield f"\n### {_GROUPS[group]}\n"
        yield "| key | does | id |"
        yield "|---|---|---|"
        yield from (_row(key) for key in keys)


def _row(key: Key) -> str:
    names = " ".join(f"`{shown(name)}`" for name in key.keys)
    return f"| {names} | {key.help} | `{key.id}` |"


if __name__ == "__main__":
    sys.stdout.write(document())
