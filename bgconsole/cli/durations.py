"""Durations as they are typed: `90s`, `10m`, `2h`, `1d`."""

from __future__ import annotations

import re
from datetime import timedelta

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """Read a number with its unit; the type of an option.

    Raises:
        BadParameter: it is none.
    """
    match = re.fullmatch(r"(\d{1,6})\s*([smhd])", text.strip())
    if match is None:
        raise click.BadParameter(f"{text!r} is no duration: write 30s, 10m, 2h or 1d.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
