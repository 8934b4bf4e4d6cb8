"""Log lines as text or JSON, written at once: nothing is kept back when they are piped."""

from __future__ import annotations

import json
import select
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TextIO

from bgconsole.domain.logs import Gap, LogLine
from bgconsole.domain.plain import plain, plain_lines

MOST = 4_000_000
"""Characters of a line that are printed: more than AWS takes."""
_COLOURS = {"old": "\x1b[33m", "new": "\x1b[36m"}
_DIM, _RESET = "\x1b[2m", "\x1b[0m"


class Text:
    """`GROUP STREAM MESSAGE`, as awslogs writes them, with no control character from outside."""

    def __init__(
        self,
        *,
        group: bool = True,
        stream: bool = True,
        timestamp: bool = False,
        ingestion: bool = False,
        colour: bool = False,
        side: Callable[[LogLine], str] | None = None,
    ) -> None:
        self._group = group
        self._stream = stream
        self._timestamp = timestamp
        self._ingestion = ingestion
        self._colour = colour
        self._side = side
        self._heads: dict[tuple[str, str, str], str] = {}

    def of(self, lines: Iterable[LogLine], late: frozenset[str] = frozenset()) -> str:
        """All of them as one text."""
        heads, out = self._heads, []
        stamped, coloured = self._timestamp or self._ingestion, self._colour
        for line in lines:
            key = (line.region, line.group, line.stream)
            head = heads.get(key)
            if head is None:
                head = heads[key] = self._head(line)
            message = line.message
            if not message.isprintable():
                message = "\n".join(plain_lines(message.rstrip("\r\n"), MOST))
            if stamped:
                head += self._stamps(line)
            if coloured:
                head = self._coloured(line, head, late=line.event_id in late)
            out.append(f"{head}{message}\n")
        return "".join(out)

    def gap(self, gap: Gap) -> str:
        """What may be missing, in words, for stderr."""
        return told(gap)

    def _head(self, line: LogLine) -> str:
        shown = []
        if self._group:
            shown.append(f"{line.group} ({line.region})" if line.region else line.group)
        if self._stream:
            shown.append(line.stream)
        return "".join(f"{plain(each)} " for each in shown)

    def _stamps(self, line: LogLine) -> str:
        at = f"{stamp(line.timestamp)} " if self._timestamp else ""
        return at + (f"{stamp(line.ingestion)} " if self._ingestion else "")

    def _coloured(self, line: LogLine, head: str, *, late: bool) -> str:
        colour = _COLOURS.get(self._side(line), _DIM) if self._side else _DIM
        mark = "late " if late else ""
        return f"{colour}{head}{mark}{_RESET}" if head or mark else ""


class Json:
    """One object a line."""

    def __init__(self, side: Callable[[LogLine], str] | None = None) -> None:
        self._side = side

    def of(self, lines: Iterable[LogLine], late: frozenset[str] = frozenset()) -> str:
        """All of them as one text."""
        return "".join(f"{json.dumps(self._facts(line, late))}\n" for line in lines)

    def gap(self, gap: Gap) -> str:
        """What may be missing, in words, for stderr."""
        return told(gap)

    def _facts(self, line: LogLine, late: frozenset[str]) -> dict[str, object]:
        facts: dict[str, object] = {
            "timestamp": stamp(line.timestamp),
            "ingestion": stamp(line.ingestion),
            "group": line.group,
            "region": line.region,
            "stream": line.stream,
            "container": line.container,
            "task": line.task_id,
            "id": line.event_id,
            "late": line.event_id in late,
            "message": line.message,
        }
        if self._side:
            facts["side"] = self._side(line)
        return facts


def stamp(milliseconds: int) -> str:
    """`2026-03-01T14:00:00.123Z`."""
    at = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def told(gap: Gap) -> str:
    """`not read: …`, as a sentence for stderr."""
    return (
        f"bgconsole: lines of {gap.group} may be missing from {stamp(gap.start)} to "
        f"{stamp(gap.end)}: {gap.words}; read them with -s and -e"
    )


class Output:
    """Standard output: every write goes out at once, and what goes wrong is said in words."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        if hasattr(self._stream, "reconfigure"):
            # A terminal that cannot show a character must not end the tail.
            self._stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> None:
        """Write and flush.

        Raises:
            OSError: the reader went away, or it could not be written, such as on a full disk.
        """
        if text:
            self._stream.write(text)
            self._stream.flush()

    def left(self) -> bool:
        """Whether the reader of a pipe went away; known before anything is written."""
        try:
            poll = select.poll()
            poll.register(self._stream.fileno(), 0)
            return any(event & select.POLLERR for _, event in poll.poll(0))
        except (OSError, ValueError):
            return False
