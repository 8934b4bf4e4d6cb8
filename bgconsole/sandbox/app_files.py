"""What the stand-in needs of an image's files: the heading of its page, its migrations."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .docker.files import File, read_tar
from .migrations import Migration, read_migration

LARGEST_LAYER = 32 * 1024 * 1024
"""Bytes, gzipped: a larger one is a base image's or gems, and is not read."""
_VIEW = re.compile(r"(?:.*/)?app/views/posts/index\.html\.erb")
_HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class AppFiles:
    """Of one image."""

    heading: str | None = None
    """The h1 of the view of `/posts`; `None` where there is none."""
    migrations: tuple[Migration, ...] = ()


def read_app(layers: Iterable[bytes]) -> AppFiles:
    """What the layers of an image, gzipped tars, hold of the app; bad ones are left out."""
    files: dict[str, File] = {}
    for layer in layers:
        if len(layer) <= LARGEST_LAYER:
            try:
                files |= _without_whiteouts(files, read_tar(layer))
            except (tarfile.TarError, EOFError, OSError):
                continue
    heading = None
    migrations = []
    for path, file in sorted(files.items()):
        text = file.content.decode("utf-8", "replace")
        if _VIEW.fullmatch(path) and (found := _HEADING.search(text)):
            heading = found[1].strip()
        elif migration := read_migration(path, text):
            migrations.append(migration)
    migrations.sort(key=lambda migration: int(migration.version))
    return AppFiles(heading, tuple(migrations))


def _without_whiteouts(below: dict[str, File], layer: Mapping[str, File]) -> dict[str, File]:
    """A layer's files, once what it deletes is taken out of those below."""
    kept = {}
    for path, file in layer.items():
        folder, _, name = path.rpartition("/")
        if name.startswith(".wh."):
            gone = f"{folder}/{name.removeprefix('.wh.')}".lstrip("/")
            for old in [p for p in below if p == gone or p.startswith(f"{gone}/")]:
                del below[old]
        else:
            kept[path] = file
    return kept
