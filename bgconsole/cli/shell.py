"""`bgconsole shell`: a shell in a running task, for looking."""

from __future__ import annotations

import shlex

import click

from bgconsole.cli.context import Invocation, pass_invocation
from bgconsole.cli.global_options import global_options
from bgconsole.cli.target import service
from bgconsole.domain.errors import NotThere, Refused
from bgconsole.domain.join import main_container
from bgconsole.domain.plain import plain
from bgconsole.domain.services import Task
from bgconsole.domain.shell import DEFAULT, NEEDED, shell_container, shell_words, why_no_shell
from bgconsole.operations.audit import AuditLog
from bgconsole.operations.shell_record import shell_record


@click.command("shell")
@click.argument("task", default="", metavar="[TASK]")
@click.option("--command", default=DEFAULT, show_default=True, help="What to run in it.")
@click.option("--container", default="", help="The container; else that which takes the traffic.")
@pass_invocation
@global_options
def shell(invocation: Invocation, task: str, command: str, container: str) -> int:
    """Open a shell in a running task by ECS Exec: the newest, or that whose id begins with TASK."""
    context, settings = invocation.context, invocation.settings
    gateway = context.connect(settings)
    ref = service(gateway, settings)
    described = gateway.services.describe(ref)
    chosen = _chosen(gateway.services.tasks(ref), task)
    missing = context.shells.missing(tuple(NEEDED))
    why = why_no_shell(ref, chosen, read_only=settings.why_read_only(ref), missing=missing)
    if why:
        raise Refused("No shell", why)
    wanted = container or shell_container(chosen, main_container(described))
    words = shell_words(gateway.place, ref, chosen, wanted, command)
    click.echo(plain(shlex.join(words)), err=True)
    record = shell_record(
        gateway.identities.whoami(), gateway.place, ref, chosen, command, context.clock(), "cli"
    )
    AuditLog(context.paths().audit).append(record)
    return 0 if context.shells.run(words) == 0 else 1


def _chosen(tasks: tuple[Task, ...], wanted: str) -> Task:
    """The task that was named, or the newest that runs.

    Raises:
        NotThere: there is none, or the name fits several.
    """
    if not wanted:
        running = [task for task in tasks if task.last_status == "RUNNING"]
        # One without ECS Exec is no choice where another has it.
        newest = sorted(running, key=lambda t: (t.exec_enabled, str(t.started_at)), reverse=True)
        if newest:
            return newest[0]
        raise NotThere("No task runs", "there is nothing to open a shell in")
    found = [task for task in tasks if task.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    what = "Several tasks" if found else "No such task"
    there = found or tuple(task for task in tasks if task.last_status == "RUNNING")
    named = ", ".join(task.id[:8] for task in there) or "none"
    raise NotThere(what, f"{plain(wanted)}; {'there are' if found else 'running are'} {named}")
