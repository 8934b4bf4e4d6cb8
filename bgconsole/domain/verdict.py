"""One sentence about the service: what it does, how bad, on what evidence, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """Worse is larger; `UNKNOWN` is never green and never hides something worse."""

    GOOD = 0
    BUSY = 1
    UNKNOWN = 2
    WAITING = 3
    BAD = 4


@dataclass(frozen=True, slots=True)
class WayBack:
    """What R would do now."""

    to: str
    """The revision number, as shown and typed."""
    words: str
    """`R back to 42 (old tasks still run)`."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the deployment is, in tasks: what is done and what is left."""

    done: int
    of: int
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The top of the screen."""

    severity: Severity
    word: str
    """STEADY, DEPLOYING, ROLLED BACK …"""
    sentence: str
    evidence: tuple[str, ...] = ()
    """What it rests on, a line each; what could not be seen is said too."""
    way_back: WayBack | None = None
    progress: Progress | None = None

    @property
    def glyph(self) -> str:
        """So that the state is readable without colour."""
        return {
            Severity.GOOD: "●",
            Severity.BUSY: "◐",
            Severity.UNKNOWN: "?",
            Severity.WAITING: "▲",
            Severity.BAD: "✖",
        }[self.severity]
