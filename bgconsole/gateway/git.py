"""The commit of a folder, asked of git."""

from __future__ import annotations

import subprocess
from pathlib import Path

_SECONDS = 10.0


def revision(folder: Path) -> tuple[str, bool]:
    """The commit of the work tree that a folder is in, short, and whether the folder differs.

    Empty and false where it is in none, has no commit, or git is not there or does not answer.
    """
    commit = _git(folder, "rev-parse", "--short=7", "HEAD")
    if not commit:
        return "", False
    changed = _git(folder, "status", "--porcelain", "--untracked-files=normal", "--", ".")
    return commit, changed is None or bool(changed)


def _git(folder: Path, *words: str) -> str | None:
    try:
        # No index is refreshed on disk: looking must not get into the way of a git beside us.
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
