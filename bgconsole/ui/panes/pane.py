"""What every pane has: its number and title, its own freshness, a filter, and a selection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar, Protocol, Self, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.reactive import reactive
from textual.theme import Theme
from textual.widget import Widget
from textual.widgets import Input, Static

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain.plain import plain
from bgconsole.domain.snapshot import Snapshot
from bgconsole.ui.keys import read
from bgconsole.ui.palette import Palette
from bgconsole.ui.panes.freshness import Freshness
from bgconsole.ui.widgets.fit import Piece, fit, piece
from bgconsole.ui.widgets.repaint import retell, retitle


class _Clocked(Protocol):
    def clock(self) -> datetime: ...


def now(widget: Widget) -> datetime:
    """The time of day, from the console's one clock."""
    return cast(_Clocked, widget.app).clock()


class SnapshotWidget(Widget):
    """Paints the screen's snapshot when it changes, and its ages once a second."""

    snapshot: reactive[Snapshot | None] = reactive(None, repaint=False, init=False)

    def on_mount(self) -> None:
        """Begin to count the seconds."""
        self.set_interval(1.0, self._tick)
        self.app.theme_changed_signal.subscribe(self, self._themed)
        self.paint()

    def paint(self) -> None:
        """Show the snapshot as of now. Cheap where nothing changed."""
        raise NotImplementedError

    def validate_snapshot(self, new: Snapshot | None) -> Snapshot | None:
        """An older picture of the same service never replaces a newer one."""
        old = self.snapshot
        if old is not None and new is not None and old.ref == new.ref:
            return old if new.generation < old.generation else new
        return new

    def watch_snapshot(self) -> None:
        """Show it at once."""
        if self.is_mounted:
            self.paint()

    def on_resize(self, _: Resize) -> None:
        """What fits has changed."""
        self.paint()

    def _tick(self) -> None:
        # A screen of another mode is not on the stack: nobody sees its seconds pass.
        if self.screen in self.app.screen_stack:
            self.paint()

    def _themed(self, _: Theme) -> None:
        self.paint()


class Pane(SnapshotWidget, Vertical):
    """One numbered box. Subclasses say what is in it and call `dress` when they paint."""

    DEFAULT_CSS = """
    Pane {
        height: 1fr;
        border: round $foreground 25%;
        border-title-color: $foreground 80%;
        border-subtitle-color: $foreground 70%;
        padding: 0;
        &:focus-within { border: round $primary; border-title-color: $foreground; }
        & > .filter {
            display: none;
            dock: bottom;
            height: 1;
            border: none;
            padding: 0 1;
            background: $panel;
        }
        &.-filtering > .filter { display: block; }
        & .message { display: none; height: auto; padding: 0 1; color: $text-muted; }
        & .message.-said { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "filter", "filter"),
        *read(KEYMAP, "only-wrong", "only_wrong"),
        *read(KEYMAP, "back", "clear_filter", footer=False),
    ]

    class Aged(Message):
        """What a pane shows is not as of now any more, or is again."""

        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    NUMBER: ClassVar[str] = ""
    NAME: ClassVar[str] = ""
    PLACEHOLDER: ClassVar[str] = "show only what holds …"
    stale = False
    """Whether what is shown is not as of now."""

    def compose(self) -> ComposeResult:
        """The body, then the line that the filter is typed on."""
        yield from self.body()
        yield Input(placeholder=self.PLACEHOLDER, classes="filter", compact=True)

    def body(self) -> ComposeResult:
        """What is in the box."""
        raise NotImplementedError

    def sought(self) -> Iterator[Widget]:
        """The widgets that take the focus, the likeliest first."""
        raise NotImplementedError

    def narrow(self, text: str, *, only_wrong: bool) -> None:
        """Show only what holds the text, or only what is wrong."""
        raise NotImplementedError

    @property
    def selection(self) -> str | None:
        """The key of what is highlighted: what an action key concerns."""
        raise NotImplementedError

    @property
    def copied(self) -> str | None:
        """What the copy key takes."""
        return self.selection

    def focus(self, scroll_visible: bool = True) -> Self:
        """Focus what can be moved in."""
        for widget in self.sought():
            widget.focus(scroll_visible)
            break
        return self

    _only_wrong = False

    @property
    def narrowed_to(self) -> str:
        """In words, what else the user's wish keeps than what the filter line says."""
        return ""

    @property
    def narrowed(self) -> bool:
        """Whether something is hidden by the user's wish."""
        return self._only_wrong or bool(self._filter.value) or bool(self.narrowed_to)

    def action_filter(self) -> None:
        """Type what to show."""
        self.add_class("-filtering")
        self._filter.focus()

    def action_only_wrong(self) -> None:
        """Hide all that is well, or show it again."""
        self._only_wrong = not self._only_wrong
        self._narrow()

    def action_clear_filter(self) -> None:
        """Show everything again."""
        self.clear_filter()

    def clear_filter(self) -> bool:
        """Show everything again; False where nothing was hidden."""
        was = self.narrowed or self.has_class("-filtering")
        self._only_wrong = False
        self._filter.value = ""
        self.remove_class("-filtering")
        if self._filter.has_focus:
            self.focus()
        self._narrow()
        return was

    def check_action(
        self,
        action: str,
        parameters: tuple[object, ...],  # noqa: ARG002
    ) -> bool | None:
        """`esc` is the screen's unless there is a filter to clear."""
        if action == "clear_filter":
            return self.narrowed or self.has_class("-filtering")
        return True

    def dress(
        self,
        title: list[Piece],
        fresh: Freshness,
        counts: tuple[int, int],
        *,
        box: Widget | None = None,
        named: bool = True,
    ) -> None:
        """Write the border: what this is, and what is not as it should be."""
        if fresh.stale is not self.stale:
            self.stale = fresh.stale
            self.post_message(self.Aged(self))
        target = box or self
        width = max(8, target.size.width - 4)
        head = [piece(99, f"{self.NUMBER} {self.NAME}")] if named else []
        named_line = fit([*head, *title], width)
        said: list[Piece] = []
        if self.narrowed:
            shown, total = counts
            what = "only what is wrong" if self._only_wrong else ""
            text = f"“{plain(self._filter.value)}”" if self._filter.value else ""
            words = " ".join(filter(None, (self.narrowed_to, what, text)))
            said.append(piece(2, f"{words} {shown} of {total}", f"{shown} of {total}"))
        if fresh:
            style = Palette.of(self.app).style(fresh.tone)
            forms = (fresh.words, fresh.brief) if fresh.brief else (fresh.words,)
            said.append(piece(3, *(Content.styled(form, style) for form in forms)))
        retitle(target, named_line, fit(said, width))

    def say(self, words: str) -> None:
        """Words in the place of rows; empty takes them away."""
        message = self.query_one(".message", Static)
        message.set_class(bool(words), "-said")
        retell(message, Content(words))

    @property
    def _filter(self) -> Input:
        return self.query_one("Input.filter", Input)

    @on(Input.Changed, ".filter")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._narrow()

    @on(Input.Submitted, ".filter")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value:
            self.remove_class("-filtering")
        self.focus()

    def _narrow(self) -> None:
        self.narrow(self._filter.value, only_wrong=self._only_wrong)
        self.paint()
