"""Blocking work off the screen's loop, on threads that never keep the process alive.

Textual's own thread workers run in a pool of few threads, and leaving the console would wait for
them (seen in 8.2.8); a daemon thread is neither awaited nor shared.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from textual.message_pump import MessagePump

from bgconsole.domain.errors import BgconsoleError
from bgconsole.ui.messages import Answered, BugFound


def ask(asker: MessagePump, ticket: object, question: Callable[[], object]) -> None:
    """Answer `question` on another thread; the answer comes to `asker` as `Answered(ticket, …)`.

    An asker that is gone by then misses nothing. A late answer is known by its ticket.
    """

    def answer() -> None:
        value: object = None
        problem: BgconsoleError | None = None
        try:
            value = question()
        except BgconsoleError as error:
            problem = error
        asker.post_message(Answered(ticket, value, problem))

    start(asker, answer, name=f"ask {ticket}")


def start(asker: MessagePump, work: Callable[[], None], *, name: str) -> None:
    """Do `work` on another thread; an exception that it lets out ends the console as a bug."""

    def guarded() -> None:
        try:
            work()
        # Whatever it is, it must reach the crash log, not the middle of the screen.
        except Exception as error:  # noqa: BLE001
            asker.app.post_message(BugFound(error))

    Thread(target=guarded, name=name, daemon=True).start()
