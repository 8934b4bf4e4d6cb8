"""`bgconsole probe`: what it prints, when it ends, and what the shell is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bgconsole.domain.errors import Throttled
from bgconsole.domain.services import ServiceDeployment
from bgconsole.gateway.scripted import ScriptedWorld
from tests import worlds
from tests.loopback import closed_port
from tests.site import Site, send, serving
from tests.unit.cli.conftest import Terminal
from tests.values import REF

H1 = "regex:<h1>(.*?)</h1>"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as running:
        yield running


@pytest.fixture
def probing(terminal: Terminal) -> Terminal:
    """A terminal whose waits take no time, and end no deployment."""
    terminal.at_wait = lambda _: None
    return terminal


def answers(site: Site, *bodies: tuple[int, str]) -> None:
    """Answer so, one after the other; the last one goes on."""
    left = list(bodies)

    def does(handler: Any) -> None:
        status, body = left.pop(0) if len(left) > 1 else left[0]
        send(handler, status, body.encode())

    site.does = does


def test_a_line_for_each_change_and_a_summary(probing: Terminal, site: Site) -> None:
    meow, posts = (200, "<h1>MEOW</h1>"), (200, "<h1>Posts</h1>")
    answers(site, meow, meow, (502, ""), (502, ""), posts)
    ended = probing("probe", f"{site.url}/posts", "--count", "6", "--version-from", H1)
    assert (ended.code, ended.err) == (1, "")
    lines = ended.out.splitlines()
    assert [line.split("  ")[1].rpartition(" · ")[0] for line in lines[:2]] == [
        "● HTTP 200 · MEOW",
        "✖ HTTP 502",
    ]
    assert "● HTTP 200 · Posts · " in lines[2]
    assert lines[2].endswith("(after 2 × HTTP 502, 4.0 s)")
    assert lines[3].startswith("latency p50 ")
    assert lines[4] == "answered by MEOW, then Posts"
    assert lines[5].startswith("2 of 6 requests failed, longest gap 4.0 s, last HTTP 502: http://")
    assert [path for _, path, _ in site.came] == ["/posts"] * 6


def test_nothing_failed_is_zero(probing: Terminal, site: Site) -> None:
    ended = probing("probe", site.url, "--path", "/health", "--count", "3", "--head")
    assert ended.code == 0, ended.err
    assert "0 of 3 requests failed, longest gap" in ended.out
    assert [(method, path) for method, path, _ in site.came] == [("HEAD", "/health")] * 3


def test_nobody_there_is_one(probing: Terminal) -> None:
    ended = probing("probe", closed_port(), "--count", "2")
    assert ended.code == 1
    assert "✖ connection refused" in ended.out
    assert "2 of 2 requests failed" in ended.out


def test_json(probing: Terminal, site: Site) -> None:
    answers(site, (200, '{"build": {"tag": "a"}}'), (302, ""))
    ended = probing("probe", site.url, "--count", "2", "--json", "--version-from", "json:build.tag")
    first, second, summary = map(json.loads, ended.out.splitlines())
    assert (first["event"], first["status"], first["version"]) == ("change", 200, "a")
    assert (second["status"], second["failed"], second["version"]) == (302, False, None)
    assert (summary["event"], summary["asked"], summary["failed"]) == ("summary", 2, 0)
    assert (summary["versions"], summary["baseline"]) == (["a"], "HTTP 200")
    assert summary["deployment"] is None


def test_a_password_in_the_url_is_not_printed(probing: Terminal, site: Site) -> None:
    url = site.url.replace("http://", "http://me:hunter2@")
    ended = probing("probe", url, "--count", "1")
    assert ended.code == 0
    assert "hunter2" not in ended.out + ended.err
    assert "Authorization" in site.came[0][2]


def test_the_settings_say_what_to_ask(probing: Terminal, site: Site) -> None:
    probing.paths.config.write_text(
        f"probe_url: {site.url}\nprobe_path: /posts\nprobe_version: '{H1}'\n"
    )
    answers(site, (200, "<h1>MEOW</h1>"))
    ended = probing("probe", "--count", "1")
    assert "MEOW" in ended.out
    assert site.came[0][1] == "/posts"
    # A URL that was typed is meant as it stands.
    probing("probe", f"{site.url}/health", "--count", "1")
    assert site.came[1][1] == "/health"


def test_without_a_url_the_load_balancer_is_asked(probing: Terminal, site: Site) -> None:
    _behind(probing.world, site.url)
    assert probing("probe", "--count", "1").code == 0
    assert site.came
    _behind(probing.world, "")
    ended = probing("probe", "--count", "1")
    assert ended.code == 2
    assert "Name the URL" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ftp://x/"], "does not begin with http"),
        (["http://"], "names no host"),
        (["http://x", "--version-from", "h1"], "neither header:NAME"),
        (["http://x", "--interval", "0.01"], "0.05"),
        (["http://x", "--count", "0"], "0 is not in the range"),
    ],
)
def test_what_is_wrong_is_said(probing: Terminal, arguments: list[str], words: str) -> None:
    ended = probing("probe", *arguments)
    assert ended.code == 2
    assert words in ended.err


def test_until_a_deployment_is_done(probing: Terminal, site: Site) -> None:
    probing.world = worlds.deploying()
    _at(probing, 20, worlds.settle)
    ended = probing("probe", site.url, "--until-done")
    assert ended.code == 0, ended.err
    assert "0 of " in ended.out
    assert "(successful): http://" in ended.out


def test_a_deployment_that_was_taken_back_is_one(probing: Terminal, site: Site) -> None:
    probing.world = worlds.deploying()
    _at(probing, 20, lambda world: worlds.settle(world, well=False))
    ended = probing("probe", site.url, "--until-done", "--json")
    assert ended.code == 1
    summary = json.loads(ended.out.splitlines()[-1])
    assert summary["deployment"]["status"] == "ROLLBACK_SUCCESSFUL"
    assert summary["deployment"]["failed"] == 0
    assert "of this deployment" in summary["deployment"]["sentence"]


def test_a_deployment_that_failed_requests_is_one(probing: Terminal, site: Site) -> None:
    probing.world = worlds.deploying()
    answers(site, (200, ""), *[(503, "")] * 3, (200, ""))
    _at(probing, 20, worlds.settle)
    ended = probing("probe", site.url, "--until-done")
    assert ended.code == 1
    assert "last HTTP 503" in ended.out


def test_no_deployment_begins(probing: Terminal, site: Site) -> None:
    ended = probing("probe", site.url, "--until-done")
    assert ended.code == 5
    assert "no deployment was seen to begin within a minute" in ended.err


def test_throttling_is_told_once_and_waited_for(probing: Terminal, site: Site) -> None:
    probing.world = worlds.deploying()
    probing.world.fail("services.describe", Throttled("Throttled", "DescribeServices"))

    def heal(world: ScriptedWorld) -> None:
        world.heal()
        worlds.settle(world)

    _at(probing, 60, heal)
    ended = probing("probe", site.url, "--until-done")
    assert ended.err.count("Throttled") == 1
    # Whether it had been under way before, nobody can know: it was over when AWS answered.
    assert ended.code == 5


def test_ctrl_c_ends_it_with_the_summary(site: Site, nowhere: Any) -> None:
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(__file__))))  # noqa: PTH120
    came = threading.Event()

    def does(handler: Any) -> None:
        send(handler, 200, X_Revision="42")
        came.set()

    site.does = does
    running = subprocess.Popen(
        [sys.executable, "-m", "bgconsole", "probe", site.url, "--interval", "0.05"],
        env={"PATH": os.environ["PATH"], "HOME": str(nowhere), "PYTHONPATH": root, "TZ": "UTC"},
        cwd=nowhere,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout
    try:
        assert "42" in running.stdout.readline()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=20)
    finally:
        running.kill()
    assert (running.returncode, err) == (0, "")
    assert "answered by 42" in out
    assert "requests failed, longest gap" in out or "request failed, longest gap" in out


def _behind(world: ScriptedWorld, url: str) -> None:
    world.balancing[REF] = replace(world.balancing[REF], url=url)


def _at(terminal: Terminal, seconds: float, then: Any) -> None:
    """Do something once the world is so much older."""
    end = terminal.world.now + timedelta(seconds=seconds)
    done: list[ServiceDeployment | None] = []

    def at_wait(world: ScriptedWorld) -> None:
        if world.now >= end and not done:
            done.append(None)
            then(world)

    terminal.at_wait = at_wait
