"""The logs pane on a pty or in tmux: a flood, the bytes that reach the terminal, a slow link."""

from __future__ import annotations

import json
import os
import statistics
import time
from pathlib import Path

from tests.bench.log_pane_program import Wanted, command
from tests.bench.terminals import in_tmux, on_a_terminal


def bench_flood(tmp_path: Path) -> None:
    """10,000 lines a second for a minute into a full ring, in tmux at 220 × 50.

    Fails where a line is lost, or at twice what is wanted (docs/benchmarks.md) of a quiet machine.
    """
    report = tmp_path / "report.json"
    wanted = Wanted("deploying", True, 10_000, 60.0, 100_000, str(report))
    with (
        in_tmux(tmp_path / "tmux", command(wanted)) as program,
        on_a_terminal(program, 220, 50) as started,
    ):
        time.sleep(12)
        pressed = started.hold_and_follow(40)
        started.process.wait(120)
    told = tell("10,000 lines/s for 60 s, 220 × 50, tmux", report, pressed)
    assert told["taken"] == told["handed_in"] > 690_000
    assert told["kept"] == 100_000
    assert told["rss_mb"] <= 110
    assert told["cpu_percent"] <= 50
    assert told["stall_p99_ms"] <= 40
    assert told["stall_max_ms"] <= 120
    assert told["key_p99_ms"] <= 100


def bench_slow_link(tmp_path: Path) -> None:
    """50 lines a second on a terminal that takes 64 kB/s and shows it 300 ms later."""
    report = tmp_path / "report.json"
    wanted = Wanted("deploying", True, 50, 30.0, 1000, str(report))
    with on_a_terminal(command(wanted), 120, 36, per_second=64_000, delay=0.3) as started:
        time.sleep(8)
        pressed = started.hold_and_follow(20)
        started.process.wait(60)
    told = tell("64 kB/s with 300 ms delay, 50 lines/s, 120 × 36", report, pressed)
    assert told["key_p99_ms"] <= 1000


def bench_wire(tmp_path: Path) -> None:
    """Bytes a second to the terminal at 120 × 36: nothing happens; a deployment that logs."""
    for scene, per_second, most in (("steady", 0, 200), ("deploying", 50, 8_000)):
        report = tmp_path / f"{scene}.json"
        wanted = Wanted(scene, False, per_second, 30.0, 100, str(report))
        with on_a_terminal(command(wanted), 120, 36) as started:
            time.sleep(8)
            before, begun = started.link.taken, time.monotonic()
            time.sleep(20)
            rate = (started.link.taken - before) / (time.monotonic() - begun)
            started.process.wait(60)
        assert report.exists(), "it ended before its time"
        print(  # noqa: T201
            f"\n{scene}, {per_second} lines/s, 120 × 36: {rate:.0f} bytes/s to the terminal"
        )
        assert 0 < rate <= most


def tell(what: str, report: Path, pressed: list[float]) -> dict[str, float]:
    """Print what was measured, and how busy the machine was."""
    told: dict[str, float] = json.loads(report.read_text("utf-8"))
    slowest = sorted(pressed)[min(len(pressed) - 1, int(len(pressed) * 0.99))]
    told["key_p99_ms"] = 1000 * slowest
    print(  # noqa: T201
        f"\n{what}: {told['cpu_percent']:.0f} % of a core, loop stall p99 "
        f"{told['stall_p99_ms']:.0f} ms max {told['stall_max_ms']:.0f} ms, key to screen median "
        f"{1000 * statistics.median(pressed):.0f} ms p99 {told['key_p99_ms']:.0f} ms "
        f"({len(pressed)} keys), {told['kept']} lines kept, {told['rss_mb']:.0f} MB "
        f"(load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)"
    )
    return told
