"""`awslogs get GROUP ALL --watch` while a deployment runs: both versions' lines come by."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.account import CLUSTER, QUICK, SERVICE, Account

AWSLOGS = str(Path(sys.executable).parent / "awslogs")
GROUP = "democluster"
PATIENCE = 30.0


def test_it_watches_a_deployment(shared: Account) -> None:
    command = [AWSLOGS, "get", GROUP, "ALL", "-s1m", "--watch", "--watch-interval=1", "--no-color"]
    watching = subprocess.Popen(
        command,
        env={**shared.sandbox.environment, "PYTHONUNBUFFERED": "1"},
        cwd=shared.sandbox.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: queue.Queue[str] = queue.Queue()
    assert watching.stdout
    output = watching.stdout
    reader = threading.Thread(target=lambda: [lines.put(line) for line in output], daemon=True)
    reader.start()
    try:
        first = _until(lines, lambda line: "Completed 200" in line)
        assert first.startswith(f"{GROUP} ecs/democluster-container/")
        old = {task.rpartition("/")[2] for task in _tasks(shared)}

        ecs = shared.client("ecs")
        ecs.update_service(cluster=CLUSTER, service=SERVICE, forceNewDeployment=True)
        stable = ecs.get_waiter("services_stable")
        stable.wait(cluster=CLUSTER, services=[SERVICE], WaiterConfig=QUICK)
        new = {task.rpartition("/")[2] for task in _tasks(shared)}
        assert not new & old

        booted = _until(lines, lambda line: _stream(line) in new)
        assert _stream(booted) in new
        _until(lines, lambda line: _stream(line) in new and "Completed 200" in line)
    finally:
        watching.terminate()
        watching.wait(10)
        reader.join(10)
        output.close()


def _tasks(shared: Account) -> list[str]:
    found: list[str] = shared.client("ecs").list_tasks(cluster=CLUSTER)["taskArns"]
    return found


def _stream(line: str) -> str:
    """The task of a line's stream."""
    parts = line.split(" ", 2)
    return parts[1].rpartition("/")[2] if len(parts) == 3 else ""


def _until(lines: queue.Queue[str], wanted: Callable[[str], bool]) -> str:
    end = time.monotonic() + PATIENCE
    while True:
        line = lines.get(timeout=max(end - time.monotonic(), 0.01))
        if wanted(line):
            return line
