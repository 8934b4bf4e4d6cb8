"""The migrations of an image, as far as the stand-in takes their Ruby at its word; the database.

Of a file `db/migrate/VERSION_NAME.rb` three things count: `raise "…"` fails, `sleep N` takes so
many seconds of AWS's time (`sleep` alone never ends), and the calls with a symbol first
(`add_column :posts, …`) are printed. Nothing of it is run.
"""

from __future__ import annotations

import re
import sqlite3
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

_FILE = re.compile(r"(?:.*/)?db/migrate/(\d+)_(\w+)\.rb")
_RAISE = re.compile(r"""\braise\s*\(?\s*(?:([A-Z][\w:]*)\s*,\s*)?["']([^"']*)["']""")
_SLEEP = re.compile(r"\bsleep\b[ (]*(\d+(?:\.\d+)?)?")
_CALL = re.compile(r"(\w+)[ (]+(:\w+.*?)\)?(?:\s+do\b.*)?")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    version: str
    name: str
    """The class, in camel case."""
    calls: tuple[str, ...] = ()
    """As Rails prints them: `add_column(:posts, :summary, :text)`."""
    error: str = ""
    """What it raises, with its class; empty where it ends well."""
    seconds: float | None = None
    """What it sleeps, in AWS's time; `None` for nothing."""
    hangs: bool = False
    line: int = 3
    """Of the failing statement."""

    @property
    def path(self) -> str:
        """Where it lies in the container."""
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", self.name).lower()
        return f"/rails/db/migrate/{self.version}_{snake}.rb"


def read_migration(path: str, text: str) -> Migration | None:
    """The migration of a file by its path; `None` where the path is no migration's."""
    named = _FILE.fullmatch(path)
    if named is None:
        return None
    calls: list[str] = []
    error, seconds, hangs, line = "", None, False, 3
    for number, full in enumerate(text.splitlines(), 1):
        stripped = full.partition("#")[0].strip()
        if found := _RAISE.search(stripped):
            error, line = f"{found[1] or 'RuntimeError'}: {found[2]}", number
            break
        if found := _SLEEP.search(stripped):
            hangs = hangs or found[1] is None
            seconds = (seconds or 0.0) + float(found[1] or 0)
        elif (call := _CALL.fullmatch(stripped)) and not stripped.startswith("t."):
            calls.append(f"{call[1]}({call[2]})")
    name = "".join(part.capitalize() for part in named[2].split("_"))
    return Migration(named[1], name, tuple(calls), error, seconds, hangs, line)


class Database:
    """What containers with the same DATABASE_URL share: Rails' lock, and its table of versions."""

    def __init__(self) -> None:
        self.migrating = False
        self._tables = sqlite3.connect(":memory:", check_same_thread=False)
        # It lives as long as a container knows it, which nobody counts.
        weakref.finalize(self, self._tables.close)
        self._tables.execute("CREATE TABLE schema_migrations (version TEXT NOT NULL PRIMARY KEY)")

    def record(self, version: str) -> None:
        """A migration ended well."""
        with self._tables as tables:
            tables.execute("INSERT OR IGNORE INTO schema_migrations VALUES (?)", (version,))

    def versions(self) -> tuple[str, ...]:
        """What was migrated, in order."""
        rows = self._tables.execute("SELECT version FROM schema_migrations ORDER BY version")
        return tuple(version for (version,) in rows)

    def pending(self, migrations: Sequence[Migration]) -> list[Migration]:
        """Those that were not migrated yet."""
        done = set(self.versions())
        return [migration for migration in migrations if migration.version not in done]
