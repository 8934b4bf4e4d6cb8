"""The commands `bgconsole sandbox`, `bgconsole sandbox run` and `bgconsole demo`.

Importing this raises ImportError when the `sandbox` extra is not installed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from .environment import clean, exports, with_our_programs
from .foreground import Interrupted, interruptible, run_in_front
from .launch import Sandbox, StartFailed
from .settings import Settings

for _package in ("ministack", "hypercorn", "aiohttp"):
    if find_spec(_package) is None:
        raise ImportError(f"{_package} is not installed", name=_package)

_DEFAULT_PORT = 4566
_CONSOLE = ("--cluster", "democluster-cluster", "--service", "democluster-service")
_Command = TypeVar("_Command", bound=Callable[..., Any])


def _known(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """The text as it is, once it names a scenario."""
    if text is not None:
        from .scenarios import BadScenario, find

        try:
            find(text)
        except BadScenario as reason:
            raise click.BadParameter(str(reason), context, parameter) from None
    return text


_SPEED = click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    help="Divide AWS's waits by this; 1 is AWS's own pace.",
)
_OF_A_SERVER = (
    _SPEED,
    click.option(
        "--scenario",
        metavar="NAME[=VALUE]",
        callback=_known,
        default=None,
        help="What happens by itself after the start: one of the scenarios below.",
    ),
    click.option(
        "--remap-ports",
        is_flag=True,
        help="Take a free port where a listener's own cannot be bound.",
    ),
    click.option(
        "--log-delay",
        type=click.FloatRange(min=0, max=900),
        default=0.0,
        metavar="SECONDS",
        help="Let a log line be read that much after it was written, whatever the speed.",
    ),
    click.option(
        "--runtime",
        type=click.Choice(["process", "simulated"]),
        default="process",
        show_default=True,
        help="What runs a task: a local process, or nothing, for thousands of tasks.",
    ),
    click.option(
        "--empty",
        is_flag=True,
        help="Begin with an account that holds nothing: `bgconsole up` fills it.",
    ),
)
_DOCKER_HOST = "unix:///var/run/docker.sock"
_DATABASE_IMAGE = "postgres:17"
_ENGINE_SECONDS = 5.0
_OF_CONTAINERS = (
    click.option(
        "--docker",
        is_flag=True,
        help="Run tasks as containers of rails_app/, with PostgreSQL, on the Docker engine of "
        "DOCKER_HOST.",
    ),
    click.option(
        "--base-image",
        metavar="IMAGE",
        default="",
        help="With --docker: what the app is built on; its Dockerfile says the default.",
    ),
    click.option(
        "--database-image",
        metavar="IMAGE",
        default=_DATABASE_IMAGE,
        show_default=True,
        help="With --docker: the database's image, started as the official one is.",
    ),
)


def _port(default: int) -> Callable[[_Command], _Command]:
    return click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=default,
        show_default=True,
        help="Loopback port of the endpoint; 0 takes a free one.",
    )


def _options(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """Several at once, listed in this order."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _engine_host() -> str:
    """Where the caller's Docker engine is.

    Raises:
        click.UsageError: none answers there.
    """
    import asyncio

    from .runtime.docker_api import DockerApi, DockerRefused

    async def ask(host: str) -> None:
        api = DockerApi(host)
        try:
            await asyncio.wait_for(api.ping(), _ENGINE_SECONDS)
        finally:
            await api.close()

    host = os.environ.get("DOCKER_HOST") or _DOCKER_HOST
    try:
        asyncio.run(ask(host))
    except (DockerRefused, TimeoutError) as error:
        reason = str(error) or "no answer"
        raise click.UsageError(
            f"--docker: no Docker engine answers at {host} ({reason}): start one, "
            "name another with DOCKER_HOST, or leave --docker out."
        ) from None
    return host


class _WithScenarios(click.Group):
    """A group whose help ends with the table of the scenarios."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List every scenario with what it takes."""
        from .scenarios import SCENARIOS

        del ctx
        rows = []
        for scenario in SCENARIOS:
            default = f" Default {scenario.default}." if scenario.default else ""
            rows.append((scenario.usage, scenario.summary + default))
        with formatter.section("Scenarios"):
            formatter.write_dl(rows)
        formatter.write_paragraph()
        formatter.write_text(
            "POST /_sandbox/scenario on the endpoint begins one at any time, with a body such as "
            '{"scenario": "throttling=2"}.'
        )


