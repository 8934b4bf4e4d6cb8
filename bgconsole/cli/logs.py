"""`bgconsole logs`: the lines of a log group or of all groups of a service, once or as they come.

Its arguments and flags are those of `awslogs get` where that has them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from random import Random
from typing import TYPE_CHECKING

import click

from bgconsole.cli.context import Invocation, pass_invocation
from bgconsole.cli.durations import moment
from bgconsole.cli.global_options import global_options
from bgconsole.cli.log_lines import Json, Output, Text
from bgconsole.domain.errors import NotThere
from bgconsole.domain.exit_codes import EXIT_PIPE_CLOSED
from bgconsole.domain.logs import LogGroup, LogLine, to_milliseconds
from bgconsole.domain.plain import plain
from bgconsole.watch.log_history import History, merged

if TYPE_CHECKING:
    from bgconsole.cli.log_service import LoggingService
    from bgconsole.domain.snapshot import Snapshot
    from bgconsole.gateway.port import Gateway
    from bgconsole.watch.batch import LogBatch, TailState
    from bgconsole.watch.log_groups import LogPlaces

ALL = "ALL"
"""awslogs' word for every stream of a group."""
LISTEN_SECONDS = 0.2


@click.command("logs")
@click.argument("group", required=False)
@click.argument("streams", required=False, metavar="[ALL|PATTERN]")
@click.option(
    "-s",
    "--start",
    default="5m",
    show_default=True,
    metavar="TIME",
    help="From when: 90s, 5m, 1h30m, 1d, or 2026-03-01T14:00Z.",
)
@click.option("-e", "--end", metavar="TIME", help="Until when; the same forms.")
@click.option("-w", "--watch", is_flag=True, help="Go on with new lines as they come.")
@click.option(
    "-i",
    "--watch-interval",
    type=click.FloatRange(1, 60),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Between two looks for new lines.",
)
@click.option(
    "-f",
    "--filter-pattern",
    default="",
    metavar="PATTERN",
    help="A filter pattern of CloudWatch Logs: AWS sends only what matches.",
)
@click.option("--grep", metavar="REGEX", help="Only lines that match.")
@click.option("--side", type=click.Choice(["old", "new"]), help="Only lines of this side's tasks.")
@click.option("--task", "tasks", multiple=True, metavar="ID", help="Only this task; may be short.")
@click.option(
    "--names", is_flag=True, help="Print the names of the log groups, or of the streams of GROUP."
)
@click.option("--live", is_flag=True, help="With -w, use Live Tail as well; it is billed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.option("--timestamp", is_flag=True, help="Print when each line was written, in UTC.")
@click.option("--ingestion-time", is_flag=True, help="Print when CloudWatch took each line.")
@click.option("-G", "--no-group", is_flag=True, help="Print no group.")
@click.option("-S", "--no-stream", is_flag=True, help="Print no stream.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the beginning of each line.",
)
@click.option("--no-color", is_flag=True, help="The same as --color never.")
@pass_invocation
@global_options
def logs(
    invocation: Invocation,
    group: str | None,
    streams: str | None,
    start: str,
    end: str | None,
    watch: bool,
    watch_interval: float,
    filter_pattern: str,
    grep: str | None,
    side: str | None,
    tasks: tuple[str, ...],
    names: bool,
    live: bool,
    as_json: bool,
    timestamp: bool,
    ingestion_time: bool,
    no_group: bool,
    no_stream: bool,
    color: str,
    no_color: bool,
) -> int:
    """Print log lines, oldest first; with -w go on until Ctrl-C, and lose none.

    GROUP is a log group; without one, all groups that the service's containers log to, in every
    region. ALL or no PATTERN means every stream, also of tasks that start later; else a regular
    expression that a stream's name begins with.
    """
    if names:
        return _print_names(invocation, group)
    now = invocation.context.clock()
    if live and not watch:
        raise click.UsageError("--live goes with -w.")
    if end and watch:
        raise click.UsageError("-e and -w cannot be had together.")
    since = _moment(start, now, "--start")
    until = _moment(end, now, "--end") if end else None
    if until and until < since:
        raise click.BadParameter("the end is before the start.", param_hint="--end")
    if group == ALL and streams is None:
        group = None
    wanted = _Wanted(
        _regex(streams, "PATTERN") if streams and streams != ALL else None,
        _regex(grep, "--grep") if grep else None,
        tuple(task.rpartition("/")[2] for task in tasks),
    )
    settings = invocation.settings
    gateway = invocation.context.connect(settings)
    around = None
    if group is None or side:
        from bgconsole.cli.log_service import LoggingService
        from bgconsole.cli.target import service

        around = LoggingService(gateway, service(gateway, settings), invocation.context.clock)
        around.look()
    sided = _Sided(wanted, around, side or "")
    output = Output()
    printed: Text | Json = Text(
        group=not no_group,
        stream=not no_stream,
        timestamp=timestamp,
        ingestion=ingestion_time,
        colour=_coloured("never" if no_color else color, invocation.context.environ),
        side=sided.of if around else None,
    )
    if as_json:
        printed = Json(sided.of if around else None)
    run = _Run(gateway, group or "", sided, around, output, printed, filter_pattern, invocation)
    if watch:
        return run.follow(since, watch_interval, live=live)
    return run.once(since, until)


def _print_names(invocation: Invocation, group: str | None) -> int:
    ask = invocation.context.log_names
    if ask is None:
        raise click.UsageError("--names is not there.")
    there = ask(invocation.settings)
    output = Output()
    for name in there.streams(group) if group else there.groups():
        output.write(f"{plain(name)}\n")
    return 0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is printed, as far as a line itself tells."""

    streams: re.Pattern[str] | None
    grep: re.Pattern[str] | None
    tasks: tuple[str, ...]

    @property
    def everything(self) -> bool:
        return not (self.streams or self.grep or self.tasks)

    def __call__(self, line: LogLine) -> bool:
        if self.streams and not self.streams.match(line.stream):
            return False
        if self.tasks and not line.task_id.startswith(self.tasks):
            return False
        return not self.grep or bool(self.grep.search(line.message))


class _Sided:
    """Keeps the wanted lines, and counts those whose side is not known."""

    def __init__(self, wanted: _Wanted, around: LoggingService | None, side: str) -> None:
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
class _Run:
    """One run of the command."""

    gateway: Gateway
    group: str
    sided: _Sided
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
    if state.mode in ("throttled", "paused"):
        return {"throttled": "throttled, slower for a while; no line is lost"}.get(
            state.mode, f"paused: {state.failure.error}" if state.failure else state.words
        )
    if state.failure is not None:
        return f"{state.failure.error}; trying on"
    if state.live is not None and state.live.words:
        return f"Live Tail: {state.live.words}"
    return state.note


def _coloured(when: str, environ: Mapping[str, str]) -> bool:
    if when != "auto":
        return when == "always"
    return sys.stdout.isatty() and not environ.get("NO_COLOR")


def _moment(text: str, now: datetime, flag: str) -> datetime:
    try:
        return moment(text, now)
    except click.BadParameter as error:
        error.param_hint = flag
        raise


def _regex(text: str, flag: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise click.BadParameter(f"no regular expression: {error}.", param_hint=flag) from None
