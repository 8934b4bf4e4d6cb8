"""The scenario `scale`: how long until it is steady, what it holds, how long a client waits."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crowd import OPTIONS, _median, _resident
from tests.e2e.account import Account, account

CLUSTER = "scale"


@pytest.mark.parametrize("shape", ["400x5000"])
def bench_scale(nowhere: Path, shape: str) -> None:
    with account(nowhere, *OPTIONS) as made:
        print(f"\n{_measured(made, shape)}")  # noqa: T201


def _measured(made: Account, shape: str) -> str:
    begun = time.monotonic()
    endpoint = made.sandbox.environment["AWS_ENDPOINT_URL"]
    body = json.dumps({"scenario": f"scale={shape}"}).encode()
    with urllib.request.urlopen(f"{endpoint}/_sandbox/scenario", body) as answer:
        assert json.load(answer)["began"]
    called = time.monotonic() - begun
    ecs = made.client("ecs")
    pause, end = threading.Event(), begun + 300
    wanted = int(shape.partition("x")[2])
    while ecs.describe_clusters(clusters=[CLUSTER])["clusters"][0]["runningTasksCount"] < wanted:
        assert time.monotonic() < end, "the tasks did not start"
        pause.wait(0.5)
    filled = time.monotonic() - begun

    def pages(operation: str, member: str) -> Callable[[], list[str]]:
        paginator = ecs.get_paginator(operation)
        return lambda: [a for page in paginator.paginate(cluster=CLUSTER) for a in page[member]]

    services, whole_services = _timed(pages("list_services", "serviceArns"))
    tasks, whole_tasks = _timed(pages("list_tasks", "taskArns"))
    assert len(set(tasks)) == len(tasks) == wanted
    tens = [services[first : first + 10] for first in range(0, len(services), 10)]
    ten = _median(lambda n: ecs.describe_services(cluster=CLUSTER, services=tens[n % len(tens)]))
    hundred = _median(lambda _: ecs.describe_tasks(cluster=CLUSTER, tasks=tasks[:100]))
    return (
        f"{shape}: begun in {called:.1f} s, running after {filled:.0f} s, "
        f"{_resident(made.sandbox.process.pid):.0f} MB; all {len(services)} services listed in "
        f"{whole_services:.2f} s, all {len(tasks)} tasks in {whole_tasks:.2f} s; median of "
        f"DescribeServices of ten {ten:.1f} ms, of DescribeTasks of a hundred {hundred:.1f} ms"
    )


def _timed(ask: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.perf_counter()
    found = ask()
    return found, time.perf_counter() - begun
