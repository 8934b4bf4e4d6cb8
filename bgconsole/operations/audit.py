"""The audit log: who did what to which service, when, and what AWS answered.

JSON lines, only appended. One record is one `write` on a descriptor opened with O_APPEND, so that
consoles on one machine never mix their lines. Secrets are masked before a record is written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from bgconsole.config.paths import private_file
from bgconsole.domain.masking import mask_all

Record = Mapping[str, object]


class AuditLog:
    """One file of records."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, record: Record) -> None:
        """Write one record.

        Raises:
            OSError: the file could not be written.
        """
        line = json.dumps(mask_all(record), ensure_ascii=True, default=str) + "\n"
        data = line.encode("ascii")
        with private_file(self.path, os.O_RDWR | os.O_APPEND) as descriptor:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                data = b"\n" + data  # a writer was killed in mid-line: lose its record, not ours
            written = os.write(descriptor, data)
        if written != len(data):
            raise OSError(f"only {written} of {len(data)} bytes of an audit record were written")

    def records(self, since: datetime | None = None) -> Iterator[Record]:
        """The records from `since` on, oldest first; a line that is no record is passed over.

        Raises:
            OSError: the file is there and could not be read.
        """
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                record = _record(line)
                if record is not None and (since is None or _is_since(record, since)):
                    yield record


def _record(line: str) -> Record | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and "event" in value else None


def _is_since(record: Record, since: datetime) -> bool:
    try:
        at = datetime.fromisoformat(str(record.get("at")))
        return at >= since
    except (ValueError, TypeError):
        return False
