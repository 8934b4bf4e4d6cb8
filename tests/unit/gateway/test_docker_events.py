"""The streams of real engines, as they were recorded, and failures in all their wordings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bgconsole.domain.builds import BuildLine, Built, Layer, Pushed, Sent
from bgconsole.domain.errors import (
    AccessDenied,
    ExpiredCredentials,
    GatewayError,
    NotThere,
    Rejected,
    Unreachable,
)
from bgconsole.gateway.docker_events import build_told, push_told
from bgconsole.gateway.docker_failures import build_failure, push_failure

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> list[dict[str, Any]]:
    lines = (RECORDED / f"{name}.jsonl").read_text().splitlines()
    return [json.loads(line)["ev"] for line in lines]


@pytest.mark.parametrize("name", ["build-rails-nocache", "build-rails-cached"])
def test_a_build_is_told_line_by_line_to_its_image(name: str) -> None:
    told = list(build_told(recorded(name)))
    lines = [each.text for each in told if isinstance(each, BuildLine)]
    assert lines[0] == "Step 1/15 : ARG BASE_IMAGE=ruby:3.4-slim"
    assert sum(line.startswith("Step ") for line in lines) == 15
    assert not [line for line in lines if "\n" in line or not line.strip()]
    assert isinstance(told[-1], Built)
    assert told[-1].id.startswith("sha256:")


def test_a_build_that_fails_tells_what_was_printed_and_raises() -> None:
    told = []
    with pytest.raises(Rejected, match="returned a non-zero code: 3"):
        for each in build_told(recorded("build-failing-run")):
            told.append(each)
    assert BuildLine("boom") in told, "without the colour that the engine wraps it in"


def test_lines_are_joined_from_events_that_end_anywhere() -> None:
    pieces = ["one\ntw", "o\n\x1b[91mthr", "ee\x1b[0m\n10%\r", "20%\r100%\nend"]
    told = list(build_told([{"stream": piece} for piece in pieces]))
    assert told == [
        *map(BuildLine, ("one", "two", "three", "100%", "end")),
        Built(""),
    ]


def test_what_was_sent_and_what_is_pulled_are_told_too() -> None:
    pull = {"status": "Downloading", "id": "abc", "progressDetail": {"current": 5, "total": 9}}
    events = [Sent(1, 2), {"status": "Pulling from library/ruby"}, pull, {"aux": {"ID": "i"}}]
    assert list(build_told(events)) == [
        Sent(1, 2),
        BuildLine("Pulling from library/ruby"),
        Layer("abc", "Downloading", 5, 9),
        Built("i"),
    ]


def test_a_push_tells_each_layer_and_the_digest() -> None:
    told = list(push_told(recorded("push-rails-all-layers"), "websvc"))
    layers = [each for each in told if isinstance(each, Layer)]
    assert len({layer.id for layer in layers}) == 6
    assert all(layer.done <= layer.total for layer in layers if layer.total)
    assert [layer.status for layer in layers if layer.id == "dea481aee357"] == [
        "Preparing", "Pushing", "Pushing", "Pushed",
    ]  # fmt: skip
    assert isinstance(told[-1], Pushed)
    assert told[-1].digest.startswith("sha256:2803f134")
    again = list(push_told(recorded("push-rails-layers-exist"), "websvc"))
    assert sum(isinstance(x, Layer) and x.status == "Layer already exists" for x in again) == 6
    assert again[-1] == told[-1]


def test_the_recorded_failures_of_pushes() -> None:
    with pytest.raises(ExpiredCredentials, match="authentication required"):
        list(push_told(recorded("push-bad-token"), "websvc"))
    with pytest.raises(Rejected, match="tag does not exist"):
        list(push_told(recorded("push-no-such-tag"), "websvc"))


@pytest.mark.parametrize(
    ("words", "kind", "shown"),
    [
        (
            "name unknown: The repository with name 'demorepo' does not exist in the registry "
            "with id '123456789012'",
            NotThere,
            "aws ecr create-repository --repository-name demorepo",
        ),
        (
            "tag invalid: The image tag 'v1' already exists in the 'demorepo' repository and "
            "cannot be overwritten because the repository is immutable.",
            Rejected,
            "The tag is taken",
        ),
        (
            "denied: Your authorization token has expired. Reauthenticate and try again.",
            ExpiredCredentials,
            "does not take the login",
        ),
        ("no basic auth credentials", ExpiredCredentials, "does not take the login"),
        (
            "denied: User: arn:aws:iam::1:user/x is not authorized to perform: "
            "ecr:InitiateLayerUpload on resource: arn:aws:ecr:x because no identity-based policy",
            AccessDenied,
            "need ecr:InitiateLayerUpload",
        ),
        (
            "write /var/lib/docker/tmp/x: no space left on device",
            Rejected,
            "The Docker engine's disk is full",
        ),
        ('Put "https://x/v2/": EOF', Unreachable, "are not sent again"),
        ("write tcp 10.0.0.1:1->10.0.0.2:443: write: broken pipe", Unreachable, "interrupted"),
        ("something new", Rejected, "The push failed: something new"),
    ],
)
def test_failures_of_a_push_say_what_to_do(
    words: str, kind: type[GatewayError], shown: str
) -> None:
    failure = push_failure(words, "demorepo")
    assert type(failure) is kind
    assert shown in str(failure)


@pytest.mark.parametrize(
    ("words", "kind", "shown"),
    [
        ("failed to copy files: no space left on device", Rejected, "disk is full"),
        ("pull access denied for private/base, repository does not exist", Rejected, "FROM"),
        ("manifest for ruby:9 not found: manifest unknown", Rejected, "base image"),
        (
            'Get "https://registry-1.docker.io/v2/": dial tcp: lookup: no such host',
            Unreachable,
            "needs the network",
        ),
        ("The command '/bin/sh -c false' returned a non-zero code: 1", Rejected, "build failed"),
    ],
)
def test_failures_of_a_build_say_what_to_do(
    words: str, kind: type[GatewayError], shown: str
) -> None:
    failure = build_failure(words)
    assert type(failure) is kind
    assert shown in str(failure)
