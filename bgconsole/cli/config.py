"""`bgconsole config`: the settings in force, and where each was said."""

from __future__ import annotations

from pathlib import Path

import click

from bgconsole.cli.context import Invocation, pass_invocation
from bgconsole.cli.global_options import global_options
from bgconsole.config.options import OPTIONS
from bgconsole.domain.plain import plain


@click.command("config")
@click.option("--explain", is_flag=True, help="Say what each setting does, too.")
@pass_invocation
@global_options
def config(invocation: Invocation, explain: bool) -> int:
    """Print the settings in force, and where each was said."""
    settings = invocation.settings
    files = invocation.context.paths()
    click.echo(plain(f"files: {_file(files.config)}, {_file(files.project)}"))
    for option in OPTIONS.values():
        if origin := settings.origins.get(option.name):
            said = f"{_shown(getattr(settings, option.name))}   ({origin})"
        else:
            said = f"({option.default})"
        click.echo(plain(f"{option.name}: {said}"))
        if explain:
            click.echo(f"    {option.help}")
    return 0


def _file(file: Path) -> str:
    return str(file) if file.exists() else f"{file} (none)"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}={_shown(inner)}" for name, inner in value.items())
    return str(value)
