"""A bounded list that stays in order: old entries fall out, late ones are put in their place."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar


class Ordered(Protocol):
    """What can be kept in a ring. No two entries have the same `order`."""

    @property
    def order(self) -> tuple[Any, ...]:
        """Where it stands among the others."""
        ...

    @property
    def sequence(self) -> int:
        """Its number by arrival."""
        ...


Entry = TypeVar("Entry", bound=Ordered)
_order = attrgetter("order")


class Ring(Generic[Entry]):
    """At most `capacity` entries, and of these the ones that a predicate keeps."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.spare = 0
        """So many more are kept for now, as somebody reads the oldest."""
        self._all: list[Entry] = []
        self._kept: list[Entry] = self._all
        self._keeps: Callable[[Entry], bool] | None = None

    def __len__(self) -> int:
        return len(self._all)

    @property
    def full(self) -> bool:
        """Whether an older entry would fall out at once."""
        return len(self._all) >= self.capacity + self.spare

    @property
    def shown(self) -> Sequence[Entry]:
        """The entries that are kept by the predicate, in order. Not to be changed."""
        return self._kept

    @property
    def all(self) -> Sequence[Entry]:
        """Every entry, in order. Not to be changed."""
        return self._all

    def add(self, entries: Sequence[Entry]) -> int:
        """Put entries, sorted among themselves, in their places; gives how many are shown anew."""
        if not entries:
            return 0
        _merge(self._all, entries)
        fresh = len(entries)
        if self._keeps is not None:
            kept = [entry for entry in entries if self._keeps(entry)]
            _merge(self._kept, kept)
            fresh = len(kept)
        excess = len(self._all) - self.capacity - self.spare
        if excess > 0:
            del self._all[:excess]
            if self._keeps is not None:
                floor = self._all[0].order
                del self._kept[: bisect_left(self._kept, floor, key=_order)]
        return fresh

    def narrow(self, keeps: Callable[[Entry], bool] | None) -> None:
        """Show only what the predicate keeps; None shows all."""
        self._keeps = keeps
        self._kept = self._all if keeps is None else [e for e in self._all if keeps(e)]

    def discard(self, sequences: Collection[int]) -> bool:
        """Take entries out, by their numbers; False where none of them is here."""
        before = len(self._all)
        self._all[:] = [e for e in self._all if e.sequence not in sequences]
        if self._keeps is not None:
            self._kept[:] = [e for e in self._kept if e.sequence not in sequences]
        return len(self._all) != before

    def place(self, order: tuple[Any, ...]) -> int:
        """The line of the shown entry with this order, or of the next one where it is gone."""
        return bisect_left(self._kept, order, key=_order)


def _merge(into: list[Entry], entries: Sequence[Entry]) -> None:
    if not entries:
        return
    if not into or into[-1].order <= entries[0].order:
        into.extend(entries)
        return
    # Only what stands behind the earliest newcomer moves; two sorted runs sort in one pass.
    at = bisect_left(into, entries[0].order, key=_order)
    into[at:] = sorted([*into[at:], *entries], key=_order)
