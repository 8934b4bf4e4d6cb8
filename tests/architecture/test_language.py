"""What no file of the repository may hold: private paths, registry addresses, broken promises."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Written so that this file does not match itself.
FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:wor[k]|roo[t]|home/\w+)/"),
    "an address of a package registry": re.compile(
        r"pypi\.or[g]|pythonhoste[d]|deb\.debia[n]\.org|registry\.npmj[s]|index-ur[l]"
    ),
    "something unfinished": re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X])\b"),
}


def files() -> list[Path]:
    """Every text file that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    names = [name for name in listed.split("\0") if name]
    return [ROOT / name for name in names if not name.endswith((".png", ".svg", ".raw"))]


@pytest.mark.parametrize("what", sorted(FORBIDDEN))
def test_no_file_holds(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files()
        if path.exists()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert not found, "\n".join(found)


def test_there_is_something_to_read() -> None:
    assert len(files()) > 50
