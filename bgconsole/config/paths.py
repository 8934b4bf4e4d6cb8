"""Where files are kept, by the XDG rules; everything that is written is for its owner alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs


@dataclass(frozen=True, slots=True)
class Paths:
    """Every file and folder that the console reads or writes by itself."""

    config: Path
    """The user's settings."""
    project: Path
    """The project's settings, in the folder where the console was started."""
    state: Path

    @property
    def audit(self) -> Path:
        """What was done, one record a line."""
        return self.state / "audit.jsonl"

    @property
    def locks(self) -> Path:
        """One file a service, locked while an operation runs."""
        return self.state / "locks"

    @property
    def crashes(self) -> Path:
        """Logs of bugs."""
        return self.state / "crashes"

    @property
    def exports(self) -> Path:
        """What was saved from the screen."""
        return self.state / "exports"

    @property
    def last(self) -> Path:
        """The cluster and service that were picked last."""
        return self.state / "last.json"


def paths() -> Paths:
    """The paths of the user who runs this, in the current folder.

    BGCONSOLE_CONFIG names one settings file that is read instead of the user's and the project's.
    """
    # appauthor=False and no version: ~/.config/bgconsole and ~/.local/state/bgconsole.
    folders = PlatformDirs("bgconsole", appauthor=False)
    only = os.environ.get("BGCONSOLE_CONFIG")
    return Paths(
        config=Path(only) if only else Path(folders.user_config_dir) / "config.yml",
        project=Path(os.devnull) if only else Path.cwd() / "bgconsole.yml",
        state=Path(folders.user_state_dir),
    )


def private_folder(folder: Path) -> Path:
    """Make a folder, and those above it that are missing, that only its owner can enter.

    Raises:
        OSError: it could not be made.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True, mode=0o700)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder


@contextmanager
def private_file(file: Path, flags: int) -> Iterator[int]:
    """Open a file that only its owner can read, and its folder; gives the descriptor.

    Raises:
        OSError: it could not be opened.
    """
    private_folder(file.parent)
    descriptor = os.open(file, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        yield descriptor
    finally:
        os.close(descriptor)


def write_private(file: Path, text: str) -> None:
    """Replace a private file's content at once: readers see the old or the new, never a part.

    Raises:
        OSError: it could not be written.
    """
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    with private_file(fresh, os.O_WRONLY | os.O_TRUNC) as descriptor:
        os.write(descriptor, text.encode())
    fresh.replace(file)
