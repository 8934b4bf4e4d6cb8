"""The files of a build: read from an uploaded context, chosen by COPY, packed as a layer."""

from __future__ import annotations

import gzip
import hashlib
import io
import posixpath
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..images import digest


@dataclass(frozen=True, slots=True)
class File:
    """One file or symbolic link."""

    content: bytes
    mode: int = 0o644
    link: str = ""
    """Where a symbolic link points; empty for a file."""


Files = Mapping[str, File]
"""By path, without a leading slash."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What one step added, as the registry stores it."""

    diff_id: str
    """The digest of the plain tar."""
    content: bytes
    """The tar, gzipped."""
    size: int
    """Bytes of the plain tar."""

    @property
    def short_id(self) -> str:
        """What a push calls it."""
        return self.diff_id.removeprefix("sha256:")[:12]


class NoSuchFile(Exception):
    """COPY found nothing; the text is what an engine says."""


def read_tar(content: bytes) -> dict[str, File]:
    """The files of a tar, gzipped or not; folders, devices and what leads outside are left out.

    Raises:
        tarfile.TarError: it is none.
    """
    found: dict[str, File] = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
        for member in archive:
            name = normal(member.name)
            if not name or name.startswith(".."):
                continue
            if member.issym():
                found[name] = File(b"", member.mode, member.linkname)
            elif member.isfile() and (opened := archive.extractfile(member)) is not None:
                found[name] = File(opened.read(), member.mode)
            elif member.islnk() and (same := found.get(normal(member.linkname))):
                found[name] = same
    return found


def normal(path: str) -> str:
    """A path without `.`, `..` inside it, and slashes around it; empty for the top."""
    cleaned = posixpath.normpath(path.replace("\\", "/")).lstrip("/")
    return "" if cleaned == "." else cleaned


def copied(files: Files, sources: Iterable[str], target: str, folder: str) -> dict[str, File]:
    """What `COPY SOURCES… TARGET` puts where.

    Args:
        files: what can be copied.
        sources: files, folders (whose content is copied) or patterns.
        target: where to; a folder where it ends with a slash or several are copied.
        folder: the working directory, for a target that is relative.

    Raises:
        NoSuchFile: a source that is no pattern is not there, or nothing matches at all.
    """
    listed = list(sources)
    into = target.endswith("/") or posixpath.basename(target) in ("", ".", "..") or len(listed) > 1
    base = normal(posixpath.join("/", folder, target))
    found: dict[str, File] = {}
    for source in listed:
        matches = _matches(files, normal(source))
        if not matches and not _is_pattern(source):
            raise NoSuchFile(source)
        for match in matches:
            if match in files:
                name = posixpath.join(base, posixpath.basename(match)) if into else base
                found[normal(name)] = files[match]
                continue
            prefix = f"{match}/" if match else ""
            found |= {
                normal(posixpath.join(base, path.removeprefix(prefix))): file
                for path, file in files.items()
                if path.startswith(prefix)
            }
    if not found:
        raise NoSuchFile(" ".join(listed))
    return found


def _is_pattern(source: str) -> bool:
    return any(sign in source for sign in "*?[")


def _matches(files: Files, source: str) -> list[str]:
    """The files, and the folders by their path, that a source means."""
    if not source:
        return [""]
    depth = source.count("/") + 1
    heads = {"/".join(path.split("/")[:depth]) for path in files}
    if not _is_pattern(source):
        return [source] if source in heads else []
    parts = source.split("/")
    return sorted(
        head
        for head in heads
        if head.count("/") + 1 == depth
        and all(fnmatchcase(name, part) for name, part in zip(head.split("/"), parts, strict=True))
    )


def fingerprint(files: Files) -> str:
    """What the cache knows files by: names, modes and content, no times."""
    mixed = hashlib.sha256()
    for path, file in sorted(files.items()):
        mixed.update(f"{path}\0{file.mode & 0o777:o}\0{file.link}\0".encode())
        mixed.update(hashlib.sha256(file.content).digest())
    return mixed.hexdigest()


def layer_of(files: Files) -> Layer:
    """The files as a layer; the same bytes every time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, file in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.mode = file.mode & 0o777
            entry.size = len(file.content)
            if file.link:
                entry.type, entry.linkname, entry.size = tarfile.SYMTYPE, file.link, 0
            archive.addfile(entry, io.BytesIO(file.content))
    plain = buffer.getvalue()
    return Layer(digest(plain), gzip.compress(plain, 6, mtime=0), len(plain))
