"""What a container's command makes the stand-in do: serve, migrate, or refuse in plain words."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
_NAME = "AddSummaryToPosts"


@dataclass(frozen=True, slots=True)
class Run:
    """Something that prints its lines, evenly over its seconds, and ends."""

    lines: tuple[str, ...]
    seconds: float | None = 0.0
    """AWS's pace; `None` never ends, and SIGTERM does not end it either."""
    exit_code: int = 0
    migrates: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Serve:
    """The app itself, until it is told to stop."""


Program = tuple[Run | Serve, ...]
"""Done in order; a step that fails is the last."""


@dataclass(slots=True)
class Database:
    """What containers with the same DATABASE_URL share: a lock, and what was migrated."""

    migrating: bool = False
    applied: set[str] = field(default_factory=set)


def program(command: Sequence[str], labels: Mapping[str, str], database: Database) -> Program:
    """The program of a command; none is the image's own, the server.

    Understood are `rails server`, `rails db:migrate` and `rails db:prepare` in their usual forms
    (`bin/rails`, `bundle exec`, `sh -c` with `&&`). The labels of the image say how a migration
    goes: `bgconsole.migration` is empty, `fail`, `hang` or `slow`.
    """
    if not command:
        return (Serve(),)
    steps: list[Run | Serve] = []
    for words in _commands(list(command)):
        steps.append(_step(words, labels, database))
        last = steps[-1]
        if isinstance(last, Serve) or last.exit_code or last.seconds is None:
            break
    return tuple(steps)


def _commands(words: list[str]) -> list[list[str]]:
    if words and words[0].endswith("docker-entrypoint"):
        words = words[1:]
    is_shell = bool(words) and words[0].rpartition("/")[2] in _SHELLS
    if is_shell and len(words) >= 3 and words[1] in ("-c", "-lc", "-ec"):
        try:
            return [shlex.split(part) for part in " ".join(words[2:]).split("&&")]
        except ValueError:
            return [words]
    return [words]


def _step(words: list[str], labels: Mapping[str, str], database: Database) -> Run | Serve:
    for prefix in _PREFIXES:
        if words[: len(prefix)] == prefix:
            words = words[len(prefix) :]
    tool = words[0].rpartition("/")[2] if words else ""
    task = words[1] if len(words) > 1 else ""
    if tool == "rails" and task in ("server", "s"):
        return Serve()
    if tool in ("rails", "rake") and task in ("db:migrate", "db:prepare"):
        return _migration(labels, database)
    refusal = (
        f"{' '.join(words) or 'nothing'}: the stand-in for the app knows "
        "`rails server` and `rails db:migrate` only"
    )
    return Run((refusal,), exit_code=NOT_FOUND, refused=True)


def _migration(labels: Mapping[str, str], database: Database) -> Run:
    if database.migrating:
        return Run(_CONCURRENT, exit_code=1)
    kind = labels.get("bgconsole.migration", "")
    if _VERSION in database.applied:
        return Run((), 1.0)
    head = (_banner(f"{_VERSION} {_NAME}: migrating"), "-- add_column(:posts, :summary, :text)")
    if kind == "fail":
        return Run((*head, *_DUPLICATE), MIGRATION_SECONDS, exit_code=1, migrates=True)
    if kind == "hang":
        return Run(head, None, migrates=True)
    done = ("   -> 0.0035s", _banner(f"{_VERSION} {_NAME}: migrated (0.0036s)"), "")
    seconds = SLOW_MIGRATION_SECONDS if kind == "slow" else MIGRATION_SECONDS
    return Run((*head, *done), seconds, migrates=True)


def applied(database: Database) -> None:
    """A migration ended well."""
    database.applied.add(_VERSION)


def _banner(text: str) -> str:
    return f"== {text} ".ljust(_RULE, "=")


_DUPLICATE = (
    "bin/rails aborted!",
    "StandardError: An error has occurred, this and all later migrations canceled: (StandardError)",
    "",
    'PG::DuplicateColumn: ERROR:  column "summary" of relation "posts" already exists',
    f"/rails/db/migrate/{_VERSION}_add_summary_to_posts.rb:3:in 'AddSummaryToPosts#change'",
    "",
    "Caused by:",
    'ActiveRecord::StatementInvalid: PG::DuplicateColumn: ERROR:  column "summary" of relation '
    '"posts" already exists (ActiveRecord::StatementInvalid)',
    "",
    "Tasks: TOP => db:migrate",
    "(See full trace by running task with --trace)",
)

_CONCURRENT = (
    "bin/rails aborted!",
    "ActiveRecord::ConcurrentMigrationError: Cannot run migrations because another migration "
    "process is currently running. (ActiveRecord::ConcurrentMigrationError)",
    "",
    "Tasks: TOP => db:migrate",
    "(See full trace by running task with --trace)",
)
