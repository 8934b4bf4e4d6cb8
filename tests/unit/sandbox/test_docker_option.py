"""`--docker` where it cannot be: refused before anything is started, and what to do is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bgconsole.sandbox.command import sandbox
from bgconsole.sandbox.environment import exports
from bgconsole.sandbox.settings import Settings


@pytest.mark.parametrize("command", [["--docker"], ["run", "--docker", "--", "true"]])
def test_without_an_engine_it_says_where_none_answers(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = f"unix://{tmp_path}/none.sock"
    monkeypatch.setenv("DOCKER_HOST", host)
    done = CliRunner().invoke(sandbox, command)
    assert done.exit_code == 2
    assert f"no Docker engine answers at {host} (" in done.output
    assert "No such file or directory" in done.output
    assert "leave --docker out" in done.output


def test_containers_and_no_tasks_at_all_exclude_each_other() -> None:
    done = CliRunner().invoke(sandbox, ["--docker", "--runtime", "simulated"])
    assert done.exit_code == 2
    assert "exclude each other" in done.output


def test_the_settings_reach_the_server() -> None:
    settings = Settings(runtime="docker", docker_host="unix:///s", base_image="b")
    assert Settings.from_json(settings.to_json()) == settings
    assert settings.on_docker
    assert not Settings().on_docker


def test_what_the_console_builds_is_built_on_the_same_base() -> None:
    told = exports("http://127.0.0.1:1", "unix:///s", base_image="my/rails")
    assert told["BGCONSOLE_BUILD_ARGS"] == "BASE_IMAGE=my/rails"
    assert "BGCONSOLE_BUILD_ARGS" not in exports("http://127.0.0.1:1", "unix:///s")
