"""Building and pushing an image, as values: what is built, where to, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Engine:
    """A Docker engine that answers."""

    version: str
    host: str
    """As `DOCKER_HOST` names it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A folder as a build would send it."""

    folder: str
    """Absolute."""
    dockerfile: str
    """Absolute."""
    files: int
    size: int
    """Bytes, once `.dockerignore` is obeyed."""
    revision: str = ""
    """The commit of its git work tree, short; empty where it is in none."""
    dirty: bool = False
    """Whether something in the folder is not committed."""
    buildkit: str = ""
    """Why the Dockerfile needs BuildKit; empty where any builder will do."""
    arguments: frozenset[str] = frozenset()
    """The names that the Dockerfile declares with ARG."""


@dataclass(frozen=True, slots=True)
class Order:
    """One build."""

    folder: str
    dockerfile: str
    names: tuple[str, ...]
    """The image's names, each `repository:tag`."""
    arguments: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    buildkit: bool = False
    """Built by `docker buildx` instead of the classic builder."""


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """What a push logs in with; never written anywhere."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BuildLine:
    """A line of a build's output."""

    text: str


@dataclass(frozen=True, slots=True)
class Sent:
    """How much of the context the engine has."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Layer:
    """How far one layer is, pushed or pulled."""

    id: str
    status: str
    """The engine's words: `Waiting`, `Pushing`, `Pushed`, `Layer already exists` …"""
    done: int = 0
    total: int = 0
    """Bytes; 0 where it is not known."""


@dataclass(frozen=True, slots=True)
class Built:
    """The end of a build."""

    id: str
    """Of the image, `sha256:…`; empty where the builder does not tell."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The end of a push."""

    digest: str
    """Of the manifest, `sha256:…`; empty where the engine does not tell."""


BuildTold = BuildLine | Sent | Layer | Built
PushTold = Layer | Pushed
