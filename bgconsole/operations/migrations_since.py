"""Migrations since the version that a roll back brings back: each source, and how far it reaches.

A source that reaches less far back, or could not be asked, is named: what nobody can know is never
told as "none".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bgconsole.domain.logs import LogLine, to_milliseconds
from bgconsole.domain.migrations import LOG_MARK, mentions, on_start, told_in
from bgconsole.domain.services import Task, TaskDefinition
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.port import Gateway
from bgconsole.operations.audit import Record
from bgconsole.operations.lookup import Lookup, about_runs
from bgconsole.operations.spec import Check, Evidence, Question
from bgconsole.operations.words import at

PAGES = 5
"""Pages of a log that are searched."""
STOPPED_KEPT = timedelta(hours=1)
"""AWS lists a stopped task for at least this long."""
_NAMED = 3
_LOG = "migration log"


@dataclass(frozen=True, slots=True)
class _Searched:
    lines: tuple[LogLine, ...]
    whole: bool
    """Whether the log was read back to where the search was to begin."""


def gather(gateway: Gateway, snapshot: Snapshot, since: datetime, live: TaskDefinition) -> Evidence:
    """Ask for stopped tasks of the family, and search the log groups of its containers."""
    lookup = Lookup(gateway, snapshot)
    lookup.runs(live.family)
    for group in dict.fromkeys(c.log.group for c in live.containers if c.log and c.log.group):
        lookup.ask(Question(f"{_LOG} {group}"), partial(_search, gateway, group, since))
    return lookup.evidence


def _search(gateway: Gateway, group: str, since: datetime) -> _Searched:
    lines: list[LogLine] = []
    token: str | None = None
    for _ in range(PAGES):
        page = gateway.logs.page(
            group,
            start=to_milliseconds(since),
            token=token,
            newest_first=True,
            pattern=f'"{LOG_MARK}"',
        )
        lines += page.lines
        token = page.token
        if token is None:
            break
    return _Searched(tuple(lines), token is None)


def checks(
    snapshot: Snapshot, since: datetime | None, live: TaskDefinition | None, evidence: Evidence
) -> Iterator[Check]:
    """What is known of migrations since a moment."""
    if since is None:
        words = "migrations since then: when that version began to run is not on record"
        yield Check(words, "not checked")
        return
    tasks = about_runs(live.family if live else "")
    if not evidence.asked(tasks):
        yield Check(f"migrations since {at(since, snapshot)}", "checking")
        return
    found = [*_in_logs(snapshot, evidence)]
    found += _in_tasks(snapshot, since, evidence.answer(tasks) or ())
    found += _in_audit(snapshot, since, evidence.ours)
    missed = tuple(_missed(evidence, tasks))
    reach = ", ".join(_reach(snapshot, since, evidence, tasks))
    if found:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        words = f"migrated since {at(since, snapshot)}: {'; '.join(found[:_NAMED])}{more}"
        yield Check(words, "warning")
    else:
        whole = not missed and all(log.whole for log in _logs(evidence).values())
        unseen = f"; not in {', not in '.join(missed)}" if missed else ""
        words = f"no migration is known since {at(since, snapshot)}: looked in {reach}{unseen}"
        yield Check(words, "ok" if whole else "not checked")
    if live is not None and (name := on_start(live)):
        words = (
            f"{name} of {live.name} migrates when it starts: its tasks may have changed the schema"
        )
        yield Check(words, "warning")


def _logs(evidence: Evidence) -> Mapping[str, _Searched]:
    return {
        name.removeprefix(f"{_LOG} "): value
        for name, value in evidence.found.items()
        if isinstance(value, _Searched)
    }


def _in_logs(snapshot: Snapshot, evidence: Evidence) -> Iterator[str]:
    for group, searched in _logs(evidence).items():
        for migration in told_in(searched.lines):
            yield f"{migration.name} at {at(migration.at, snapshot)} (log {group})"


def _in_tasks(snapshot: Snapshot, since: datetime, tasks: tuple[Task, ...]) -> Iterator[str]:
    for task in tasks:
        if task.created_at is None or task.created_at < since:
            continue
        if any(mentions(command) for _, command in task.commands):
            codes = [c.exit_code for c in task.containers if c.exit_code is not None]
            end = f"exit {max(codes)}" if codes else task.last_status.lower()
            yield f"task {task.id[:6]} at {at(task.created_at, snapshot)}, {end}"


def _in_audit(snapshot: Snapshot, since: datetime, records: tuple[Record, ...]) -> Iterator[str]:
    for record in records:
        if record.get("operation") != "service.migrate" or record.get("event") != "started":
            continue
        began = datetime.fromisoformat(str(record["at"]))
        if began >= since:
            who = str(record.get("who", "")).rpartition("/")[2]
            yield f"migrate by {who} at {at(began, snapshot)} (our audit log)"


def _reach(
    snapshot: Snapshot, since: datetime, evidence: Evidence, tasks: Question[tuple[Task, ...]]
) -> Iterator[str]:
    """Every source that was looked in, with how far back it tells."""
    for group, searched in _logs(evidence).items():
        yield f"log {group}" + ("" if searched.whole else " (not searched to the end)")
    seen = snapshot.service.fetched_at
    if evidence.answer(tasks) is not None and seen is not None:
        kept = max(since, seen - STOPPED_KEPT)
        late = f", not known before {at(kept, snapshot)}" if kept > since else ""
        yield f"stopped tasks{late}"
    yield "our audit log"


def _missed(evidence: Evidence, tasks: Question[tuple[Task, ...]]) -> Iterator[str]:
    """Every source that could not be looked in, with why."""
    for name, why in evidence.missing.items():
        if name == tasks.name or name.startswith(_LOG):
            told = "stopped tasks" if name == tasks.name else name.removeprefix("migration ")
            yield f"{told} ({why})"
