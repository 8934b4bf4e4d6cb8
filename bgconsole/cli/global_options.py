"""The options that stand before or behind any sub-command; behind it they are stronger."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

import click

from bgconsole.cli.context import Invocation
from bgconsole.config.options import OPTIONS

Command = TypeVar("Command", bound=Callable[..., Any])

_METAVARS = {
    "profile": "NAME",
    "region": "NAME",
    "endpoint_url": "URL",
    "cluster": "NAME",
    "service": "NAME",
}
_FLAGGED = [option for option in OPTIONS.values() if option.flag]


class OfSeveral(click.Command):
    """A sub-command that takes --service more than once."""


def _one_or_several(named: tuple[str, ...]) -> tuple[str, ...]:
    """The services that were named.

    Raises:
        click.UsageError: more than one where one is meant, or one of them twice.
    """
    if len(named) > 1 and not isinstance(click.get_current_context().command, OfSeveral):
        raise click.UsageError(
            "One --service: only some operations take several, behind their name."
        )
    if len(set(named)) < len(named):
        raise click.UsageError("A --service is named twice.")
    return named


def global_options(command: Command) -> Command:
    """Give a command the global options; what they say goes into the invocation's flags."""

    def taking(*args: Any, **given: Any) -> Any:
        invocation = click.get_current_context().find_object(Invocation)
        for option in _FLAGGED:
            value = given.pop(option.name, None)
            if invocation is None or not value:
                continue
            if option.name == "service":
                invocation.services = _one_or_several(value)
                value = value[-1]
            invocation.flags[option.name] = value
        return command(*args, **given)

    wrapped: Any = update_wrapper(taking, command)
    for option in reversed(_FLAGGED):
        wrapped = click.option(
            option.flag,
            option.name,
            is_flag=option.kind == "yes or no",
            default=None,
            multiple=option.name == "service",
            metavar=_METAVARS.get(option.name),
            help=option.help.partition(". ")[0].rstrip(".") + ".",
        )(wrapped)
    done: Command = wrapped
    return done
