"""The real console in tmux on a sandbox whose service logs: memory, processor time, keys.

`docs/benchmarks.md` quotes what this prints. Nothing of the program is replaced: its tail reads
through boto3 and HTTP, all panes and the probe are at work.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import boto3
import pytest

from bgconsole.domain.logs import to_milliseconds
from bgconsole.sandbox.launch import Sandbox
from bgconsole.sandbox.settings import Settings
from tests.bench.bench_logs import KEYS, tell, ticks
from tests.bench.log_pane_program import TEXT
from tests.bench.terminals import in_tmux, on_a_terminal
from tests.e2e.conftest import PROGRAM, SERVICE, base_environment

GROUP = "democluster"
FILL = 101_000
"""Lines; the ring holds 100,000."""
FAST = 4_000
"""Lines a second while it fills."""
AT_ONCE = 1_000


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """A sandbox with the demo's service."""
    with Sandbox(Settings(port=0), log=tmp_path / "server.log") as sandbox:
        yield sandbox.endpoint


def bench_console(endpoint: str, nowhere: Path, tmp_path: Path) -> None:
    """At rest; while the ring fills; with a full ring, a line every 20 ms and keys."""
    environment = {**base_environment(nowhere), **KEYS, "AWS_ENDPOINT_URL": endpoint}
    pid_file = tmp_path / "pid"
    program = ["sh", "-c", 'echo $$ > "$0"; exec "$@"', str(pid_file), *PROGRAM, *SERVICE]
    writer = Writer(endpoint)
    with (
        in_tmux(tmp_path / "tmux", program) as command,
        on_a_terminal(command, 220, 50, environment=environment) as started,
    ):
        started.link.when(b"STEADY", time.monotonic(), 30)
        pid = int(pid_file.read_text())
        time.sleep(15)
        with told("at rest", pid):
            time.sleep(20)
        started.press("4")
        with told(f"{FILL} lines at {FAST}/s", pid):
            writer.write(FILL, FAST, AT_ONCE)
            time.sleep(15)
        steady = threading.Thread(target=writer.write, args=(50 * 25, 50, 1))
        steady.start()
        with told("a full ring, 50 lines/s, keys", pid):
            pressed = started.hold_and_follow(20)
        steady.join()
    slowest = sorted(pressed)[int(len(pressed) * 0.99)]
    tell(
        f"key to screen median {1000 * statistics.median(pressed):.0f} ms, "
        f"p99 {1000 * slowest:.0f} ms ({len(pressed)} keys)"
    )
    assert slowest <= 0.2


class Writer:
    """Writes lines of a task into the group of the service."""

    def __init__(self, endpoint: str) -> None:
        self._logs = boto3.client(
            "logs",
            endpoint_url=endpoint,
            region_name=KEYS["AWS_REGION"],
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )
        self._stream = f"ecs/democluster-container/{7:032x}"
        self._logs.create_log_stream(logGroupName=GROUP, logStreamName=self._stream)
        self._numbers = count()

    def write(self, lines: int, per_second: int, at_once: int) -> None:
        """So many lines at this rate."""
        begun = time.monotonic()
        for done in range(at_once, lines + 1, at_once):
            at = to_milliseconds(datetime.now(UTC))
            events = [
                {"timestamp": at, "message": TEXT.format(n=next(self._numbers))}
                for _ in range(at_once)
            ]
            self._logs.put_log_events(
                logGroupName=GROUP, logStreamName=self._stream, logEvents=events
            )
            time.sleep(max(0.0, begun + done / per_second - time.monotonic()))


@contextmanager
def told(what: str, pid: int) -> Iterator[None]:
    """Print what the process used meanwhile, and has in memory at the end."""
    before, begun = ticks(pid), time.monotonic()
    yield
    share = (ticks(pid) - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begun)
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    memory = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    tell(f"\n{what}: {share:.0%} of a core, {memory:.0f} MB")
