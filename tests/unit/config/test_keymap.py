"""The table of keys: reads lower case, writes shifted, one key one meaning."""

from __future__ import annotations

import pytest

from bgconsole.config.keymap import KEYMAP, Key, Keymap, key_name, shown
from bgconsole.operations.catalog import OPERATIONS

SHIFTED_READS = {"G", "N"}
"""They go the other way of their lower-case twins."""


def letters(kind: str) -> set[str]:
    return {
        name
        for key in KEYMAP.values()
        if key.kind == kind
        for name in key.keys
        if len(name) == 1 and name.isalpha()
    }


def test_one_key_has_one_meaning() -> None:
    assert KEYMAP.clashes() == ()


def test_reads_are_lower_case() -> None:
    assert {name for name in letters("read") if name.isupper()} == SHIFTED_READS
    assert {name.lower() for name in SHIFTED_READS} <= letters("read")


def test_writes_are_shifted_and_their_twins_unbound() -> None:
    bound = {name for key in KEYMAP.values() for name in key.keys}
    for key in KEYMAP.values():
        if key.kind == "write":
            assert all(len(name) == 1 and name.isupper() for name in key.keys)
            assert not bound & {name.lower() for name in key.keys}


def test_the_writes_are_the_catalogue() -> None:
    writes = {key.id: key.keys for key in KEYMAP.values() if key.kind == "write"}
    assert writes == {each.id: (each.key,) for each in OPERATIONS.values() if each.key}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("/", "slash"),
        ("?", "question_mark"),
        ("+", "plus"),
        ("_", "underscore"),
        ("!", "exclamation_mark"),
        (":", "colon"),
        ("ctrl+r", "ctrl+r"),
        ("F", "F"),
        ("f5", "f5"),
        ("-", "minus"),
        ("[", "left_square_bracket"),
    ],
)
def test_keys_are_named_as_textual_names_them(written: str, name: str) -> None:
    assert key_name(written) == name
    assert shown(name) == written


def test_names_agree_with_textual() -> None:
    keys = pytest.importorskip("textual.keys")
    for character in "/\\@-+_!?:;.,[]()<>=*#$%&'\"|~^`{}":
        assert key_name(character) == keys._character_to_key(character)


@pytest.mark.parametrize(
    ("key_id", "wanted", "part"),
    [
        ("service.rolback", ("B",), "did you mean 'service.rollback'?"),
        ("service.rollback", ("b",), "must be a shifted letter"),
        ("service.rollback", ("ctrl+b",), "must be a shifted letter"),
        ("refresh", ("ctrl+nonsense",), "is not the name of a key"),
        ("refresh", ("f5",), ""),
    ],
)
def test_wishes_are_checked(key_id: str, wanted: tuple[str, ...], part: str) -> None:
    problem = KEYMAP.problem(key_id, wanted)
    assert (part in problem) if part else not problem


def test_clashes_are_seen_after_the_wishes() -> None:
    assert "'/' is both filter and refresh" in KEYMAP.changed({"refresh": ("slash",)}).clashes()
    (twin,) = KEYMAP.changed({"service.rollback": ("D",)}).clashes()
    assert "'d' is describe: it must stay unbound" in twin


def test_the_first_key_is_shown() -> None:
    assert Key("x", ("escape", "q"), "", "", "move").shown == "esc"
    assert len(Keymap(())) == 0
