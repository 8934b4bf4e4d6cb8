"""The probe over HTTP: a redeploy that nobody notices, and a roll back that shows in the strip."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import PROGRAM, SERVICE, Sandbox, serving

H1 = "regex:<h1>(.*?)</h1>"


@pytest.fixture
def slow(nowhere: Path) -> Iterator[Sandbox]:
    """A pace at which a steady console, asking every 10 s, sees each deployment under way."""
    with serving(nowhere, "--port", "0", "--speed", "6") as running:
        yield running


def test_nobody_notices_a_redeploy_and_everybody_a_roll_back(slow: Sandbox) -> None:
    sandbox = slow
    environment = {
        **sandbox.environment,
        "BGCONSOLE_PROBE_PATH": "/posts",
        "BGCONSOLE_PROBE_INTERVAL": "0.1",
        "BGCONSOLE_PROBE_VERSION": H1,
    }
    probed = Sandbox(sandbox.process, environment, sandbox.home)
    with probed.console(160, 45) as console:
        console.wait_for(r"(?s)STEADY\s+Revision 2 .*5 Probe · \S*/posts.*\d+ ok · 0 failed")
        console.wait_for(r"M{20}")
        assert sandbox.bgconsole("force-redeploy", "--yes").returncode == 0
        console.wait_for(r"deployment: 0 of \d+ failed, longest gap|0 of \d+ requests failed", 60)
        console.wait_for(r"STEADY\s+Revision 2")
        assert sandbox.bgconsole("rollback", "--confirm", "1").returncode == 0
        console.wait_for(r"STEADY\s+Revision 1", 60)
        screen = console.wait_for(r"M*[MP]*P{20}")
        assert "P Posts" in screen
        assert " 0 failed" in screen
        console.send("5")
        console.settle()
        console.answer("+", r"0 of \d+ requests failed during this deployment, longest gap \d")
        console.send("q")
        assert console.wait_for_exit() == 0


@pytest.mark.parametrize("as_json", [True, False])
def test_the_sub_command_follows_a_roll_back_to_its_end(sandbox: Sandbox, as_json: bool) -> None:
    options = ("--until-done", "--interval", "0.05", "--path", "/posts", "--version-from", H1)
    with subprocess.Popen(
        [*PROGRAM, *SERVICE, "probe", *options, *(["--json"] if as_json else [])],
        env=dict(sandbox.environment),
        cwd=sandbox.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as probe:
        assert probe.stdout
        try:
            assert "MEOW" in probe.stdout.readline()
            assert sandbox.bgconsole("rollback", "--confirm", "1").returncode == 0
            out, err = probe.communicate(timeout=60)
        finally:
            probe.kill()
    assert (probe.returncode, err) == (0, "")
    if as_json:
        summary = json.loads(out.splitlines()[-1])
        assert summary["versions"] == ["MEOW", "Posts"]
        assert summary["deployment"]["status"] == "SUCCESSFUL"
        assert summary["deployment"]["failed"] == 0 < summary["deployment"]["asked"]
    else:
        assert "answered by MEOW, then Posts" in out
        assert "requests failed during this deployment, longest gap" in out.splitlines()[-1]


def test_a_site_that_is_down_is_one(sandbox: Sandbox) -> None:
    told = sandbox.bgconsole("probe", "http://127.0.0.1:1", "--count", "2", "--interval", "0.05")
    assert told.returncode == 1
    assert "connection refused" in told.stdout
