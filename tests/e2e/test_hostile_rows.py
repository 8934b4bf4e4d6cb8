"""On a real terminal a hostile log line changes nothing outside its own rows."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.hostile_lines import FIRST, LAST
from tests.terminal import Terminal

COLUMNS, ROWS = 80, 24
LINES = 40


@pytest.mark.parametrize("seed", [1])
def test_a_line_stays_in_its_own_rows(seed: int, nowhere: Path) -> None:
    command = [sys.executable, "-m", "tests.hostile_lines", str(seed)]
    environment = {"HOME": str(nowhere), "TZ": "UTC", "PATH": os.environ["PATH"]}
    with Terminal(command, environment=environment, columns=COLUMNS, rows=ROWS) as terminal:
        terminal.wait_for("4 Logs")
        for number in range(1, LINES + 1):
            terminal.send("x")
            terminal.wait_for(rf"{LAST} {number}\b")
            rows = terminal.lines
            first = next(n for n, row in enumerate(rows) if FIRST in row)
            last = next(n for n, row in enumerate(rows) if LAST in row)
            assert first == 1, rows
            assert rows[0].startswith("╭─ 4 Logs"), rows
            assert rows[ROWS - 1].startswith("╰"), rows
            assert rows[ROWS - 1].endswith("╯"), rows
            assert 1 <= last - first <= 4, rows
            for row in rows[last + 1 : ROWS - 1]:
                assert not row.strip("│▂▃▄▅▆▇█▁ "), rows
            assert rows[last].endswith("│"), rows
        for bytes_never in (b"PWNED\x07", b"\x1bc", b"\x1b]52", b"\x9b2J", b"\x00", b"\x7f"):
            assert bytes_never not in terminal.written
        assert terminal.process.poll() is None
