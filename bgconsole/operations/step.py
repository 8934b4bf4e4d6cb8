"""One step of a plan: what it says, how it is done, and what it tells while it goes on.

Most steps are one call (`act`). One that takes longer, a build, a push, a migration, is `work`: it
yields what happens, and may be stopped inside.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from shlex import quote
from types import MappingProxyType
from typing import Literal

from bgconsole.domain.services import short_name
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.watch.onlooker import Onlooker
from bgconsole.watch.telling import End, Note

Effect = Literal["serves", "prepares", "looks"]
"""`serves`: changes what serves. `prepares`: changes something else, such as a new revision or the
database. `looks`: changes nothing; once only such steps are left, others may begin their own."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a long step works with."""

    gateway: Gateway
    made: Mapping[str, str]
    """What earlier steps made, by their `makes` name."""
    clock: Callable[[], datetime]
    wait: Callable[[float], bool]
    """Waits some seconds; true, at once, where the step is to stop."""
    cancelled: threading.Event
    until: datetime | None = None
    """When to give up looking; None looks for as long as it takes."""

    @property
    def onlooker(self) -> Onlooker:
        """Who follows what the step began."""
        return Onlooker(self.clock, self.wait, self.until)


Act = Callable[[Gateway, Mapping[str, str]], Submitted]
"""Does a step in one call. The second argument holds what earlier steps made."""

Arrived = Callable[[Gateway], bool]
"""Looks whether a call that got no answer took effect; only reads."""

Told = Iterator[Note | Submitted | End]
"""What happens while a step is done."""

Work = Callable[[Bench], Told]
"""Does a step that takes longer.

Each `Submitted` is yielded as soon as AWS took a call, so that it is on record whatever comes. An
`End` is the last thing: one that is not ok ends the whole run (`stopped` where it was cancelled and
nothing goes on, `left` where AWS goes on); a good one is how the run ends, if no step follows.
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that will be done, in words and as an `aws …` command. No clock times."""

    words: str
    command: str = ""
    act: Act | None = field(default=None, compare=False)
    work: Work | None = field(default=None, compare=False)
    """With neither, it is the last step, which only follows the service."""
    makes: str = ""
    """The name under which `Submitted.created` is handed to later steps."""
    effect: Effect = "serves"
    go_on: Callable[[Mapping[str, str]], str] | None = field(default=None, compare=False)
    """The command that goes on from this step, given what was made; None where none does."""
    arrived: Arrived | None = field(default=None, compare=False)
    """Tells whether a call without an answer took effect, where that is not a new deployment."""
    found: Callable[[Gateway, Mapping[str, str]], Submitted | None] | None = field(
        default=None, compare=False
    )
    """Finds what a call without an answer made, where that is no deployment; only reads."""
    repeats: bool = False
    """Whether the call may be sent again without an answer: it carries a token, or looks first."""

    stand_ins: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), compare=False
    )
    """What words and command say for what an earlier step is to make, with its `makes` name."""

    def known(self, made: Mapping[str, str]) -> Step:
        """The same, saying what was made where it said what is to be made."""
        words, command = self.words, self.command
        for said, name in self.stand_ins.items():
            if value := made.get(name):
                value = short_name(value) if value.startswith("arn:") else value
                words = words.replace(said, value)
                command = command.replace(quote(said), quote(value)).replace(said, value)
        return replace(self, words=words, command=command)

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return self.effect != "looks" and not self.follows

    @property
    def follows(self) -> bool:
        """Whether it is the following of the service."""
        return self.act is None and self.work is None
