"""`bgconsole logs` beside `awslogs get GROUP ALL -s1d` and a bare boto3 paginator, on one sandbox.

Wall time, processor time and peak memory of each, the median of three runs; `docs/benchmarks.md`
quotes what this prints. And what a tail costs while nothing happens, and a million lines once each.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from threading import Timer

import boto3
import pytest

from bgconsole.domain.logs import to_milliseconds
from bgconsole.sandbox.launch import Sandbox
from bgconsole.sandbox.settings import Settings
from tests.e2e.conftest import PROGRAM, base_environment
from tests.unit.watch.test_tail_matrix import Following

ROUNDS = 3
BATCH = 2_500
AWSLOGS = str(Path(sys.executable).with_name("awslogs"))
PAGINATOR = str(Path(__file__).with_name("log_programs.py"))
KEYS = {
    "AWS_ACCESS_KEY_ID": "123456789012",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret-at-all",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}
WORDS = (
    'I, [2026-03-01T13:59:58.123456 #1]  INFO -- : [a2213956] Started GET "/posts/%d" for '
    "10.0.0.7 by a browser that says much of itself, as all of them do, in one long line"
)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox for all."""
    log = tmp_path_factory.mktemp("sandbox") / "server.log"
    with Sandbox(Settings(port=0), log=log) as sandbox:
        yield sandbox.endpoint


@pytest.mark.parametrize("streams", [8, 100])
@pytest.mark.parametrize("lines", [1_000, 20_000, 200_000])
def bench_logs(endpoint: str, nowhere: Path, lines: int, streams: int) -> None:
    """A day's lines, once."""
    environment = {**base_environment(nowhere), **KEYS, "AWS_ENDPOINT_URL": endpoint}
    group = f"/bench/{lines}/{streams}"
    fill(endpoint, group, lines, streams)
    programs = {
        "bgconsole logs": [*PROGRAM, "logs", group, "ALL", "-s", "1d"],
        "boto3 paginator": [sys.executable, PAGINATOR, group],
        "awslogs get": [AWSLOGS, "get", group, "ALL", "-s1d"],
    }
    if lines > 20_000:
        del programs["awslogs get"]  # minutes: its search for twins grows with every line
    measured: dict[str, list[tuple[float, float, int]]] = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, command in programs.items():
            measured[name].append(run(command, environment, lines))
    for name, runs in measured.items():
        wall, cpu, memory = (statistics.median(column) for column in zip(*runs, strict=True))
        tell(
            f"\n{lines} lines, {streams} streams: {name}: {wall:.2f} s, processor {cpu:.2f} s, "
            f"{memory / 1024:.0f} MB"
        )


@pytest.mark.parametrize("streams", [8, 100])
def bench_idle_tail(endpoint: str, nowhere: Path, streams: int) -> None:
    """The share of a core that a tail takes while nothing is written, after 20,000 lines.

    Fails above 2 %, and where the tail has not printed every line within a minute.
    """
    environment = {**base_environment(nowhere), **KEYS, "AWS_ENDPOINT_URL": endpoint}
    group = f"/bench/idle/{streams}"
    fill(endpoint, group, 20_000, streams)
    with subprocess.Popen(
        [*PROGRAM, "logs", group, "ALL", "-s", "1d", "-w"],
        env=environment,
        stdout=subprocess.PIPE,
    ) as tail:
        assert tail.stdout
        too_long = Timer(60, tail.kill)
        too_long.start()
        printed = sum(1 for _ in islice(tail.stdout, 20_000))
        too_long.cancel()
        assert printed == 20_000, "not every line within a minute"
        time.sleep(5)
        before, begun = ticks(tail.pid), time.monotonic()
        time.sleep(60)
        share = (ticks(tail.pid) - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begun)
        tail.terminate()
    tell(f"\nidle `bgconsole logs -w` after 20000 lines, {streams} streams: {share:.1%} of a core")
    assert share <= 0.02


def bench_a_million_lines() -> None:
    """Over a hundred streams, each exactly once, on the virtual clock."""
    now = datetime.fromisoformat("2026-03-01T14:00:00+00:00")
    following = Following(since=now - timedelta(hours=1))
    for n in range(1_000_000):
        following.log(late=3_600 - 3_600 * n / 1_000_000, stream=f"ecs/web/{n % 100:032d}")
    begun = time.perf_counter()
    following.go(30)
    assert following.count.total() == len(following.count) == 1_000_000
    tell(f"\na million lines of 100 streams, once each: {time.perf_counter() - begun:.1f} s")


def fill(endpoint: str, group: str, lines: int, streams: int) -> None:
    """Write lines of the last hour, spread over the streams."""
    client = boto3.client(
        "logs",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_log_group(logGroupName=group)
    first = to_milliseconds(datetime.now(UTC) - timedelta(hours=1))
    for stream in range(streams):
        name = f"ecs/web/{stream:032d}"
        client.create_log_stream(logGroupName=group, logStreamName=name)
        mine = range(stream, lines, streams)
        for begin in range(0, len(mine), BATCH):
            events = [
                {"timestamp": first + n * 3_500_000 // lines, "message": WORDS % n}
                for n in mine[begin : begin + BATCH]
            ]
            client.put_log_events(logGroupName=group, logStreamName=name, logEvents=events)


def run(command: list[str], environment: dict[str, str], lines: int) -> tuple[float, float, int]:
    """Seconds, processor seconds, peak kilobytes; every line must have been printed."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout
    count = peak = 0
    with process.stdout as out:
        while chunk := out.read(1 << 16):
            count += chunk.count(b"\n")
            # The kernel's own figure at the end would count the memory of this process as well.
            peak = max(peak, resident(process.pid))
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begun
    assert (process.returncode, count) == (0, lines), command
    return wall, used.ru_utime + used.ru_stime, peak


def resident(pid: int) -> int:
    """The most kilobytes that a process has had so far; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(row.split()[1]) for row in status.splitlines() if "VmHWM" in row), 0)


def tell(words: str) -> None:
    """One figure."""
    print(words)  # noqa: T201 - figures are what a benchmark is for


def ticks(pid: int) -> int:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])
