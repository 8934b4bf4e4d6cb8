"""One run of `bgconsole logs`: which lines are wanted, printed once or as they come."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from random import Random
from typing import TYPE_CHECKING

import click

from bgconsole.cli.context import Invocation
from bgconsole.cli.log_lines import Json, Output, Text
from bgconsole.domain.errors import NotThere
from bgconsole.domain.exit_codes import EXIT_PIPE_CLOSED
from bgconsole.domain.logs import LogGroup, LogLine, to_milliseconds
from bgconsole.watch.log_history import History, merged

if TYPE_CHECKING:
    from bgconsole.cli.log_service import LoggingService
    from bgconsole.domain.snapshot import Snapshot
    from bgconsole.gateway.port import Gateway
    from bgconsole.watch.batch import LogBatch, TailState
    from bgconsole.watch.log_groups import LogPlaces

LISTEN_SECONDS = 0.2
"""How long at most until a reader that has left is noticed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is printed, as far as a line itself tells."""

    streams: re.Pattern[str] | None
    grep: re.Pattern[str] | None
    tasks: tuple[str, ...]

    @property
    def everything(self) -> bool:
        """Whether every line is."""
        return not (self.streams or self.grep or self.tasks)

    def __call__(self, line: LogLine) -> bool:
        if self.streams and not self.streams.match(line.stream):
            return False
        if self.tasks and not line.task_id.startswith(self.tasks):
            return False
        return not self.grep or bool(self.grep.search(line.message))


class Sided:
    """Keeps the wanted lines, and counts those whose side is not known."""

    def __init__(self, wanted: Wanted, around: LoggingService | None, side: str) -> None:
        self._wanted = wanted
        self._around = around
        self._side = side
        self.unknown = 0

    def of(self, line: LogLine) -> str:
        """The side of a line's task."""
        return self._around.side(line.task_id) if self._around else "unknown"

    def keep(self, lines: tuple[LogLine, ...]) -> tuple[LogLine, ...]:
        """Those that are printed."""
        if not self._wanted.everything:
            lines = tuple(line for line in lines if self._wanted(line))
        if not self._side:
            return lines
        kept = []
        for line in lines:
            side = self.of(line)
            if side == self._side:
                kept.append(line)
            elif side == "unknown":
                self.unknown += 1
        return tuple(kept)


@dataclass(slots=True)
class LogRun:
    """One run of the command."""

    gateway: Gateway
    group: str
    sided: Sided
    around: LoggingService | None
    output: Output
    printed: Text | Json
    pattern: str
    invocation: Invocation
    _said: str = ""

    def once(self, since: datetime, until: datetime | None) -> int:
        """Everything there is, page by page.

        Raises:
            GatewayError: it could not be read.
        """
        groups: tuple[LogGroup, ...] = (LogGroup(self.group),)
        if not self.group:
            places = self._places(self._snapshot())
            self._tell_drivers(places)
            if not places.groups:
                raise NotThere("No log group", places.note)
            groups = places.groups
        histories = [
            History(
                self.gateway.logs,
                group,
                start=to_milliseconds(since),
                end=to_milliseconds(until) if until else None,
                pattern=self.pattern,
                random=Random(),  # noqa: S311 - jitter, not a secret
                on_throttled=lambda pause: self._say(f"AWS throttles; again in {pause:.0f} s"),
                wait=self.invocation.context.wait,
            )
            for group in groups
        ]
        came = kept = 0
        try:
            for lines in merged(histories):
                chosen = tuple(self.sided.keep(lines))
                came, kept = came + len(lines), kept + len(chosen)
                self.output.write(self.printed.of(chosen))
        finally:
            for history in histories:
                history.close()
        self._tell_unknown()
        if not kept:
            at = f"since {since:%Y-%m-%d %H:%M:%S} UTC"
            none = f"there is no line {at}; -s says from when"
            self._say(f"none of the {came} lines {at} matches" if came else none)
        return 0

    def follow(self, since: datetime, interval: float, *, live: bool) -> int:
        """From `since` on, until Ctrl-C or until the reader leaves.

        Raises:
            GatewayError: there is no such group.
        """
        from bgconsole.watch.live_feed import COST
        from bgconsole.watch.tail import Tail

        batches: SimpleQueue[LogBatch] = SimpleQueue()
        if live:
            self._say(COST)
        if self.group:
            # A name that is mistyped is an error; a group that vanishes later is waited for.
            self.gateway.logs.page(self.group, start=to_milliseconds(since), limit=1)
        if self.around:
            self._tell_drivers(self._places(self._snapshot()))
            self.around.keep_looking()
        tail = Tail(
            self.gateway,
            snapshot=self._snapshot,
            clock=self.invocation.context.clock,
            random=Random(),  # noqa: S311 - jitter, not a secret
            on_lines=batches.put,
            wait=self.invocation.context.wait,
            places=self._places,
            since=since,
            pattern=self.pattern,
            interval=interval,
            live=live,
        )
        tail.start()
        try:
            while not self.output.left():
                try:
                    batch = batches.get(timeout=LISTEN_SECONDS)
                except Empty:
                    continue
                self._print(batch)
            return EXIT_PIPE_CLOSED
        finally:
            tail.stop()
            if self.around:
                self.around.stop()
            self._tell_unknown()

    def _print(self, batch: LogBatch) -> None:
        self.output.write(self.printed.of(self.sided.keep(batch.lines), batch.late))
        for gap in batch.gaps:
            self._say(self.printed.gap(gap).removeprefix("bgconsole: "))
        words = in_words(batch.state)
        if words != self._said:
            self._said = words
            self._say(words or "following again")

    def _snapshot(self) -> Snapshot:
        from bgconsole.domain.services import ServiceRef
        from bgconsole.domain.snapshot import Snapshot

        if self.around:
            return self.around.snapshot
        return Snapshot(ServiceRef("", ""), self.gateway.place)

    def _places(self, snapshot: Snapshot) -> LogPlaces:
        from bgconsole.watch.log_groups import LogPlaces, log_places

        return LogPlaces((LogGroup(self.group),)) if self.group else log_places(snapshot)

    def _tell_drivers(self, places: LogPlaces) -> None:
        for other in places.other_drivers:
            self._say(f"not in CloudWatch: {other}")

    def _tell_unknown(self) -> None:
        if self.sided.unknown:
            self._say(
                f"{self.sided.unknown} lines left out: ECS has forgotten their tasks, so their "
                "side is not known"
            )

    def _say(self, words: str) -> None:
        click.echo(f"bgconsole: {words}", err=True)


def in_words(state: TailState) -> str:
    """What of a tail's state is told on stderr when it changes; empty while all is well."""
    if state.mode == "throttled":
        return "throttled, slower for a while; no line is lost"
    if state.mode == "paused":
        return f"paused: {state.failure.error}" if state.failure else state.words
    if state.failure is not None:
        return f"{state.failure.error}; trying on"
    if state.live is not None and state.live.words:
        return f"Live Tail: {state.live.words}"
    return state.note
