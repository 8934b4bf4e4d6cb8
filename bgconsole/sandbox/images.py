"""The images of the demo: what a build of the application at three commits would have made.

A real image in the registry's sense (manifest, configuration, one layer, all by digest); its labels
tell the stand-in that runs in its place how to behave.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True, slots=True)
class Build:
    """One version of the application."""

    tag: str
    """The git commit, short."""
    heading: str
    """The h1 of /posts."""
    created: str
    """RFC 3339."""
    behaviour: str = ""
    """Empty, or `crash`: exits with 1 while it boots."""


POSTS = Build("1f3c2aa", "Posts", "2026-01-05T09:12:41Z")
MEOW = Build("8be01c9", "MEOW", "2026-01-08T15:30:02Z")
BROKEN = Build("bad0c0d", "MEOW", "2026-01-12T10:47:19Z", behaviour="crash")


@dataclass(frozen=True, slots=True)
class Image:
    """An image as bytes, ready to be pushed."""

    tag: str
    manifest: bytes
    blobs: tuple[bytes, ...]


def digest(content: bytes) -> str:
    """What the registry calls these bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def build(version: Build) -> Image:
    """The image of one version; the same bytes every time."""
    files = _tar({"rails/REVISION": version.tag, "rails/HEADING": version.heading})
    layer = gzip.compress(files, mtime=0)
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": version.created,
            "config": {
                "User": "1000:1000",
                "ExposedPorts": {"3000/tcp": {}},
                "Env": ["RAILS_ENV=production", "PORT=3000"],
                "Entrypoint": ["/rails/bin/docker-entrypoint"],
                "Cmd": ["./bin/rails", "server", "-b", "0.0.0.0"],  # noqa: S104 - in a container
                "WorkingDir": "/rails",
                "Labels": {
                    "org.opencontainers.image.revision": version.tag,
                    "org.opencontainers.image.created": version.created,
                    "bgconsole.heading": version.heading,
                    "bgconsole.revision": version.tag,
                    "bgconsole.behaviour": version.behaviour,
                },
            },
            "rootfs": {"type": "layers", "diff_ids": [digest(files)]},
            "history": [{"created": version.created, "created_by": "COPY . /rails"}],
        }
    )
    return Image(version.tag, manifest_of(config, [layer]), (config, layer))


def manifest_of(config: bytes, layers: Sequence[bytes]) -> bytes:
    """The manifest of an image: its configuration and its gzipped layers, by digest."""
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _descriptor(_CONFIG_TYPE, config),
            "layers": [_descriptor(_LAYER_TYPE, layer) for layer in layers],
        }
    )


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(content), "digest": digest(content)}


def _json(document: dict[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _tar(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            content = f"{text}\n".encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
