"""An app through which no key slips unlooked at, and which dies without a word of its memory."""

from __future__ import annotations

import sys
import termios
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any

from rich.segment import Segments
from textual import events
from textual.timer import Timer
from textual.widgets import Input, TextArea

from bgconsole.domain.plain import plain_lines
from bgconsole.ui import crash, patient_parser
from bgconsole.ui.input_guard import InputGuard, Timing
from bgconsole.ui.screens.dialog import Dialog
from bgconsole.ui.thrifty_app import ThriftyApp
from bgconsole.ui.wiring import ConsoleResult

_ACTS = (events.Key, events.Paste, events.MouseDown, events.MouseUp, events.Click)
"""What a person does; moving the mouse is not among it."""


class GuardedApp(ThriftyApp[ConsoleResult]):
    """Input through the guard, text never as markup, bugs without local variables."""

    def __init__(self, *, timing: Timing, write_crash_log: Callable[[str], str]) -> None:
        super().__init__()
        patient_parser.install()
        self.crash_log: str | None = None
        """Where the report of the bug is that ended the app; empty if none could be written."""
        self._write_crash_log = write_crash_log
        self._guard: InputGuard[events.Key] = InputGuard(timing)
        self._guard_timer: Timer | None = None
        self._escape_hold = timing.escape_hold

    async def on_event(self, event: events.Event) -> None:
        """Every key, click and paste passes here first, whatever screen is on top."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self._let_act(self._guard.take(event, typing=self._typing))
            self._time_guard()
        elif isinstance(event, events.Paste) and not event.is_forwarded:
            if not self._too_early(event):
                await self._act(event)
        elif not self._too_early(event):
            await super().on_event(event)

    def when_sure(self, then: Callable[[], None]) -> None:
        """Do what an escape asked for once it cannot be the beginning of a split sequence.

        On a link that is known to be slow the guard itself has held the escape so long.
        """

        def unless_split() -> None:
            if not self._guard.slow_link:
                then()

        if self._guard.slow_link:
            then()
        else:
            self.set_timer(self._escape_hold, unless_split)

    async def _let_act(self, strokes: Iterable[events.Key]) -> None:
        for stroke in strokes:
            if not self._too_early(stroke):
                await self._act(stroke)

    async def _act(self, event: events.Key | events.Paste) -> None:
        """In a text field at once: through the queues (Textual 8.2.8) a letter acts in the field,
        an editing key only when it has come back from there, behind the letters typed after it.
        """
        field = self.focused if self._typing else None
        if field is None:
            await super().on_event(event)
        elif isinstance(event, events.Paste) or field.check_consume_key(event.key, event.character):
            await field.on_event(event)
        elif not await self._check_bindings(event.key, priority=True) and (
            not await self._check_bindings(event.key)
        ):
            await super().on_event(event)

    def _too_early(self, event: events.Event) -> bool:
        if not isinstance(event, _ACTS):
            return False
        if isinstance(event, events.Paste) and not self._typing:
            return True
        screen = self.screen_stack[-1] if self.screen_stack else None
        return isinstance(screen, Dialog) and screen.too_early(event.time)

    @property
    def _typing(self) -> bool:
        return bool(self.screen_stack) and isinstance(self.focused, (Input, TextArea))

    def _time_guard(self) -> None:
        if self._guard_timer is not None:
            self._guard_timer.stop()
            self._guard_timer = None
        due = self._guard.due
        if due is not None:
            # Keys that were read by then may still wait in the queue: they go first.
            later = partial(self.call_later, self._guard_due)
            self._guard_timer = self.set_timer(max(0.001, due - monotonic()), later)

    async def _guard_due(self) -> None:
        await self._let_act(self._guard.expire(monotonic()))
        self._time_guard()

    def write_raw(self, codes: str) -> None:
        """Send control codes to the terminal, where there is one. For codes of our own alone."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(codes)
            self._driver.flush()

    def give_terminal_back(self) -> None:
        """Leave the terminal as it was found, where it is still there."""
        driver = self._driver
        # Textual's writer dies with a terminal, and then its queue takes no end (8.2.8).
        if driver is not None and not self.is_headless and sys.stdin.isatty():
            with suppress(OSError, termios.error):
                driver.stop_application_mode()
                driver.close()

    def action_help_quit(self) -> None:
        """What ctrl+c says."""
        self.notify("ctrl+q leaves the console", title="Leave?")

    def notify(self, message: str, **how: Any) -> None:
        """Tell something in passing. Text is never markup here, and never holds control codes."""
        title = how.pop("title", "")
        super().notify(
            "\n".join(plain_lines(message)),
            title=" ".join(plain_lines(title)),
            **{**how, "markup": False},
        )

    def _fatal_error(self) -> None:
        """A bug. Textual would print every local variable (8.2.8), credentials too."""
        error = self._exception or RuntimeError("no exception is known")
        self.crash_log = self._write_crash_log(crash.report(error))
        self.bell()
        told = crash.said(error, self.crash_log)
        self._exit_renderables.append(Segments(self.console.render(str(told))))
        self._close_messages_no_wait()
