"""The talk's app for real: built, pushed, migrated, rolled out under load, and taken back.

One sandbox for all of it: each test goes on where the one before it ended. The figures are printed.
"""

from __future__ import annotations

import re
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import docker
import pytest

from tests.e2e.account import Account
from tests.e2e.conftest import serving
from tests.e2e.docker.conftest import BASE_IMAGE, DATABASE_IMAGE, HOST
from tests.e2e.docker.story import Story
from tests.visitors import visiting
from tests.waiting import until

LEFT = "bgconsole-left-behind"
RATE = 10.0
"""Requests a second: eight Rails processes may boot on the same two cores."""


@pytest.fixture(scope="module")
def story(
    engine: docker.DockerClient,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[Story]:
    home = tmp_path_factory.mktemp("home")
    for old in engine.containers.list(all=True, filters={"name": LEFT}):
        old.remove(force=True)
    # As a sandbox leaves it that was killed: its lock file is not held by anybody.
    engine.containers.run(
        BASE_IMAGE, ["sleep", "600"], name=LEFT, detach=True,
        labels={"bgconsole.sandbox": str(home / "nobody.lock")},
    )  # fmt: skip
    begun = time.monotonic()
    options = ("--port", "0", "--speed", "25", "--docker")
    images = ("--base-image", BASE_IMAGE, "--database-image", DATABASE_IMAGE)
    around = {"DOCKER_HOST": HOST}
    with serving(home, *options, *images, environment=around, patience=180) as sandbox:
        told = Story(Account(sandbox), engine, BASE_IMAGE)
        told.figures.append(f"sandbox with 3 images and 8 tasks: {time.monotonic() - begun:.0f} s")
        yield told
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():  # what CI prints too
        print("\n" + "\n".join(told.figures))  # noqa: T201
    labelled = engine.containers.list(all=True, filters={"label": "bgconsole.sandbox"})
    assert not labelled, "the sandbox left containers"


def test_four_rails_tasks_serve_what_postgresql_holds(story: Story) -> None:
    assert not story.engine.containers.list(all=True, filters={"name": LEFT})
    assert len(story.tasks()) == 4
    running = story.containers()
    assert {container.status for container in running} == {"running"}
    with urllib.request.urlopen(story.url, timeout=10) as page:
        text = page.read().decode()
        assert page.headers["X-Revision"] == "8be01c9"
    assert "<h1>MEOW</h1>" in text
    assert "Turn-key ECS with CloudFormation" in text
    assert story.query("SELECT count(*) FROM posts") == "2"
    version = story.url.replace("/posts", "/version")
    with urllib.request.urlopen(version, timeout=10) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert re.search('"digest":"(.+?)"', answer.read().decode())[1] in story.digests()  # type: ignore[index]


def test_the_apps_own_tests_pass_and_every_file_is_ruby(story: Story, tmp_path: Path) -> None:
    """With the Rails that Debian packages, in the image."""
    app = story.sources(tmp_path)
    cold = story.build(app, "e2e-tests", cold=True)
    cached = story.build(app, "e2e-tests")
    image = story.engine.images.get(story.account.image("e2e-tests"))
    size, base = (
        found.attrs["Size"] / 1e6 for found in (image, story.engine.images.get(BASE_IMAGE))
    )
    story.figures += [
        f"image: {size:.0f} MB, of which the base is {base:.0f} MB",
        f"build: cold {cold:.1f} s, cached {cached:.1f} s",
    ]
    network = story.database().attrs["NetworkSettings"]["Networks"]
    host = next(iter(network.values()))["IPAddress"]
    secret = story.account.client("secretsmanager")
    [kept] = [s for s in secret.list_secrets()["SecretList"] if "DatabaseUrl" in s["Name"]]
    url = secret.get_secret_value(SecretId=kept["ARN"])["SecretString"]
    checked = (
        "find . -name '*.rb' -o -path './bin/*' -type f ! -name docker-entrypoint | "
        "xargs -n1 ruby -wc > /dev/null && "
        "rails db:create && rails test"
    )
    told = story.engine.containers.run(
        image,
        [checked],
        environment={
            "RAILS_ENV": "test",
            "CI": "1",
            "DATABASE_URL": url.replace(urlsplit(url).hostname or "", host),
        },
        stderr=True,
        remove=True,
    ).decode()
    assert re.search(r"\b[1-9]\d+ runs, \d+ assertions, 0 failures, 0 errors, 0 skips", told), told
    assert "Syntax OK" not in told
    assert "warning" not in told, told


def test_the_heading_is_rolled_out_under_load_and_nobody_notices(
    story: Story, tmp_path: Path
) -> None:
    app = story.sources(tmp_path, edits={"<h1>Posts</h1>": "<h1>WOOF</h1>"})
    begun = time.monotonic()
    built = story.account.sandbox.bgconsole(
        "build", "--context", str(app), "--tag", "e2e-woof", "--yes",
        "--build-args", f"BASE_IMAGE={BASE_IMAGE}",
    )  # fmt: skip
    took_to_build = time.monotonic() - begun
    assert built.returncode == 0, built.stdout + built.stderr
    digest = story.digest("e2e-woof")
    with visiting(story.url, RATE) as visits:
        until(lambda: visits.seen["MEOW"] > 20, "visitors")
        before = {task["taskArn"] for task in story.tasks()}
        took = story.deploy("e2e-woof")
        enough = visits.seen["WOOF"] + 20
        until(lambda: visits.seen["WOOF"] > enough, "visitors of the new version")
    story.figures += [
        f"`bgconsole build` of the change, with its push: {took_to_build:.1f} s",
        f"roll out of 4 tasks {took:.0f} s; {visits.figure('meanwhile')}",
    ]
    assert not visits.failures
    assert story.digests() == {digest}
    # SIGTERM reached Rails, which ended by itself: no exit code of a signal.
    until(lambda: before <= {t["taskArn"] for t in story.tasks("STOPPED")}, "the old tasks' end")
    ended = [task for task in story.tasks("STOPPED") if task["taskArn"] in before]
    assert {task["containers"][0]["exitCode"] for task in ended} == {0}


def test_a_stopped_container_finishes_what_it_answers_and_exits_with_0(story: Story) -> None:
    container = story.containers()[0]
    container.reload()
    port = container.attrs["NetworkSettings"]["Ports"]["3000/tcp"][0]["HostPort"]
    locked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    held = "BEGIN; LOCK TABLE posts; SELECT pg_sleep(20); COMMIT"
    story.query(held, wait=False)
    taken = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'"
    until(lambda: story.query(taken) != "0", "the lock")
    answers: list[int] = []

    def ask() -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/posts", timeout=40) as page:
            page.read()
            answers.append(page.status)

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: story.query(locked) != "0", "a request in flight")
    release = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'"
    )
    threading.Timer(1.0, lambda: story.query(release)).start()
    begun = time.monotonic()
    story.engine.api.kill(container.id, "SIGTERM")
    code = story.engine.api.wait(container.id, timeout=60)["StatusCode"]
    took = time.monotonic() - begun
    asking.join(30)
    story.figures.append(f"SIGTERM with a request in flight: ended {took:.1f} s later with {code}")
    assert answers == [200]
    assert code == 0
    assert took < 30
    until(story.steady, "its replacement", 90)


