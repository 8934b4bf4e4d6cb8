"""A console that is hung up on, or killed, in mid-deploy: the next one finds the work."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.e2e.conftest import serving


def test_hung_up_and_killed_in_mid_deploy_it_is_found_again(nowhere: Path) -> None:
    with serving(nowhere, "--port", "0", "--speed", "10") as sandbox:
        with sandbox.console(120, 36) as console:
            console.wait_for(r"STEADY\s+Revision 2 serves 100 %")
            console.send("F")
            console.wait_for(r"✓ same image: 8be01c9 still means sha256:")
            console.answer("y", r"step 1: AWS took it · request id")
            console.process.send_signal(signal.SIGHUP)
            assert console.wait_for_exit() != 0
        with sandbox.console(120, 36) as console:
            console.wait_for(r"DEPLOYING")
            console.process.send_signal(signal.SIGKILL)
            assert console.wait_for_exit() == -signal.SIGKILL
        leader = ["sh", "-c", 'trap : HUP; "$@"; exit $?', "sh"]
        with sandbox.console(120, 36, before=leader) as console:
            console.wait_for(r"DEPLOYING|STEADY")
            console.hang_up()
            assert console.wait_for_exit() == 128 + signal.SIGHUP
        with sandbox.console(120, 36) as console:
            console.wait_for(r"DEPLOYING|STEADY")
            console.process.send_signal(signal.SIGTERM)
            assert console.wait_for_exit() == -signal.SIGTERM
            assert b"\x1b[?1049l" in console.written, "the terminal's own screen is not back"
        watched = sandbox.bgconsole("watch")
        assert watched.returncode == 0, watched.stderr
        audit = sandbox.bgconsole("audit")
        assert "started" in audit.stdout and "submitted" in audit.stdout
        again = sandbox.bgconsole("force-redeploy", "--yes", "--timeout", "1s")
        assert again.returncode == 5, again.stderr  # the lock went with the console
