"""`bgconsole build` beside `docker build && docker push`, on one engine and one registry.

    scripts/docker_engine.sh python -m pytest tests/bench/bench_docker.py -q -s \\
      -o python_files='bench_*.py' -o python_functions='bench_*'

The classic builder on both sides, as both are asked for what it can do. Ours also looks up the
service, the repository and the tag before, and reads the digest back from ECR afterwards.
"""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import boto3
import pytest

from bgconsole.sandbox.launch import Sandbox
from bgconsole.sandbox.settings import Settings
from tests.bench.bench_logs import KEYS, tell
from tests.e2e.conftest import PROGRAM, SERVICE, base_environment

HOST = os.environ.get("DOCKER_HOST", "")
ROUNDS = 9
SIZE = 100 * 1024 * 1024
"""Bytes of the one layer, of which nothing can be compressed."""


@dataclass(frozen=True)
class Desk:
    """A folder to build, the environment of both programs, and where both push."""

    folder: Path
    environment: dict[str, str]
    repository: str

    def renew(self) -> None:
        """Another layer, that neither the engine nor the registry has."""
        (self.folder / "blob").write_bytes(os.urandom(SIZE))

    def ours(self, tag: str) -> None:
        """Build and push with bgconsole."""
        self._run(*PROGRAM, "build", "--yes", "--tag", tag, "--context", str(self.folder), *SERVICE)

    def cli(self, tag: str) -> None:
        """Build and push with the Docker CLI."""
        name = f"{self.repository}:{tag}"
        self._run("docker", "build", "-q", "-t", name, str(self.folder))
        self._run("docker", "push", "-q", name)

    def clear(self) -> None:
        """Take from the engine what was made here."""
        names = [f"{self.repository}:{n}" for n in range(ROUNDS)]
        for command in (["rmi", "-f", *names], ["image", "prune", "-f"]):
            subprocess.run(
                ["docker", *command], env=self.environment, capture_output=True, check=False
            )

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


@pytest.fixture
def desk(tmp_path: Path, nowhere: Path) -> Iterator[Desk]:
    """A sandbox whose registry is the one that is pushed to."""
    if not HOST:
        pytest.skip("no Docker engine: DOCKER_HOST is not set (scripts/docker_engine.sh)")
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY blob /blob\n")
    with Sandbox(Settings(port=0), log=tmp_path / "server.log") as sandbox:
        ecr = boto3.client(
            "ecr",
            endpoint_url=sandbox.endpoint,
            region_name=KEYS["AWS_REGION"],
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )
        [repository] = ecr.describe_repositories(repositoryNames=["demorepo"])["repositories"]
        [login] = ecr.get_authorization_token()["authorizationData"]
        address = repository["repositoryUri"].partition("/")[0]
        assert base64.b64decode(login["authorizationToken"]).startswith(b"AWS:")
        config = nowhere / "docker"
        config.mkdir()
        auths = {"auths": {address: {"auth": login["authorizationToken"]}}}
        (config / "config.json").write_text(json.dumps(auths))
        environment = {
            **base_environment(nowhere), **KEYS, "AWS_ENDPOINT_URL": sandbox.endpoint,
            "DOCKER_HOST": HOST, "DOCKER_CONFIG": str(config), "DOCKER_BUILDKIT": "0",
        }  # fmt: skip
        desk = Desk(folder, environment, repository["repositoryUri"])
        try:
            yield desk
        finally:
            desk.clear()


def bench_build_and_push(desk: Desk) -> None:
    """100 MB built and pushed, then the same again, when there is nothing left to do.

    It fails where it takes more than 1.1 times the CLI, or half a second more with nothing to do.
    """
    whole: dict[str, list[float]] = {"bgconsole": [], "docker": []}
    nothing: dict[str, list[float]] = {"bgconsole": [], "docker": []}
    for n in range(ROUNDS):
        by_turns = (("docker", desk.cli), ("bgconsole", desk.ours))
        for name, run in by_turns if n % 2 else reversed(by_turns):
            desk.renew()
            whole[name].append(seconds(partial(run, f"{n}")))
            nothing[name].append(seconds(partial(run, f"{n}")))
    for what, measured in (("built and pushed", whole), ("nothing to do", nothing)):
        for name, times in measured.items():
            tell(
                f"\n100 MB, {what}: {name}: {statistics.median(times):.2f} s "
                f"({min(times):.2f} to {max(times):.2f})"
            )
    medians = {
        (what, name): statistics.median(times)
        for what, measured in (("whole", whole), ("nothing", nothing))
        for name, times in measured.items()
    }
    assert medians["whole", "bgconsole"] <= 1.1 * medians["whole", "docker"]
    assert medians["nothing", "bgconsole"] <= 0.5 + medians["nothing", "docker"]


def seconds(run: Callable[[], None]) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun
