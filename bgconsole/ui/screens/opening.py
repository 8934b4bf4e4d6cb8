"""The first screen: connecting, or why the console cannot, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalGroup
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain.errors import BgconsoleError, GatewayError, NoCredentials, NoRegion, NotThere
from bgconsole.ui.keys import read
from bgconsole.ui.outside import lines, one_line
from bgconsole.ui.widgets.steady_footer import SteadyFooter

NOT_SET_UP = (NoCredentials, NoRegion)
"""What is wrong on a machine that AWS was never set up on."""


class OpeningScreen(Screen[None]):
    """Says one thing clearly; the console tries again behind it where that may help."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "refresh", "app.refresh", footer=True),
        *read(KEYMAP, "pick", "pick", footer=True),
        Binding("d", "demo", "demo", tooltip="Start the demo in place of this"),
    ]

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self._clock = clock
        self.error: BgconsoleError | None = None
        """Why there is no picture; None while connecting."""
        self._words = "connecting …"
        self._retry_at: datetime | None = None
        self._choosable = False
        self._composed = False

    def compose(self) -> ComposeResult:
        """One box in the middle."""
        with VerticalGroup(id="opening-box"):
            yield Static(id="opening-title")
            yield Static(id="opening-text")
            yield Static(id="opening-retry")
        yield SteadyFooter()

    def on_mount(self) -> None:
        """Count down to the next try."""
        self._composed = True
        self._seconds = self.set_interval(1.0, self._tick)
        self._paint()

    def on_screen_suspend(self) -> None:
        """Nobody looks."""
        self._seconds.pause()

    def on_screen_resume(self) -> None:
        """Somebody looks again."""
        self._seconds.resume()
        self._paint()

    def connecting(self, words: str) -> None:
        """Say what is being done; an error that is shown stays until there is an answer."""
        self._words, self._retry_at, self._choosable = words, None, False
        self._paint()

    def nothing_chosen(self) -> None:
        """The picker was left."""
        self.error, self._choosable = None, True
        self._words = "no service is chosen: ctrl+o opens the list, q quits"
        self._paint()

    def trouble(self, error: BgconsoleError, retry_at: datetime) -> None:
        """Say why not, and when the next try is."""
        self.error, self._retry_at = error, retry_at
        self._choosable = isinstance(error, NotThere)
        self._paint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """The demo is offered where AWS was never set up; the pickers need a connection."""
        if action == "demo":
            return isinstance(self.error, NOT_SET_UP)
        if action == "pick":
            return self._choosable
        return True

    def action_demo(self) -> None:
        """Leave; `main` starts the demo."""
        self.app.exit("demo")

    async def action_pick(self) -> None:
        """Choose from what there is."""
        await self.app.run_action("pick")

    def _tick(self) -> None:
        if self._retry_at is not None:
            self._paint_retry()

    def _paint(self) -> None:
        if not self._composed:
            return
        error = self.error
        title = self.query_one("#opening-title", Static)
        text = self.query_one("#opening-text", Static)
        self.query_one("#opening-box").set_class(error is not None, "-trouble")
        if error is None:
            title.update(Content.styled("bgconsole", "bold $primary"))
            text.update(one_line(self._words))
        else:
            title.update(one_line(f"✖ {error.title}", "bold $text-error"))
            text.update(told(error))
        self._paint_retry()
        self.refresh_bindings()

    def _paint_retry(self) -> None:
        retry = self.query_one("#opening-retry", Static)
        retry.display = self.error is not None
        left = (self._retry_at - self._clock()).total_seconds() if self._retry_at else 0
        when = f"in {left:.0f} s" if left >= 1 else "now"
        retry.update(
            Content.styled(f"◌ trying again by itself {when}; ctrl+r tries now, q leaves", "dim")
        )


def told(error: BgconsoleError) -> Content:
    """Detail, what was tried, what to do, and AWS's request id."""
    parts = [lines(error.detail)] if error.detail else []
    if isinstance(error, NoCredentials) and error.tried:
        parts.append(Content("looked in:"))
        parts += [one_line(f"  · {place}") for place in error.tried]
    if isinstance(error, NOT_SET_UP):
        parts.append(Content("d starts the demo: an AWS account in a box on this machine"))
    if error.hint:
        parts += [Content(""), lines(f"→ {error.hint}")]
    if isinstance(error, GatewayError) and error.request_id:
        parts += [Content(""), one_line(f"request id {error.request_id}", "dim")]
    return Content("\n").join(parts)
