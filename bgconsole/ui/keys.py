"""Textual's bindings, made from the one table of keys; no screen names a key of its own.

Classes bind the table's default keys under the table's ids, and `wishes` lays the user's keys over
them. Textual drops a binding in silence when a wish lands on a key that another id holds (8.2.8);
the configuration refuses such a keymap before it comes here.
"""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import Binding

from bgconsole.config.keymap import KEYMAP, Keymap
from bgconsole.operations.spec import Operation


def read(keymap: Keymap, key_id: str, action: str, *, footer: bool | None = None) -> list[Binding]:
    """The binding of one action of the table, for a class's `BINDINGS`."""
    key = keymap[key_id]
    return [
        Binding(
            ",".join(key.keys),
            action,
            key.words,
            show=key.footer if footer is None else footer,
            key_display=key.shown,
            tooltip=key.help,
            id=key.id,
        )
    ]


def wishes(keymap: Keymap) -> Mapping[str, str]:
    """What differs from the default keys, for `App.set_keymap`."""
    return {
        key_id: ",".join(key.keys)
        for key_id, key in keymap.items()
        if key_id in KEYMAP and KEYMAP[key_id].keys != key.keys
    }


def keys_of(keymap: Keymap, operation: Operation) -> tuple[str, ...]:
    """The keys that open an operation's dialog, in Textual's names."""
    key = keymap.get(operation.id)
    return key.keys if key is not None else tuple(filter(None, (operation.key,)))


def words_of(keymap: Keymap, operation: Operation) -> str:
    """What the footer calls an operation."""
    key = keymap.get(operation.id)
    return key.words if key is not None else operation.footer or operation.title
