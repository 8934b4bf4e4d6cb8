"""What nobody meant must do nothing: split sequences, clicks, pastes, keys typed blind."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from tests.e2e.conftest import Sandbox
from tests.terminal import Terminal

GAP = 0.3
"""Seconds between two bytes: a slow link's worst."""
SEQUENCES = {
    "arrows": b"\x1b[A\x1b[B\x1b[C\x1b[D",
    "application arrows": b"\x1bOA\x1bOB",
    "home and end": b"\x1b[H\x1b[F\x1b[1~\x1b[4~",
    "F1 to F4": b"\x1bOP\x1bOQ\x1bOR\x1bOS",
    "modified arrow": b"\x1b[1;2A",
    "a click": b"\x1b[<0;30;12M\x1b[<0;30;12m",
    "a paste": b"\x1b[200~FyR1\r\x1b[201~",
}


def deployments(sandbox: Sandbox) -> int:
    """How many deployments there ever were: what any write of the console would raise."""
    import boto3

    client = boto3.client(
        "ecs",
        endpoint_url=sandbox.environment["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=sandbox.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=sandbox.environment["AWS_SECRET_ACCESS_KEY"],
    )
    answer = client.list_service_deployments(
        cluster="democluster-cluster", service="democluster-service"
    )
    return len(answer["serviceDeployments"])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> object:
    """One sandbox for all: none of these may change it."""
    from tests.e2e.conftest import serving

    with serving(tmp_path_factory.mktemp("home"), "--port", "0", "--speed", "25") as running:
        yield running


def ready(console: Terminal) -> None:
    """Wait until the picture stands."""
    console.wait_for(r"STEADY\s+Revision 2 serves 100 %")


@pytest.mark.parametrize("what", sorted(SEQUENCES))
def test_split_sequences_open_no_dialog(shared: Sandbox, what: str) -> None:
    before = deployments(shared)
    with shared.console(120, 36) as console:
        ready(console)
        console.send_split(SEQUENCES[what], GAP)
        console.send(b"?")
        text = console.wait_for(r"Keys|keys")
        assert "type 1 to roll back" not in text
        assert "Yes, force redeploy" not in text
        assert console.process.poll() is None
    assert b"Yes, force redeploy" not in console.written
    assert b"to roll back:" not in console.written
    assert deployments(shared) == before


@pytest.mark.parametrize("keys", [b"Fy", b"F\t\r", b"R1\r", b"F\ty", b"R\r1\r"])
def test_keys_typed_blind_into_a_stopped_console_do_nothing(shared: Sandbox, keys: bytes) -> None:
    before = deployments(shared)
    with shared.console(120, 36) as console:
        ready(console)
        os.kill(console.process.pid, signal.SIGSTOP)
        for number in range(len(keys)):
            console.send(keys[number : number + 1])
            threading.Event().wait(0.4)
        threading.Event().wait(max(0.0, 2.0 - 0.4 * len(keys)))
        os.kill(console.process.pid, signal.SIGCONT)
        console.send_split(b"\x1b\x1b", 1.2)
        # Either escape may have left the service for the list of all services.
        console.wait_for(r"STEADY\s+Revision 2 serves 100 %|1 running as asked")
    assert deployments(shared) == before
    assert shared.heading() == "MEOW"
