"""Keeps broken input from acting: split escape sequences, and pastes the terminal did not bracket.

On a slow link the bytes of an arrow key or a mouse click can arrive apart. Textual waits 100 ms
after an escape byte and then hands the rest on as letters (`escape [ B`; seen in 8.2.8 with gaps of
150 ms and more), and a letter may be a write key. What the guard does, by the keys' own read times:

- After a lone `escape`, a `[` or `O` opens a sequence. It and all that follows up to the sequence's
  final byte are dropped, each within `sequence_gap` of the one before.
- Textual also hands `[` on alone when the gap came behind it, and `O` as `alt+shift+o`. Outside a
  text field both open a sequence too; the `[` itself passes, since a person may have typed it.
- A bracketed paste whose opening marker came in pieces is dropped up to its closing marker.
- `burst_keys` or more different printable keys, each within `burst_gap` of the one before, are a
  paste that was not bracketed: dropped outside a text field. So every printable key waits for
  `burst_gap`. In a text field a burst passes, but an `enter` inside it does not.
- An `escape` acts at once until the first split sequence was seen. From then on the link is known
  to be slow, and an escape waits for `escape_hold`: if a `[` or `O` follows, it was no escape. So
  the first split arrow of a session may close a dialog (which never writes), and no later one.

A pure state machine: times come in with the keys, nothing is read from a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Stroke(Protocol):
    """A key as it was read; `textual.events.Key` is one."""

    key: str
    character: str | None
    time: float


@dataclass(frozen=True, slots=True)
class Timing:
    """How input is judged, in seconds (one clock for all: the one that stamps the keys)."""

    sequence_gap: float = 1.0
    """The longest time between two bytes of one sequence."""
    escape_hold: float = 0.4
    """How long an escape waits on a link that has split a sequence before."""
    burst_gap: float = 0.015
    """Faster than fingers. 0 turns the burst rule off."""
    burst_keys: int = 4
    """How many keys make a burst."""
    settle: float = 0.4
    """How long after its first frame a dialog still ignores what is typed."""


Key = TypeVar("Key", bound=Stroke)

_PASTE_END = "[201~"


@dataclass(slots=True)
class InputGuard(Generic[Key]):
    """Takes every key as it is read; gives back those that may act, in order."""

    timing: Timing = field(default_factory=Timing)
    slow_link: bool = False
    """Whether a split sequence was seen."""
    _escape: Key | None = None
    """A held escape."""
    _escaped_at: float | None = None
    """When the last lone escape was read, while a sequence may still follow."""
    _sequence: _Sequence | None = None
    _burst: list[Key] = field(default_factory=list)
    _last_text: float = float("-inf")

    @property
    def due(self) -> float | None:
        """When `expire` must be called, if no key comes before."""
        if self._escape is not None:
            return self._escape.time + self.timing.escape_hold
        if self._burst:
            return self._burst[-1].time + self.timing.burst_gap
        return None

    def expire(self, now: float) -> list[Key]:
        """What was held and may act now."""
        due = self.due
        if due is None or now < due:
            return []
        return [*self._let_escape_go(), *self._end_burst()]

    def take(self, stroke: Key, *, typing: bool) -> list[Key]:
        """What may act, now that `stroke` was read; `typing` tells that a text field has it."""
        ready = self.expire(stroke.time)
        if self._in_sequence(stroke):
            return ready
        if stroke.key == "escape":
            ready += [*self._end_burst(), *self._let_escape_go()]
            self._escaped_at = stroke.time
            if self.slow_link:
                self._escape = stroke
                return ready
            return [*ready, stroke]
        if self._opens_sequence(stroke, typing):
            return ready
        ready += self._let_escape_go()
        self._escaped_at = None
        if stroke.key == "left_square_bracket" and not typing:
            self._sequence = _Sequence(stroke.time, bare=True)
        return [*ready, *self._text(stroke, typing)]

    def _in_sequence(self, stroke: Key) -> bool:
        sequence = self._sequence
        if sequence is None:
            return False
        if stroke.time - sequence.at > self.timing.sequence_gap:
            self._sequence = None
            return False
        taken = sequence.take(stroke)
        if sequence.ended:
            self._sequence = None
        return taken

    def _opens_sequence(self, stroke: Key, typing: bool) -> bool:
        at = self._escaped_at
        after_escape = at is not None and stroke.time - at <= self.timing.sequence_gap
        alone = stroke.key == "alt+shift+o" and not typing
        if not alone and not (after_escape and stroke.character in ("[", "O")):
            return False
        self._sequence = _Sequence(stroke.time, single=stroke.character != "[")
        self._escaped_at = self._escape = None
        self.slow_link = True
        return True

    def _let_escape_go(self) -> list[Key]:
        held, self._escape = self._escape, None
        return [] if held is None else [held]

    def _text(self, stroke: Key, typing: bool) -> list[Key]:
        """A key outside any sequence."""
        gap, self._last_text = stroke.time - self._last_text, stroke.time
        if not self.timing.burst_gap or stroke.character is None:
            return [*self._end_burst(), stroke]
        if typing:
            inside = stroke.key == "enter" and gap < self.timing.burst_gap
            return self._end_burst() if inside else [*self._end_burst(), stroke]
        self._burst.append(stroke)
        return []

    def _end_burst(self) -> list[Key]:
        burst, self._burst = self._burst, []
        different = len({stroke.key for stroke in burst}) > 1
        return [] if len(burst) >= self.timing.burst_keys and different else burst


@dataclass(slots=True)
class _Sequence:
    """A control sequence of which the opening byte was seen.

    ECMA-48: parameter and intermediate bytes are 0x20 to 0x3f, the final one is 0x40 to 0x7e.
    `ESC O` takes one final byte. Two exceptions to the rule of the final byte: `[ M` is followed by
    three bytes (X10 mouse), and `[ [` by one (function keys of the Linux console).
    """

    at: float
    """When its last byte was read."""
    single: bool = False
    """Whether it began with `O`."""
    bare: bool = False
    """Whether it began with a `[` that a person may have typed; another one begins anew."""
    ended: bool = False
    _body: str = ""
    _more: int = 0
    """Bytes still to come after `[ M` or `[ [`."""
    _paste: bool = False

    def take(self, stroke: Stroke) -> bool:
        """Whether the key belongs to it; False where the sequence was broken off."""
        self.at = stroke.time
        byte = stroke.character or ""
        if self._paste:
            self._take_pasted(stroke.key, byte)
        elif self._more:
            self._more -= 1
            self.ended = self._more == 0
        elif len(byte) != 1 or not " " <= byte <= "~" or (self.bare and byte == "["):
            self.ended = True
            return False
        elif byte < "@":
            self._body += byte
        else:
            self._take_final(byte)
        return True

    def _take_final(self, byte: str) -> None:
        if not self.single and not self._body and byte in "M[":
            self._more = 3 if byte == "M" else 1
        elif byte == "~" and self._body == "200":
            self._paste, self._body = True, ""
        else:
            self.ended = True

    def _take_pasted(self, key: str, byte: str) -> None:
        """Everything belongs to the paste up to its end marker, which may have come in pieces."""
        text = "" if key == "escape" else self._body + byte
        self._body = text[-len(_PASTE_END) :]
        self.ended = self._body == _PASTE_END
