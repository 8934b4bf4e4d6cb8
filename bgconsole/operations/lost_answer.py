"""A write whose answer was lost: find out what came of it, also while the line stays dead."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from typing import TypeVar

from bgconsole.domain.errors import Throttled, Unreachable
from bgconsole.watch.silence import Silence

LOOKS = 3
"""Looks that see nothing, until it is believed: a call may still be under way after the first."""
PATIENCE = timedelta(minutes=10)
"""How long a dead line is waited for."""
Found = TypeVar("Found")
Told = TypeVar("Told")


def found_out(
    ask: Callable[[], Found | None],
    clock: Callable[[], datetime],
    wait: Callable[[float], bool],
    tell: Callable[[str], Told],
) -> Generator[Told, None, Found | None]:
    """Ask until something is found, or AWS has shown often enough that nothing is.

    Args:
        ask: looks; None is nothing yet. It may send the write again where that does nothing twice.
        clock: now, in UTC.
        wait: waits some seconds; true where nobody waits any more.
        tell: makes of words what is yielded.

    Returns what was found.

    Raises:
        Throttled, Unreachable: AWS could not be asked, and the wait for it is over.
    """
    silence, until, looks = Silence(), clock() + PATIENCE, 0
    while True:
        lost: Throttled | Unreachable | None = None
        try:
            found = ask()
            looks += 1
            if found is not None or looks == LOOKS:
                return found
            silence.ends()
        except (Throttled, Unreachable) as error:
            lost = error
            if silence.begins(error):
                yield tell(f"{error.title}: asking again, more slowly")
        if wait(silence.delay) or clock() >= until:
            if lost is not None:
                raise lost
            return None
