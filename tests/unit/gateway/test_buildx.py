"""Builds by `docker buildx`: its stream of JSON objects over several lines, failures, stopping."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bgconsole.domain.builds import BuildLine, Built, Layer, Order
from bgconsole.domain.errors import Rejected
from bgconsole.gateway import buildx

ORDER = Order("/src/app", "/src/app/Dockerfile", ("r/app:1", "r/app:latest"), {"REVISION": "1"})
GO_ON = threading.Event()


def script(folder: Path, body: str) -> dict[str, str]:
    """A `docker` in the path that does this."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def status(**parts: object) -> str:
    """As buildx prints it: one object over many lines."""
    return json.dumps(parts, indent=2) + "\n"


def log(text: str) -> dict[str, object]:
    return {"vertex": "v", "stream": 1, "data": base64.b64encode(text.encode()).decode()}


STREAM = (
    "#0 building with default instance\n"
    + status(vertexes=[{"digest": "v", "name": "[2/3] RUN x", "started": "2026"}])
    + status(vertexes=[{"digest": "c", "name": "[1/3] FROM", "started": "t", "cached": True}])
    + status(logs=[log("one\ntw"), log("o\n")])
    + status(statuses=[{"id": "sha256:" + "a" * 64, "vertex": "v", "current": 9, "total": 4}])
)


def test_what_it_tells_is_read_whatever_the_pieces_are() -> None:
    expected = [
        BuildLine("#0 building with default instance"),
        BuildLine("[2/3] RUN x"),
        BuildLine("CACHED [1/3] FROM"),
        BuildLine("one"),
        BuildLine("two"),
        Layer("a" * 12, "Transferring", 4, 4),
    ]
    for size in (1, 7, 1000):
        told = buildx.Told()
        pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
        found = [each for piece in pieces for each in told.add(piece)]
        assert [*found, *told.end()] == expected


def test_a_build_ends_with_built_and_its_command_holds_no_login(tmp_path: Path) -> None:
    (tmp_path / "stream").write_text(STREAM)
    environ = script(tmp_path, f'echo "$@" > {tmp_path}/words; cat {tmp_path}/stream >&2')
    assert buildx.available(environ)
    told = list(buildx.build(ORDER, environ, GO_ON))
    assert told[-1] == Built("")
    assert BuildLine("two") in told
    assert (tmp_path / "words").read_text().split() == [
        "buildx", "build", "--progress=rawjson", "--load", "--file", "/src/app/Dockerfile",
        "--build-arg", "REVISION", "--tag", "r/app:1", "--tag", "r/app:latest", "/src/app",
    ]  # fmt: skip


def test_the_values_of_arguments_are_in_no_command_line(tmp_path: Path) -> None:
    order = replace(ORDER, arguments={"GEMS": "s3cr3t", "PATH": "/own", "https_proxy": "http://p"})
    environ = script(tmp_path, f'echo "$@ / $GEMS" > {tmp_path}/words')
    list(buildx.build(order, environ, GO_ON))
    words, _, gems = (tmp_path / "words").read_text().partition(" / ")
    assert "--build-arg GEMS --build-arg PATH=/own --build-arg https_proxy=http://p " in words
    assert gems.strip() == "s3cr3t"


def test_a_failure_is_told_in_its_words(tmp_path: Path) -> None:
    failed = status(vertexes=[{"digest": "v", "name": "x", "error": "exit code: 3"}])
    (tmp_path / "stream").write_text(failed)
    environ = script(tmp_path, f"cat {tmp_path}/stream; exit 1")
    with pytest.raises(Rejected, match="exit code: 3"):
        list(buildx.build(ORDER, environ, GO_ON))
    with pytest.raises(Rejected, match="ended with 7"):
        list(buildx.build(ORDER, script(tmp_path, "exit 7"), GO_ON))


def test_stopping_interrupts_it(tmp_path: Path) -> None:
    environ = script(tmp_path, "trap 'exit 130' INT; echo begun; while :; do sleep 0.05; done")
    stop = threading.Event()
    began = time.monotonic()
    told = []
    for each in buildx.build(ORDER, environ, stop):
        told.append(each)
        stop.set()
    assert told == [BuildLine("begun")]
    assert time.monotonic() - began < 5


def test_without_docker_or_its_plugin_there_is_no_buildx(tmp_path: Path) -> None:
    assert not buildx.available({"PATH": str(tmp_path)})
    assert not buildx.available(script(tmp_path, "exit 1"))
