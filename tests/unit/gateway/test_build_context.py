"""The tar that is made while it is sent: what any reader of tars finds in it, and what fails."""

from __future__ import annotations

import os
import socket
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from bgconsole.domain.errors import Rejected
from bgconsole.gateway.build_context import PIECE, BuildContext


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a Dockerfile."""
    made = tmp_path / "app"
    made.mkdir()
    (made / "Dockerfile").write_text("FROM scratch\n")
    return made


def read(context: BuildContext) -> tarfile.TarFile:
    """What was made, once it is sure that it is as long as was said."""
    pieces = list(context.pieces())
    whole = b"".join(pieces)
    assert len(whole) == context.size
    assert len(whole) % tarfile.RECORDSIZE == 0
    assert all(len(piece) >= PIECE for piece in pieces[:-1])
    return tarfile.open(fileobj=BytesIO(whole))


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, PIECE - 1, PIECE, 3 * PIECE + 7])
def test_a_file_of_any_size_arrives_whole(folder: Path, size: int) -> None:
    content = os.urandom(size)
    (folder / "blob").write_bytes(content)
    with read(BuildContext(folder, folder / "Dockerfile")) as archive:
        assert archive.getnames() == ["Dockerfile", "blob"]
        found = archive.extractfile("blob")
        assert found is not None
        assert found.read() == content


def test_everything_that_a_folder_may_hold_arrives(folder: Path) -> None:
    deep = folder / "/".join(["a" * 60] * 4) / "ü \udce4.txt"
    deep.parent.mkdir(parents=True)
    deep.write_text("deep")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("run.sh")
    (folder / "again.sh").hardlink_to(folder / "run.sh")
    os.utime(folder / "link", (-5, -5), follow_symlinks=False)
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(folder)  # the name of a socket may not be long
        listening.bind("socket")
        os.chdir(here)
        context = BuildContext(folder, folder / "Dockerfile")
    with read(context) as archive:
        members = {member.name: member for member in archive.getmembers()}
        assert "socket" not in members
        assert members["run.sh"].mode & 0o777 == 0o755 or members["run.sh"].islnk()
        both = {members["run.sh"].type, members["again.sh"].type}
        assert both == {tarfile.REGTYPE, tarfile.LNKTYPE}
        assert (members["link"].issym(), members["link"].linkname) == (True, "run.sh")
        assert members["pipe"].isfifo()
        found = archive.extractfile(str(deep.relative_to(folder)))
        assert found is not None
        assert found.read() == b"deep"


def test_many_small_files_go_together(folder: Path) -> None:
    for number in range(3000):
        (folder / f"{number}.txt").write_text(f"{number}")
    context = BuildContext(folder, folder / "Dockerfile")
    assert len(list(context.pieces())) == -(-context.size // PIECE)
    with read(context) as archive:
        assert len(archive.getnames()) == 3001


def test_a_file_that_grows_is_sent_as_it_was_and_one_that_shrinks_ends_it(folder: Path) -> None:
    blob = folder / "blob"
    blob.write_bytes(b"x" * 1000)
    context = BuildContext(folder, folder / "Dockerfile")
    blob.write_bytes(b"y" * 2000)
    with read(context) as archive:
        found = archive.extractfile("blob")
        assert found is not None
        assert found.read() == b"y" * 1000
    blob.write_bytes(b"z" * 999)
    with pytest.raises(Rejected, match="blob: it has become shorter while it was sent"):
        list(context.pieces())


def test_what_cannot_be_read_is_known_before_anything_is_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "secret.key").write_text("x")
    really = Path.open

    def denied(path: Path, *how: Any, **more: Any) -> object:
        if path.name == "secret.key":
            raise PermissionError(13, "Permission denied", str(path))
        return really(path, *how, **more)

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(Rejected, match=r"secret\.key: Permission denied") as refused:
        BuildContext(folder, folder / "Dockerfile")
    assert refused.value.hint == "Leave it out with .dockerignore"
