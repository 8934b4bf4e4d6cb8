"""`bgconsole outputs STACK [KEY]`: what a stack gives, for a person or for a script."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import click

from bgconsole.cli.context import Invocation, pass_invocation
from bgconsole.cli.global_options import global_options
from bgconsole.domain.errors import NotThere
from bgconsole.domain.masking import mask_value
from bgconsole.domain.plain import plain


@click.command()
@click.argument("stack", required=False)
@click.argument("key", required=False)
@global_options
@pass_invocation
def outputs(invocation: Invocation, stack: str | None, key: str | None) -> int:
    """Print what a stack, or every one, gives, secrets masked; with a KEY its bare value.

    The bare value is all that is printed, for `$(…)` in a script.
    """
    stacks = invocation.connect().stacks
    if stack is None:
        for each in stacks.stacks():
            if each.outputs:
                click.echo(plain(each.name))
                _table(dict(each.outputs), "  ")
        return 0
    found = dict(stacks.stack(stack).outputs)
    if key is None:
        _table(found, "")
        return 0
    if key not in found:
        there = ", ".join(sorted(found)) or "none"
        raise NotThere("No such output", f"{key} of stack {stack}", f"Outputs there are: {there}")
    value = found[key]
    click.echo(plain(value) if sys.stdout.isatty() else value)
    return 0


def _table(outputs: Mapping[str, str], indent: str) -> None:
    width = max(map(len, outputs), default=0)
    for name, value in sorted(outputs.items()):
        click.echo(f"{indent}{plain(name):<{width}}  {plain(mask_value(name, value))}")
