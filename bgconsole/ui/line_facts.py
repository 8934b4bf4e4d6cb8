"""One log line in full: where it is from, its text made readable, and the rest of its request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from bgconsole.domain.duration import spell
from bgconsole.domain.join import Side
from bgconsole.domain.logs import from_milliseconds
from bgconsole.ui.facts import Fact, Facts
from bgconsole.ui.panes.log_entry import Entry
from bgconsole.ui.panes.log_folds import request_of
from bgconsole.ui.panes.log_text import iso

MOST = 500
"""Lines of one request that are shown."""


def of_line(entry: Entry, every: Sequence[Entry], side: Side, now: datetime) -> Facts:
    """Everything about one line.

    Args:
        entry: the line.
        every: all lines that are kept, in order.
        side: the side of its task.
        now: for how long ago it was; also gives the zone of local time.
    """
    whole = [each for each in every if each.order[:3] == entry.order[:3]] or [entry]
    request = request_of(whole[0].text)
    return (*_about(entry, side, request, now), *_text(whole), *_request(entry, request, every))


def _about(entry: Entry, side: Side, request: str, now: datetime) -> Iterator[Fact]:
    at = from_milliseconds(entry.at)
    here = at.astimezone(now.tzinfo)
    yield Fact("time", f"{iso(entry.at)}, {here:%H:%M:%S %Z}, {spell(now - at)} ago")
    if entry.gap:
        return
    late = ", after lines that it belongs before" if entry.late else ""
    yield Fact("ingested", f"{(entry.order[1] - entry.at) / 1000:.1f} s later{late}")
    if entry.task:
        known = f" ({side.value})" if side in (Side.OLD, Side.NEW) else ""
        yield Fact("task", f"{entry.task}{known}")
    yield Fact("stream", entry.stream)
    if entry.level:
        yield Fact("level", entry.level)
    if request:
        yield Fact("request", request)


def _text(whole: Sequence[Entry]) -> Iterator[Fact]:
    yield Fact("", "the line" if len(whole) == 1 else f"the event, {len(whole)} lines", head=True)
    for each in whole:
        yield from (Fact("", text) for text in pretty(each.text))


def _request(entry: Entry, request: str, every: Sequence[Entry]) -> Iterator[Fact]:
    if not request:
        return
    events = {each.order[:3] for each in every if request in each.text}
    lines = [each for each in every if each.order[:3] in events]
    if len(events) < 2:
        return
    begun = lines[0].at
    yield Fact("", f"the whole request, {len(lines)} lines, ms since its first", head=True)
    for each in lines[:MOST]:
        here = "❯" if each.order == entry.order else ""
        yield Fact(f"{each.at - begun:>6} {each.level:<5} {here}", each.text)
    if len(lines) > MOST:
        yield Fact("", f"and {len(lines) - MOST} lines more")


def pretty(text: str) -> list[str]:
    """JSON with a line for each member, also behind a prefix; any other text as it is."""
    start = text.find("{")
    if start < 0:
        return [text]
    try:
        value, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return [text]
    if not value:
        return [text]
    before, after = text[:start].strip(), text[end:].strip()
    body = json.dumps(value, indent=2, ensure_ascii=False).split("\n")
    return [*filter(None, [before]), *body, *filter(None, [after])]
