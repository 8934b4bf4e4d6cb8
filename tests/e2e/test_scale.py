"""1,000 tasks in 100 services: what the sandbox holds and how long a client waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crowd import OPTIONS, crowd
from tests.e2e.account import Account, account

MEGABYTES = 500
DESCRIBE_MS = 15.0
"""Median of DescribeServices over HTTP."""


@pytest.fixture
def empty(nowhere: Path) -> Iterator[Account]:
    with account(nowhere, *OPTIONS) as made:
        yield made


def test_a_thousand_tasks_fit_and_answer_quickly(empty: Account) -> None:
    figures = crowd(empty)

    print(figures.lines())  # noqa: T201
    assert figures.tasks == 1_000
    assert figures.rss_mb < MEGABYTES
    assert figures.describe_ms[1] < DESCRIBE_MS
