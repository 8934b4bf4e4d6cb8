"""The talk's story by keys alone, in a real terminal, over HTTP: redeploy, roll back, proof."""

from __future__ import annotations

import json
import time

from tests.e2e.conftest import Sandbox


def test_redeploy_then_back_to_version_1(sandbox: Sandbox) -> None:
    assert sandbox.heading() == "MEOW"
    begun = time.monotonic()
    with sandbox.console(120, 36) as console:
        console.wait_for(r"STEADY\s+Revision 2 serves 100 %: 4/4 healthy")
        console.wait_for(r"(?s)demorepo\s+create complete.*Completed 200 OK")
        print(f"panes filled {time.monotonic() - begun:.1f} s after launch")  # noqa: T201
        console.send("F")
        console.wait_for(r"✓ same image: 8be01c9 still means sha256:")
        console.answer("y", r"step 1: AWS took it · request id")
        console.send("\x1b")
        console.wait_for(r"(?s)DEPLOYING.*old · revision 2.*new · revision 2")
        console.wait_for(r"(?s)STEADY\s+Revision 2 .*✓ Done")
        console.send("R")
        console.wait_for(r"type 1 to roll back")
        console.answer("1", r"type 1 to roll back: 1")
        console.answer("\r", r"Roll back democluster-service from revision 2 to 1")
        screen = console.wait_for(r"now   revision 1 · 1f3c2aa · sha256:\w{8}")
        assert "as read back from all 4 running tasks" in screen
        console.send("\x1b")
        console.wait_for(r"STEADY\s+Revision 1 serves 100 %: 4/4 healthy")
        console.send("q")
        assert console.wait_for_exit() == 0
    assert sandbox.heading() == "Posts"
    status = json.loads(sandbox.bgconsole("status", "--json").stdout)
    assert status["verdict"]["severity"] == "good"
    receipt = sandbox.bgconsole("audit", "--last").stdout
    assert "revision 1" in receipt
    assert "sha256:" in receipt
