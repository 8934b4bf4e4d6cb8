"""No key of the table is dead: each is bound by a screen, a pane, a widget or the app."""

from __future__ import annotations

import importlib
import pkgutil

from textual.binding import Binding
from textual.dom import DOMNode

import bgconsole.ui
from bgconsole.config.keymap import KEYMAP


def bound() -> set[str]:
    """The ids of every binding that a class under bgconsole.ui declares."""
    for module in pkgutil.walk_packages(bgconsole.ui.__path__, "bgconsole.ui."):
        importlib.import_module(module.name)
    found, classes = set(), [DOMNode]
    while classes:
        kind = classes.pop()
        classes += kind.__subclasses__()
        if kind.__module__.startswith("bgconsole.ui."):
            declared = kind.__dict__.get("BINDINGS", ())
            found |= {each.id for each in declared if isinstance(each, Binding) and each.id}
    return found


def test_every_key_that_reads_does_something() -> None:
    """Writes are bound from the catalogue, which `test_keymap` compares with the table."""
    reads = {key.id for key in KEYMAP.values() if key.kind == "read"}
    assert reads <= bound(), f"bound nowhere: {reads - bound()}"
