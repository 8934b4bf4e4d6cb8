"""Log lines as plain text, for the clipboard and for files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bgconsole.domain.join import Side
from bgconsole.domain.logs import from_milliseconds
from bgconsole.domain.plain import plain
from bgconsole.ui.panes.log_entry import Entry


def iso(milliseconds: int) -> str:
    """`2026-03-01T13:59:58.123Z`."""
    at = from_milliseconds(milliseconds)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def as_text(entries: Sequence[Entry], side_of: Callable[[Entry], Side]) -> str:
    """A line each, in UTC and with the whole task id, so that it can be found again."""
    told = []
    for entry in entries:
        if entry.gap:
            told.append(f"{iso(entry.at)} {entry.text}")
            continue
        side = side_of(entry)
        whose = [side.value] if side in (Side.OLD, Side.NEW) else []
        columns = [iso(entry.at), *whose, plain(entry.task or entry.stream), entry.level]
        text = entry.text if entry.first else f"  {entry.text}"
        told.append(" ".join([*filter(None, columns), text]))
    return "".join(f"{line}\n" for line in told)
