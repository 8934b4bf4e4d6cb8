"""What we did ourselves, from the audit log: the operations' part of the timeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from bgconsole.domain.moments import Moment, moment
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.verdict import Severity
from bgconsole.operations.audit import Record
from bgconsole.operations.catalog import OPERATIONS

_SEVERITIES = {
    "finished": Severity.GOOD,
    "failed": Severity.BAD,
    "left": Severity.WAITING,
}


def moments(records: Iterable[Record], snapshot: Snapshot) -> Iterator[Moment]:
    """Those of the records that are of this service, in this account, region and endpoint.

    A record that lacks a time, or whose account was not known, is passed over or counted as this
    account's: nobody else writes this file.
    """
    for record in records:
        if is_of(record, snapshot) and (at := _at(record)) is not None:
            yield moment(
                at,
                "operation",
                _text(record, "who") or "unknown",
                _words(record),
                _SEVERITIES.get(_text(record, "event"), Severity.BUSY),
            )


def is_of(record: Record, snapshot: Snapshot) -> bool:
    """Whether a record is of the snapshot's service, account, region and endpoint."""
    identity, place = snapshot.identity.value, snapshot.place
    account = _text(record, "account")
    return (
        _text(record, "target") == str(snapshot.ref)
        and _text(record, "region") == place.region
        and _text(record, "endpoint") == place.endpoint
        and (not account or identity is None or account == identity.account)
    )


def _words(record: Record) -> str:
    event = _text(record, "event")
    operation = OPERATIONS.get(_text(record, "operation"))
    title = operation.title if operation else _text(record, "operation")
    who = _text(record, "who").rpartition("/")[2] or "somebody"
    if event == "started":
        change = " → ".join(filter(None, (_text(record, "before"), _text(record, "after"))))
        return f"{title} by {who}" + (f": {change}" if change else "")
    if event == "submitted":
        request = _text(record, "request_id")
        return f"{title}: {_text(record, 'words')}" + (f" (request {request})" if request else "")
    told = next(filter(None, (_text(record, n) for n in ("sentence", "error", "reason"))), "")
    return f"{title} {event}" + (f": {told}" if told else "")


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _at(record: Record) -> datetime | None:
    try:
        at = datetime.fromisoformat(_text(record, "at"))
    except ValueError:
        return None
    return at if at.tzinfo else None