@click.group(cls=_WithScenarios, invoke_without_command=True)
@_options(_port(_DEFAULT_PORT), *_OF_A_SERVER, *_OF_CONTAINERS)
@click.pass_context
def sandbox(context: click.Context, /, **options: Any) -> None:
    """Serve a local AWS account until interrupted.

    Once everything in it is steady, prints the `export` lines that point any client of AWS
    or Docker at it.
    """
    if context.invoked_subcommand is None:
        sys.exit(_serve(_settings(**options)))
    for name in context.params:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = "--" + name.replace("_", "-")
            raise click.UsageError(f"{option} goes after '{context.invoked_subcommand}'.")


@sandbox.command("run")
@_options(_port(0), *_OF_A_SERVER, *_OF_CONTAINERS)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True)
def run(command: tuple[str, ...], **options: Any) -> None:
    """Run a command (after `--`) against a fresh sandbox and exit with its status.

    The command sees no AWS settings but the sandbox's.
    """
    sys.exit(_run_inside(_settings(**options), command))


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--quiet", is_flag=True, help="Leave everything steady: no bad deploy by itself.")
@_options(_SPEED, *_OF_CONTAINERS)
@click.argument("console", nargs=-1, type=click.UNPROCESSED)
def demo(quiet: bool, console: tuple[str, ...], **options: Any) -> None:
    """Open the console on a fresh sandbox; all further options are the console's."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        click.echo("bgconsole: the demo needs a terminal", err=True)
        sys.exit(2)
    # The console loads while the account is filled; its first questions are held until then.
    # Not where images are built first, which tells its progress on the terminal.
    hold = not options["docker"]
    settings = _settings(scenario=None if quiet else "bad-deploy", hold=hold, **options)
    sys.exit(_run_inside(settings, [sys.executable, "-P", "-m", "bgconsole", *_CONSOLE, *console]))


def _settings(*, docker: bool, base_image: str, database_image: str, **own: Any) -> Settings:
    """The settings that these options say.

    Raises:
        click.UsageError: no engine answers, tasks were asked to be nothing at all, or what runs
            them cannot do what the scenario asks of it.
    """
    from .scenarios import BadScenario, fits

    settings = Settings(**own)
    if docker:
        if settings.runtime == "simulated":
            raise click.UsageError("--docker and --runtime simulated exclude each other.")
        settings = replace(
            settings,
            runtime="docker",
            docker_host=_engine_host(),
            base_image=base_image,
            database_image=database_image,
        )
    try:
        fits(settings.scenario or "none", settings.runtime)
    except BadScenario as reason:
        raise click.UsageError(f"--scenario {settings.scenario}: {reason}.") from None
    return settings


def _tell(progress: str) -> None:
    click.echo(f"bgconsole: {progress}", err=True)


def _exports(running: Sandbox) -> dict[str, str]:
    base_image = running.settings.base_image
    return exports(running.endpoint, running.docker_host, base_image=base_image)


def _serve(settings: Settings) -> int:
    try:
        with interruptible(), Sandbox(settings, progress=_tell) as running:
            for note in running.notes:
                click.echo(note, err=True)
            told = _exports(running)
            lines = [f"export {name}={value}" for name, value in told.items()]
            click.echo("\n".join(lines))
            running.wait()
            click.echo(f"bgconsole: the sandbox ended by itself; its log: {running.log}", err=True)
            return 1
    except StartFailed as reason:
        return _refuse(reason)
    except Interrupted as signalled:
        return signalled.exit_code


def _run_inside(settings: Settings, command: Sequence[str]) -> int:
    try:
        with interruptible(), Sandbox(settings, progress=_tell) as running:
            environment = with_our_programs(clean(os.environ)) | _exports(running)
            code = run_in_front(command, environment)
            running.check()
            return code
    except StartFailed as reason:
        return _refuse(reason)
    except FileNotFoundError:
        click.echo(f"bgconsole: {command[0]}: command not found", err=True)
        return 127
    except PermissionError:
        click.echo(f"bgconsole: {command[0]}: permission denied", err=True)
        return 126
    except Interrupted as signalled:
        return signalled.exit_code


def _refuse(reason: StartFailed) -> int:
    click.echo(f"bgconsole: {reason}", err=True)
    return 1