def test_a_roll_back_goes_to_the_digest_that_ran_before(story: Story) -> None:
    with visiting(story.url, RATE) as visits:
        until(lambda: visits.seen["WOOF"] > 20, "visitors")
        begun = time.monotonic()
        done = story.account.sandbox.bgconsole("rollback", "--confirm", "2")
        took = time.monotonic() - begun
        assert done.returncode == 0, done.stdout + done.stderr
        until(story.steady, "all of it", 90)
    story.figures.append(f"roll back {took:.0f} s; {visits.figure('meanwhile')}")
    assert not visits.failures
    assert story.digests() == {story.digest("8be01c9")}
    assert story.account.sandbox.heading() == "MEOW"


def test_migrations_expand_the_schema_while_the_old_version_serves(
    story: Story, tmp_path: Path
) -> None:
    story.build(story.sources(tmp_path, ["2-expand"]), "e2e-expand")
    story.push("e2e-expand")
    begun = time.monotonic()
    done = story.migrate("e2e-expand")
    story.figures.append(f"`bgconsole migrate`: {time.monotonic() - begun:.1f} s")
    assert done.returncode == 0, done.stdout + done.stderr
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'posts'"
    assert "body" in story.query(columns).splitlines()
    assert story.account.sandbox.heading() == "MEOW"


def test_a_migration_that_fails_says_why_and_changes_nothing(story: Story, tmp_path: Path) -> None:
    story.build(story.sources(tmp_path, ["2-expand", "failing-migration"]), "e2e-fails")
    story.push("e2e-fails")
    before = story.digests()
    done = story.migrate("e2e-fails")
    assert done.returncode == 1, done.stdout + done.stderr
    assert 'column "slug" of relation "posts" contains null values' in story.log()
    assert story.digests() == before
    assert story.account.sandbox.heading() == "MEOW"
