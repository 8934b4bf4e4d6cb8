"""What we did ourselves, from the audit log: the operations' part of the timeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from bgconsole.domain.moments import Moment, moment
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Snapshot
from bgconsole.operations.audit import Record
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.operations.record import is_of, text_of

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
                text_of(record, "who") or "unknown",
                _words(record),
                _SEVERITIES.get(text_of(record, "event"), Severity.BUSY),
            )


def _words(record: Record) -> str:
    event = text_of(record, "event")
    operation = OPERATIONS.get(text_of(record, "operation"))
    title = operation.title if operation else text_of(record, "operation")
    who = text_of(record, "who").rpartition("/")[2] or "somebody"
    if event == "started":
        change = " → ".join(filter(None, (text_of(record, "before"), text_of(record, "after"))))
        return f"{title} by {who}" + (f": {change}" if change else "")
    if event == "submitted":
        request = text_of(record, "request_id")
        return f"{title}: {text_of(record, 'words')}" + (f" (request {request})" if request else "")
    told = next(filter(None, (text_of(record, n) for n in ("sentence", "error", "reason"))), "")
    return f"{title} {event}" + (f": {told}" if told else "")


def _at(record: Record) -> datetime | None:
    try:
        at = datetime.fromisoformat(text_of(record, "at"))
    except ValueError:
        return None
    return at if at.tzinfo else None
