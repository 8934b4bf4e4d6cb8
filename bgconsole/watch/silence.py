"""AWS that does not answer, or says "slow down": told once, and asked again ever more slowly."""

from __future__ import annotations

from bgconsole.domain.errors import GatewayError

POLL = 2.0
"""Seconds between two looks."""
SLOWEST = 30.0
"""Seconds between two looks while AWS does not answer."""


class Silence:
    """Whether AWS answers, and how long to wait for the next look."""

    def __init__(self) -> None:
        self._title = ""
        self.delay = POLL
        """Seconds until the next look."""

    def begins(self, error: GatewayError) -> str:
        """No answer this time. Gives what to tell; empty where it was told before."""
        self.delay = min(self.delay * 2, SLOWEST)
        if self._title == error.title:
            return ""
        self._title = error.title
        return f"{error.brief}: AWS goes on, asking again more slowly"

    def ends(self) -> str:
        """There was an answer. Gives what to tell; empty where there was one before, too."""
        self.delay = POLL
        if not self._title:
            return ""
        self._title = ""
        return "AWS answers again"
