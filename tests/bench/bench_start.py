"""How long a person waits: for the sandbox, for the demo's steady screen, for a sub-command.

Medians of several starts, each a new process with an empty home, as a user's second start is (the
byte code is there). `docs/benchmarks.md` quotes what this prints.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import PROGRAM, base_environment, serving
from tests.terminal import Terminal

ROUNDS = 5


def bench_sandbox_answers(nowhere: Path) -> None:
    """From launch to the `export` lines: the account is filled, all of it steady."""

    def start() -> float:
        begun = time.perf_counter()
        with serving(nowhere, "--port", "0"):
            return time.perf_counter() - begun

    tell("bgconsole sandbox: serving, everything steady", start)


def bench_demo_is_steady(nowhere: Path) -> None:
    """From launch to the word STEADY on a terminal of 120 × 36."""

    def start() -> float:
        begun = time.perf_counter()
        command = [*PROGRAM, "demo", "--quiet"]
        environment = base_environment(nowhere)
        with Terminal(command, environment=environment, columns=120, rows=36) as demo:
            demo.wait_for("STEADY", 60)
            taken = time.perf_counter() - begun
            demo.send("q")
            assert demo.wait_for_exit() == 0
            return taken

    tell("bgconsole demo --quiet: STEADY on the screen", start)


def bench_commands(nowhere: Path) -> None:
    """Sub-commands that a runbook calls again and again."""

    def run(*command: str, environment: dict[str, str]) -> float:
        begun = time.perf_counter()
        subprocess.run(command, env=environment, check=True, capture_output=True)
        return time.perf_counter() - begun

    alone = base_environment(nowhere)
    tell("bgconsole --version", lambda: run(*PROGRAM, "--version", environment=alone))
    with serving(nowhere, "--port", "0") as sandbox:
        inside = dict(sandbox.environment)
        tell("bgconsole status", lambda: run(*PROGRAM, "status", environment=inside))


def tell(what: str, once: Callable[[], float]) -> None:
    """Print the median of several rounds, how far they are apart, and how busy the machine was."""
    once()
    taken = [once() for _ in range(ROUNDS)]
    least, most, load = min(taken), max(taken), os.getloadavg()[0]
    spread = f"{least:.2f} to {most:.2f}, load {load:.1f} on {os.cpu_count()} cores"
    print(f"\n{what}: median {statistics.median(taken):.2f} s ({spread})")  # noqa: T201
