"""`bgconsole logs`: the lines of a log group or of all groups of a service, once or as they come.

Its arguments and flags are those of `awslogs get` where that has them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import datetime

import click

from bgconsole.cli.context import Invocation, pass_invocation
from bgconsole.cli.durations import moment
from bgconsole.cli.global_options import global_options
from bgconsole.cli.log_lines import Json, Output, Text
from bgconsole.cli.log_run import LogRun, Sided, Wanted
from bgconsole.domain.plain import plain

ALL = "ALL"
"""awslogs' word for every stream of a group."""


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
    wanted = Wanted(
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
    sided = Sided(wanted, around, side or "")
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
    run = LogRun(gateway, group or "", sided, around, output, printed, filter_pattern, invocation)
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
