"""What the sandbox costs when it is crowded, and how it answers then."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crowd import OPTIONS, crowd
from tests.e2e.account import account


@pytest.mark.parametrize(("services", "tasks"), [(10, 10), (100, 10)])
def bench_crowd(nowhere: Path, services: int, tasks: int) -> None:
    with account(nowhere, *OPTIONS) as made:
        print(f"\n{crowd(made, services, tasks).lines()}")  # noqa: T201
