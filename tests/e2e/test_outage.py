"""AWS goes away and comes back: every pane says so in its own words, and heals by itself."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

from tests.e2e.conftest import serving


def test_the_picture_goes_stale_keys_answer_and_it_recovers(nowhere: Path) -> None:
    with serving(nowhere, "--port", "0", "--speed", "25") as first:
        console = first.console(160, 45)
        with console:
            console.wait_for(r"STEADY\s+Revision 2 serves 100 %")
            console.wait_for(r"demorepo\s+create complete")
            first.process.send_signal(signal.SIGKILL)
            first.process.wait(10)
            console.send(b"\x12")
            text = console.wait_for(r"(?s)CANNOT TELL.*stale.*stale.*stale", 30)
            assert len(re.findall(r"stale", text)) >= 4, text
            assert "us-east-1a" in text, "the last rows stay"
            for key, shows in ((b"?", r"roll back"), (b"\x1b", r"CANNOT TELL")):
                begun = time.monotonic()
                console.send(key)
                console.wait_for(shows, 2)
                print(f"{key!r} answered in {(time.monotonic() - begun) * 1000:.0f} ms")  # noqa: T201
            with serving(nowhere, "--port", str(first.port), "--speed", "25"):
                text = console.wait_for(r"(?s)STEADY\s+Revision 2 serves 100 %.*Completed 200", 90)
                console.wait_for(r"stale", 60, gone=True)
