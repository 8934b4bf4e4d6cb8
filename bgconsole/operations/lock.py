"""One operation at a time on one service, among the consoles of one machine."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from bgconsole.config.paths import private_file
from bgconsole.domain.errors import Refused


@contextmanager
def only_one(folder: Path | None, what: str, words: str) -> Iterator[None]:
    """Hold a service's lock; the system gives it back even when this process is killed.

    Args:
        folder: where lock files are; None locks nothing.
        what: names the service: account, region, cluster, name.
        words: what is done, told to whoever comes second.

    Raises:
        Refused: somebody on this machine holds it.
        OSError: the lock file could not be opened.
    """
    if folder is None:
        yield
        return
    file = folder / f"{sha256(what.encode()).hexdigest()[:24]}.lock"
    with private_file(file, os.O_RDWR) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 500).decode(errors="replace").strip()
            raise Refused(
                "Another console on this machine is at work on this service",
                holder or what,
                "Wait until it has ended",
            ) from None
        with suppress(OSError):  # a full disk keeps the words away, not the lock
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{words} (process {os.getpid()})\n".encode())
        yield
