"""`bgconsole watch` and `timeline` against a sandbox: a success, then a deploy that crashes."""

from __future__ import annotations

import json
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.conftest import PROGRAM, SERVICE, Sandbox
from tests.e2e.sandbox.test_two_groups import Pair

PAUSE = {"targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]}
PATIENCE = 240.0
"""Seconds after which what does not end counts as never ending."""


@contextmanager
def watching(sandbox: Sandbox) -> Iterator[subprocess.Popen[str]]:
    """`watch` that waits for a deployment to begin, and says that it does."""
    with subprocess.Popen(
        [*PROGRAM, *SERVICE, "watch", "--wait-for-start", "--json", "--timeout", "4m"],
        env=dict(sandbox.environment),
        cwd=sandbox.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        too_late = threading.Timer(PATIENCE, process.kill)
        too_late.start()
        try:
            until(process, "waiting until a deployment begins")
            yield process
        finally:
            too_late.cancel()
            process.kill()


def until(process: subprocess.Popen[str], words: str) -> None:
    """Read what it tells until it says this."""
    assert process.stdout
    for line in process.stdout:
        if words in json.loads(line)["words"]:
            return
    raise AssertionError(f"never said: {words}; it ended with {process.wait()}")


def ended(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, str]]]:
    """Its exit code and all that it told."""
    out, err = process.communicate(timeout=PATIENCE)
    assert err == ""
    return process.returncode, [json.loads(line) for line in out.splitlines()]


def begin(sandbox: Sandbox, scenario: str) -> None:
    """Begin a scenario of the sandbox now."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{sandbox.port}/_sandbox/scenario",
        data=json.dumps({"scenario": scenario}).encode(),
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def test_a_redeploy_exits_0_and_a_bad_deploy_that_is_taken_back_exits_1(sandbox: Sandbox) -> None:
    before = sandbox.bgconsole("watch")
    assert before.returncode == 0, before.stdout
    assert "Nothing is under way. STEADY" in before.stdout
    with watching(sandbox) as process:
        assert sandbox.bgconsole("force-redeploy", "--yes").returncode == 0
        code, told = ended(process)
    assert code == 0, told
    assert "deployment finished" in [each["words"] for each in told if each["kind"] == "milestone"]
    assert "Revision 2 is deployed. Revision 2 serves 100 %: 4/4 healthy." in told[-1]["words"]

    with watching(sandbox) as process:
        begin(sandbox, "bad-deploy")
        code, told = ended(process)
    assert code == 1, told
    assert told[-1]["kind"] == "end"
    assert "The deployment failed and was rolled back" in told[-1]["words"]
    assert any(each["words"].startswith("ECS rolls it back") for each in told)
    assert sandbox.bgconsole("watch").returncode == 1, "the last deployment was rolled back"

    page = sandbox.bgconsole("timeline", "--since", "30m", "--json")
    assert page.returncode == 0
    moments = json.loads(page.stdout)["moments"]
    kinds = {each["kind"] for each in moments}
    assert {"event", "deployment", "task", "operation", "error", "stack"} <= kinds
    (stopped,) = (e["words"] for e in moments if e["kind"] == "task" and e["severity"] == "bad")
    assert "exit 1" in stopped
    assert any("rolled back after" in e["words"] for e in moments if e["kind"] == "deployment")


def answer(pair: Pair, action: str) -> None:
    """Say of the pause that waits whether to go on."""
    record = pair.newest()
    (waiting,) = [h for h in record["lifecycleHookDetails"] if h["status"] == "AWAITING_ACTION"]
    pair.client("ecs").continue_service_deployment(
        serviceDeploymentArn=record["serviceDeploymentArn"],
        hookId=waiting["hookId"],
        action=action,
    )


def test_two_groups_with_a_pause_that_goes_on_and_one_that_is_rejected(sandbox: Sandbox) -> None:
    pair = Pair(sandbox)
    pair.move()
    with watching(sandbox) as process:
        pair.deploy(lifecycleHooks=[PAUSE], bakeTimeInMinutes=3)
        until(process, "pause at post-test waits for somebody")
        answer(pair, "CONTINUE")
        until(process, "traffic shifted")
        assert pair.newest()["status"] == "IN_PROGRESS", "the shift is not the end"
        code, told = ended(process)
    assert code == 0, told
    assert "serves 100 %: 4/4 healthy" in told[-1]["words"]

    with watching(sandbox) as process:
        pair.deploy(lifecycleHooks=[PAUSE])
        until(process, "WAITING FOR YOU")
        answer(pair, "ROLLBACK")
        code, told = ended(process)
    assert code == 1, told
    assert "The deployment failed and was rolled back" in told[-1]["words"]
    words = [each["words"] for each in told]
    assert "traffic shifted" not in words
