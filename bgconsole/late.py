"""What is loaded when it is first asked for: a command should not load what it does not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from threading import Lock
from typing import Any, TypeVar

Value = TypeVar("Value")


class Late(Mapping[str, Value]):
    """A mapping whose names are known at once; going over its values loads them all.

    Args:
        places: what loads each value, by its name.
    """

    def __init__(self, places: Mapping[str, Callable[[], Value]]) -> None:
        self._places = dict(places)
        self._loaded: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        if name not in self._loaded:
            self._loaded[name] = self._places[name]()
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def of_module(module: str, name: str) -> Callable[[], Any]:
    """Loads what a module calls by a name."""
    return lambda: getattr(import_module(module), name)


class LateObject:
    """Stands for an object that is made when something of it is first asked for; by any thread."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: object = None

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        return getattr(self._made, name)
