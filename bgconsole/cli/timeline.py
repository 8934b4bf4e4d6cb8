"""`bgconsole timeline`: what happened lately, for the eye, the incident channel or a program."""

from __future__ import annotations

from datetime import timedelta

import click

from bgconsole.cli.context import Invocation, pass_invocation
from bgconsole.cli.durations import duration
from bgconsole.cli.global_options import global_options
from bgconsole.cli.target import service
from bgconsole.domain.moments import KINDS, WRONG, Kind, selected
from bgconsole.domain.severity import Severity
from bgconsole.domain.timeline import timeline as everything
from bgconsole.domain.timeline import unseen
from bgconsole.domain.timeline_text import as_json as in_json
from bgconsole.domain.timeline_text import markdown as in_markdown
from bgconsole.domain.timeline_text import text_lines
from bgconsole.operations.audit import AuditLog
from bgconsole.operations.moments import moments
from bgconsole.watch.errors import read_errors
from bgconsole.watch.once import read, with_service
from bgconsole.watch.sources import SOURCES


@click.command("timeline")
@click.option(
    "--since",
    type=duration,
    default="1h",
    show_default=True,
    metavar="TIME",
    help="How far back: 30m, 2h, 1d.",
)
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Only this kind.")
@click.option("--only-wrong", is_flag=True, help="Only what failed or waits for somebody.")
@click.option("--text", default="", metavar="TEXT", help="Only what holds this text.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--markdown", is_flag=True, help="Print Markdown, for the incident channel.")
@pass_invocation
@global_options
def timeline(
    invocation: Invocation,
    since: timedelta,
    kinds: tuple[Kind, ...],
    only_wrong: bool,
    text: str,
    as_json: bool,
    markdown: bool,
) -> int:
    """Print what happened, oldest first: AWS, tasks, stacks, logs and our own operations."""
    if as_json and markdown:
        raise click.UsageError("--json and --markdown cannot be had together.")
    context, settings = invocation.context, invocation.settings
    gateway = context.connect(settings)
    ref = service(gateway, settings)
    snapshot = with_service(read(gateway, ref, context.clock, SOURCES))
    now = context.clock()
    start = now - since
    errors = read_errors(gateway, snapshot, start)
    lacking = [*unseen(snapshot), *filter(None, (errors.unread,))]
    try:
        ours = tuple(moments(AuditLog(context.paths().audit).records(start), snapshot))
    except OSError as error:
        ours = ()
        lacking.append(f"our own operations: the audit log cannot be read: {error.strerror}")
    told = selected(
        everything(snapshot, heard=errors.heard, ours=ours, since=start),
        kinds=kinds,
        at_least=WRONG if only_wrong else Severity.GOOD,
        text=text,
    )
    if as_json:
        click.echo(in_json(snapshot, told, lacking), nl=False)
    elif markdown:
        click.echo(in_markdown(snapshot, told, lacking), nl=False)
    else:
        for line in text_lines(told, now.astimezone()):
            click.echo(line)
        for each in lacking:
            click.echo(f"? not seen: {each}", err=True)
        if not told:
            click.echo("Nothing is known to have happened.", err=True)
    return 0
