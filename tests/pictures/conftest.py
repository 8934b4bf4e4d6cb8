"""Pictures are made by one Python only: others may draw a glyph or a cell width differently."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

BASELINE = (3, 11)
HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip them elsewhere, and never let another Python write them."""
    if sys.version_info[:2] == BASELINE:
        return
    mine = [item for item in items if HERE in item.path.parents]
    wanted = ".".join(map(str, BASELINE))
    if mine and config.getoption("update_snapshots", default=False):
        raise pytest.UsageError(f"pictures are written by Python {wanted} alone")
    for item in mine:
        item.add_marker(pytest.mark.skip(reason=f"pictures are compared on Python {wanted} alone"))


@pytest.fixture(autouse=True)
def utc(nowhere: Path) -> Iterator[None]:
    """Local time is UTC: the environment says so already, the C library must be told."""
    assert nowhere and os.environ["TZ"] == "UTC"
    time.tzset()
    yield
    time.tzset()
