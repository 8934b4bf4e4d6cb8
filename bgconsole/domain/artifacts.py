"""The S3 bucket that CloudFormation reads nested templates from, and what of it is ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bgconsole.domain.plain import plain

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""S3 takes no other names for a bucket."""


def bucket_problem(name: str) -> str:
    """What is wrong with a bucket's name, in words; empty where nothing is."""
    return "" if _NAME.fullmatch(name) else f"{plain(name)!r} is no name of a bucket"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket by its name, and whose it must be.

    Bucket names are the whole world's: what is derived from an account's number could have been
    taken by somebody else first, so each call names the owner that is expected.
    """

    name: str
    owner: str
    """The account's id."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is in a bucket."""

    bucket: Bucket
    there: bool = False
    made_by_us: bool = False
    """Whether we made it, as its tag says; another one is never deleted."""
    keys: frozenset[str] = field(default_factory=frozenset)
    """Of the objects below the prefix that was asked for."""
    others: bool = False
    """Whether it holds anything besides those."""
