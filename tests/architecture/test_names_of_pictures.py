"""Tests that compare pictures have names of their own: syrupy knows a test by its file's name.

Run together with another file of that name, all of its pictures would be called unused.
"""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_no_other_test_is_named_as_one_that_compares_pictures() -> None:
    with_pictures = {
        folder.name for found in TESTS.rglob("__snapshots__") for folder in found.iterdir()
    }
    assert with_pictures
    for name in with_pictures:
        assert len(list(TESTS.rglob(f"{name}.py"))) == 1, name
