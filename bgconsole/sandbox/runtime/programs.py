"""What a container's command makes the stand-in do: serve, migrate, or refuse in plain words."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..migrations import Database, Migration

MIGRATION_SECONDS = 8.0
"""AWS's pace."""
SLOW_MIGRATION_SECONDS = 1200.0

NOT_FOUND = 127
TERMINATED = 143
"""128 and SIGTERM: how Ruby ends when it is told to."""

_RULE = 79
_PREFIXES = (["bundle", "exec"], ["exec"])
_SHELLS = ("sh", "bash", "ash", "dash")
_VERSION = "20260108153002"
_USUAL = (Migration(_VERSION, "AddSummaryToPosts", ("add_column(:posts, :summary, :text)",)),)
"""What an image has that holds no files of the app."""
_CANCELLED = (
    "StandardError: An error has occurred, this and all later migrations canceled: (StandardError)"
)
_TRACE = ("Tasks: TOP => db:migrate", "(See full trace by running task with --trace)")
_BUSY = "Cannot run migrations because another migration process is currently running."


@dataclass(frozen=True, slots=True)
class Run:
    """Something that prints its lines, evenly over its seconds, and ends."""

    lines: tuple[str, ...]
    seconds: float | None = 0.0
    """AWS's pace; `None` never ends, and SIGTERM does not end it either."""
    exit_code: int = 0
    migrates: bool = False
    """Whether it holds the database's lock."""
    version: str = ""
    """Of the migration that it applies when it ends well."""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Serve:
    """The app itself, until it is told to stop."""


Program = tuple[Run | Serve, ...]
"""Done in order; a step that fails is the last."""


def program(
    command: Sequence[str],
    labels: Mapping[str, str],
    database: Database,
    migrations: Sequence[Migration] = (),
) -> Program:
    """The program of a command; none is the image's own, the server.

    Understood are `rails server`, `rails db:migrate`, `rails db:prepare`, `rails db:version` and
    `bin/migrate` in their usual forms (`bin/rails`, `bundle exec`, `sh -c` with `&&`, or one string
    for the app's entry point). The image's migrations are done, or one that stands for all where it
    has none. Its labels may say how: `bgconsole.migration` is empty, `fail`, `hang` or `slow`.
    """
    if not command:
        return (Serve(),)
    steps: list[Run | Serve] = []
    for words in _commands(list(command)):
        steps += _steps(words, labels, database, migrations or _USUAL)
        last = steps[-1]
        if isinstance(last, Serve) or last.exit_code or last.seconds is None:
            break
    return tuple(steps)


def _commands(words: list[str]) -> list[list[str]]:
    if words and words[0].endswith("docker-entrypoint"):
        words = words[1:]
    is_shell = bool(words) and words[0].rpartition("/")[2] in _SHELLS
    if is_shell and len(words) >= 3 and words[1] in ("-c", "-lc", "-ec"):
        words = [" ".join(words[2:])]
    if len(words) != 1:
        return [words]
    try:
        return [shlex.split(part) for part in words[0].split("&&")]
    except ValueError:
        return [words]


def _steps(
    words: list[str],
    labels: Mapping[str, str],
    database: Database,
    migrations: Sequence[Migration],
) -> list[Run | Serve]:
    for prefix in _PREFIXES:
        if words[: len(prefix)] == prefix:
            words = words[len(prefix) :]
    tool = words[0].rpartition("/")[2] if words else ""
    task = words[1] if len(words) > 1 else ""
    if tool == "rails" and task in ("server", "s"):
        return [Serve()]
    if tool in ("rails", "rake") and task in ("db:migrate", "db:prepare"):
        return _migrating(labels, database, migrations)
    if tool in ("rails", "rake") and task == "db:version":
        return [Run((f"Current version: {_version(database)}",), 1.0)]
    if tool == "migrate" and not task:
        return _one_off(labels, database, migrations)
    refusal = (
        f"{' '.join(words) or 'nothing'}: the stand-in for the app knows `rails server`, "
        "`rails db:migrate`, `rails db:version` and `bin/migrate` only"
    )
    return [Run((refusal,), exit_code=NOT_FOUND, refused=True)]


def _one_off(
    labels: Mapping[str, str], database: Database, migrations: Sequence[Migration]
) -> list[Run | Serve]:
    """The app's `bin/migrate`: the same with a line before and after, and exit codes that tell."""
    if database.migrating:
        return [Run(("migrate: " + _BUSY,), exit_code=2)]
    pending = database.pending(migrations)
    begins = f"migrate: schema at {_version(database)}, {len(pending)} to do"
    reached = max((m.version for m in (*pending,)), default=_version(database))
    done = _migrating(labels, database, migrations)
    return [Run((begins,)), *done, Run((f"migrate: done, schema at {reached}",))]


def _migrating(
    labels: Mapping[str, str], database: Database, migrations: Sequence[Migration]
) -> list[Run | Serve]:
    if database.migrating:
        return [Run(_CONCURRENT, exit_code=1)]
    kind = labels.get("bgconsole.migration", "")
    steps: list[Run | Serve] = []
    for migration in database.pending(migrations):
        step = _migration(migration, kind)
        steps.append(step)
        if step.exit_code or step.seconds is None:
            break
    return steps or [Run((), 1.0)]


def _migration(migration: Migration, kind: str) -> Run:
    title = f"{migration.version} {migration.name}"
    head = (_banner(f"{title}: migrating"), *(f"-- {call}" for call in migration.calls))
    if kind == "hang" or migration.hangs:
        return Run(head, None, migrates=True)
    seconds = MIGRATION_SECONDS + (migration.seconds or 0.0)
    if kind == "fail" or migration.error:
        why = _failure(migration) if migration.error else _DUPLICATE
        return Run((*head, *why), seconds, exit_code=1, migrates=True)
    done = ("   -> 0.0035s", _banner(f"{title}: migrated (0.0036s)"), "")
    if kind == "slow":
        seconds = SLOW_MIGRATION_SECONDS
    return Run((*head, *done), seconds, migrates=True, version=migration.version)


def _failure(migration: Migration) -> tuple[str, ...]:
    error, _, message = migration.error.partition(": ")
    place = f"{migration.path}:{migration.line}:in '{migration.name}#change'"
    return (
        "bin/rails aborted!",
        _CANCELLED,
        "",
        message,
        place,
        "",
        "Caused by:",
        f"{error}: {message} ({error})",
        place,
        "",
        *_TRACE,
    )


def _version(database: Database) -> str:
    return max(database.versions(), key=int, default="0")


def _banner(text: str) -> str:
    return f"== {text} ".ljust(_RULE, "=")


_DUPLICATE = (
    "bin/rails aborted!",
    _CANCELLED,
    "",
    'PG::DuplicateColumn: ERROR:  column "summary" of relation "posts" already exists',
    f"/rails/db/migrate/{_VERSION}_add_summary_to_posts.rb:3:in 'AddSummaryToPosts#change'",
    "",
    "Caused by:",
    'ActiveRecord::StatementInvalid: PG::DuplicateColumn: ERROR:  column "summary" of relation '
    '"posts" already exists (ActiveRecord::StatementInvalid)',
    "",
    *_TRACE,
)

_CONCURRENT = (
    "bin/rails aborted!",
    f"ActiveRecord::ConcurrentMigrationError: {_BUSY} (ActiveRecord::ConcurrentMigrationError)",
    "",
    *_TRACE,
)
