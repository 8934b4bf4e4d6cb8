"""Keyed difference between two row sets: what a table must add, drop and repaint."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class RowChanges(Generic[Row]):
    """False where nothing changed."""

    added: tuple[Row, ...]
    removed: tuple[str, ...]
    changed: tuple[Row, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def diff_rows(old: Iterable[Row], new: Iterable[Row], key: Callable[[Row], str]) -> RowChanges[Row]:
    """Compare by key, then by value."""
    before = {key(row): row for row in old}
    after = {key(row): row for row in new}
    return RowChanges(
        added=tuple(row for k, row in after.items() if k not in before),
        removed=tuple(k for k in before if k not in after),
        changed=tuple(r for k, r in after.items() if k in before and before[k] != r),
    )
