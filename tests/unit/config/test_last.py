"""The last picked service: a comfort that never gets in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgconsole.config.last import recall, remember
from bgconsole.domain.identity import Place
from bgconsole.domain.services import ServiceRef

HERE, THERE = Place("us-east-1", "prod"), Place("eu-west-1", "prod")
REF = ServiceRef("c", "s")


def test_it_is_remembered_for_each_place(tmp_path: Path) -> None:
    file = tmp_path / "state" / "last.json"
    assert recall(file, HERE) is None
    remember(file, HERE, REF)
    remember(file, THERE, ServiceRef("c", "other"))
    assert recall(file, HERE) == REF
    assert recall(file, Place("us-east-1", "dev")) is None
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "[]", "{", '{"prod|us-east-1|": {"cluster": 1}}'])
def test_damage_is_forgotten(tmp_path: Path, text: str) -> None:
    file = tmp_path / "last.json"
    file.write_text(text)
    assert recall(file, HERE) is None
    remember(file, HERE, REF)
    assert recall(file, HERE) == REF


def test_nowhere_to_write_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    remember(tmp_path / "file" / "last.json", HERE, REF)
