"""Log lines that try to drive a terminal, made from a seed, in a pane on a terminal."""

from __future__ import annotations

import sys
from itertools import count
from random import Random

from bgconsole.ui.panes.log_lines import LogLines
from bgconsole.ui.panes.logs import LogsPane
from tests import scenes
from tests.scenes import Host

PIECES = (
    "\x1b]2;PWNED\x07", "\x1b]52;c;UFdORUQ=\x07", "\x1b[2J", "\x1b[H", "\x1b[10;10HPWNED", "\x1bc",
    "\x1b[?1049l", "\x1b[?25h", "\x1b[3;7r", "\x1b[31m", "\x1b", "\x1b[", "\x1b]0;", "\x1bP1$r",
    "\x1b(0", "\x9b2J", "\x9d2;PWNED\x9c", "\x90q", "\x85", "\x84", "\x8d", "\x00", "\x07", "\x08",
    "\x08\x08\x08over", "\x0b", "\x0c", "\x0e", "\x0f", "\x7f", "\rreturned", "\r\n", "\t",
    "\u202egnp.exe", "\u2066\u2069", "\u200b", "\u200d", "\u2028", "\ufeff", "\ud800", "[/foo]",
    "[@click=app.quit]x[/]", "[bold red", "宽宽", "e\u0301", "👨\u200d👩\u200d👧", "🇩🇪", "\u0300",
    "ﷺ", "\U000e0041", "x" * 300, "plain words",
)  # fmt: skip
FIRST = "the first row stands"
LAST = "the last row stands"


def hostile(seed: int, number: int = 40) -> list[str]:
    """Lines of such pieces in any order, one of them a megabyte long."""
    random = Random(seed)
    lines = [
        "".join(random.choice(PIECES) for _ in range(random.randint(1, 8))) for _ in range(number)
    ]
    lines[random.randrange(number)] += "A" * 1_000_000
    return lines


class Shown(Host):
    """Between two tame lines as many hostile ones as there is room for; a key shows the next."""

    BINDINGS = [("x", "more", "more")]  # noqa: RUF012

    def __init__(self, seed: int) -> None:
        super().__init__(LogsPane, shown=scenes.steady())
        self._lines = iter(hostile(seed))
        self._numbers = count(1)

    def action_more(self) -> None:
        """The next line alone, between the tame ones."""
        pane = self.screen.query_one(LogsPane)
        pane.forget()
        number = next(self._numbers)
        text = next(self._lines, "")
        told = [FIRST, text, f"{LAST} {number}"]
        pane.add(scenes.batch(scenes.line(n, each, "ab" * 16) for n, each in enumerate(told)))
        self.screen.query_one(LogLines).focus()


if __name__ == "__main__":
    Shown(int(sys.argv[1])).run()
