"""The built-in Docker Engine, asked by Docker's own SDK over HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import docker
import pytest
from docker.errors import APIError, ImageNotFound

from bgconsole.sandbox.asgi import call
from bgconsole.sandbox.docker.api import DockerEngine
from bgconsole.sandbox.docker.files import read_tar
from bgconsole.sandbox.images import digest
from bgconsole.sandbox.scope import DEMO_SCOPE
from tests.docker_engine import MemoryRegistry, serving_engine
from tests.waiting import until

HOST = "127.0.0.1:4566"
REPOSITORY = f"{HOST}/demorepo"
USER, PASSWORD = base64.b64decode(DEMO_SCOPE.registry_token).decode().split(":")
LOGIN = {"username": USER, "password": PASSWORD}
Event = dict[str, Any]


class Running:
    """The engine behind a port, and the SDK's client of it."""

    def __init__(self, registry: MemoryRegistry, port: int) -> None:
        self.registry = registry
        self.client = docker.APIClient(base_url=f"tcp://127.0.0.1:{port}", version="auto")

    def build(self, context: Path, **options: Any) -> list[Event]:
        """Every event of a build."""
        made = self.client.build(path=str(context), decode=True, **options)
        return list(cast("Iterator[Event]", made))

    def push(self, name: str = REPOSITORY, tag: str = "1", **options: Any) -> list[Event]:
        """Every event of a push."""
        login = options.pop("auth_config", LOGIN)
        pushed = self.client.push(name, tag, stream=True, decode=True, auth_config=login)
        return list(cast("Iterator[Event]", pushed))


