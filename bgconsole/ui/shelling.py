"""The shell key: asks, then opens a shell in the highlighted task, beside the console or over."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import datetime

from textual.app import App, SuspendNotSupported

from bgconsole.domain.join import main_container
from bgconsole.domain.services import Task
from bgconsole.domain.shell import NEEDED, shell_container, shell_words, why_no_shell
from bgconsole.domain.snapshot import Snapshot
from bgconsole.operations.shell_record import shell_record
from bgconsole.ui.background import start
from bgconsole.ui.screens.question import QuestionScreen
from bgconsole.ui.wiring import ConsoleResult, Wiring

_TITLE = "Shell"
_CAUTION = "It runs what serves: look, and change nothing. M migrates with a task of its own."


class Shelling:
    """Opens shells; the task is the one that was highlighted when the key was pressed."""

    def __init__(
        self, app: App[ConsoleResult], wiring: Wiring, clock: Callable[[], datetime]
    ) -> None:
        self._app = app
        self._wiring = wiring
        self._clock = clock

    def offer(self, snapshot: Snapshot, arn: str) -> None:
        """Look for what is needed, then ask."""
        shells = self._wiring.shells
        tasks = snapshot.tasks.value.tasks if snapshot.tasks.value else ()
        task = next((task for task in tasks if task.arn == arn), None)
        if task is None or shells is None:
            self._say("Highlight a task first: 1 shows them.")
            return

        def look() -> None:
            missing = shells.missing(tuple(NEEDED))
            self._app.call_from_thread(self._ask, snapshot, task, missing)

        start(self._app, look, name="shell")

    def _ask(self, snapshot: Snapshot, task: Task, missing: tuple[str, ...]) -> None:
        ref, shells = snapshot.ref, self._wiring.shells
        why = why_no_shell(ref, task, read_only=self._wiring.why_read_only(ref), missing=missing)
        if why or shells is None:
            self._say(why)
            return
        container = shell_container(task, main_container(snapshot.service.value))
        words = shell_words(snapshot.place, ref, task, container)
        where = (
            "in a tmux pane below" if shells.beside else "in place of the console, until it ends"
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._open(snapshot, task, words)

        screen = QuestionScreen(
            f"Shell in task {task.id[:8]}?",
            f"{container}, {where}:",
            shlex.join(words),
            _CAUTION,
            yes="open",
            settle=self._wiring.timing.settle,
        )
        self._app.push_screen(screen, answered)

    def _open(self, snapshot: Snapshot, task: Task, words: tuple[str, ...]) -> None:
        shells = self._wiring.shells
        if shells is None:
            return
        identity, at = snapshot.identity.value, self._clock()
        record = shell_record(
            identity, snapshot.place, snapshot.ref, task, words[-1], at, "console"
        )

        def note() -> None:
            self._wiring.note(record)

        def beside() -> None:
            note()
            if why := shells.open_beside(words):
                self._app.call_from_thread(self._say, f"tmux opened no pane: {why}")

        if shells.beside:
            start(self._app, beside, name="shell")
            return
        start(self._app, note, name="shell record")
        try:
            with self._app.suspend():
                code = shells.run(words)  # never raises: an error inside would leave the screen off
        except SuspendNotSupported:
            self._say(f"This terminal cannot be lent. In another one: {shlex.join(words)}")
            return
        if code:
            self._say(f"The shell ended with {code}.")

    def _say(self, words: str) -> None:
        self._app.notify(words, title=_TITLE, severity="warning", timeout=15, markup=False)
