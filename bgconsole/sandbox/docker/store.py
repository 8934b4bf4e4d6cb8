"""The images of the built-in engine: by id and by name, and the cache of its builds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..images import digest, manifest_of
from .files import Files, Layer


@dataclass(frozen=True, slots=True)
class LocalImage:
    """An image that was built here."""

    document: bytes
    """The image configuration, JSON; its digest is the image's id."""
    layers: tuple[Layer, ...]
    files: Files
    """What a container of it would see."""

    @property
    def id(self) -> str:
        """`sha256:…`."""
        return digest(self.document)

    @property
    def short_id(self) -> str:
        """The first twelve digits."""
        return self.id.removeprefix("sha256:")[:12]

    @property
    def settings(self) -> dict[str, Any]:
        """What a container is started with: Env, Cmd, Labels …"""
        found: dict[str, Any] = json.loads(self.document)["config"]
        return found

    @property
    def manifest(self) -> bytes:
        """As it is pushed."""
        return manifest_of(self.document, [layer.content for layer in self.layers])


@dataclass(slots=True)
class Store:
    """What the engine holds, in memory."""

    images: dict[str, LocalImage] = field(default_factory=dict)
    """By id; intermediate ones too."""
    names: dict[str, str] = field(default_factory=dict)
    """Ids by `repository:tag`."""
    pushed: dict[str, str] = field(default_factory=dict)
    """By `repository@sha256:…`, the ids of what was pushed there."""
    cache: dict[str, str] = field(default_factory=dict)
    """Ids by what made them: parent, instruction, and what was copied."""

    def keep(self, image: LocalImage) -> LocalImage:
        """Hold an image."""
        return self.images.setdefault(image.id, image)

    def find(self, name: str) -> LocalImage | None:
        """An image by name (no tag is `latest`), by `repository@digest`, or by id or its start."""
        known = self.names.get(with_tag(name)) or self.pushed.get(name)
        if known is not None:
            return self.images[known]
        start = name.removeprefix("sha256:")
        if len(start) < 4 or set(start) - set("0123456789abcdef"):
            return None
        return next((i for key, i in self.images.items() if key[7:].startswith(start)), None)

    def named(self) -> Mapping[str, list[str]]:
        """The names of every image that has one, by id."""
        found: dict[str, list[str]] = {}
        for name, key in sorted(self.names.items()):
            found.setdefault(key, []).append(name)
        return found

    def remove(self, name: str) -> list[dict[str, str]] | None:
        """Take a name away, or an image with all its names; what an engine answers to it."""
        image = self.find(name)
        if image is None:
            return None
        one = self.names.pop(with_tag(name), None)
        gone = [with_tag(name)] if one else [n for n, key in self.names.items() if key == image.id]
        for each in gone:
            self.names.pop(each, None)
        told = [{"Untagged": each} for each in gone]
        if image.id not in self.names.values():
            for known in [k for k, key in self.pushed.items() if key == image.id]:
                del self.pushed[known]
            told.append({"Deleted": image.id})
        return told


def with_tag(name: str) -> str:
    """A name with its tag; without one it is `latest`."""
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"
