"""A sandbox's beginning and end as processes: what it gives, what it leaves, where it connects."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import PROGRAM, base_environment, gone, serving

GUARD = """
import os, sys
def watch(event, arguments, log=os.environ.get("PYTHON_SOCKET_LOG")):
    if log and event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else "unix"
        with open(log, "a") as file:
            print(host, sys.argv[0].rpartition("/")[2], file=file)
sys.addaudithook(watch)
"""


def run(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `bgconsole` in an empty home."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        env=base_environment(home) | environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def family(pid: int) -> list[int]:
    """A process and all that descends from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text()
        except OSError:
            continue
        parent = int(fields.rpartition(")")[2].split()[1])
        children.setdefault(parent, []).append(int(fields.split()[0]))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="counts processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_two_seconds_after_its_end_nothing_is_left(nowhere: Path, number: signal.Signals) -> None:
    with serving(nowhere, "--port", "0") as sandbox:
        pids = family(sandbox.process.pid)
        assert len(pids) >= 6  # the command, the server, four tasks

        sandbox.process.send_signal(number)
        code = sandbox.process.wait(5)

        assert gone(pids, 2.0) == []
        assert code == (-number if number == signal.SIGKILL else 128 + number)


def test_a_command_inside_gives_its_status_and_sees_the_sandbox_only(nowhere: Path) -> None:
    look = "import json, os; print(json.dumps(dict(os.environ))); raise SystemExit(7)"
    caller = {
        "AWS_PROFILE": "prod",
        "AWS_ENDPOINT_URL_ECS": "http://192.0.2.1",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "HTTP_PROXY": "http://192.0.2.2",
    }

    done = run(nowhere, "sandbox", "run", "--", sys.executable, "-c", look, **caller)

    assert done.returncode == 7, done.stderr
    seen = json.loads(done.stdout)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", seen["AWS_ENDPOINT_URL"])
    assert seen["AWS_ACCESS_KEY_ID"] == "123456789012"
    assert not set(seen) & set(caller)


def test_with_hostile_settings_only_loopback_is_connected_to(nowhere: Path) -> None:
    guard = nowhere / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(GUARD)
    log = nowhere / "sockets.log"
    root = base_environment(nowhere)["PYTHONPATH"]
    caller = {
        "PYTHONPATH": f"{guard}{os.pathsep}{root}",
        "PYTHON_SOCKET_LOG": str(log),
        "AWS_PROFILE": "prod",
        "AWS_ENDPOINT_URL_ECS": "http://192.0.2.1",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "DOCKER_HOST": "tcp://192.0.2.3:2375",
        "HTTPS_PROXY": "http://192.0.2.2",
    }

    done = run(nowhere, "sandbox", "run", "--", *PROGRAM, "status", "--json", **caller)

    assert done.returncode == 0, done.stderr
    lines = [line.split(" ") for line in log.read_text().splitlines()]
    assert {host for host, _ in lines} <= {"127.0.0.1", "::1", "localhost", "unix"}
    assert {"provision.py", "server.py"} <= {program for _, program in lines}


def test_an_unknown_command_is_told_from_a_failing_one(nowhere: Path) -> None:
    done = run(nowhere, "sandbox", "run", "--", "no-such-command")

    assert (done.returncode, done.stdout) == (127, "")
    assert "no-such-command: command not found" in done.stderr


def test_a_taken_port_is_one_clear_message(nowhere: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = run(nowhere, "sandbox", "--port", str(port))

    assert (done.returncode, done.stdout) == (1, "")
    message, log_line = done.stderr.splitlines()
    assert message.startswith(f"bgconsole: port {port} on 127.0.0.1 cannot be used (Address")
    log = Path(log_line.partition(": ")[2])
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "arguments",
    [
        ("sandbox", "run"),
        ("sandbox", "--port", "1", "run", "--", "true"),
        ("sandbox", "--port", "70000"),
        ("sandbox", "--speed", "0"),
        ("sandbox", "--scenario", "nothing-like-it"),
    ],
)
def test_wrong_usage_is_refused_before_anything_starts(
    nowhere: Path, arguments: tuple[str, ...]
) -> None:
    done = run(nowhere, *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert not (nowhere / ".local" / "state" / "bgconsole").exists()
