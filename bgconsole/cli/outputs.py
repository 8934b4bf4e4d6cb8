"""`bgconsole outputs STACK [KEY]`: what a stack gives, for a person or for a script."""

from __future__ import annotations

import json
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
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: by stack, by output, or a KEY's."
)
@global_options
@pass_invocation
def outputs(invocation: Invocation, stack: str | None, key: str | None, as_json: bool) -> int:
    """Print what a stack, or every one, gives, secrets masked; with a KEY its bare value.

    The bare value is all that is printed, for `$(…)` in a script.
    """
    stacks = invocation.connect().stacks
    if stack is None:
        every = stacks.stacks()
        if as_json:
            _print_json({each.name: _masked(dict(each.outputs)) for each in every})
            return 0
        for each in every:
            if each.outputs:
                click.echo(plain(each.name))
                _table(dict(each.outputs), "  ")
        return 0
    found = dict(stacks.stack(stack).outputs)
    if key is None:
        if as_json:
            _print_json(_masked(found))
        else:
            _table(found, "")
        return 0
    if key not in found:
        there = ", ".join(sorted(found)) or "none"
        raise NotThere("No such output", f"{key} of stack {stack}", f"Outputs there are: {there}")
    value = found[key]
    if as_json:
        _print_json(value)
        return 0
    click.echo(plain(value) if sys.stdout.isatty() else value)
    return 0


def _table(outputs: Mapping[str, str], indent: str) -> None:
    width = max(map(len, outputs), default=0)
    for name, value in _masked(outputs).items():
        click.echo(f"{indent}{plain(name):<{width}}  {plain(value)}")


def _masked(outputs: Mapping[str, str]) -> dict[str, str]:
    return {name: mask_value(name, value) for name, value in sorted(outputs.items())}


def _print_json(told: object) -> None:
    """Control characters are escaped by JSON itself: for a terminal they are no danger."""
    click.echo(json.dumps(told, indent=2))
