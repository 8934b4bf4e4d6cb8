"""Log lines that try to drive the terminal: nothing of them but text reaches it."""

from __future__ import annotations

import time

from tests.e2e.conftest import Sandbox

HOSTILE = (
    "title \x1b]2;PWNED\x07 end",
    "wipe \x1b[2J\x1b[H end",
    "reset \x1bc end",
    "c1 \x9b2J \x9d2;PWNED\x9c end",
    "nul \x00 bell \x07 backspace \x08\x08 del \x7f",
    "carriage\rreturn",
    "markup [/foo] [@click=app.quit]click[/] [bold",
    "bidi \u202egnp.exe zero\u200bwidth",
    "wide 宽宽宽 combining e\u0301e\u0301",
    "long " + "x" * 100_000,
)


def test_nothing_but_text_reaches_the_terminal(sandbox: Sandbox) -> None:
    import boto3

    logs = boto3.client(
        "logs",
        endpoint_url=sandbox.environment["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=sandbox.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=sandbox.environment["AWS_SECRET_ACCESS_KEY"],
    )
    stream = "ecs/democluster-container/" + "0" * 32
    logs.create_log_stream(logGroupName="democluster", logStreamName=stream)
    with sandbox.console(160, 45) as console:
        console.wait_for(r"STEADY\s+Revision 2")
        console.send("4+")
        now = int(time.time() * 1000)
        events = [{"timestamp": now + n, "message": line} for n, line in enumerate(HOSTILE)]
        logs.put_log_events(
            logGroupName="democluster",
            logStreamName=stream,
            logEvents=[*events, {"timestamp": now + 50, "message": "the last hostile line"}],
        )
        console.wait_for("the last hostile line")
        assert b"\x1b]2;PWNED" not in console.written
        assert b"\x9d2;PWNED" not in console.written
        assert b"\x1bc" not in console.written
        assert b"\x00" not in console.written
        assert b"\x7f" not in console.written
        assert "\u202e".encode() not in console.written
        assert b"[/foo] [@click=app.quit]click[/] [bold" in console.written
        console.send("q")
        assert console.wait_for_exit() == 0
