"""The command line: its sub-commands are the catalogue's operations and a few that only look."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from bgconsole import __version__
from bgconsole.cli.audit import audit
from bgconsole.cli.config import config
from bgconsole.cli.context import Context, Invocation
from bgconsole.cli.global_options import global_options
from bgconsole.cli.help_settings import HELP_SETTINGS
from bgconsole.cli.logs import logs
from bgconsole.cli.operate import command_of
from bgconsole.cli.outputs import outputs
from bgconsole.cli.probe import probe
from bgconsole.cli.shell import shell
from bgconsole.cli.status import status
from bgconsole.cli.timeline import timeline
from bgconsole.cli.watch import watch
from bgconsole.config.settings import Settings
from bgconsole.operations.catalog import OPERATIONS

_HELP = """The terminal console for blue/green deploys on Amazon ECS.

Without a command: opens the console on the profile and region that the AWS CLI would use.

Exit codes: 0 done; 1 failed, or AWS could not be reached; 2 usage or configuration; 3 refused or
not confirmed; 4 credentials; 5 gave up waiting; 70 a bug; 130 interrupted.
"""


def build_cli(
    context: Context,
    console: Callable[[Settings], int],
    more: Iterable[click.Command] = (),
) -> click.Group:
    """The command line.

    Args:
        context: what it may reach.
        console: opens the console, blocks, gives the exit code; called where no command is named.
        more: sub-commands of `main`'s own, such as `demo` and `sandbox`.
    """

    @click.pass_context
    @global_options
    def bare(ctx: click.Context) -> int:
        if ctx.invoked_subcommand is not None:
            return 0
        invocation = ctx.find_object(Invocation)
        return console(invocation.settings) if invocation else 0

    group = _Group(
        "bgconsole",
        context,
        callback=bare,
        params=list(reversed(bare.__click_params__)),  # type: ignore[attr-defined]
        help=_HELP,
        invoke_without_command=True,
        context_settings=HELP_SETTINGS,
    )
    group = click.version_option(__version__, message="%(prog)s %(version)s")(group)
    for operation in OPERATIONS.values():
        group.add_command(command_of(operation))
    for command in (outputs, status, watch, logs, probe, timeline, shell, audit, config, *more):
        group.add_command(command)
    for command in group.commands.values():
        # click cuts what it makes of the help itself at the width of the terminal.
        command.short_help = command.short_help or (command.help or "").partition("\n\n")[0]
    return group


class _Group(click.Group):
    """Gives each call of the program its own invocation."""

    def __init__(self, name: str, context: Context, **settings: Any) -> None:
        super().__init__(name, **settings)
        self._context = context

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """As click does, with the invocation as the context's object."""
        extra.setdefault("obj", Invocation(self._context))
        return super().make_context(info_name, args, parent, **extra)
