"""A real sandbox as its own process, and the console or a sub-command against it."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.terminal import Terminal

PROGRAM = (sys.executable, "-m", "bgconsole")
SERVICE = ("--cluster", "democluster-cluster", "--service", "democluster-service")


def service_beside(options: Sequence[str]) -> tuple[str, ...]:
    """The demo's service, but for what the options name themselves."""
    named = zip(SERVICE[::2], SERVICE[1::2], strict=True)
    return tuple(word for flag, value in named if flag not in options for word in (flag, value))


def base_environment(home: Path) -> dict[str, str]:
    """What a program gets that nobody configured: a path, a home, UTC."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@dataclass(frozen=True)
class Sandbox:
    """A sandbox that serves."""

    process: subprocess.Popen[str]
    environment: Mapping[str, str]
    home: Path

    @property
    def port(self) -> int:
        """The endpoint's."""
        return int(self.environment["AWS_ENDPOINT_URL"].rpartition(":")[2])

    def run(self, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a program against it."""
        return subprocess.run(
            command,
            env=dict(self.environment),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def bgconsole(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a sub-command on the demo's service."""
        return self.run(*PROGRAM, *SERVICE, *arguments, timeout=timeout)

    def console(
        self, columns: int, rows: int, *arguments: str, before: Sequence[str] = ()
    ) -> Terminal:
        """The console on the demo's service, in a terminal; `before` is what runs it there."""
        return Terminal(
            [*before, *PROGRAM, *SERVICE, *arguments],
            environment=self.environment,
            columns=columns,
            rows=rows,
            cwd=self.home,
        )

    def output(self, key: str) -> str:
        """An output of the stack democluster."""
        import boto3

        client = boto3.client(
            "cloudformation",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )
        [stack] = client.describe_stacks(StackName="democluster")["Stacks"]
        return {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}[key]

    def heading(self) -> str:
        """The heading that the load balancer's port serves now."""
        with urllib.request.urlopen(self.output("LoadBalancerUrl") + "/posts", timeout=10) as page:
            found = re.search(r"<h1>(.*?)</h1>", page.read().decode())
        assert found
        return found[1]


@contextmanager
def serving(
    home: Path, *options: str, environment: Mapping[str, str] | None = None, patience: float = 60
) -> Iterator[Sandbox]:
    """Start `bgconsole sandbox` and wait until it says where it is; the end interrupts it.

    `environment` is for the sandbox alone; `patience` is in seconds.
    """
    around = {**base_environment(home), **(environment or {})}
    process = subprocess.Popen(
        [*PROGRAM, "sandbox", *options],
        env=around,
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    try:
        told: dict[str, str] = {}
        too_late = threading.Timer(patience, process.kill)
        too_late.start()
        try:
            while len(told) < 6:
                line = process.stdout.readline()
                if not line.startswith("export "):
                    code = process.wait()
                    pytest.fail(f"the sandbox ended with {code}: {line}{process.stderr.read()}")
                name, _, value = line.removeprefix("export ").strip().partition("=")
                told[name] = value
        finally:
            too_late.cancel()
        yield Sandbox(process, {**base_environment(home), **told}, home)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        finally:
            process.kill()
            process.stdout.close()
            process.stderr.close()


@pytest.fixture
def sandbox(nowhere: Path) -> Iterator[Sandbox]:
    """A fresh sandbox, steady, at a quick pace."""
    with serving(nowhere, "--port", "0", "--speed", "25") as running:
        yield running


def gone(pids: Sequence[int], seconds: float) -> list[int]:
    """Those of the processes that are still there after so long."""
    end = time.monotonic() + seconds
    left = list(pids)
    while left and time.monotonic() < end:
        left = [pid for pid in left if Path(f"/proc/{pid}/stat").exists() and not _dead(pid)]
        select.select([], [], [], 0.02)
    return left


def _dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
