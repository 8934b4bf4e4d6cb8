"""The gateways that keep the contract: scripted, AWS over a canned server, AWS over the sandbox."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.aws.session import connect
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import scripted_gateway
from bgconsole.sandbox.launch import Sandbox
from bgconsole.sandbox.settings import Settings
from tests import worlds
from tests.faces import face
from tests.loopback import serving
from tests.values import LOG_GROUP, REF

KEYS = {"AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "not-a-secret-at-all"}


@dataclass(frozen=True)
class Subject:
    """A gateway to a steady service with two good deployments in its history."""

    gateway: Gateway
    ref: ServiceRef = REF
    log_group: str = LOG_GROUP


@contextmanager
def _scripted() -> Iterator[Subject]:
    yield Subject(scripted_gateway(worlds.steady()))


@contextmanager
def _canned() -> Iterator[Subject]:
    with serving() as server:
        face(worlds.steady(), server)
        yield Subject(connected(server.url))


def connected(url: str) -> Gateway:
    return connect(profile=None, region="us-east-1", endpoint_url=url, environ=os.environ)


@pytest.fixture(autouse=True)
def keys(nowhere: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that reach nothing but a server of ours."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One sandbox for all; tests that write leave it steady again."""
    log = tmp_path_factory.mktemp("sandbox") / "server.log"
    with Sandbox(Settings(port=0, speed=60), log=log) as sandbox:
        yield sandbox.endpoint


@pytest.fixture(params=["scripted", "canned", "sandbox"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """Every gateway in turn."""
    match request.param:
        case "scripted":
            with _scripted() as subject:
                yield subject
        case "canned":
            with _canned() as subject:
                yield subject
        case _:
            yield Subject(connected(request.getfixturevalue("sandbox_url")))
