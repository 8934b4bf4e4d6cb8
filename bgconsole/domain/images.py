"""Images: how a reference is read, and what the registry knows of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from functools import lru_cache

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_PART = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?/)?{_PART}(?:/{_PART})*(?::{_TAG.pattern})?"
    r"(?:@sha256:[0-9a-f]{64})?"
)
"""The grammar of the distribution project's `reference` package, with its one digest in use."""


@dataclass(frozen=True, slots=True)
class Image:
    """DescribeImages, one image."""

    repository: str
    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime | None = None
    size: int | None = None
    """Bytes, as the registry tells."""
    parts: tuple[str, ...] = ()
    """Of an image index: the digests of its platforms' manifests, where they could be read.

    They are one image: ECS tells either the index or the manifest that it picked from it."""
    unread: str = ""
    """Why the parts of an image index could not be read, in a few words."""

    def is_(self, digest: str) -> bool:
        """Whether a digest names this image, as a whole or for one platform."""
        return digest == self.digest or digest in self.parts


@dataclass(frozen=True, slots=True)
class Repository:
    """DescribeRepositories, one repository."""

    name: str
    uri: str
    """Where images are pushed to and pulled from, without a tag."""
    immutable: bool = False
    """Whether a tag can be given once only."""
    moving: tuple[str, ...] = ()
    """The tags that may move all the same, with `*` for any characters."""

    def keeps(self, tag: str) -> bool:
        """Whether this tag, once given, stays where it is."""
        return self.immutable and not any(fnmatchcase(tag, each) for each in self.moving)


@dataclass(frozen=True, slots=True)
class ImageReference:
    """`registry/repository:tag` or `registry/repository@sha256:…`, taken apart."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> ImageReference:
        """Read a reference as Docker does.

        A first part with a dot or a colon, or `localhost`, is a registry.
        No tag and no digest means `latest`.
        """
        name, _, digest = text.partition("@")
        first, slash, rest = name.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            registry, path = first, rest
        else:
            registry, path = "", name
        repository, _, tag = path.partition(":")
        return cls(registry, repository, tag or ("" if digest else "latest"), digest)

    def pinned(self, digest: str) -> str:
        """The same repository at one digest, as a reference to pull."""
        base = f"{self.registry}/{self.repository}" if self.registry else self.repository
        return f"{base}@{digest}"


def is_reference(text: str) -> bool:
    """Whether a text can name an image at all."""
    return _REFERENCE.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether a text can be a tag, as Docker says."""
    return _TAG.fullmatch(text) is not None


def short_digest(digest: str) -> str:
    """The first eight digits behind `sha256:`, as the screens show it."""
    return digest.rpartition(":")[2][:8]


def named_digest(digest: str) -> str:
    """The same with its algorithm: `sha256:77ab10c2`."""
    return f"sha256:{short_digest(digest)}"
