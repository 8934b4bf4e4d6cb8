"""The wiring: what another profile brings with it, and what a flag keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgconsole.config.paths import paths
from bgconsole.config.settings import Settings, load
from bgconsole.domain.services import ServiceRef
from bgconsole.main import wiring

REF = ServiceRef("prod", "web")
CONFIGURED = """
profiles:
  prod:
    read_only: true
  staging:
    operate: ['staging/*']
"""
SHARED = "[profile prod]\nregion = eu-central-1\n[profile staging]\nregion = us-west-2\n"


@pytest.fixture
def settings(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What a user with two profiles starts with."""
    file = nowhere / "config.yml"
    file.write_text(CONFIGURED)
    shared = nowhere / "aws-config"
    shared.write_text(SHARED)
    monkeypatch.setenv("BGCONSOLE_CONFIG", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(shared))
    return load({"region": "us-east-1"}, {}, paths())


def test_another_profile_brings_its_own_region_and_guards(settings: Settings) -> None:
    made = wiring(settings)
    assert made.elsewhere is not None
    assert made.elsewhere.profiles() == ("prod", "staging")
    assert "eu-central-1" in made.elsewhere.regions()
    assert made.why_read_only(REF) == ""
    gateway = made.elsewhere.connect(profile="prod")
    assert (gateway.place.profile, gateway.place.region) == ("prod", "eu-central-1")
    assert "read-only" in made.why_read_only(REF)
    made.elsewhere.connect(profile="staging")
    assert "outside `operate`" in made.why_read_only(REF)


def test_another_region_keeps_the_guards(settings: Settings) -> None:
    made = wiring(settings)
    assert made.elsewhere is not None
    made.elsewhere.connect(profile="prod")
    gateway = made.elsewhere.connect(region="us-west-2")
    assert (gateway.place.profile, gateway.place.region) == ("prod", "us-west-2")
    assert "read-only" in made.why_read_only(REF)


def test_a_read_only_flag_stays_whatever_the_profile_says(settings: Settings) -> None:
    made = wiring(load({"region": "us-east-1", "read_only": True}, {}, paths()))
    assert made.elsewhere is not None
    assert settings.region == "us-east-1"
    made.elsewhere.connect(profile="staging")
    assert "read-only" in made.why_read_only(ServiceRef("staging", "web"))
