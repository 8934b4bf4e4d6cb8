"""A canned AWS over a steady world, and a gateway connected to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from bgconsole.gateway.aws.session import connect
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import ScriptedWorld
from tests import worlds
from tests.faces import face
from tests.loopback import Loopback, serving

Connect = Callable[..., Gateway]


@pytest.fixture
def world() -> ScriptedWorld:
    return worlds.steady()


@pytest.fixture
def server(world: ScriptedWorld) -> Iterator[Loopback]:
    with serving() as loopback:
        face(world, loopback)
        yield loopback


@pytest.fixture
def keys(nowhere: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "first-secret")


@pytest.fixture
def gateway(server: Loopback, keys: None) -> Gateway:
    """Connected to the canned AWS; pauses before a repeated write take no time."""
    return connect(
        profile=None,
        region="us-east-1",
        endpoint_url=server.url,
        environ=os.environ,
        wait=lambda _: None,
    )
