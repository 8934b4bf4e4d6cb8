"""Text from outside, and text for a person: plain, last words, durations, image references."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgconsole.domain.duration import age, spell
from bgconsole.domain.images import ImageReference, short_digest
from bgconsole.domain.last_words import telling
from bgconsole.domain.plain import plain, plain_lines
from tests.worlds import NOW


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain [/foo] [@click=app.quit]", "plain [/foo] [@click=app.quit]"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]2;title\x07after", "after"),
        ("\x1b]2;title\x1b\\after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("wipe\x1b[2J\x1bcout", "wipeout"),
        ("c1 \x9b31m and \x9d2;t\x9c end", "c1  and  end"),
        ("nul\x00del\x7f", "nul·del·"),
        ("a\rb", "a·b"),
        ("end\r\n", "end"),
        ("tab\there", "tab here"),
        ("evil\u202egnp.exe", "evil·gnp.exe"),
        ("zero\u200bwidth", "zero·width"),
        ("e\u0301 宽 👩", "e\u0301 宽 👩"),
        ("unfinished \x1b]2;never ends", "unfinished "),
        ("lone \x1b", "lone "),
    ],
)
def test_plain_is_what_a_terminal_may_get(raw: str, shown: str) -> None:
    assert plain(raw) == shown


@given(st.text(alphabet=st.characters(max_codepoint=0x2FFF), max_size=60))
def test_plain_never_lets_a_control_character_through(text: str) -> None:
    shown = plain(text)
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F for c in shown)
    assert plain(shown) == shown


def test_a_long_line_is_cut_and_says_so() -> None:
    shown = plain("x" * 100_000, limit=100)
    assert shown.startswith("x" * 100 + "…")
    assert "+99900 characters" in shown


def test_lines_stay_lines() -> None:
    assert plain_lines("a\n\x1b[1mb\r\nc") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "F, [2026-03-01T14:00:00.1 #1] FATAL -- : [a2213956] ActiveRecord::StatementInvalid "
            "(PG::UndefinedColumn: ERROR:  column posts.summary does not exist)",
            "PG::UndefinedColumn: ERROR: column posts.summary does not exist",
        ),
        (
            "/app/x.rb:12:in `exec': PG::UndefinedColumn: ERROR: no column (PG::Error)",
            "PG::UndefinedColumn: ERROR: no column",
        ),
        (
            "! Unable to load application: ActiveRecord::StatementInvalid: PG::UndefinedColumn: "
            "ERROR:  column posts.summary does not exist",
            "PG::UndefinedColumn: ERROR: column posts.summary does not exist",
        ),
        ("\tfrom /usr/lib/ruby/x.rb:3:in `load'", ""),
        ("/usr/lib/ruby/x.rb:3:in 'Object#load'", ""),
        ("ValueError: bad", "ValueError: bad"),
        ("Completed 200 OK in 4ms (Views: 2.4ms)", ""),
        ('Started GET "/errors" for 10.0.0.1', ""),
    ],
)
def test_the_line_that_names_the_exception_is_telling(line: str, words: str) -> None:
    assert telling(line) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (59.9, "59 s"),
        (190, "3:10"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (86_400, "1 d"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations_read_in_two_units(seconds: float, words: str) -> None:
    assert spell(seconds) == spell(timedelta(seconds=seconds)) == words


def test_an_unknown_age_is_a_dash() -> None:
    assert age(None, NOW) == "-"
    assert age(NOW - timedelta(seconds=61), NOW) == "1:01"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("redis", ("", "redis", "latest", "")),
        ("library/redis:7", ("", "library/redis", "7", "")),
        ("127.0.0.1:4566/demo:v1", ("127.0.0.1:4566", "demo", "v1", "")),
        ("localhost/demo", ("localhost", "demo", "latest", "")),
        ("r.io/a/b@sha256:77", ("r.io", "a/b", "", "sha256:77")),
        ("r.io/a:t@sha256:77", ("r.io", "a", "t", "sha256:77")),
    ],
)
def test_image_references_are_read_as_docker_does(text: str, parts: tuple[str, ...]) -> None:
    found = ImageReference.parse(text)
    assert (found.registry, found.repository, found.tag, found.digest) == parts


def test_pinning_keeps_the_repository() -> None:
    pinned = ImageReference.parse("127.0.0.1:4566/demo:v1").pinned("sha256:77ab10c2ff")
    assert pinned == "127.0.0.1:4566/demo@sha256:77ab10c2ff"
    assert short_digest("sha256:77ab10c2ff") == "77ab10c2"
