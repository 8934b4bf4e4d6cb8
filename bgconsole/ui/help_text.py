"""The help page, made from the same tables as the bindings."""

from __future__ import annotations

from collections.abc import Iterable

from bgconsole.config.keymap import Group, Keymap, shown
from bgconsole.operations.spec import No, Operation, Risk
from bgconsole.ui.facts import Fact, Facts
from bgconsole.ui.keys import keys_of

_HEADS: dict[Group, str] = {
    "panes": "panes",
    "move": "moving",
    "look": "looking",
    "console": "the console",
}
_ASKS = {
    Risk.SAFE: "does not ask",
    Risk.DISRUPTIVE: "asks yes or no",
    Risk.DANGEROUS: "wants what is at stake typed",
}


def facts(
    keymap: Keymap,
    operations: Iterable[tuple[Operation, No | None]],
    risk_of: dict[str, Risk],
    *,
    read_only: bool,
    of_marked: tuple[Operation, ...] = (),
) -> Facts:
    """Every key and what it does: what changes the world first, apart from what only looks.

    `of_marked` are the operations that a list of services has for those that are marked.
    """
    told = [Fact("", "changing the world", head=True)]
    count = len(told)
    for operation, no in operations:
        keys = " ".join(shown(key) for key in keys_of(keymap, operation))
        asks = _ASKS[risk_of.get(operation.id, operation.risk)]
        told.append(Fact(keys, f"{operation.title}: {operation.help} ({asks})"))
        if no is not None:
            told.append(Fact("", f"not now: {no.reason}"))
    marking = " ".join(shown(key) for key in keymap["mark"].keys)
    for operation in of_marked:
        keys = " ".join(shown(key) for key in keys_of(keymap, operation))
        told.append(
            Fact(keys, f"{operation.title}, all services marked with {marking}: {operation.help}")
        )
    if of_marked:
        told.append(Fact("", "the other keys that write are for one service: open it with enter"))
    if len(told) == count:
        why = "this console is read-only" if read_only else "nothing can be changed here"
        told.append(Fact("", f"{why}: the keys that write are not bound"))
    for group, head in _HEADS.items():
        told.append(Fact("", head, head=True))
        told += [
            Fact(" ".join(shown(name) for name in key.keys), key.help)
            for key in keymap.values()
            if key.group == group and key.kind == "read"
        ]
    return tuple(told)
