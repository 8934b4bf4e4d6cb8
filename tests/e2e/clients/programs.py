"""Where the programs that cannot share the product's environment are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_TOOLS = Path(__file__).parents[3] / ".venv-tools" / "bin"


def program(name: str) -> str:
    """The program's path; without it the test is skipped, except where CI has to have it."""
    found = _TOOLS / name
    if not found.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{found} is not there: make check installs it")
        pytest.skip(f"{name} is not installed: make check installs it")
    return str(found)
