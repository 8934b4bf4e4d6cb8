"""Migrate and deploy over HTTP: the success, and the failure that must not touch the service."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Sandbox, serving

POSTS, MEOW = "1f3c2aa", "8be01c9"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for the whole story, told from top to bottom."""
    with serving(tmp_path_factory.mktemp("home"), "--port", "0", "--speed", "25") as running:
        yield running


def begin(sandbox: Sandbox, scenario: str) -> None:
    """Let something happen in the sandbox."""
    request = urllib.request.Request(
        sandbox.environment["AWS_ENDPOINT_URL"] + "/_sandbox/scenario",
        data=json.dumps({"scenario": scenario}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def test_a_migration_that_fails_stops_the_deploy_before_the_service(shared: Sandbox) -> None:
    begin(shared, "migration-fails")
    failed = shared.bgconsole("deploy", "--image", POSTS, "--migrate", "--confirm", POSTS)
    assert failed.returncode == 1, failed.stderr
    assert "exit code" in failed.stderr
    assert "PG::DuplicateColumn" in failed.stderr, "its last lines"
    assert "What serves was not changed." in failed.stderr
    assert shared.heading() == "MEOW"
    assert "Revision 2 serves 100 %" in shared.bgconsole("status").stdout
    begin(shared, "none")
    found = re.search(r"→ bgconsole (deploy --from migrate .*)", failed.stderr)
    assert found, failed.stderr
    command = found[1].split(" --cluster")[0].split()
    revision = command[-1]
    done = shared.bgconsole(*command, "--confirm", revision)
    assert done.returncode == 0, done.stderr
    assert "AddSummaryToPosts: migrated" in done.stderr
    assert shared.heading() == "Posts"


def test_a_migration_runs_and_its_exit_code_is_the_commands(shared: Sandbox) -> None:
    dry = shared.bgconsole("migrate", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "aws ecs run-task" in dry.stdout
    done = shared.bgconsole("migrate", "--yes")
    assert done.returncode == 0, done.stderr
    assert "The migration ended with exit code 0" in done.stdout
    wrong = shared.bgconsole("migrate", "--yes", "--command", "rails no:such")
    assert wrong.returncode == 1
    assert "exit code 127" in wrong.stderr
    assert shared.heading() == "Posts"


def test_a_folder_is_built_pushed_and_deployed_by_its_digest(shared: Sandbox) -> None:
    app = Path(__file__).parents[2] / "rails_app"
    done = shared.bgconsole(
        "deploy", "--context", str(app), "--tag", "v9", "--confirm", "v9", "--no-migrate"
    )
    assert done.returncode == 0, done.stderr
    digest = re.search(r"demorepo:v9 is (sha256:[0-9a-f]{64})", done.stderr)
    assert digest
    assert digest[1][:15] in done.stdout, "what runs is what was pushed"
    audited = [json.loads(line) for line in shared.bgconsole("audit", "--json").stdout.splitlines()]
    assert {"service.migrate", "service.deploy"} <= {r.get("operation") for r in audited}
