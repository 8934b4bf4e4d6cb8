"""Bytes in words and as a bar."""

from __future__ import annotations

import pytest

from bgconsole.domain.amount_words import bar, progress, size


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (12_400_000, "12.4 MB"),
        (999_600, "1 MB"),
        (3_210_000_000, "3.21 GB"),
        (5 * 10**15, "5e+03 TB"),
    ],
)
def test_sizes_are_docker_s(number: int, words: str) -> None:
    assert size(number) == words


def test_what_is_left_is_said() -> None:
    assert progress(12_000_000, 48_000_000) == "12 MB of 48 MB, 36 MB left"
    assert progress(48_000_000, 48_000_000) == "48 MB, all of it"
    assert progress(12_000_000, 0) == "12 MB"


def test_a_bar_is_as_wide_as_asked_whatever_is_told() -> None:
    assert bar(1, 2, 10) == "█████░░░░░"
    assert {len(bar(done, total, 10)) for done, total in ((0, 0), (5, 2), (-1, 2))} == {10}
