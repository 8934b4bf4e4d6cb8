"""From a red verdict to a submitted roll back, at 80×24 and a round trip of 300 ms."""

from __future__ import annotations

import threading
import time

from tests.e2e.conftest import Sandbox
from tests.e2e.test_watch import begin
from tests.terminal import Terminal

ONE_WAY = 0.15
"""Seconds that a key, or what is painted, is under way."""
ARMED = 0.45
"""Seconds after which a dialog takes keys, and that a person takes to find the word."""


def pressed(console: Terminal, *keys: str) -> int:
    """Press keys one by one; they arrive later. Gives how many."""
    for key in keys:
        threading.Event().wait(ONE_WAY)
        console.send(key)
    return len(keys)


def seen(console: Terminal, pattern: str) -> None:
    """Wait until the other end sees it."""
    console.wait_for(pattern)
    threading.Event().wait(ONE_WAY)


def test_a_roll_back_takes_few_keys_and_seconds_over_a_slow_link(sandbox: Sandbox) -> None:
    with sandbox.console(80, 24) as console:
        console.wait_for(r"STEADY\s+Revision 2 serves 100 %")
        begin(sandbox, "failing-health-check-after-healthy=2")
        console.wait_for(r"✖ (DEGRADED|DOWN)")
        begun = time.monotonic()
        keys = pressed(console, "R")
        seen(console, r"type 1 to roll back")
        threading.Event().wait(ARMED)
        keys += pressed(console, "1")
        seen(console, r"type 1 to roll back: 1")
        keys += pressed(console, "\r")
        seen(console, r"AWS took it · request id")
        took = time.monotonic() - begun
    print(f"{keys} keys, submitted {took:.1f} s after the first")  # noqa: T201
    assert keys <= 6
    assert took <= 5
