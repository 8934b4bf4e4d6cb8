"""Lines of one request as one row: the first stands for all, and tells how it went on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bgconsole.ui.panes.log_entry import Entry

MOST = 50_000
"""Requests that are remembered; a line of an older one begins a row of its own."""
_REQUEST = re.compile(
    r"\[(?=[0-9a-f-]*\d)(?P<tag>[0-9a-f][0-9a-f-]{7,35})\]"
    r"|\"(?:request_?id|requestId|trace_?id|traceId)\"\s*:\s*\"(?P<json>[^\"]{1,64})\"",
    re.IGNORECASE,
)
"""Rails' tagged logging puts the request's id in brackets; JSON names it."""
LOOK_AT = 400
"""Characters in which the id is looked for."""


def request_of(text: str) -> str:
    """The id of the request that a line is of; empty where it does not say."""
    found = _REQUEST.search(text, 0, LOOK_AT)
    return (found["tag"] or found["json"] or "") if found else ""


@dataclass(slots=True)
class Fold:
    """What stands behind one row."""

    head: int
    """The sequence of the line that is shown."""
    lines: int = 1
    wrong: bool = False
    last: str = ""
    """The last line of it, where that says how it ended."""


class Folds:
    """Takes every line once, in order, and says which are shown."""

    def __init__(self) -> None:
        self._by_request: dict[str, Fold] = {}
        self._by_head: dict[int, Fold] = {}
        self._event: tuple[object, ...] = ()
        self._of_event = ""

    def take(self, entry: Entry) -> bool:
        """Whether this line stands for its request, or for itself."""
        if entry.gap:
            return True
        event = entry.order[:3]
        if event == self._event and not entry.first:
            request = self._of_event
        else:
            request = request_of(entry.text) or f"event {entry.order[2]}"
            self._event, self._of_event = event, request
        fold = self._by_request.get(request)
        if fold is None:
            fold = self._by_request[request] = Fold(entry.sequence, wrong=entry.wrong)
            self._by_head[entry.sequence] = fold
            if len(self._by_request) > MOST:
                oldest = next(iter(self._by_request))
                self._by_head.pop(self._by_request.pop(oldest).head, None)
            return True
        fold.lines += 1
        fold.wrong = fold.wrong or entry.wrong
        if entry.first and ("Completed " in entry.text or entry.wrong):
            fold.last = entry.text
        return False

    def of(self, entry: Entry) -> Fold | None:
        """What stands behind a line that is shown."""
        return self._by_head.get(entry.sequence)


def tail_words(fold: Fold) -> str:
    """`⋯ 6 more · 200 OK in 4ms`; empty where nothing is behind the row."""
    if fold.lines < 2:
        return ""
    words = _REQUEST.sub("", fold.last, count=1).strip()
    if words.startswith("Completed "):
        words = words.removeprefix("Completed ").partition(" (")[0]
    return f"⋯ {fold.lines - 1} more" + (f" · {words}" if words else "")
