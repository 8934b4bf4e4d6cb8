"""The sub-commands against a sandbox, and every client that speaks to AWS."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from tests.e2e.conftest import PROGRAM, Sandbox, service_beside

SCHEMA = Path(__file__).parents[2] / "bgconsole/cli/status.schema.json"


def test_status_redeploy_and_roll_back(sandbox: Sandbox) -> None:
    status = sandbox.bgconsole("status", "--json")
    assert (status.returncode, status.stderr) == (0, "")
    jsonschema.validate(json.loads(status.stdout), json.loads(SCHEMA.read_text()))
    assert "\x1b" not in sandbox.bgconsole("status").stdout

    refused = sandbox.bgconsole("force-redeploy")
    assert refused.returncode == 3, "no terminal and no --yes"
    dry = sandbox.bgconsole("rollback", "--dry-run")
    assert dry.returncode == 0
    assert "aws ecs update-service" in dry.stdout
    assert sandbox.heading() == "MEOW"

    wrong = sandbox.bgconsole("rollback", "--confirm", "2")
    assert wrong.returncode == 3, "the word is the target's revision"
    assert sandbox.bgconsole("--read-only", "rollback", "--confirm", "1").returncode == 3
    done = sandbox.bgconsole("force-redeploy", "--yes")
    assert done.returncode == 0, done.stderr
    back = sandbox.bgconsole("rollback", "--confirm", "1")
    assert back.returncode == 0, back.stderr
    assert sandbox.heading() == "Posts"
    audited = [
        json.loads(line) for line in sandbox.bgconsole("audit", "--json").stdout.splitlines()
    ]
    assert {"service.force-redeploy", "service.rollback"} <= {r.get("operation") for r in audited}


def test_boto3_and_awslogs_use_it_unmodified(sandbox: Sandbox) -> None:
    script = (
        "import boto3; ecs = boto3.client('ecs');"
        "ecs.get_waiter('services_stable').wait(cluster='democluster-cluster',"
        " services=['democluster-service']);"
        "print(ecs.describe_services(cluster='democluster-cluster',"
        " services=['democluster-service'])['services'][0]['runningCount'])"
    )
    assert sandbox.run(sys.executable, "-c", script).stdout.strip() == "4"
    awslogs = Path(sys.executable).with_name("awslogs")
    # A sandbox that is steady may not have been asked for a page yet.
    end = time.monotonic() + 20
    while (
        "Completed 200 OK"
        not in (lines := sandbox.run(str(awslogs), "get", "democluster", "ALL", "-s5m")).stdout
    ):
        assert lines.returncode == 0, lines.stderr
        assert time.monotonic() < end, lines.stdout


def test_the_aws_cli_uses_it_unmodified(sandbox: Sandbox) -> None:
    aws = Path(__file__).parents[2] / ".venv-tools/bin/aws"
    if not aws.exists():
        pytest.skip("the AWS CLI is not installed: run `make check` first")
    told = sandbox.run(
        str(aws), "ecs", "describe-services", "--cluster", "democluster-cluster",
        "--services", "democluster-service", "--query", "services[0].status", "--output", "text",
    )  # fmt: skip
    assert (told.returncode, told.stdout.strip()) == (0, "ACTIVE"), told.stderr


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--profile", "nope"], 2, "nope"),
        (["--region", "mars-1", "--endpoint-url", "http://127.0.0.1:1"], 1, "127.0.0.1:1"),
        (["--endpoint-url", "no url"], 2, "endpoint"),
        (["--cluster", "nope"], 1, "nope"),
        (["--service", "nope"], 1, "nope"),
        (["--wach"], 2, "--wach"),
    ],
)
def test_what_is_wrong_is_one_clear_message(
    sandbox: Sandbox, options: list[str], code: int, words: str
) -> None:
    told = sandbox.run(*PROGRAM, *service_beside(options), *options, "status")
    assert told.returncode == code, (told.stdout, told.stderr)
    assert words in told.stderr
    assert "Traceback" not in told.stderr


def test_without_credentials_it_says_where_it_looked(nowhere: Path, sandbox: Sandbox) -> None:
    environment = {k: v for k, v in sandbox.environment.items() if not k.startswith("AWS_ACCESS")}
    environment.pop("AWS_SECRET_ACCESS_KEY")
    bare = Sandbox(sandbox.process, environment, nowhere)
    told = bare.bgconsole("status")
    assert told.returncode == 4
    assert "bgconsole demo" in told.stderr
    assert "tried" in told.stderr
