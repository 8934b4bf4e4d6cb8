"""`bgconsole logs -w` over HTTP in real time: late lines, a quota, and ended credentials."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from functools import partial

from tests.e2e.account import Account
from tests.e2e.conftest import PROGRAM
from tests.waiting import until

GROUP, STREAM = "tailed", "ecs/web/0123456789abcdef0123456789abcdef"
LATE = (0, 3, 20, 60, 150, 290)
"""Seconds: the column of `tests/unit/watch/test_tail_matrix.py`, here in real time."""
PATIENCE = 90.0
"""Seconds; a sweep comes every 45."""


def test_each_line_comes_once_whatever_happens(shared: Account) -> None:
    logs = shared.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    expected: list[str] = []

    def put(what: str) -> None:
        for late in LATE:
            message = f"{what}, {late} s late"
            at = int(time.time() * 1000) - late * 1000
            event = {"timestamp": at, "message": message}
            logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=[event])
            expected.append(message)

    put("before")
    tail = subprocess.Popen(
        [*PROGRAM, "logs", GROUP, "ALL", "-s", "5m", "-w", "-i", "1", "-GS"],
        env=shared.sandbox.environment,
        cwd=shared.sandbox.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen: list[str] = []
    said: list[str] = []
    assert tail.stdout
    assert tail.stderr
    out, err = tail.stdout, tail.stderr
    readers = [
        threading.Thread(target=lambda: [seen.append(line.strip()) for line in out], daemon=True),
        threading.Thread(target=lambda: [said.append(line) for line in err], daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        until(lambda: set(expected) <= set(seen), seen, PATIENCE)
        for scenario, words in (("log-quota=0.05", "throttled"), ("expired-credentials", "paused")):
            _begin(shared, scenario)
            until(partial(_tells, said, words), said, PATIENCE)
            _begin(shared, "none")
            put(scenario)
            until(lambda: set(expected) <= set(seen), seen, PATIENCE)
        tail.send_signal(signal.SIGINT)
        assert tail.wait(10) == 130
        for reader in readers:
            reader.join(10)
        assert Counter(seen) == Counter(expected)
    finally:
        _begin(shared, "none")
        tail.kill()
        tail.wait(10)
        out.close()
        err.close()


def _tells(said: list[str], words: str) -> bool:
    return words in "".join(said)


def _begin(shared: Account, scenario: str) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{shared.sandbox.port}/_sandbox/scenario",
        data=json.dumps({"scenario": scenario}).encode(),
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
