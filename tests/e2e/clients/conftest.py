"""One sandbox for the clients of one file; they are other people's programs, unmodified."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.account import Account, account


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account at a quick pace, the demo's service steady in it."""
    with account(tmp_path_factory.mktemp("client"), "--speed", "50") as made:
        yield made
