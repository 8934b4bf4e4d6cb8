"""The command line: its sub-commands are the catalogue's operations and a few that only look.

A sub-command is loaded when it is called: the others would take longer than most of them run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import click

from bgconsole import __version__
from bgconsole.cli.context import Context, Invocation
from bgconsole.cli.global_options import global_options
from bgconsole.config.settings import Settings
from bgconsole.late import Late, of_module
from bgconsole.operations.catalog import OPERATIONS

_LOOKING = ("outputs", "status", "watch", "logs", "probe", "timeline", "shell", "audit", "config")
"""Sub-commands beside the operations, each by the name of its module."""
NO_MORE: Mapping[str, Callable[[], click.Command]] = MappingProxyType({})
_HELP_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_HELP = """The terminal console for blue/green deploys on Amazon ECS.

Without a command: opens the console on the profile and region that the AWS CLI would use.

Exit codes: 0 done; 1 failed, or AWS could not be reached; 2 usage or configuration; 3 refused or
not confirmed; 4 credentials; 5 gave up waiting; 70 a bug; 130 interrupted.
"""


def build_cli(
    context: Context,
    console: Callable[[Settings], int],
    more: Mapping[str, Callable[[], click.Command]] = NO_MORE,
) -> click.Group:
    """The command line.

    Args:
        context: what it may reach.
        console: opens the console, blocks, gives the exit code; called where no command is named.
        more: what loads sub-commands of `main`'s own, such as `demo` and `sandbox`, by name.
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
        context_settings=_HELP_SETTINGS,
    )
    operations = {operation.rpartition(".")[2]: operation for operation in OPERATIONS}
    places: dict[str, Callable[[], click.Command]] = {
        **{name: partial(_operation, operation) for name, operation in operations.items()},
        **{name: of_module(f"bgconsole.cli.{name}", name) for name in _LOOKING},
        **more,
    }
    # click only reads what it is given here.
    group.commands = Late({name: partial(_ready, load) for name, load in places.items()})  # type: ignore[assignment]
    return click.version_option(__version__, message="%(prog)s %(version)s")(group)


def _operation(operation: str) -> click.Command:
    from bgconsole.cli.operate import command_of

    return command_of(OPERATIONS[operation])


def _ready(load: Callable[[], click.Command]) -> click.Command:
    command = load()
    # click cuts what it makes of the help itself at the width of the terminal.
    command.short_help = command.short_help or (command.help or "").partition("\n\n")[0]
    return command


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
