"""The time of a log line as it is shown: local, UTC, how long ago, or not at all."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from enum import Enum

from bgconsole.domain.duration import spell


class Stamp(Enum):
    """What the key goes through, in this order."""

    LOCAL = "local time"
    UTC = "UTC"
    AGO = "how long ago"
    OFF = "no times"

    @property
    def next(self) -> Stamp:
        """The one after it."""
        every = list(Stamp)
        return every[(every.index(self) + 1) % len(every)]


AGO_CELLS = 11


def stamp_text(stamp: Stamp, milliseconds: int, now: float, *, fine: bool) -> str:
    """`14:02:29.697 ` (`fine`, else without the thousandths), `    12 s `, or nothing.

    Args:
        stamp: which way.
        milliseconds: epoch milliseconds of the line.
        now: epoch seconds.
        fine: whether there is room for thousandths.
    """
    if stamp is Stamp.OFF:
        return ""
    seconds, rest = divmod(milliseconds, 1000)
    if stamp is Stamp.AGO:
        return f"{spell(max(0.0, now - milliseconds / 1000)):>{AGO_CELLS}} "
    utc = stamp is Stamp.UTC
    clock = time.strftime("%H:%M:%S", time.gmtime(seconds) if utc else time.localtime(seconds))
    mark = "Z" if utc else ""
    return f"{clock}.{rest:03d}{mark} " if fine else f"{clock}{mark} "


_CLOCK = re.compile(r"(?:(\d{4}-\d\d-\d\d)[ T])?(\d{1,2}):(\d\d)(?::(\d\d))?(Z)?")
_BACK = re.compile(r"-?(\d+)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment_of(text: str, now: datetime) -> datetime:
    """The moment that a person means: `14:02`, `14:02:30`, `14:02Z`, `2026-03-01 14:02`, `5m`.

    A time of day is the last one that was: at one o'clock, `23:50` is yesterday's.

    Raises:
        ValueError: it is no such text; the message says what is.
    """
    text = text.strip()
    if back := _BACK.fullmatch(text):
        return now - timedelta(**{_UNITS[back[2]]: int(back[1])})
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        raise ValueError("write 14:02, 14:02:30, 14:02Z, 2026-03-01 14:02, or 5m for 5 min ago")
    day, hours, minutes, seconds, utc = clock.groups()
    here = now.astimezone(UTC) if utc else now.astimezone()
    zone = here.tzinfo
    date = datetime.fromisoformat(day).date() if day else here.date()
    try:
        found = datetime(
            date.year, date.month, date.day, int(hours), int(minutes), int(seconds or 0),
            tzinfo=zone,
        )  # fmt: skip
    except ValueError:
        raise ValueError("no such time of day: hours go to 23, minutes and seconds to 59") from None
    return found - timedelta(days=1) if not day and found > now else found
