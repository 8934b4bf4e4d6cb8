"""What a command inside the sandbox sees of its caller's environment."""

from __future__ import annotations

import sys
from pathlib import Path

from bgconsole.sandbox.environment import clean, exports, with_our_programs

CALLER = {
    "PATH": "/usr/bin",
    "TERM": "xterm-256color",
    "LC_ALL": "C.UTF-8",
    "SSH_CONNECTION": "a b",
    "AWS_PROFILE": "prod",
    "AWS_SESSION_TOKEN": "token",
    "AWS_ENDPOINT_URL_ECS": "https://192.0.2.1",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "BGCONSOLE_PROFILE": "prod",
    "HTTP_PROXY": "http://192.0.2.2",
    "https_proxy": "http://192.0.2.2",
    "DOCKER_HOST": "tcp://192.0.2.3",
    "DATABASE_URL": "postgresql://user:password@host/db",
}


def test_terminal_and_language_stay_and_nothing_that_leads_away() -> None:
    inside = clean(CALLER)

    assert {name: inside[name] for name in ("PATH", "TERM", "LC_ALL", "SSH_CONNECTION")} == {
        name: CALLER[name] for name in ("PATH", "TERM", "LC_ALL", "SSH_CONNECTION")
    }
    assert {name for name in inside if name.startswith("AWS_")} == {
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_EC2_METADATA_DISABLED",
    }
    assert not set(inside) & {"BGCONSOLE_PROFILE", "HTTP_PROXY", "DOCKER_HOST", "DATABASE_URL"}
    assert inside["AWS_CONFIG_FILE"] == inside["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"


def test_our_own_programs_are_found_after_the_callers() -> None:
    ours = str(Path(sys.executable).parent)
    assert with_our_programs({"PATH": "/usr/bin:/bin", "TERM": "xterm"}) == {
        "PATH": f"/usr/bin:/bin:{ours}",
        "TERM": "xterm",
    }
    assert with_our_programs({})["PATH"] == ours


def test_the_exports_are_all_that_a_client_needs() -> None:
    assert exports("http://127.0.0.1:4566") == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ACCESS_KEY_ID": "123456789012",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    told = exports("http://127.0.0.1:4566", "tcp://127.0.0.1:4567")
    assert list(told.items())[-1] == ("DOCKER_HOST", "tcp://127.0.0.1:4567")
