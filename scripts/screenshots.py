"""Makes the pictures of the documents from the running console on a real sandbox.

`make screenshots`. Each story starts a sandbox of its own through `bgconsole sandbox run`, opens
the console in it without a terminal, presses keys, and keeps a picture as soon as the picture
itself shows what it is meant to show. Times, ids and ports differ from run to run.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from html import unescape
from pathlib import Path

from rich.console import Console as Terminal
from textual.pilot import Pilot

from bgconsole.config.settings import Settings
from bgconsole.main import wiring
from bgconsole.ui.app import Console
from bgconsole.ui.screens.dialog import Dialog

FOLDER = Path(__file__).parents[1] / "screenshots"
SERVICE = Settings(cluster="democluster-cluster", service="democluster-service")
COMFORTABLE, SMALL, WIDE = (120, 36), (80, 24), (160, 45)
CELL = 12.2
"""How wide a picture draws one cell of the terminal."""
PATIENCE = 120.0
"""Seconds after which a picture counts as never come."""


class Camera:
    """Presses keys and waits until the console shows what is wanted."""

    def __init__(self, pilot: Pilot[object], folder: Path) -> None:
        self._pilot = pilot
        self._folder = folder

    async def press(self, *keys: str) -> None:
        """One by one, a dialog's first key only when it takes keys."""
        for key in keys:
            await self._until(self._answerable, f"a screen that takes {key}")
            await self._pilot.press(key)

    async def resize(self, size: tuple[int, int]) -> None:
        """Another terminal size, columns first."""
        await self._pilot.resize_terminal(*size)

    async def see(self, pattern: str, name: str = "") -> None:
        """Wait until the picture's own text matches; keep that picture under a name."""
        wanted = re.compile(pattern, re.DOTALL)
        taken = ""

        def matches() -> bool:
            nonlocal taken
            taken = self._pilot.app.export_screenshot(title="bgconsole")
            return bool(wanted.search(words(taken)))

        await self._until(matches, pattern)
        if name:
            keep(taken, self._folder / name)

    def _answerable(self) -> bool:
        screen = self._pilot.app.screen
        return not isinstance(screen, Dialog) or screen.armed

    async def _until(self, met: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not met():
            if time.monotonic() > end:
                shown = words(self._pilot.app.export_screenshot())
                raise SystemExit(f"never came: {what}\n{shown}")
            await self._pilot.pause(0.05)


async def quiet(camera: Camera) -> None:
    """Nothing is wrong; then every task is replaced."""
    await camera.see(r"STEADY .*demorepo +create complete.*Completed 200", "steady.svg")
    await camera.press("F")
    await camera.see(r"✓ same image", "redeploy.svg")
    await camera.press("y")
    await camera.see(r"step 1: AWS took it")
    await camera.press("escape")
    both = r"Both serve.*old · revision 2.*new · revision 2.* "
    await camera.see(both + r"new \w{6} +\[", "deploying.svg")
    await camera.resize(WIDE)
    await camera.see(both + "new", "wide.svg")


async def bad(camera: Camera) -> None:
    """A deploy goes wrong by itself; the version before is put back."""
    failing = r"✖ FAILING .*R back to 2.*"
    await camera.see(failing + r"✖ [48] × .*exit 1")
    await camera.press("4", "!")
    await camera.see(
        failing + r"new · revision 3.* new \w{6} ERROR.*only what is wrong", "failing.svg"
    )
    keep(said("status"), FOLDER / "status.svg")
    await camera.press("1")
    await camera.resize(SMALL)
    await camera.see(failing + "old · rev.*4 Logs", "small.svg")
    await camera.resize(COMFORTABLE)
    await camera.press("R")
    await camera.see(r"type 2 to roll back", "roll-back.svg")
    await camera.press("2", "enter")
    await camera.see(r"now +revision 2 .*read back from all 4", "receipt.svg")


Story = Callable[[Camera], Awaitable[None]]
STORIES: dict[str, tuple[tuple[str, ...], Story]] = {
    "quiet": (("--speed", "2"), quiet),
    "bad": (("--scenario", "bad-deploy"), bad),
}


def words(svg: str) -> str:
    """The text of a picture, a line for each of the terminal's."""
    rows: dict[float, str] = {}
    pieces = re.findall(r'<text [^>]*\bx="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)<', svg)
    for y, x, told in sorted((float(y), float(x), told) for x, y, told in pieces):
        row, column = rows.get(y, ""), round(x / CELL)
        rows[y] = row.ljust(column) + unescape(told).replace("\xa0", " ")
    return "\n".join(rows.values())


def said(*arguments: str) -> str:
    """What a sub-command prints, as a picture of a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "bgconsole", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    terminal = Terminal(record=True, width=120, file=io.StringIO(), highlight=False)
    terminal.print(f"$ bgconsole {' '.join(arguments)}", style="bold", markup=False)
    terminal.print(done.stdout.rstrip(), markup=False)
    return terminal.export_svg(title="bgconsole")


def keep(svg: str, file: Path) -> None:
    """Write a picture that asks no server for its font."""
    local = re.sub(r',\s*url\("https?:[^)]*\)\s*format\("\w+"\)', "", svg)
    file.write_text("\n".join(line.rstrip() for line in local.splitlines()) + "\n", "utf-8")
    sys.stdout.write(f"{file.name}\n")
    sys.stdout.flush()


async def tell(story: Story) -> None:
    """Run the console through one story."""
    async with Console(wiring(SERVICE)).run_test(size=COMFORTABLE) as pilot:
        await story(Camera(pilot, FOLDER))


def outside(names: list[str]) -> None:
    """Start a sandbox for each story and this script inside it, with an empty home."""
    FOLDER.mkdir(exist_ok=True)
    for name in names:
        options, _ = STORIES[name]
        with tempfile.TemporaryDirectory() as home:
            told = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
            told |= {"XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home, "TZ": "UTC"}
            inner = [sys.executable, __file__, "--inside", name]
            command = [sys.executable, "-m", "bgconsole", "sandbox", "run", *options, "--", *inner]
            subprocess.run(command, env=told, check=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("story", nargs="*", choices=[[], *STORIES], help="all without one")
    parser.add_argument("--inside", choices=STORIES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        asyncio.run(tell(STORIES[given.inside][1]))
    else:
        outside(given.story or list(STORIES))


if __name__ == "__main__":
    main()
