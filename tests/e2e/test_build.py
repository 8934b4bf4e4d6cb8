"""Build and push over HTTP: by sub-command, and what comes of a stop in the middle."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path

import boto3
import pytest

from tests.e2e.conftest import PROGRAM, SERVICE, Sandbox

RAILS_APP = Path(__file__).parents[2] / "rails_app"


@pytest.fixture
def app(sandbox: Sandbox) -> Path:
    """The app with another heading, where the console is started."""
    folder = sandbox.home / "rails_app"
    shutil.copytree(RAILS_APP, folder)
    view = folder / "app/views/posts/index.html.erb"
    view.write_text(view.read_text().replace("<h1>Posts</h1>", "<h1>PURR</h1>"))
    return folder


def digest_of(sandbox: Sandbox, tag: str) -> str:
    client = boto3.client(
        "ecr",
        endpoint_url=sandbox.environment["AWS_ENDPOINT_URL"],
        region_name=sandbox.environment["AWS_REGION"],
        aws_access_key_id=sandbox.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=sandbox.environment["AWS_SECRET_ACCESS_KEY"],
    )
    [image] = client.describe_images(repositoryName="demorepo", imageIds=[{"imageTag": tag}])[
        "imageDetails"
    ]
    return image["imageDigest"]


def test_an_image_is_built_pushed_shown_deployed_and_a_build_is_stopped(
    sandbox: Sandbox, app: Path
) -> None:
    planned = sandbox.bgconsole("build", "--tag", "purr", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "push it as demorepo:purr" in planned.stdout

    refused = sandbox.bgconsole("build", "--tag", "purr")
    assert refused.returncode == 3
    assert "--yes" in refused.stderr

    done = sandbox.bgconsole("build", "--tag", "purr", "--yes")
    assert done.returncode == 0, done.stderr
    digest = digest_of(sandbox, "purr")
    assert f"demorepo:purr is {digest}, as read back from ECR" in done.stdout
    token = "sandbox.123456789012.us-east-1"
    assert token not in done.stdout + done.stderr
    assert not [
        file
        for file in sandbox.home.rglob("*")
        if file.is_file() and token.encode() in file.read_bytes()
    ]

    again = sandbox.bgconsole("build", "--tag", "purr", "--yes")
    assert "Using cache" in again.stderr
    assert "layer already exists" in again.stderr
    assert digest_of(sandbox, "purr") == digest

    deployed = sandbox.bgconsole("deploy", "--image", "purr", "--yes", "--confirm", "purr")
    assert deployed.returncode == 0, deployed.stderr
    assert sandbox.heading() == "PURR"

    (app / "Dockerfile").write_text("FROM scratch\nRUN sleep 600\n")
    process = subprocess.Popen(
        [*PROGRAM, *SERVICE, "build", "--tag", "never", "--yes"],
        env=dict(sandbox.environment),
        cwd=sandbox.home,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr
    for line in process.stderr:
        if "Running in" in line:
            break
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    assert process.wait(20) == 130
    process.stderr.close()
    assert time.monotonic() - began < 15
    assert "What serves was not changed" in rest
