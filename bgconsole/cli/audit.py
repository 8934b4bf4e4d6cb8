"""`bgconsole audit`: what was done from this machine, and the last receipt."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click

from bgconsole.cli.context import Invocation, pass_invocation
from bgconsole.cli.durations import duration
from bgconsole.domain.errors import ConfigurationError
from bgconsole.domain.identity import Place
from bgconsole.domain.plain import plain
from bgconsole.operations.audit import AuditLog, Record


@click.command("audit")
@click.option("--json", "as_json", is_flag=True, help="Print the records as they are kept.")
@click.option("--since", type=duration, metavar="TIME", help="Only the last 30m, 1h, 7d …")
@click.option("--last", is_flag=True, help="Print the last operation's receipt.")
@pass_invocation
def audit(invocation: Invocation, as_json: bool, since: timedelta | None, last: bool) -> int:
    """Show what was done from this machine: who, when, to what, and what AWS answered."""
    log = AuditLog(invocation.context.paths().audit)
    start = invocation.context.clock() - since if since is not None else None
    try:
        records = list(log.records(start))
    except OSError as error:
        raise ConfigurationError(
            "The audit log cannot be read", f"{log.path}: {error.strerror}"
        ) from error
    unended = _unended(records) if last else []
    if unended:
        words = "The last operation has no end on record: it still runs, or its console was killed."
        click.echo(f"{words}\n  → bgconsole status tells what AWS made of it", err=True)
        records, last = unended, False
    elif last:
        ended = [record for record in records if _receipt(record)]
        records = ended[-1:]
    if as_json:
        for record in records:
            click.echo(json.dumps(record))
        return 0
    for record in records:
        for line in _receipt(record) if last else (_line(record),):
            click.echo(plain(line))
    if not records:
        click.echo("Nothing on record.", err=True)
    return 0


def _unended(records: list[Record]) -> list[Record]:
    """The records of the last operation that was begun, where none of them tells its end."""
    begun = [record for record in records if record.get("event") == "started"]
    mine = [record for record in records if begun and record.get("run") == begun[-1].get("run")]
    ends = {"finished", "failed", "left"}
    return [] if any(record.get("event") in ends for record in mine) else mine


def _receipt(record: Record) -> list[str]:
    receipt = record.get("receipt")
    return [str(line) for line in receipt] if isinstance(receipt, list) else []


def _line(record: Record) -> str:
    what = next(
        (
            str(record[name])
            for name in ("sentence", "error", "reason", "words")
            if record.get(name)
        ),
        "; ".join(str(step) for step in plan)
        if isinstance(plan := record.get("plan"), list)
        else "",
    )
    target = str(record.get("target", ""))
    if isinstance(stacks := record.get("stacks"), list) and not what:
        # Nothing is carried out yet, so no plan names them.
        target, what = ", ".join(map(str, stacks)), "change sets, to show what would be done"
    made = f" → {record['created']}" if record.get("created") else ""
    request = f"  (request {record['request_id']})" if record.get("request_id") else ""
    place = Place(region=str(record.get("region", "")), endpoint=str(record.get("endpoint", "")))
    where = (str(record.get("account", "")), place.region, place.endpoint_words)
    who = str(record.get("who", "")).rpartition("/")[2]
    return (
        f"{_at(record)}  {record.get('run', '')}  {record.get('event', ''):<11}  "
        f"{record.get('operation', '')}  {target}  "
        f"{' '.join(filter(None, where))}  {who}  {what}{made}{request}"
    )


def _at(record: Record) -> str:
    """In UTC, whatever wrote it."""
    text = str(record.get("at", ""))
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
