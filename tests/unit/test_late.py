"""What is loaded late is loaded once, and only when it is asked for."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from bgconsole.late import Late, LateObject, of_module


def test_names_are_known_before_any_value_is_loaded() -> None:
    loaded: list[str] = []

    def load(name: str) -> str:
        loaded.append(name)
        return name.upper()

    words = Late({name: lambda name=name: load(name) for name in ("one", "two")})  # type: ignore[misc]
    assert list(words) == ["one", "two"]
    assert "two" in words
    assert "three" not in words
    assert len(words) == 2
    assert loaded == []
    assert words["two"] == words["two"] == "TWO"
    assert words.get("three") is None
    assert loaded == ["two"]
    assert list(words.values()) == ["ONE", "TWO"]
    assert loaded == ["two", "one"]


def test_an_object_is_made_once_whoever_asks_first() -> None:
    made: list[list[int]] = []
    together = Barrier(8)

    def make() -> list[int]:
        made.append([])
        return made[-1]

    late = LateObject(make)
    assert made == []

    def ask(number: int) -> None:
        together.wait()
        late.append(number)

    threads = [Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sorted(each) for each in made] == [list(range(8))]
    with pytest.raises(AttributeError):
        late.no_such_thing  # noqa: B018 - asking is what is tested


def test_a_module_is_named_by_its_place() -> None:
    assert of_module("math", "pi")() == pytest.approx(3.14159, abs=1e-4)
