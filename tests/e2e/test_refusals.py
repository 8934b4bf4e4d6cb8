"""What AWS refuses, as the command line and the console tell it: one clear message each."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import worlds
from tests.e2e.conftest import PROGRAM, SERVICE, base_environment, service_beside
from tests.faces import face
from tests.loopback import AwsError, Reset, closed_port, serving
from tests.terminal import Terminal

KEYS = {"AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "not-shown-anywhere"}
DENIED = AwsError(
    "AccessDeniedException",
    "User: arn:aws:iam::123456789012:user/ops is not authorized to perform: ecs:DescribeServices"
    " on resource: arn:aws:ecs:us-east-1:123456789012:service/democluster-cluster/x because no"
    " identity-based policy allows the ecs:DescribeServices action",
)
EXPIRED = AwsError("ExpiredTokenException", "The security token included in the request is expired")
THROTTLED = AwsError("ThrottlingException", "Rate exceeded")
CASES = {
    "access denied": (DENIED, 4, "ecs:DescribeServices"),
    "expired": (EXPIRED, 4, "expired"),
    "throttled": (THROTTLED, 1, "hrottl"),
    "reset": (Reset(), 1, "127.0.0.1"),
}


def environment(home: Path, endpoint: str) -> dict[str, str]:
    """Credentials, a region and an endpoint, as a user's shell would have them."""
    return {
        **base_environment(home),
        **KEYS,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
    }


@pytest.mark.parametrize("what", sorted(CASES))
def test_the_command_line_says_it_once_and_ends(nowhere: Path, what: str) -> None:
    fault, code, words = CASES[what]
    with serving() as server:
        face(worlds.steady(), server)
        server.fail("DescribeServices", fault)
        told = subprocess.run(
            [*PROGRAM, *SERVICE, "status"],
            env=environment(nowhere, server.url),
            cwd=nowhere,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert told.returncode == code, told
    assert words in told.stdout + told.stderr
    assert "Traceback" not in told.stderr
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in told.stdout + told.stderr


@pytest.mark.parametrize("what", sorted(CASES))
def test_the_console_says_it_and_heals(nowhere: Path, what: str) -> None:
    fault, _, words = CASES[what]
    with serving() as server:
        face(worlds.steady(), server)
        server.fail("DescribeServices", fault)
        with Terminal(
            [*PROGRAM, *SERVICE],
            environment=environment(nowhere, server.url),
            columns=120,
            rows=36,
        ) as console:
            console.wait_for(words)
            server.heal()
            console.send(b"\x12")
            console.wait_for(r"STEADY\s+Revision 2", 45)
            console.send("q")
            assert console.wait_for_exit() == 0


def test_the_console_names_what_is_not_there(nowhere: Path) -> None:
    cases = [
        (["--profile", "nope"], closed_port(), "nope"),
        ([], closed_port(), "127.0.0.1"),
    ]
    with serving() as server:
        face(worlds.steady(), server)
        cases += [
            (["--cluster", "nope"], server.url, "nope"),
            (["--service", "nope"], server.url, "nope"),
        ]
        for options, endpoint, words in cases:
            with Terminal(
                [*PROGRAM, *service_beside(options), *options],
                environment=environment(nowhere, endpoint),
                columns=80,
                rows=24,
            ) as console:
                console.wait_for(words)
                console.send("q")
                assert console.wait_for_exit() in (0, 1, 2)
