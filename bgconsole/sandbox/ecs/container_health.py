"""Container health checks: `curl` or `wget` of the container's own HTTP port, really asked.

A check runs in the container on AWS. Here its command is read, and the URL in it is asked through
the task's network: status, refusal and timeout count as they would for the command.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..api import ApiError
from ..clock import Clock
from ..runtime.port import Probe, Prober, ProbeResult
from .state import ContainerState, Task

INTERVAL, TIMEOUT, RETRIES, START_PERIOD = 30.0, 5.0, 3, 0.0
"""AWS's defaults, in seconds and failures in a row."""
FLOOR = 0.05
"""Real seconds between checks at least, so that an instant world does not spin."""

UNKNOWN, HEALTHY, UNHEALTHY = "UNKNOWN", "HEALTHY", "UNHEALTHY"

_HERE = ("localhost", "127.0.0.1", "0.0.0.0", "[::1]", "::1")  # noqa: S104 - as commands write it


@dataclass(frozen=True, slots=True)
class HttpCommand:
    """What a command asks."""

    port: int
    path: str
    minds_status: bool
    """Whether a status of 400 and above is a failure (`curl -f`, `wget`)."""

    def passes(self, result: ProbeResult) -> bool:
        """Whether the command would exit with 0."""
        if result.status is None:
            return False
        return not self.minds_status or result.status < 400


def http_command(health_check: dict[str, Any], container: str) -> HttpCommand:
    """Read a health check's command.

    Raises:
        ApiError: ClientException: it asks nothing that the sandbox can ask in its place.
    """
    command = list(health_check.get("command") or [])
    words: list[str] = []
    if command[:1] == ["CMD-SHELL"] and len(command) == 2:
        try:
            words = shlex.split(command[1].partition("||")[0])
        except ValueError:
            words = []
    elif command[:1] == ["CMD"]:
        words = command[1:]
    found = _asked(words)
    if found is None:
        raise ApiError(
            "ClientException",
            "The sandbox reproduces container health checks whose command is curl or wget of "
            f"http://localhost:PORT/PATH only (container {container}).",
        )
    return found


def task_health(task: Task) -> str:
    """The health of a task from its essential containers that have a check."""
    checked = [c.health for c in task.containers if c.essential and c.checked]
    if UNHEALTHY in checked:
        return UNHEALTHY
    return HEALTHY if checked and set(checked) == {HEALTHY} else UNKNOWN


class ContainerHealth:
    """Runs the checks of every container that has one, from its start to its end."""

    def __init__(self, clock: Clock, prober: Prober, changed: Callable[[Task], None]) -> None:
        self._clock = clock
        self._prober = prober
        self._changed = changed

    def watch(self, task: Task, container: ContainerState, definition: dict[str, Any]) -> None:
        """Begin to check a container that was started."""
        if settings := definition.get("healthCheck"):
            container.checked = True
            watched = _Watched(task, container, settings, http_command(settings, container.name))
            self._wait(watched)

    def _wait(self, watched: _Watched) -> None:
        seconds = float(watched.settings.get("interval") or INTERVAL)
        self._clock.call_later(seconds, lambda: self._check(watched, seconds), floor=FLOOR)

    def _check(self, watched: _Watched, waited: float) -> None:
        if watched.container.handle is None:
            return
        watched.age += waited
        command = watched.command
        timeout = float(watched.settings.get("timeout") or TIMEOUT)
        probe = Probe((watched.task.address, command.port), "HTTP", command.path, timeout)
        self._prober.probe(probe, lambda result: self._checked(watched, result))

    def _checked(self, watched: _Watched, result: ProbeResult) -> None:
        container = watched.container
        if container.handle is None:
            return
        before = container.health
        if watched.command.passes(result):
            watched.fails, container.health = 0, HEALTHY
        elif watched.age > float(watched.settings.get("startPeriod") or START_PERIOD):
            watched.fails += 1
            if watched.fails >= int(watched.settings.get("retries") or RETRIES):
                container.health = UNHEALTHY
        self._wait(watched)
        if container.health != before:
            self._changed(watched.task)


@dataclass(slots=True)
class _Watched:
    task: Task
    container: ContainerState
    settings: dict[str, Any]
    command: HttpCommand
    age: float = 0.0
    """Seconds since the container's start, at AWS's pace."""
    fails: int = 0


def _asked(words: list[str]) -> HttpCommand | None:
    tool = words[0].rpartition("/")[2] if words else ""
    urls = [word for word in words[1:] if word.startswith("http://")]
    if tool not in ("curl", "wget") or len(urls) != 1:
        return None
    url = urlsplit(urls[0])
    try:
        port = url.port or 80
    except ValueError:
        return None
    if url.hostname not in _HERE:
        return None
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    flags = [word for word in words[1:] if word.startswith("-")]
    fails = any(w.startswith("--fail") or ("f" in w and not w.startswith("--")) for w in flags)
    return HttpCommand(port, path, tool == "wget" or fails)
