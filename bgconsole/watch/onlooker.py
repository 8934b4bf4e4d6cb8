"""Looking again and again until there is an end to tell: the loop of every follower."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bgconsole.domain.errors import Throttled, Unreachable
from bgconsole.watch.silence import Silence
from bgconsole.watch.telling import End, Note, Story

Found = TypeVar("Found")

PATIENCE = 15
"""Looks for which what is read back may still disagree with AWS's word that it is done."""


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who looks on, and for how long."""

    clock: Callable[[], datetime]
    """Now, in UTC."""
    wait: Callable[[float], bool]
    """Waits some seconds; true where nobody wants to know any more."""
    until: datetime | None = None
    """When to give up looking; None looks for as long as it takes."""

    def look_on(self, look: Callable[[], Found], tell: Callable[[Found], Story]) -> Story:
        """Look again and again, and tell of it, up to an end.

        Throttling and a lost connection, in `look` as in `tell`, are told once and slow it down.

        Args:
            look: asks AWS.
            tell: what there is to tell of an answer; nothing is looked at after an end.
        """
        silence = Silence()
        while True:
            try:
                found = look()
                if words := silence.ends():
                    yield Note(words)
                for told in tell(found):
                    yield told
                    if isinstance(told, End):
                        return
            except (Throttled, Unreachable) as error:
                if words := silence.begins(error):
                    yield Note(words)
            if ending := self._broken_off(silence.delay):
                yield ending
                return

    def _broken_off(self, delay: float) -> End | None:
        """Wait for the next look; gives the end where there is to be none."""
        if self.until is not None and self.clock() >= self.until:
            words = "The wait was as long as asked; AWS goes on, and this is not followed."
            return End("gave up", words, self.clock(), unread="the wait ended before it did")
        if self.wait(delay):
            words = "AWS goes on; this is not followed any more."
            return End("left", words, self.clock(), unread="it was left before its end")
        return None


class Teller:
    """Says each milestone once, and the words where they are new."""

    def __init__(self) -> None:
        self._words = ""
        self._told: set[str] = set()

    def tell(self, milestones: Iterable[str], words: str) -> Story:
        """What is new of it since the last time."""
        for milestone in milestones:
            if milestone not in self._told:
                self._told.add(milestone)
                yield Note(milestone, "milestone")
        if words and words != self._words:
            self._words = words
            yield Note(words)
