"""The input guard, fed with the keys that Textual makes of split sequences."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from bgconsole.ui import patient_parser
from bgconsole.ui.input_guard import InputGuard, Timing
from bgconsole.ui.patient_parser import PatientParser

SPLIT = {
    "up": "\x1b[A",
    "down": "\x1b[B",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "home (vt)": "\x1b[1~",
    "end (vt)": "\x1b[4~",
    "application right": "\x1bOC",
    "F1": "\x1bOP",
    "F2": "\x1bOQ",
    "F3": "\x1bOR",
    "F4": "\x1bOS",
    "F1 (console)": "\x1b[[A",
    "F5": "\x1b[15~",
    "ctrl+right": "\x1b[1;5C",
    "mouse press": "\x1b[<0;10;5M",
    "mouse release": "\x1b[<0;10;5m",
    "mouse (X10)": "\x1b[M RF",
    "mode report": "\x1b[?2026;1$y",
    "paste": "\x1b[200~R1\rFy q\x1b[201~",
}


def _key(character: str, at: float, name: str = "") -> events.Key:
    names = {"\x1b": "escape", "\r": "enter", "[": "left_square_bracket"}
    key = events.Key(name or names.get(character, character), character)
    key.time = at
    return key


def _feed(
    guard: InputGuard[events.Key], keys: Iterable[events.Key], *, typing: bool = False
) -> list[str]:
    """What may act, the guard being asked in time whenever something is due."""
    out: list[str] = []
    for key in keys:
        while guard.due is not None and guard.due <= key.time:
            out += [k.key for k in guard.expire(guard.due)]
        out += [k.key for k in guard.take(key, typing=typing)]
    while guard.due is not None:
        out += [k.key for k in guard.expire(guard.due)]
    return out


@pytest.mark.parametrize("typing", [False, True])
@pytest.mark.parametrize("gap", [0.15, 0.3, 0.9])
@pytest.mark.parametrize("sequence", SPLIT.values(), ids=SPLIT.keys())
def test_of_a_split_sequence_only_the_escape_is_left(
    sequence: str, gap: float, typing: bool
) -> None:
    guard: InputGuard[events.Key] = InputGuard()
    keys = [_key(character, 10 + gap * i) for i, character in enumerate(sequence)]
    assert _feed(guard, keys, typing=typing) == ["escape"]
    assert guard.slow_link


@pytest.mark.parametrize("sequence", SPLIT.values(), ids=SPLIT.keys())
def test_on_a_link_known_to_be_slow_nothing_is_left(sequence: str) -> None:
    guard: InputGuard[events.Key] = InputGuard(slow_link=True)
    keys = [_key(character, 10 + 0.3 * i) for i, character in enumerate(sequence)]
    assert _feed(guard, keys) == []


CUTS = [
    pytest.param(sequence, cut, id=f"{name} at {cut}")
    for name, sequence in SPLIT.items()
    for cut in range(1, len(sequence))
    if name != "paste"
]


@pytest.mark.parametrize(("sequence", "cut"), CUTS)
def test_cut_once_anywhere_no_letter_comes_through_textuals_own_parser(
    sequence: str, cut: int
) -> None:
    """What the real parser makes of one gap, wherever it falls."""
    parser = XTermParser()
    guard: InputGuard[events.Key] = InputGuard()
    out: list[str] = []
    for at, part in ((10.0, sequence[:cut]), (10.4, sequence[cut:])):
        read = list(parser.feed(part))
        if parser._timeout_time is not None:
            parser._timeout_time = 0.0
            read += parser.tick()
        for event in read:
            if isinstance(event, events.Key):
                event.time = at
                out += [k.key for k in guard.take(event, typing=False)]
    while guard.due is not None:
        out += [k.key for k in guard.expire(guard.due)]
    assert [key for key in out if key not in ("escape", "left_square_bracket")] == []


def test_a_key_after_the_final_byte_acts() -> None:
    guard: InputGuard[events.Key] = InputGuard()
    keys = [_key(c, 10 + 0.3 * i) for i, c in enumerate("\x1b[Bj")]
    assert _feed(guard, keys) == ["escape", "j"]


def test_a_sequence_that_stops_short_is_forgotten_after_a_second() -> None:
    guard: InputGuard[events.Key] = InputGuard()
    assert _feed(guard, [_key("\x1b", 10), _key("[", 10.3), _key("R", 11.4)]) == ["escape", "R"]


def test_escape_acts_at_once_where_nothing_was_ever_split() -> None:
    guard: InputGuard[events.Key] = InputGuard()
    assert [k.key for k in guard.take(_key("\x1b", 10), typing=False)] == ["escape"]
    assert [k.key for k in guard.take(_key("q", 10.1), typing=True)] == ["q"]


def test_on_a_slow_link_a_true_escape_comes_late_and_before_the_next_key() -> None:
    guard: InputGuard[events.Key] = InputGuard(slow_link=True)
    assert guard.take(_key("\x1b", 10), typing=False) == []
    assert guard.due == pytest.approx(10.4)
    assert [k.key for k in guard.take(_key("j", 10.1), typing=True)] == ["escape", "j"]
    assert guard.take(_key("\x1b", 11), typing=False) == []
    assert [k.key for k in guard.expire(11.4)] == ["escape"]


def test_a_typed_bracket_passes_however_often() -> None:
    guard: InputGuard[events.Key] = InputGuard()
    keys = [_key("[", 10 + 0.2 * i) for i in range(4)]
    assert _feed(guard, keys) == ["left_square_bracket"] * 4
    assert not guard.slow_link


def test_in_a_text_field_brackets_and_letters_are_text() -> None:
    guard: InputGuard[events.Key] = InputGuard()
    keys = [_key(c, 10 + 0.2 * i) for i, c in enumerate("[ERROR")]
    assert _feed(guard, keys, typing=True) == ["left_square_bracket", *"ERROR"]


def _burst(text: str, gap: float) -> list[events.Key]:
    return [_key(c, 10 + gap * i) for i, c in enumerate(text)]


def test_an_unbracketed_paste_is_dropped_whole() -> None:
    assert _feed(InputGuard(), _burst("Fy\rR1\r", 0.0001)) == []


def test_keys_typed_fast_are_not_a_paste() -> None:
    assert _feed(InputGuard(), _burst("jjkd2", 0.03)) == list("jjkd2")


def test_a_held_down_key_is_not_a_paste() -> None:
    assert _feed(InputGuard(), _burst("jjjjjjjj", 0.001)) == ["j"] * 8


def test_three_keys_are_not_a_paste() -> None:
    assert _feed(InputGuard(), _burst("gGj", 0.001)) == list("gGj")


def test_keys_without_a_character_do_not_wait() -> None:
    guard: InputGuard[events.Key] = InputGuard()
    down = events.Key("down", None)
    down.time = 10
    assert guard.take(down, typing=False) == [down]


def test_a_paste_into_a_text_field_is_text_but_does_not_press_enter() -> None:
    assert _feed(InputGuard(), _burst("42\r", 0.0001), typing=True) == ["4", "2"]
    late = [*_burst("42", 0.1), _key("\r", 10.4)]
    assert _feed(InputGuard(), late, typing=True) == ["4", "2", "enter"]


def test_the_burst_rule_can_be_off() -> None:
    guard: InputGuard[events.Key] = InputGuard(Timing(burst_gap=0))
    assert _feed(guard, _burst("abcdef", 0)) == list("abcdef")


def _parsed(parser: PatientParser, *parts: str) -> list[events.Event]:
    """What the parser makes of parts with 100 ms and more between them."""
    out: list[events.Event] = []
    for part in parts:
        out += parser.feed(part)  # type: ignore[arg-type]
        if parser._timeout_time is not None:
            parser._timeout_time = 0.0
            out += parser.tick()  # type: ignore[arg-type]
    return out


@pytest.mark.parametrize("cut", range(len("\x1b[201~") + 1))
def test_a_paste_ends_wherever_its_closing_marker_is_cut(cut: int) -> None:
    end = "\x1b[201~"
    parts = [part for part in ("\x1b[200~R1", end[:cut], end[cut:], "j") if part]
    paste, key = _parsed(PatientParser(), *parts)
    assert isinstance(paste, events.Paste) and paste.text == "R1"
    assert isinstance(key, events.Key) and key.key == "j"


def test_a_paste_ends_where_every_byte_of_its_marker_comes_alone() -> None:
    paste, key = _parsed(PatientParser(), "\x1b[200~a", *"\x1b[201~", "j")
    assert isinstance(paste, events.Paste) and isinstance(key, events.Key)


@pytest.mark.parametrize("text", ["\x1bR", "a\x1b[Bb", "\x1b", "\x1b[201R", "x" * 40 + "\x1bF"])
def test_an_escape_inside_a_paste_makes_no_keys(text: str) -> None:
    [paste] = _parsed(PatientParser(), f"\x1b[200~{text}\x1b[201~")
    assert isinstance(paste, events.Paste) and paste.text == text.replace("\x1b", "")


@pytest.mark.parametrize("cut", range(1, len("\x1b[200~")))
def test_an_opening_marker_may_come_in_two_reads(cut: int) -> None:
    parser = PatientParser()
    read = [*parser.feed("j\x1b[200~"[: cut + 1]), *parser.feed("j\x1b[200~"[cut + 1 :])]
    read += _parsed(parser, "\x1bR\x1b[2", "01~k")
    assert [type(event).__name__ for event in read] == ["Key", "Paste", "Key"]


def test_outside_a_paste_the_parser_is_textuals_own() -> None:
    for text in ("\x1b", "\x1b[", "\x1b[B", "\x1b[201", "R1\r"):
        mine = [str(event) for event in _parsed(PatientParser(), text)]
        theirs = [str(event) for event in _parsed(XTermParser(), text)]  # type: ignore[arg-type]
        assert mine == theirs
    assert list(PatientParser().feed("")) == []


def test_the_driver_uses_it() -> None:
    from textual.drivers import linux_driver

    patient_parser.install()
    assert linux_driver.XTermParser is PatientParser
