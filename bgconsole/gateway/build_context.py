"""A folder as the tar that an engine builds from, made while it is sent."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from bgconsole.domain.errors import Rejected

PIECE = 1 << 20
"""Bytes that are sent at once."""
_OUTSIDE = ".bgconsole.Dockerfile"
"""What a Dockerfile from outside the folder is called inside."""


class BuildContext:
    """What is sent of a folder: `.dockerignore` obeyed, the Dockerfile always with it.

    Raises:
        Rejected: something of it cannot be read, which is known before anything is sent.
    """

    def __init__(self, root: Path, dockerfile: Path) -> None:
        inside = _inside(root, dockerfile)
        self.dockerfile = inside or _OUTSIDE
        """The Dockerfile's name in it."""
        self._members: list[tuple[bytes, Path | None, int]] = []
        """The header of each, the file that its bytes are read from, and how many they are."""
        with reading(), tarfile.open(mode="w", fileobj=BytesIO()) as archive:
            for name in listed(root, dockerfile):
                if name != _OUTSIDE:
                    self._add(archive, root / name, name)
            if inside is None:
                self._add(archive, dockerfile, _OUTSIDE)
        members = sum(len(header) + _whole(size) for header, _, size in self._members)
        self.size = _whole(members + 2 * tarfile.BLOCKSIZE, tarfile.RECORDSIZE)
        """Bytes of the tar."""
        self._end = bytes(self.size - members)

    def _add(self, archive: tarfile.TarFile, path: Path, name: str) -> None:
        member: tarfile.TarInfo | None = archive.gettarinfo(path, name)
        if member is None:  # a socket
            return
        member.mtime = int(member.mtime)  # what is below a second would take a header of its own
        source = path if member.isreg() else None
        if source is not None:
            source.open("rb").close()
        self._members.append((member.tobuf(), source, member.size if source else 0))

    def pieces(self) -> Iterator[bytes]:
        """The tar, in pieces of some size: small files go together.

        Raises:
            Rejected: a file cannot be read any more, or has become shorter.
        """
        waiting: list[bytes] = []
        length = 0
        with reading():
            for part in self._parts():
                waiting.append(part)
                length += len(part)
                if length >= PIECE:
                    yield b"".join(waiting)
                    waiting, length = [], 0
        yield b"".join(waiting)

    def _parts(self) -> Iterator[bytes]:
        for header, path, size in self._members:
            yield header
            if path is not None:
                yield from _bytes_of(path, size)
        yield self._end


def listed(root: Path, dockerfile: Path) -> list[str]:
    """The names of what is sent, folders among them."""
    from bgconsole.gateway.docker_sdk import exclude_paths

    return sorted(exclude_paths(str(root), _ignored(root), dockerfile=_inside(root, dockerfile)))


@contextmanager
def reading() -> Iterator[None]:
    """What this machine's disk refuses while a folder is read.

    Raises:
        Rejected: it refused.
    """
    try:
        yield
    except OSError as error:
        words = f"{error.filename or 'the build context'}: {error.strerror or error}"
        raise Rejected(
            "The build context cannot be packed", words, "Leave it out with .dockerignore"
        ) from error


def _bytes_of(path: Path, size: int) -> Iterator[bytes]:
    left = size
    with path.open("rb") as file:
        while left:
            part = file.read(min(left, PIECE))
            if not part:
                raise OSError(None, "it has become shorter while it was sent", str(path))
            left -= len(part)
            yield part
    yield bytes(_whole(size) - size)


def _whole(size: int, block: int = tarfile.BLOCKSIZE) -> int:
    """The size in whole blocks."""
    return -(-size // block) * block


def _ignored(root: Path) -> list[str]:
    try:
        lines = (root / ".dockerignore").read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return []
    stripped = map(str.strip, lines)
    return [line for line in stripped if line and not line.startswith("#")]


def _inside(root: Path, dockerfile: Path) -> str | None:
    """The Dockerfile's path in the folder; `None` where it is outside."""
    try:
        return dockerfile.relative_to(root.resolve()).as_posix()
    except ValueError:
        return None
