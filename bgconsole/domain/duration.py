"""Durations and ages as a person reads them: `8 s`, `3:10`, `2 h 5 min`, `3 d 4 h`."""

from __future__ import annotations

from datetime import datetime, timedelta


def spell(duration: timedelta | float) -> str:
    """A duration in at most two units; seconds where a number is given. Never negative."""
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    if whole < 86_400:
        hours, rest = divmod(whole, 3600)
        return f"{hours} h {rest // 60} min" if rest >= 60 else f"{hours} h"
    days, rest = divmod(whole, 86_400)
    return f"{days} d {rest // 3600} h" if rest >= 3600 else f"{days} d"


def rounded(duration: timedelta | float) -> str:
    """The same for a sentence, where `3:10` could be hours: `3 min`, in one unit under an hour."""
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    return f"{int(seconds) // 60} min" if 60 <= seconds < 3600 else spell(seconds)


def age(at: datetime | None, now: datetime) -> str:
    """How long ago, or a dash where the time is not known."""
    return "-" if at is None else spell(now - at)
