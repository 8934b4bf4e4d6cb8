"""`bgconsole watch`: follow a deployment to its true end, for a runbook or CI."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import click

from bgconsole.cli.context import Invocation, pass_invocation
from bgconsole.cli.durations import duration
from bgconsole.cli.failure import say
from bgconsole.cli.global_options import global_options
from bgconsole.cli.target import service
from bgconsole.domain.exit_codes import EXIT_FAILED, EXIT_GAVE_UP, EXIT_INTERRUPTED
from bgconsole.domain.masking import mask
from bgconsole.domain.plain import plain
from bgconsole.domain.severity import Severity
from bgconsole.domain.timeline_text import GLYPHS
from bgconsole.watch.witness import Finding, Told, Witness


@click.command("watch")
@click.option(
    "--timeout",
    type=duration,
    metavar="TIME",
    help="Give up after this long (30s, 10m, 2h) with exit code 5; AWS goes on.",
)
@click.option(
    "--wait-for-start", is_flag=True, help="Where nothing is under way, wait until it is."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@pass_invocation
@global_options
def watch(
    invocation: Invocation, timeout: timedelta | None, wait_for_start: bool, as_json: bool
) -> int:
    """Follow the deployment under way to its true end.

    Prints a line for each stage, milestone and verdict. Exits 0 only if the new revision serves and
    is stable, 1 if it was rolled back, stopped or replaced or does not serve, 5 on timeout. Where
    nothing is under way, judges the service as it is and how its last deployment ended.
    """
    context = invocation.context
    settings = invocation.settings
    gateway = context.connect(settings)
    never = threading.Event()
    finding = Witness(
        gateway,
        service(gateway, settings),
        clock=context.clock,
        wait=lambda seconds: context.wait(never, seconds),
        tell=_tell_json if as_json else _tell_text,
        until=context.clock() + timeout if timeout is not None else None,
    ).watch(for_start=wait_for_start)
    code = exit_code(finding)
    _tell_end(finding, code, context.clock(), as_json=as_json)
    return code


def exit_code(finding: Finding) -> int:
    """What the shell is told; where something could not be read, what that error says."""
    if finding.result == "cannot tell":
        return finding.error.exit_code if finding.error else EXIT_FAILED
    codes = {"good": 0, "bad": EXIT_FAILED, "gave up": EXIT_GAVE_UP, "left": EXIT_INTERRUPTED}
    return codes[finding.result]


def _tell_text(told: Told) -> None:
    mark = "◆" if told.kind == "milestone" else GLYPHS[told.severity]
    if told.kind == "verdict" and told.severity is Severity.BUSY:
        mark = "◐"
    click.echo(f"{_stamp(told.at)}  {mark} {told.kind:<10}  {told.words}")


def _tell_json(told: Told) -> None:
    _print_json(at=told.at, kind=told.kind, severity=told.severity.name.lower(), words=told.words)


def _tell_end(finding: Finding, code: int, now: datetime, *, as_json: bool) -> None:
    if as_json:
        _print_json(
            at=now,
            kind="end",
            result=finding.result,
            exit_code=code,
            words=mask(plain(finding.sentence)),
        )
        return
    mark = {"good": "●", "bad": "✖"}.get(finding.result, "?")
    click.echo(f"{_stamp(now)}  {mark} {'end':<10}  {mask(plain(finding.sentence))}")
    if finding.error is not None:
        say(finding.error)


def _print_json(*, at: datetime, **facts: object) -> None:
    click.echo(json.dumps({"at": at.astimezone(UTC).isoformat(), **facts}))


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
