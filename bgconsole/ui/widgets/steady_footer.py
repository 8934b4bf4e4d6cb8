"""The bottom line, made from the bindings that are active: writes first, then reads.

Textual's own `Footer` mounts a widget a key and mounts them all anew whenever bindings are looked
at again (each focus change); the old ones stay alive (604 after 200 times, seen in 8.2.8). This one
is a single widget that repaints when what it would draw has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class FooterKey:
    """One key as it is drawn."""

    key: str
    shown: str
    words: str
    write: bool
    enabled: bool


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    key: str


class SteadyFooter(Widget):
    """Keys and what they do; in brackets what may not be done now.

    Where there is little room the words of the reads go, from the left, then the words of what may
    not be done now, then the reads themselves, then the words of the writes, from the left too. The
    last read, help, is the last to go.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    SteadyFooter {
        dock: bottom;
        height: 1;
        background: $panel;
        color: $foreground;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def __init__(self, *, id: str | None = "footer") -> None:
        super().__init__(id=id)
        self.keys: tuple[FooterKey, ...] = ()
        self._spans: tuple[_Span, ...] = ()

    def on_mount(self) -> None:
        """Listen for changed bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def on_unmount(self) -> None:
        """Listen no more."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        if not self.is_attached or screen is not self.screen:
            return
        keys = footer_keys(screen)
        if keys != self.keys:
            self.keys = keys
            self.refresh()

    def render(self) -> Content:
        """The line, as wide as there is room."""
        for keys, worded in _narrower(self.keys):
            line, spans = _draw(keys, worded)
            if line.cell_length <= self.size.width:
                break
        self._spans = spans
        return line

    def on_click(self, event: events.Click) -> None:
        """A click on a key presses it."""
        for span in self._spans:
            if span.start <= event.x < span.end:
                self.app.simulate_key(span.key)
                return


def footer_keys(screen: Screen[object]) -> tuple[FooterKey, ...]:
    """What the footer shows: bindings meant to be shown, an action once, writes first."""
    found: dict[str, FooterKey] = {}
    for _, binding, enabled, _ in screen.active_bindings.values():
        if binding.show and binding.action not in found:
            shown = screen.app.get_key_display(binding)
            write = binding.action.startswith(("operate(", "operate_marked("))
            found[binding.action] = FooterKey(
                binding.key, shown, binding.description, write, enabled
            )
    return tuple(sorted(found.values(), key=lambda key: not key.write))


def _narrower(
    keys: tuple[FooterKey, ...],
) -> Iterator[tuple[tuple[FooterKey, ...], frozenset[str]]]:
    """Ways to show the keys, each narrower than the one before, with the keys that have words."""
    writes = tuple(key for key in keys if key.write)
    reads = tuple(key for key in keys if not key.write)
    named = frozenset(key.key for key in writes)
    for first in range(len(reads) + 1):
        yield keys, named | {key.key for key in reads[first:]}
    useful = [key.key for key in writes if key.enabled]
    named = frozenset(useful)
    for first in range(len(reads)):
        yield (*writes, *reads[first:]), named
    for first in range(1, len(useful)):
        yield (*writes, *reads[-1:]), frozenset(useful[first:])
    yield keys, frozenset()


def _draw(keys: tuple[FooterKey, ...], worded: frozenset[str]) -> tuple[Content, tuple[_Span, ...]]:
    parts: list[Content] = [Content(" ")]
    spans: list[_Span] = []
    at = 1
    for number, key in enumerate(keys):
        if number and keys[number - 1].write and not key.write:
            parts.append(Content.styled("│ ", "dim"))
            at += 2
        told = key.words if key.key in worded else ""
        style = "dim" if not key.enabled else "bold $warning" if key.write else "bold $accent"
        drawn = Content.styled(key.shown, style)
        if told:
            drawn = Content.assemble(drawn, " ", (told, "" if key.enabled else "dim"))
        if not key.enabled:
            drawn = Content.assemble(("(", "dim"), drawn, (")", "dim"))
        spans.append(_Span(at, at + drawn.cell_length, key.key))
        gap = 2 if told else 1
        parts += [drawn, Content(" " * gap)]
        at += drawn.cell_length + gap
    return Content("").join(parts), tuple(spans)
