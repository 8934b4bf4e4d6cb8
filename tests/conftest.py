"""What every test runs under: no machine of its own, loopback only, `--soak` for full size."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

LOOPBACK = ("127.", "::1", "localhost")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the full matrices over HTTP too")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: only with --soak, for its length")
    # A shell starts what it puts in the background deaf to ctrl+c, and a program hands that on to
    # those it starts: the tests' own would never end.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--soak"):
        return
    skip = pytest.mark.skip(reason="full size: run `make soak`")
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Take the machine out: no AWS, no home, UTC, plain colours. Gives the empty home."""
    for name in list(os.environ):
        if name == "TEXTUAL_SNAPSHOT_TEMPDIR":
            continue  # where the picture tests keep their report
        if name.startswith(("AWS_", "BGCONSOLE_", "XDG_", "DOCKER_", "TEXTUAL")):
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "SSH_CONNECTION", "SSH_TTY", "DISPLAY", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "no-aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "no-aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return home


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Refuse any socket but loopback and unix ones; gives the addresses that were refused."""
    refused: list[str] = []
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def check(sock: socket.socket, address: object) -> None:
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            return
        host = str(address[0]) if isinstance(address, tuple) else str(address)
        if not host.startswith(LOOPBACK):
            refused.append(host)
            raise AssertionError(f"a test tried to reach {address}")

    def guarded(sock: socket.socket, address: object) -> None:
        check(sock, address)
        connect(sock, address)  # type: ignore[arg-type]

    def guarded_ex(sock: socket.socket, address: object) -> int:
        check(sock, address)
        return connect_ex(sock, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_ex)
    yield refused
    assert not refused, f"a test tried to reach {refused}"
