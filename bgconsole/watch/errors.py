"""The first error line of each task, from the service's log group: read once, oldest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bgconsole.domain.errors import GatewayError, NotThere
from bgconsole.domain.logs import to_milliseconds
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.timeline import NOTHING_HEARD, Heard, hear
from bgconsole.gateway.port import Gateway
from bgconsole.watch.log_groups import log_target

PAGES = 20
"""Pages of at most 10,000 lines that are read; a busy service writes more than anybody reads."""


@dataclass(frozen=True, slots=True)
class Errors:
    """What was heard, and why it may not be all."""

    heard: Heard
    unread: str = ""


def read_errors(gateway: Gateway, snapshot: Snapshot, since: datetime) -> Errors:
    """Read the service's logs from `since` on. A failure is said in `unread`, never raised."""
    target, note = log_target(snapshot)
    if target is None:
        return Errors(NOTHING_HEARD, f"logs: {note}")
    heard: Heard = NOTHING_HEARD
    start, token = to_milliseconds(since), None
    try:
        for _ in range(PAGES):
            page = gateway.logs.page(target.group, start=start, token=token)
            heard = hear(heard, page.lines)
            token = page.token
            if token is None:
                return Errors(heard)
    except NotThere:
        return Errors(heard)
    except GatewayError as error:
        return Errors(heard, f"logs: {error}")
    return Errors(heard, f"logs: more than {PAGES} pages, only the oldest were read")
