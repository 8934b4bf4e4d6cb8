"""The demo's images: whole by the registry's own rules, the same bytes every time."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest

from bgconsole.sandbox.images import BROKEN, MEOW, POSTS, Build, build, digest
from bgconsole.sandbox.registry import split_reference


@pytest.mark.parametrize("version", [POSTS, MEOW, BROKEN])
def test_everything_a_manifest_names_is_there_by_its_digest(version: Build) -> None:
    image = build(version)
    manifest = json.loads(image.manifest)
    blobs = {digest(blob): blob for blob in image.blobs}

    for named in (manifest["config"], *manifest["layers"]):
        assert len(blobs[named["digest"]]) == named["size"]
    config = json.loads(blobs[manifest["config"]["digest"]])
    layer = gzip.decompress(blobs[manifest["layers"][0]["digest"]])
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]
    assert config["config"]["Labels"]["bgconsole.heading"] == version.heading
    assert config["config"]["Labels"]["bgconsole.behaviour"] == version.behaviour


def test_builds_repeat_and_differ_by_version() -> None:
    assert build(POSTS) == build(POSTS)
    assert len({digest(build(version).manifest) for version in (POSTS, MEOW, BROKEN)}) == 3


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("demorepo:1f3c2aa", ("demorepo", "1f3c2aa")),
        ("team/app", ("team/app", "latest")),
        ("demorepo@sha256:ab", ("demorepo", "sha256:ab")),
        ("demorepo:1f3c2aa@sha256:ab", ("demorepo", "sha256:ab")),
    ],
)
def test_references_are_split_as_docker_does(image: str, parts: tuple[str, str]) -> None:
    assert split_reference(image) == parts
