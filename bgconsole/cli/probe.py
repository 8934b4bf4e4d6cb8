"""`bgconsole probe`: the talk's `while true; curl` loop, grown up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

import click

from bgconsole.cli.context import Invocation, pass_invocation
from bgconsole.cli.failure import say
from bgconsole.cli.global_options import global_options
from bgconsole.cli.probe_lines import JsonLines, Lines, TextLines
from bgconsole.cli.target import service
from bgconsole.config.options import url_problem
from bgconsole.domain.errors import ConfigurationError
from bgconsole.domain.exit_codes import EXIT_FAILED, EXIT_GAVE_UP
from bgconsole.domain.probe import ProbeRecord
from bgconsole.domain.probe_version import version_rule
from bgconsole.watch.asking import Asker
from bgconsole.watch.probe import FASTEST_SECONDS, Probe, site
from bgconsole.watch.until_done import UntilDone

LISTEN_SECONDS = 0.1
"""How long at most until what was answered is printed."""
BEGIN_WITHIN = timedelta(seconds=60)
"""`--until-done` waits so long for a deployment to begin."""


@click.command("probe")
@click.argument("url", required=False)
@click.option("--path", help="The page to ask for, put behind the URL.")
@click.option(
    "--interval",
    type=click.FloatRange(FASTEST_SECONDS, 3600),
    metavar="SECONDS",
    help="From one request to the next, 0.05 to 3600.",
)
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after so many requests.")
@click.option(
    "--until-done",
    is_flag=True,
    help="Stop when the service's deployment is done; one may begin within a minute.",
)
@click.option(
    "--version-from",
    metavar="RULE",
    help="Where the version stands: header:NAME, json:a.b or regex:PATTERN.",
)
@click.option("--head", is_flag=True, help="Ask with HEAD instead of GET.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@pass_invocation
@global_options
def probe(
    invocation: Invocation,
    url: str | None,
    path: str | None,
    interval: float | None,
    count: int | None,
    until_done: bool,
    version_from: str | None,
    head: bool,
    as_json: bool,
) -> int:
    """Ask the site again and again, as its users do, and say what changes.

    Without a URL asks the one of the settings, else what the service's load balancer answers on.
    Prints a line for each change of version or kind of answer, and a summary at the end or at
    Ctrl-C. Exits 0 if no request failed; with --until-done, if none failed during the deployment
    and the deployment succeeded; else 1, or 5 if no deployment began.
    """
    context, settings = invocation.context, invocation.settings
    if path is None:
        path = "" if url else settings.probe_path
    asked = url or settings.probe_url
    if asked and (problem := url_problem(site(asked))):
        raise click.BadParameter(f"{asked!r}: {problem}", param_hint="URL")
    try:
        rule = version_rule(version_from or settings.probe_version)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--version-from") from None
    done = None
    if until_done or not asked:
        gateway = context.connect(settings)
        done = UntilDone(gateway, service(gateway, settings), context.clock)
        if not asked:
            asked = _balanced(done)
    records: SimpleQueue[ProbeRecord] = SimpleQueue()
    asker = Asker(rule, clock=context.clock, method="HEAD" if head else "GET")
    running = Probe(
        asker,
        on_record=records.put,
        clock=context.clock,
        url=asked,
        path=path,
        interval=interval or settings.probe_interval,
        count=count or 0,
        wait=context.wait,
    )
    lines: Lines = JsonLines() if as_json else TextLines()
    code = None
    try:
        code = _follow(running, records, lines, done if until_done else None, context.clock)
    except KeyboardInterrupt:
        pass  # it is how one ends it
    finally:
        running.stop()
    return _end(running.record, lines, code, until_done=until_done)


def _balanced(done: UntilDone) -> str:
    """What the load balancer answers on.

    Raises:
        ConfigurationError: there is none.
        GatewayError: AWS does not say.
    """
    looked = done.look()
    if looked.trouble is not None:
        raise looked.trouble
    targets = looked.snapshot.targets
    if targets.value is None or not targets.value.url:
        raise ConfigurationError(
            "It is not known what to ask",
            targets.absent or "no production listener was found",
            "Name the URL: bgconsole probe URL, or `probe_url:` in the configuration",
        )
    return targets.value.url


def _follow(
    running: Probe,
    records: SimpleQueue[ProbeRecord],
    lines: Lines,
    done: UntilDone | None,
    clock: Callable[[], datetime],
) -> int | None:
    """Probe and print until it is over; the exit code where the deployment decides it."""
    give_up, trouble, begun = clock() + BEGIN_WITHIN, "", False
    while True:
        if done is not None and done.due:
            looked = done.look()
            if looked.trouble is not None and str(looked.trouble) != trouble:
                say(looked.trouble)
            trouble = str(looked.trouble or "")
            running.follow(looked.snapshot)
            if looked.state in ("done", "failed"):
                lines.ended(looked.status)
                return EXIT_FAILED if looked.state == "failed" else 0
            if looked.state == "none yet" and clock() >= give_up:
                click.echo("bgconsole: no deployment was seen to begin within a minute", err=True)
                return EXIT_GAVE_UP
        if not begun:
            begun = True
            running.start()
        over = running.over
        try:
            lines.tell(records.get(timeout=LISTEN_SECONDS))
        except Empty:
            if over:
                return None


def _end(record: ProbeRecord | None, lines: Lines, code: int | None, *, until_done: bool) -> int:
    if record is None or record.latest is None:
        click.echo("bgconsole: no request was made", err=True)
        return code or EXIT_FAILED
    lines.tell(record)
    lines.summary(record)
    during = record.during.tally if until_done and record.during else None
    failed = (during or record.tally).failed > 0 or (during is not None and not during.asked)
    return code or (EXIT_FAILED if failed else 0)
