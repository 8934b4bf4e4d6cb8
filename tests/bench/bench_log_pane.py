"""The logs pane on a pty: a flood, the bytes that reach the terminal, keys over a slow link."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import statistics
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.log_pane_program import Wanted, command

HOLD = ";"


class Link:
    """What stands between the program and the eye: so many bytes a second, each so much later."""

    def __init__(self, master: int, *, per_second: float = 0.0, delay: float = 0.0) -> None:
        self._master, self._per_second, self._delay = master, per_second, delay
        self.taken = 0
        self.seen: list[tuple[float, bytes]] = []
        """When a piece was seen, and the piece."""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                ready, _, _ = select.select([self._master], [], [], 0.5)
                if not ready:
                    continue
                data = os.read(self._master, 4096 if self._per_second else 65_536)
            except OSError:
                return
            if not data:
                return
            self.taken += len(data)
            self.seen.append((time.monotonic() + self._delay, data))
            if self._per_second:
                time.sleep(len(data) / self._per_second)

    def when(self, words: bytes, since: float, seconds: float = 20.0) -> float:
        """Seconds from `since` until these words were seen."""
        end = since + seconds
        while time.monotonic() < end:
            for at, data in reversed(self.seen[-400:]):
                if at < since:
                    break
                if words in data:
                    return at - since
            time.sleep(0.002)
        raise AssertionError(f"{words!r} was not seen")


@contextmanager
def running(
    wanted: Wanted, columns: int, rows: int, *, per_second: float = 0.0, delay: float = 0.0
) -> Iterator[tuple[Link, int, subprocess.Popen[bytes]]]:
    """The program on a pty of this size."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {
        **os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8",
    }  # fmt: skip
    process = subprocess.Popen(
        command(wanted), stdin=slave, stdout=slave, stderr=slave, env=environment,
        start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    try:
        yield Link(master, per_second=per_second, delay=delay), master, process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(master)


def keys(link: Link, master: int, process: subprocess.Popen[bytes], seconds: float) -> list[float]:
    """Hold and follow again and again: from each key to its word on the screen, in seconds."""
    found: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        for word in (b"paused", b"following"):
            begun = time.monotonic()
            os.write(master, HOLD.encode())
            found.append(link.when(word, begun))
            time.sleep(0.35)
    return found


def bench_flood(tmp_path: Path) -> None:
    """10,000 lines a second for a minute into a full ring, at 220 × 50."""
    report = tmp_path / "report.json"
    wanted = Wanted("deploying", True, 10_000, 60.0, 100_000, str(report))
    with running(wanted, 220, 50) as (link, master, process):
        time.sleep(12)
        pressed = keys(link, master, process, 40)
        process.wait(120)
    tell("10,000 lines/s for 60 s, 220 × 50", report, pressed)


def bench_slow_link(tmp_path: Path) -> None:
    """50 lines a second on a terminal that takes 64 kB/s and shows it 300 ms later."""
    report = tmp_path / "report.json"
    wanted = Wanted("deploying", True, 50, 30.0, 1000, str(report))
    with running(wanted, 120, 36, per_second=64_000, delay=0.3) as (link, master, process):
        time.sleep(8)
        pressed = keys(link, master, process, 20)
        process.wait(60)
    tell("64 kB/s with 300 ms delay, 50 lines/s, 120 × 36", report, pressed)


def bench_wire(tmp_path: Path) -> None:
    """Bytes a second to the terminal at 120 × 36: nothing happens; a deployment that logs."""
    for what, scene, per_second in (("steady", "steady", 0), ("deploying", "deploying", 50)):
        report = tmp_path / f"{scene}.json"
        with running(Wanted(scene, False, per_second, 30.0, 100, str(report)), 120, 36) as started:
            link, _, process = started
            time.sleep(8)
            before, begun = link.taken, time.monotonic()
            time.sleep(20)
            rate = (link.taken - before) / (time.monotonic() - begun)
            process.wait(60)
        assert report.exists(), "it ended before its time"
        told = f"{what}, {per_second} lines/s, 120 × 36: {rate:.0f} bytes/s to the terminal"
        print(f"\n{told}")  # noqa: T201


def tell(what: str, report: Path, pressed: list[float]) -> None:
    """Print what was measured, and how busy the machine was."""
    told = json.loads(report.read_text("utf-8"))
    slowest = sorted(pressed)[min(len(pressed) - 1, int(len(pressed) * 0.99))]
    print(  # noqa: T201
        f"\n{what}: {told['cpu_percent']:.0f} % of a core, loop stall p99 "
        f"{told['stall_p99_ms']:.0f} ms max {told['stall_max_ms']:.0f} ms, key to screen median "
        f"{1000 * statistics.median(pressed):.0f} ms p99 {1000 * slowest:.0f} ms "
        f"({len(pressed)} keys), {told['kept']} lines kept, {told['rss_mb']:.0f} MB "
        f"(load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)"
    )
