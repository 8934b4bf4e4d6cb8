"""One account's life over HTTP: from nothing to a site that serves, changed, broken, gone."""

from __future__ import annotations

import re
import shutil
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.e2e.conftest import PROGRAM, Sandbox, serving

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Sandbox]:
    """An account that holds nothing, and a folder with the templates and the app."""
    shutil.copytree(ROOT / "cfn", tmp_path / "cfn")
    shutil.copytree(ROOT / "rails_app", tmp_path / "rails_app")
    with serving(tmp_path, "--port", "0", "--speed", "60", "--empty") as sandbox:
        yield sandbox


def test_from_nothing_to_a_site_and_back_to_nothing(empty: Sandbox) -> None:
    def bgconsole(*words: str, code: int = 0) -> CompletedProcess[str]:
        ended = empty.run(*PROGRAM, *words, timeout=180)
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended

    ports = free_ports()
    given = ("--parameters", "dev", f"ProductionPort={ports[0]}", f"TestPort={ports[1]}")

    dry = bgconsole("up", "--dry-run", *given).stdout
    assert "NAT gateway, by the hour" in dry
    assert stacks(bgconsole("outputs").stdout) == []

    bgconsole("up", "--yes", *given)
    url = bgconsole("outputs", "democluster", "LoadBalancerUrl").stdout.strip()
    assert "<h1>Posts</h1>" in page(url)
    again = bgconsole("up", "--yes", *given)
    assert again.stderr.startswith("Nothing to do")

    repository = bgconsole("outputs", "demorepo", "RepositoryUri").stdout.strip()
    view = empty.home / "rails_app/app/views/posts/index.html.erb"
    view.write_text(re.sub(r"<h1>.*?</h1>", "<h1>MEOW</h1>", view.read_text()))
    service = ("--cluster", "democluster-cluster", "--service", "democluster-service")
    bgconsole("build", *service, "--tag", "meow", "--yes")
    rolled = bgconsole("up", "--yes", "democluster", f"DockerImage={repository}:meow")
    assert "± TaskDefinition REPLACE" in rolled.stderr
    assert "UPDATE_COMPLETE" in rolled.stdout
    assert "<h1>MEOW</h1>" in page(url)

    broken = bgconsole("up", "--yes", "democluster", f"DockerImage={repository}:nothere", code=1)
    assert (
        "democluster is UPDATE_ROLLBACK_COMPLETE: Service (AWS::ECS::Service): "
        "ECS Deployment Circuit Breaker was triggered." in broken.stderr
    )
    assert re.search(r"triggered\. \d+ tasks of revision \d+ stopped: \S+", broken.stderr)
    assert "<h1>MEOW</h1>" in page(url)

    account = ("--confirm", "123456789012")
    assert "--empty deletes them" in bgconsole("down", *account, code=3).stderr
    bgconsole("down", "--empty", *account)
    assert stacks(bgconsole("outputs").stdout) == []
    assert bgconsole("down", *account).stderr.startswith("Nothing to do")


def stacks(told: str) -> list[str]:
    """The names of the stacks that give something."""
    return [line for line in told.splitlines() if not line.startswith(" ")]


def page(url: str) -> str:
    with urllib.request.urlopen(f"{url}/posts", timeout=10) as answer:
        return str(answer.read().decode())


def free_ports() -> tuple[int, int]:
    with closing(socket.socket()) as one, closing(socket.socket()) as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        first, second = sorted((one.getsockname()[1], other.getsockname()[1]))
        return first, second
