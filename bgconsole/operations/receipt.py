"""The receipt of an operation: at most eight lines that prove what was done and what runs now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bgconsole.domain.duration import spell
from bgconsole.domain.plain import plain
from bgconsole.watch.telling import End

_SURFACES = {"cli": "from the command line", "console": "from the console"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a receipt is written from."""

    title: str
    target: str
    before: str
    who: str
    where: str
    """Account and region."""
    surface: str
    started: datetime
    request_ids: tuple[str, ...]
    left_to_do: tuple[str, ...] = ()
    noticed: str = ""
    """How users fared meanwhile, where a probe asked the site."""


def receipt(facts: Facts, end: End) -> tuple[str, ...]:
    """Eight lines at most, ready to be copied; times in UTC."""
    seconds = spell(end.at - facts.started)
    lines = [
        f"{facts.title} {facts.target}: {'done' if end.ok else end.result.upper()} in {seconds}",
        f"was   {facts.before}" if facts.before else "",
        f"now   {now}" if (now := _now(end)) else "",
        f"end   {end.sentence}" if not end.ok or not now else "",
        f"site  {facts.noticed}" if facts.noticed else "",
        *_by(facts, short=bool(facts.noticed) and not end.ok),
        f"AWS   request {', '.join(facts.request_ids)}" if facts.request_ids else "",
        _left(facts.left_to_do, end),
    ]
    return tuple(plain(line) for line in lines if line)


def _by(facts: Facts, *, short: bool) -> tuple[str, ...]:
    """Who and when; in one line where there would be more than eight."""
    who = f"{facts.who} ({_SURFACES.get(facts.surface, facts.surface)})"
    when = f"{facts.started:%Y-%m-%d %H:%M:%S} UTC · {facts.where}"
    return (f"who   {who} · {when}",) if short else (f"who   {who}", f"when  {when}")


def _now(end: End) -> str:
    if end.now:
        return end.now
    if end.running is None:
        return f"not read back: {end.unread}" if end.unread else ""
    total = sum(count for _, count in end.running)
    if not total:
        return f"no task runs, as read back at {end.at:%H:%M:%S}"
    if len(end.running) == 1:
        version = end.running[0][0]
        tasks = "the 1 running task" if total == 1 else f"all {total} running tasks"
        return f"{version.words}, as read back from {tasks} at {end.at:%H:%M:%S}"
    parts = (f"{count} of {total} tasks on {version.words}" for version, count in end.running)
    return "; ".join(parts)


def _left(what: Sequence[str], end: End) -> str:
    if end.result in ("gave up", "left"):
        what = ("See how it ends: `bgconsole status`.", *what)
    return f"left  {' '.join(what)}" if what else "left  nothing"
