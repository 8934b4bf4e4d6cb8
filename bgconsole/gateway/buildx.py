"""Builds that need BuildKit, by `docker buildx build --progress=rawjson` as a child process."""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bgconsole.domain.builds import BuildLine, BuildTold, Built, Layer, Order
from bgconsole.domain.errors import NotThere
from bgconsole.gateway.docker_events import Lines
from bgconsole.gateway.docker_failures import build_failure

_SECONDS = 10.0
_GRACE = 5.0
"""Seconds from SIGINT, on which buildx cancels the build, to SIGKILL."""
_OWN = re.compile(
    r"(?i)PATH|HOME|TMPDIR|TERM|LANG|LC_.*|LD_.*|(HTTPS?|FTP|NO|ALL)_PROXY"
    r"|(DOCKER|BUILDX|BUILDKIT|COMPOSE|OTEL|AWS|XDG|SSH|SSL|GO)_?.*"
)
"""Variables that the Docker CLI itself, or what it starts, goes by."""


def available(environ: Mapping[str, str]) -> bool:
    """Whether `docker buildx` answers on this machine."""
    if shutil.which("docker", path=environ.get("PATH")) is None:
        return False
    try:
        done = subprocess.run(
            ["docker", "buildx", "version"],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def command(order: Order) -> list[str]:
    """The command line of a build; the image is loaded into the engine.

    A build argument without a value is taken from the environment (`surroundings`): everybody on
    the machine may read a command line.
    """
    words = ["docker", "buildx", "build", "--progress=rawjson", "--load"]
    words += ["--file", order.dockerfile]
    for name, value in order.arguments.items():
        words += ["--build-arg", f"{name}={value}" if _OWN.fullmatch(name) else name]
    for name in order.names:
        words += ["--tag", name]
    return [*words, order.folder]


def surroundings(order: Order, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a build: with its arguments, but for those that mean something to it."""
    given = order.arguments.items()
    return {**environ, **{name: value for name, value in given if not _OWN.fullmatch(name)}}


def build(order: Order, environ: Mapping[str, str], stop: threading.Event) -> Iterator[BuildTold]:
    """Build, telling what happens; ends without `Built` once `stop` is set.

    Raises:
        GatewayError: it failed.
    """
    try:
        process = subprocess.Popen(
            command(order),
            env=surroundings(order, environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise NotThere("docker buildx cannot be started", str(error)) from error
    ended = threading.Event()
    watching = threading.Thread(target=_end_when, args=(process, stop, ended), daemon=True)
    watching.start()
    told = Told()
    try:
        assert process.stdout is not None  # noqa: S101 - a pipe, see above
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while chunk := process.stdout.read1(65536):  # type: ignore[attr-defined]
            yield from told.add(decoder.decode(chunk))
        code = process.wait()
    finally:
        ended.set()
        _kill(process, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        watching.join()
    yield from told.end()
    if stop.is_set():
        return
    if code:
        raise build_failure(told.error or f"docker buildx ended with {code}")
    yield Built(told.image)


class Told:
    """Reads `rawjson`: JSON objects that may span lines, between them text of buildx itself."""

    def __init__(self) -> None:
        self.error = ""
        """The last failure that was told."""
        self.image = ""
        self._rest = ""
        self._decoder = json.JSONDecoder()
        self._names: dict[str, str] = {}
        self._logs: dict[str, Lines] = {}

    def add(self, text: str) -> Iterator[BuildTold]:
        """What a piece of the stream tells."""
        self._rest += text
        while self._rest:
            self._rest = self._rest.lstrip()
            if not self._rest.startswith("{"):
                line, newline, rest = self._rest.partition("\n")
                if not newline:
                    return
                self._rest = rest
                yield from self._plain(line)
                continue
            try:
                document, end = self._decoder.raw_decode(self._rest)
            except ValueError:
                return
            self._rest = self._rest[end:]
            yield from self._status(document)

    def end(self) -> Iterator[BuildTold]:
        """What was left."""
        if line := self._rest.strip():
            yield from self._plain(line)
        for lines in self._logs.values():
            yield from map(BuildLine, lines.end())

    def _plain(self, line: str) -> Iterator[BuildTold]:
        stripped = line.strip()
        if stripped.startswith("ERROR:"):
            self.error = stripped.removeprefix("ERROR:").strip()
        if stripped:
            yield BuildLine(stripped)

    def _status(self, document: Mapping[str, Any]) -> Iterator[BuildTold]:
        for vertex in _each(document, "vertexes"):
            yield from self._vertex(vertex)
        for status in _each(document, "statuses"):
            total = int(status.get("total") or 0)
            if total and str(status.get("id", "")).startswith("sha256:"):
                name = str(status["id"]).removeprefix("sha256:")[:12]
                done = int(status.get("current") or 0)
                yield Layer(
                    name, str(status.get("name") or "Transferring"), min(done, total), total
                )
        for log in _each(document, "logs"):
            lines = self._logs.setdefault(str(log.get("vertex", "")), Lines())
            yield from map(BuildLine, lines.add(_decoded(log.get("data"))))

    def _vertex(self, vertex: Mapping[str, Any]) -> Iterator[BuildTold]:
        digest, name = str(vertex.get("digest", "")), str(vertex.get("name", ""))
        begins = vertex.get("started") and digest not in self._names
        if begins:
            self._names[digest] = name
            cached = "CACHED " if vertex.get("cached") else ""
            yield BuildLine(f"{cached}{name}")
        if error := vertex.get("error"):
            self.error = str(error)


def _each(document: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    found = document.get(name)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _decoded(data: object) -> str:
    try:
        return base64.b64decode(str(data or "")).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _end_when(
    process: subprocess.Popen[bytes], stop: threading.Event, ended: threading.Event
) -> None:
    """Once it is to stop: SIGINT, on which buildx takes the build back, then SIGKILL."""
    while not ended.is_set():
        if stop.wait(0.1):
            _kill(process, signal.SIGINT)
            if not ended.wait(_GRACE):
                _kill(process, signal.SIGKILL)
            return


def _kill(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
