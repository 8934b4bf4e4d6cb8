"""Hands the terminal to `awslogs get GROUP ALL --watch`, for those whose fingers know it.

A process of its own: awslogs has no way to be stopped and prints on its own (0.15), so it cannot
be part of the console. It reads CloudWatch by itself and is not as complete: it misses lines that
come late (see `watch/tail.py`).
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bgconsole.domain.identity import Place

Run = Callable[[Sequence[str]], int]
"""Runs a command on this terminal to its end; gives its exit status."""
MISSING = "awslogs is not installed: pip install awslogs"


def run_awslogs(
    place: Place,
    group: str,
    stream: str = "",
    *,
    endpoint_url: str = "",
    find: Callable[[], str | None] | None = None,
    run: Run | None = None,
) -> str:
    """Blocks until it ends or ctrl+c; gives what went wrong, empty where nothing did.

    `stream` is one of the group's; empty for all of them.
    """
    if not group or group.startswith("-"):
        return f"awslogs cannot be given the log group {group!r}"
    program = (find or find_awslogs)()
    if program is None:
        return MISSING
    command = awslogs_command(program, place, group, stream, endpoint_url=endpoint_url)
    print(f"$ {' '.join(command)}\n(ctrl+c goes back to the console)", flush=True)  # noqa: T201
    try:
        status = (run or _run)(command)
    except OSError as error:
        return f"awslogs could not be started: {error.strerror}"
    # Ended by ctrl+c is what is wished for.
    return "" if status in (0, 130, -signal.SIGINT) else f"awslogs ended with status {status}"


def awslogs_command(
    program: str, place: Place, group: str, stream: str = "", *, endpoint_url: str = ""
) -> tuple[str, ...]:
    """The command line: the same place that the console looks at."""
    given = {
        "--aws-region": place.region,
        "--profile": place.profile,
        "--aws-endpoint-url": endpoint_url,
    }
    flags = [word for flag, value in given.items() if value for word in (flag, value)]
    # awslogs takes a pattern for the stream (0.15); the name alone would match longer ones too.
    streams = f"{re.escape(stream)}$" if stream else "ALL"
    return (program, "get", group, streams, "--watch", *flags)


def find_awslogs() -> str | None:
    """Beside the Python that runs this, else on the PATH."""
    beside = Path(sys.executable).with_name("awslogs")
    return str(beside) if beside.is_file() else shutil.which("awslogs")


def _run(command: Sequence[str]) -> int:
    return subprocess.run(command, check=False).returncode
