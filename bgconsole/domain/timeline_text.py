"""The timeline to take along: lines for a terminal, Markdown for the incident channel, JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from bgconsole.domain.moments import Moment
from bgconsole.domain.plain import plain
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Snapshot

SCHEMA = 1
"""Grows when the shape changes so that an old reader would misread it."""
GLYPHS = {
    Severity.GOOD: "●",
    Severity.BUSY: "·",
    Severity.UNKNOWN: "?",
    Severity.WAITING: "▲",
    Severity.BAD: "✖",
}
"""The ordinary course of things is quiet."""

_MARKS = re.compile(r"([\\`*_\[\]<>|~#])")
_CALLS = re.compile(r"@(?=\w)")


def text_lines(moments: Sequence[Moment], now: datetime) -> Iterator[str]:
    """One line each, in `now`'s time zone; with the date where it is not today's."""
    for one in moments:
        yield f"{clock_words(one.at, now)}  {GLYPHS[one.severity]} {one.kind:<10}  {one.words}"


def clock_words(at: datetime, now: datetime) -> str:
    """`14:02:31`, or `02-27 14:02:31` on another day (`2025-12-31` in another year)."""
    local = at.astimezone(now.tzinfo)
    if local.date() == now.date():
        return f"{local:%H:%M:%S}"
    return f"{local:%m-%d %H:%M:%S}" if local.year == now.year else f"{local:%Y-%m-%d %H:%M:%S}"


def markdown(snapshot: Snapshot, moments: Sequence[Moment], unseen: Sequence[str] = ()) -> str:
    """A heading and a list, in UTC; what is data is no markup and calls nobody.

    Names behind an `@` get an invisible mark, so that a log line cannot page a channel.
    """
    lines = [f"**{_safe(f'{snapshot.ref}')}** · {_safe(_where(snapshot))}", ""]
    day = ""
    for one in moments:
        at = one.at.astimezone(UTC)
        if f"{at:%Y-%m-%d}" != day:
            day = f"{at:%Y-%m-%d}"
            lines += [f"{day}, times in UTC", ""]
        kind = f"**{one.kind}**" if one.wrong else one.kind
        lines.append(f"- `{at:%H:%M:%S}` {GLYPHS[one.severity]} {kind}: {_safe(one.words)}")
    if not moments:
        lines.append("Nothing is known to have happened.")
    if unseen:
        lines += ["", *(f"- ? not seen: {_safe(each)}" for each in unseen)]
    return "\n".join(lines) + "\n"


def as_json(snapshot: Snapshot, moments: Sequence[Moment], unseen: Sequence[str] = ()) -> str:
    """The same for programs; times with their offset, oldest first."""
    identity, place = snapshot.identity.value, snapshot.place
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "service": {"cluster": snapshot.ref.cluster, "name": snapshot.ref.name},
        "place": {
            "account": identity.account if identity else None,
            "region": place.region,
            "endpoint": place.endpoint or None,
        },
        "moments": [moment_json(one) for one in moments],
        "unseen": list(unseen),
    }
    return json.dumps(told, indent=2) + "\n"


def moment_json(one: Moment) -> dict[str, str]:
    """One moment as plain values."""
    return {
        "at": one.at.astimezone(UTC).isoformat(),
        "kind": one.kind,
        "severity": one.severity.name.lower(),
        "source": one.source,
        "words": one.words,
    }


def _where(snapshot: Snapshot) -> str:
    identity, place = snapshot.identity.value, snapshot.place
    account = f"account {identity.account}" if identity else "account not known"
    return " · ".join(filter(None, (account, place.region, place.endpoint_words)))


def _safe(words: str) -> str:
    return _CALLS.sub("@\u200b", _MARKS.sub(r"\\\1", plain(words)))