@pytest.fixture
def running() -> Iterator[Running]:
    with serving_engine(HOST) as (registry, port):
        made = Running(registry, port)
        yield made
        made.client.close()


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A small app."""
    folder = tmp_path / "app"
    view = folder / "app/views/posts/index.html.erb"
    view.parent.mkdir(parents=True)
    view.write_text("<h1>Posts</h1>\n")
    (folder / "Gemfile").write_text('gem "rails"\n')
    (folder / "Dockerfile").write_text(
        "ARG BASE_IMAGE=ruby:3.4-slim\n"
        "FROM ${BASE_IMAGE}\n"
        "WORKDIR /rails\n"
        "COPY Gemfile Gemfile.lock* ./\n"
        "COPY . .\n"
        "ARG REVISION=unknown\n"
        "ENV REVISION=${REVISION}\n"
        "LABEL org.opencontainers.image.revision=${REVISION}\n"
        'CMD ["rails", "server"]\n'
    )
    return folder


def text(events: list[Event]) -> str:
    return "".join(event.get("stream", "") for event in events)


def test_it_says_what_it_is(running: Running) -> None:
    assert running.client.ping() is True
    assert running.client.version()["ApiVersion"] == "1.41"
    assert running.client.info()["Containers"] == 0
    assert running.client.images() == []


def test_a_build_is_told_in_the_shape_of_the_recorded_ones(running: Running, context: Path) -> None:
    events = running.build(context, tag=f"{REPOSITORY}:1", buildargs={"REVISION": "1f3c2aa"})

    told = text(events)
    assert told.startswith("Step 1/9 : ARG BASE_IMAGE=ruby:3.4-slim\nStep 2/9 : FROM ${BASE_IMAGE}")
    assert "Step 5/9 : COPY . .\n ---> " in told
    assert {"stream": "Step 3/9 : WORKDIR /rails"} in events
    image = next(event["aux"]["ID"] for event in events if "aux" in event)
    assert told.endswith(f"Successfully built {image[7:19]}\nSuccessfully tagged {REPOSITORY}:1\n")
    found = running.client.inspect_image(f"{REPOSITORY}:1")
    assert found["Id"] == image
    assert found["Config"]["Labels"] == {"org.opencontainers.image.revision": "1f3c2aa"}
    assert "REVISION=1f3c2aa" in found["Config"]["Env"]
    assert found["Config"]["Cmd"] == ["rails", "server"]


def test_an_unchanged_context_is_the_same_image_by_cache(running: Running, context: Path) -> None:
    first = running.build(context, tag="app")
    again = running.build(context, tag="app")
    changed_view = context / "app/views/posts/index.html.erb"
    changed_view.write_text("<h1>MEOW</h1>\n")
    changed = running.build(context, tag="app")

    ids = [[e["aux"]["ID"] for e in events if "aux" in e] for events in (first, again, changed)]
    assert ids[0] == ids[1] != ids[2]
    assert "Using cache" not in text(first)
    assert text(again).count(" ---> Using cache\n") == 7
    assert text(changed).count(" ---> Using cache\n") == 2


def test_a_push_sends_the_bytes_and_tells_each_layer(running: Running, context: Path) -> None:
    (context / "large.bin").write_bytes(bytes(range(256)) * 4096)
    running.build(context, tag=f"{REPOSITORY}:1")

    events = running.push()

    assert events[0] == {"status": f"The push refers to repository [{REPOSITORY}]"}
    states: dict[str, list[str]] = {}
    for event in events:
        if "id" in event:
            states.setdefault(event["id"], []).append(event["status"])
    assert len(states) == 3
    assert {tuple(dict.fromkeys(seen)) for seen in states.values()} == {
        ("Preparing", "Pushing", "Pushed")
    }
    told = events[-1]["aux"]
    manifest = running.registry.tags["1"]
    assert told == {"Tag": "1", "Digest": digest(manifest), "Size": len(manifest)}
    named = [layer["digest"] for layer in json.loads(manifest)["layers"]]
    names = [name for layer in named for name in read_tar(running.registry.blobs[layer])]
    assert "rails/app/views/posts/index.html.erb" in names
    assert running.client.images()[0]["RepoDigests"] == [f"{REPOSITORY}@{told['Digest']}"]

    again = running.push()
    layers = [e["status"] for e in again if "id" in e and e["status"] != "Preparing"]
    assert layers == ["Layer already exists"] * 3
    assert again[-1]["aux"] == told


def test_a_push_that_broke_goes_on_where_it_was(running: Running, context: Path) -> None:
    running.build(context, tag=f"{REPOSITORY}:1")
    running.registry.breaks_after = 6
    broken = running.push()
    assert broken[-1]["error"] == "unknown: unknown error"
    running.registry.breaks_after = 1_000_000

    events = running.push()

    states = [event["status"] for event in events if "id" in event]
    assert states.count("Layer already exists") == 1
    assert states.count("Pushed") == 2


@pytest.mark.parametrize(
    ("name", "login", "words"),
    [
        (REPOSITORY, {"username": "", "password": ""}, "tag does not exist"),
        (f"{HOST}/other", LOGIN, "name unknown: The repository with name 'other' does not exist"),
    ],
)
def test_what_a_registry_refuses_comes_in_the_stream(
    running: Running, context: Path, name: str, login: dict[str, str], words: str
) -> None:
    running.build(context, tag=f"{HOST}/other:1")

    last = running.push(name, auth_config=login)[-1]

    assert last["error"] == last["errorDetail"]["message"]
    assert words in last["error"]


def test_a_tag_that_is_immutable_is_told_in_the_words_of_ecr(
    running: Running, context: Path
) -> None:
    running.registry.immutable = True
    running.build(context, tag=f"{REPOSITORY}:1")
    assert "aux" in running.push()[-1]
    running.build(context, tag=f"{REPOSITORY}:1", buildargs={"REVISION": "2"})

    assert running.push()[-1]["error"] == (
        "tag invalid: The image tag '1' already exists in the 'demorepo' repository and cannot be "
        "overwritten because the repository is immutable."
    )


@pytest.mark.parametrize(
    "host",
    ["123456789012.dkr.ecr.us-east-1.amazonaws.com", "docker.io", "127.0.0.1:5000"],
)
def test_nothing_leaves_for_another_registry(running: Running, context: Path, host: str) -> None:
    running.build(context, tag=f"{host}/demorepo:1")

    last = running.push(f"{host}/demorepo")[-1]
    with pytest.raises(APIError, match="reaches the registry"):
        running.client.login(USER, PASSWORD, registry=f"https://{host}", reauth=True)

    assert last["error"].startswith(
        "the sandbox's Docker Engine reaches the registry 127.0.0.1:4566"
    )
    assert running.registry.asked == []


def test_a_login_is_with_the_password_that_ecr_gave(running: Running) -> None:
    registry = f"http://{HOST}"
    told = running.client.login(USER, PASSWORD, registry=registry, reauth=True)
    assert told["Status"] == "Login Succeeded"
    with pytest.raises(APIError) as refused:
        running.client.login(USER, "wrong", registry=registry, reauth=True)
    assert refused.value.status_code == 401


def test_a_failing_step_is_an_event_and_a_bad_dockerfile_an_error(
    running: Running, context: Path
) -> None:
    (context / "Dockerfile").write_text("FROM scratch\nRUN echo boom && exit 3\n")
    events = running.build(context)
    assert "boom" in text(events)
    assert events[-1]["errorDetail"]["code"] == 3
    assert events[-1]["error"] == (
        "The command '/bin/sh -c echo boom && exit 3' returned a non-zero code: 3"
    )

    (context / "Dockerfile").write_text("FROM scratch\nFRUM x\n")
    with pytest.raises(APIError, match="unknown instruction: FRUM") as refused:
        running.build(context)
    assert refused.value.status_code == 400

    (context / "Dockerfile").write_text("FROM scratch\nCOPY nothing /\n")
    assert "stat nothing: file does not exist" in running.build(context)[-1]["error"]
    (context / "Dockerfile").write_text("FROM scratch\nRUN --mount=type=cache,target=/x true\n")
    assert "requires BuildKit" in running.build(context)[-1]["error"]


def test_output_is_cut_in_the_middle_of_lines(running: Running, context: Path) -> None:
    line = "x" * 1000
    (context / "Dockerfile").write_text(f"FROM scratch\nRUN echo {line}\n")

    events = running.build(context)

    assert f"{line}\n" in text(events)
    pieces = [event["stream"] for event in events if event.get("stream", "").startswith("x")]
    assert len(pieces) > 10
    assert not pieces[0].endswith("\n")


def test_closing_the_stream_ends_the_build(running: Running, context: Path) -> None:
    (context / "Dockerfile").write_text("FROM scratch\nRUN sleep 600\nRUN echo never\n")
    stream = running.client.build(path=str(context), tag="app", decode=True)
    for event in stream:
        if "Running in" in event.get("stream", ""):
            break
    stream.close()

    until(lambda: not_found(running, "app"), "that the image is gone", 10)
    (context / "Dockerfile").write_text("FROM scratch\nRUN echo quick\n")
    assert "quick" in text(running.build(context))


def test_stages_copy_from_each_other_and_a_target_ends_early(
    running: Running, context: Path
) -> None:
    (context / "Dockerfile").write_text(
        "FROM ruby AS build\nWORKDIR /rails\nCOPY . .\n"
        "FROM ruby\nCOPY --from=build /rails /srv\nUSER 1000\n"
    )
    running.build(context, tag=f"{REPOSITORY}:1")
    running.push()
    manifest = json.loads(running.registry.tags["1"])
    top = running.registry.blobs[manifest["layers"][-1]["digest"]]
    assert "srv/Gemfile" in read_tar(top)

    assert text(running.build(context, target="build")).startswith("Step 1/3")


def test_images_are_tagged_and_removed(running: Running, context: Path) -> None:
    running.build(context, tag="app:1")
    image = running.client.inspect_image("app:1")["Id"]
    assert running.client.tag("app:1", "app", "latest")
    assert running.client.inspect_image("app")["Id"] == image
    assert running.client.inspect_image(image[7:19])["RepoTags"] == ["app:1", "app:latest"]

    running.client.remove_image("app:1")
    assert running.client.images()[0]["RepoTags"] == ["app:latest"]
    running.client.remove_image("app")
    assert running.client.images() == []
    with pytest.raises(ImageNotFound):
        running.client.inspect_image("app")
    with pytest.raises(APIError, match="has no POST /containers/create"):
        running.client.create_container("app")


async def test_a_page_in_a_browser_reaches_nothing() -> None:
    engine = DockerEngine(MemoryRegistry(), HOST)
    assert (await call(engine, "GET", "/_ping", {})).status == 200
    for headers in ({"origin": "https://example.com"}, {"host": "rebound.example.com"}):
        assert (await call(engine, "GET", "/_ping", headers)).status == 403


def not_found(running: Running, name: str) -> bool:
    try:
        running.client.inspect_image(name)
    except ImageNotFound:
        return True
    return False
