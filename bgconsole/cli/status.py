"""`bgconsole status`: the same facts as the console's first screen, once or as they change."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from typing import Any

import click

from bgconsole.cli.context import Invocation, pass_invocation
from bgconsole.cli.failure import say
from bgconsole.cli.global_options import global_options
from bgconsole.cli.status_all import status_all
from bgconsole.cli.status_json import status_json
from bgconsole.cli.status_text import status_lines
from bgconsole.cli.target import service
from bgconsole.domain.errors import CredentialsProblem, GatewayError, NotThere
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.port import Gateway
from bgconsole.watch.once import read, with_service

DEPLOYING_SECONDS = 2.0
STEADY_SECONDS = 10.0
FAILING_SECONDS = 30.0


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the schema lays down.")
@click.option("--all", "every", is_flag=True, help="Every service of the clusters, worst first.")
@click.option("--watch", is_flag=True, help="Go on, and print it again when it has changed.")
@pass_invocation
@global_options
def status(invocation: Invocation, as_json: bool, every: bool, watch: bool) -> int:
    """Say what the service does, who serves, and how the stacks stand."""
    if every and watch:
        raise click.UsageError("--all and --watch do not go together.")
    if every:
        return status_all(invocation, as_json=as_json)
    context = invocation.context
    settings = invocation.settings
    gateway = context.connect(settings)
    ref = service(gateway, settings)
    if watch:
        return _watch(invocation, gateway, ref, as_json=as_json)
    snapshot = _read(invocation, gateway, ref)
    now = context.clock()
    if as_json:
        click.echo(json.dumps(status_json(snapshot, now), indent=2))
    else:
        click.echo("\n".join(status_lines(snapshot, now)))
    return 0


def _read(invocation: Invocation, gateway: Gateway, ref: ServiceRef) -> Snapshot:
    return with_service(read(gateway, ref, invocation.context.clock))


def _watch(invocation: Invocation, gateway: Gateway, ref: ServiceRef, *, as_json: bool) -> int:
    """Print what changes until it is interrupted; only missing credentials end it."""
    context = invocation.context
    never, shown, trouble = threading.Event(), "", ""
    while True:
        try:
            snapshot = _read(invocation, gateway, ref)
        except (CredentialsProblem, NotThere):
            raise
        except GatewayError as error:
            if str(error) != trouble:
                say(error)
            trouble, seconds = str(error), FAILING_SECONDS
        else:
            now, trouble = context.clock(), ""
            told = _told(snapshot, now)
            if told != shown:
                shown = told
                _print(snapshot, now, as_json=as_json)
            seconds = DEPLOYING_SECONDS if snapshot.deploying else STEADY_SECONDS
        if context.wait(never, seconds):
            return 0


def _told(snapshot: Snapshot, now: datetime) -> str:
    """What is compared: all facts, without the moments at which they were read."""
    facts: dict[str, Any] = status_json(snapshot, now)
    del facts["at"]
    facts["sources"] = {name: source["error"] for name, source in facts["sources"].items()}
    return json.dumps(facts)


def _print(snapshot: Snapshot, now: datetime, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(status_json(snapshot, now)))
    else:
        click.echo(f"── {now.astimezone():%H:%M:%S}")
        click.echo("\n".join(status_lines(snapshot, now)))
