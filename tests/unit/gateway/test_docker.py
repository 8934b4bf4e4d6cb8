"""The Docker port over HTTP: what is sent, what is told, how it stops, what failures say."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bgconsole.domain.builds import (
    BuildLine,
    BuildTold,
    Built,
    Layer,
    Order,
    Pushed,
    RegistryLogin,
    Sent,
)
from bgconsole.domain.errors import ExpiredCredentials, NotThere, Rejected, Unreachable
from bgconsole.gateway.build_context import BuildContext
from bgconsole.gateway.docker import DockerEngine
from bgconsole.sandbox.docker.files import read_tar
from bgconsole.sandbox.scope import DEMO_SCOPE
from tests.docker_engine import MemoryRegistry, serving_engine

HOST = "127.0.0.1:4566"
NAME = f"{HOST}/demorepo:1"
USER, PASSWORD = base64.b64decode(DEMO_SCOPE.registry_token).decode().split(":")
LOGIN = RegistryLogin(USER, PASSWORD)
GO_ON = threading.Event()


@dataclass
class Workbench:
    """An engine, and a folder to be built."""

    docker: DockerEngine
    registry: MemoryRegistry
    folder: Path

    def write(self, **files: str) -> None:
        for name, text in files.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def order(self, *names: str, **arguments: str) -> Order:
        source = self.docker.source(str(self.folder), "")
        return Order(source.folder, source.dockerfile, names or (NAME,), arguments)

    def build(self, *names: str, stop: threading.Event = GO_ON, **args: str) -> list[BuildTold]:
        return list(self.docker.build(self.order(*names, **args), stop))

    def files(self) -> dict[str, str]:
        """What the last image that was pushed holds, as text."""
        found: dict[str, str] = {}
        for blob in self.registry.blobs.values():
            if blob[:2] == b"\x1f\x8b":
                read = read_tar(blob)
                found |= {name: file.content.decode() for name, file in read.items()}
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    folder = tmp_path / "app"
    folder.mkdir()
    with serving_engine(HOST) as (registry, port):
        environ = {"PATH": os.environ["PATH"], "DOCKER_HOST": f"tcp://127.0.0.1:{port}"}
        made = Workbench(DockerEngine(environ), registry, folder)
        made.write(Dockerfile="FROM ruby\nWORKDIR /srv\nCOPY . .\nARG REVISION\n")
        yield made


def lines(told: list[BuildTold]) -> list[str]:
    return [each.text for each in told if isinstance(each, BuildLine)]


def test_the_engine_says_what_and_where_it_is(bench: Workbench) -> None:
    engine = bench.docker.engine()
    assert engine.version == "20.10.24"
    assert engine.host == bench.docker.environ["DOCKER_HOST"]


def test_a_folder_is_built_and_pushed_under_every_name(bench: Workbench) -> None:
    bench.write(**{"app/a.txt": "one", "b.txt": "two"})

    told = bench.build(NAME, f"{HOST}/demorepo:latest", REVISION="1f3c2aa")

    sent = [each for each in told if isinstance(each, Sent)]
    assert sent[-1].done == sent[-1].total > 0
    assert "Step 4/4 : ARG REVISION" in lines(told)
    assert isinstance(told[-1], Built)
    for name in (NAME, f"{HOST}/demorepo:latest"):
        pushed = list(bench.docker.push(name, LOGIN, GO_ON))
        assert isinstance(pushed[-1], Pushed)
    assert set(bench.registry.tags) == {"1", "latest"}
    assert bench.registry.tags["1"] == bench.registry.tags["latest"]
    assert bench.files()["srv/app/a.txt"] == "one"


def test_what_dockerignore_names_stays_here(bench: Workbench) -> None:
    bench.write(
        **{
            ".dockerignore": "# secrets\n.env*\nlog/\n**/*.key\n!keep.key\nDockerfile\n",
            ".env": "PASSWORD=canary",
            "log/a.log": "canary",
            "config/master.key": "canary",
            "keep.key": "public",
            "b.txt": "two",
        }
    )
    assert bench.docker.source(str(bench.folder), "").files == 4
    bench.build()
    list(bench.docker.push(NAME, LOGIN, GO_ON))
    assert set(bench.files()) == {
        "etc/sandbox-base-image", "srv/b.txt", "srv/keep.key", "srv/Dockerfile",
        "srv/.dockerignore",
    }  # fmt: skip


def test_a_dockerfile_may_lie_outside(bench: Workbench, tmp_path: Path) -> None:
    (tmp_path / "Other").write_text("FROM scratch\nRUN echo from outside\n")
    source = bench.docker.source(str(bench.folder), str(tmp_path / "Other"))
    told = list(bench.docker.build(Order(source.folder, source.dockerfile, (NAME,)), GO_ON))
    assert "from outside" in lines(told)


def test_what_a_source_is(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    git(bench.folder, "init", "-q")
    assert bench.docker.source(str(bench.folder), "").revision == ""
    git(bench.folder, "add", ".")
    git(bench.folder, "commit", "-qm", "first")
    clean = bench.docker.source(str(bench.folder), "")
    commit = git(bench.folder, "rev-parse", "--short=7", "HEAD")
    assert (clean.revision, clean.dirty, clean.arguments) == (commit, False, {"REVISION"})
    bench.write(**{"new.txt": "x"})
    assert bench.docker.source(str(bench.folder), "").dirty
    monkeypatch.chdir(bench.folder.parent)
    assert bench.docker.source("app", "").folder == str(bench.folder)

    with pytest.raises(NotThere, match="there is no folder"):
        bench.docker.source(str(bench.folder / "nowhere"), "")
    with pytest.raises(NotThere, match="No such file"):
        bench.docker.source(str(bench.folder), "Nofile")


def git(folder: Path, *words: str) -> str:
    settings = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    done = subprocess.run(
        ["git", *settings, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_failing_step_raises_with_what_it_printed_before(bench: Workbench) -> None:
    bench.write(Dockerfile="FROM scratch\nRUN echo boom && exit 3\n")
    told = []
    with pytest.raises(Rejected, match="returned a non-zero code: 3"):
        for each in bench.docker.build(bench.order(), GO_ON):
            told.append(each)
    assert "boom" in lines(told)
    bench.write(Dockerfile="FRUM scratch\n")
    with pytest.raises(Rejected, match="unknown instruction: FRUM"):
        bench.build()


def test_a_silent_build_is_stopped_at_once_and_the_engine_knows(bench: Workbench) -> None:
    bench.write(Dockerfile="FROM scratch\nRUN sleep 600\n")
    stop = threading.Event()
    began = time.monotonic()
    told = []
    for each in bench.docker.build(bench.order(), stop):
        told.append(each)
        if isinstance(each, BuildLine) and "Running in" in each.text:
            stop.set()
    assert time.monotonic() - began < 8
    assert not isinstance(told[-1], Built)
    assert not [t for t in threading.enumerate() if t.name == "docker-stream"]

    bench.write(Dockerfile="FROM scratch\nRUN echo quick\n")
    assert isinstance(bench.build()[-1], Built)


def test_a_file_that_goes_while_it_is_sent_is_named_and_nothing_is_built(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Going(BuildContext):
        def __init__(self, root: Path, dockerfile: Path) -> None:
            super().__init__(root, dockerfile)
            (root / "b.txt").unlink()

    monkeypatch.setattr("bgconsole.gateway.docker.BuildContext", Going)
    bench.write(**{"a.bin": "x" * 3_000_000, "b.txt": "two"})
    told = []
    with pytest.raises(Rejected, match=r"cannot be packed: .*b\.txt: No such file"):
        for each in bench.docker.build(bench.order(), GO_ON):
            told.append(each)
    assert not [each for each in told if isinstance(each, BuildLine | Built)]


def test_leaving_the_iterator_stops_too(bench: Workbench) -> None:
    bench.write(Dockerfile="FROM scratch\nRUN sleep 600\n")
    building = bench.docker.build(bench.order(), GO_ON)
    assert next(each for each in building if "Running in" in str(each))
    building.close()  # type: ignore[attr-defined]
    assert not [t for t in threading.enumerate() if t.name == "docker-stream"]


def test_a_push_that_is_stopped_tells_no_digest(bench: Workbench) -> None:
    bench.write(**{"large.bin": "x" * 100})
    bench.build()
    stop = threading.Event()
    stop.set()
    assert not [x for x in bench.docker.push(NAME, LOGIN, stop) if isinstance(x, Pushed)]


def test_a_push_that_broke_and_one_with_a_bad_login(bench: Workbench) -> None:
    bench.build()
    bench.registry.breaks_after = 3
    with pytest.raises(Unreachable, match="are not sent again"):
        list(bench.docker.push(NAME, LOGIN, GO_ON))
    bench.registry.breaks_after = 1_000_000
    told = list(bench.docker.push(NAME, LOGIN, GO_ON))
    assert {x.status for x in told if isinstance(x, Layer)} >= {"Pushed"}
    with pytest.raises(NotThere, match="aws ecr create-repository --repository-name other"):
        bench.build(f"{HOST}/other:1")
        list(bench.docker.push(f"{HOST}/other:1", LOGIN, GO_ON))
    bench.registry.refuses = "denied: Your authorization token has expired."
    with pytest.raises(ExpiredCredentials):
        list(bench.docker.push(NAME, LOGIN, GO_ON))


@pytest.mark.parametrize("kind", ["closed port", "no socket", "nonsense"])
def test_no_engine_is_said_in_words(tmp_path: Path, kind: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        hosts: Mapping[str, str] = {
            "closed port": f"tcp://127.0.0.1:{closed.getsockname()[1]}",
            "no socket": f"unix://{tmp_path}/no.sock",
            "nonsense": "tcp://:",
        }
        with pytest.raises(Unreachable) as none:
            DockerEngine({"PATH": ""}, hosts[kind]).engine()
    assert none.value.hint == "Start Docker, or name an engine with docker_host or DOCKER_HOST"
    assert "\n" not in str(none.value)
