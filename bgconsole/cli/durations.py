"""Durations and moments as they are typed: `90s`, `1h30m`, `2d`, `2026-03-01T14:00Z`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

_DURATION = re.compile(
    r"(?:(?P<days>\d{1,6})\s*d\s*)?(?:(?P<hours>\d{1,6})\s*h\s*)?"
    r"(?:(?P<minutes>\d{1,6})\s*m\s*)?(?:(?P<seconds>\d{1,6})\s*s)?"
)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?")
_OLDEST = datetime(1970, 1, 1, tzinfo=UTC)


def duration(text: str) -> timedelta:
    """Read numbers with their units, the largest first; the type of an option.

    Raises:
        BadParameter: it is none.
    """
    match = _DURATION.fullmatch(text.strip())
    given = {unit: int(n) for unit, n in match.groupdict().items() if n} if match else {}
    if not given:
        raise click.BadParameter(f"{text!r} is no duration: write 90s, 10m, 1h30m or 1d.")
    return timedelta(**given)


def moment(text: str, now: datetime) -> datetime:
    """Read a duration before `now`, or an ISO 8601 time with its zone. In UTC.

    Raises:
        BadParameter: it is neither, or before 1970.
    """
    typed = text.strip()
    if typed[:4].isdigit() and "-" in typed:
        at = _iso(typed)
    else:
        try:
            ago = duration(typed)
        except click.BadParameter:
            raise click.BadParameter(
                f"{text!r} is no time: write how long ago (90s, 10m, 1h30m, 1d), or when "
                f"({now:%Y-%m-%d}T14:00Z)."
            ) from None
        if ago > now - _OLDEST:
            raise click.BadParameter(f"{text!r} is before 1970.")
        at = now - ago
    if at < _OLDEST:
        raise click.BadParameter(f"{text!r} is before 1970.")
    return at


def _iso(text: str) -> datetime:
    match = _ISO.fullmatch(text)
    if match is None:
        raise click.BadParameter(f"{text!r} is no time: write 2026-03-01T14:00Z or 30m.")
    if match[1] is None:
        raise click.BadParameter(f"{text!r} names no zone: write {text}Z for UTC, or {text}+01:00.")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(f"{text!r} is no time: {error}.") from None
