"""Why tasks failed, in their own words: looked for in the newest log lines, for a sub-command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from bgconsole.domain.errors import GatewayError
from bgconsole.domain.join import sides
from bgconsole.domain.logs import to_milliseconds
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.port import Gateway
from bgconsole.watch.log_groups import log_target
from bgconsole.watch.tail import HISTORY, last_words

TRIES = 5
"""Looks into the logs for the last words of the same failed tasks: lines come late, or never."""


class LastWords:
    """Remembers which tasks were looked for, and how often."""

    def __init__(self, gateway: Gateway, clock: Callable[[], datetime]) -> None:
        self._gateway = gateway
        self._clock = clock
        self._asked: frozenset[str] = frozenset()
        self._tries = 0

    def look(self, snapshot: Snapshot) -> Mapping[str, str]:
        """The snapshot's last words with those that were found, where tasks failed since the last
        look; else empty.
        """
        both = sides(snapshot)
        failed = frozenset(row.id for side in (both.old, both.new) if side for row in side.failed)
        target, _ = log_target(snapshot)
        if not failed <= self._asked:
            self._asked, self._tries = failed, TRIES
        if target is None or not self._tries or failed <= snapshot.last_words.keys():
            return {}
        self._tries -= 1
        start = to_milliseconds(self._clock()) - HISTORY
        try:
            page = self._gateway.logs.page(target.group, start=start, newest_first=True)
        except GatewayError:
            # The verdict then names the exit code alone; the logs are only its best words.
            return {}
        ordered = tuple(sorted(page.lines, key=lambda line: line.order))
        return {**snapshot.last_words, **last_words(ordered)}
