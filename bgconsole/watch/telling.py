"""What is told while something is done or followed: notes by the way, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bgconsole.domain.versions import Version


@dataclass(frozen=True, slots=True)
class Amount:
    """How far something measurable is, in bytes."""

    of: str
    """Names what is measured, such as a layer: a later amount of the same replaces it in view."""
    done: int
    total: int
    """0 where it is not known."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing worth telling. `output` is a line of a program that runs."""

    text: str
    kind: Literal["note", "milestone", "output"] = "note"
    amount: Amount | None = None


Result = Literal["reached", "failed", "superseded", "different", "gave up", "left", "stopped"]
"""`left`: AWS goes on and nobody looks; `stopped`: nothing goes on."""


@dataclass(frozen=True, slots=True)
class End:
    """How it ended; the last thing told."""

    result: Result
    sentence: str
    at: datetime
    running: tuple[tuple[Version, int], ...] | None = None
    """What the running tasks themselves say, with their number; None where they were not asked."""
    unread: str = ""
    """Why they were not asked, or did not answer; empty where there was nothing to ask them."""
    deployment: str = ""
    """The id (`ecs-svc/…`) of the deployment that was PRIMARY then, where that was seen."""
    now: str = ""
    """What is now, in words, where it is not running tasks that tell."""
    exit_code: int = 0
    """Of the error that ended it, where one did."""

    @property
    def ok(self) -> bool:
        """Whether what was wanted is what runs."""
        return self.result == "reached"


Story = Iterator[Note | End]
"""Notes, and one end after them."""
