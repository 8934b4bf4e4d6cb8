"""Wires the layers: the command line, the console, and the sandbox beside them."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bgconsole.cli.failure import run, write_crash_report
from bgconsole.config.paths import paths, write_private
from bgconsole.config.settings import load
from bgconsole.domain.errors import ConfigurationError
from bgconsole.domain.exit_codes import EXIT_BUG

if TYPE_CHECKING:
    from bgconsole.config.settings import Settings
    from bgconsole.domain.identity import Place
    from bgconsole.domain.moments import Moment
    from bgconsole.domain.overview import Area, Overview
    from bgconsole.domain.probe import ProbeRecord
    from bgconsole.domain.services import ServiceRef
    from bgconsole.domain.snapshot import Snapshot
    from bgconsole.gateway.port import Gateway, LogNames
    from bgconsole.ui.wiring import Wiring
    from bgconsole.watch.batch import LogBatch

EXTRA_MISSING = (
    "bgconsole: the sandbox is not installed; add it with: pip install 'bgconsole[sandbox]'"
)
A_COMMANDS = (200_000, 20, 100)
"""Thresholds of the collector while a command runs."""
_SANDBOX = ("sandbox", "demo")


def main() -> NoReturn:
    """The program `bgconsole`; ends the process with an exit code of the design.

    A command lives for a third of a second: collections of cycles are rare until the console is
    opened, and at the end nothing is taken apart that goes with the process.
    """
    gc.set_threshold(*A_COMMANDS)
    code = run(command_line(), sys.argv[1:], paths)
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None where the shell closed it
        with suppress(OSError, ValueError):  # closed by who reads it, which `run` has told
            stream.flush()
    os._exit(code)


def command_line() -> click.Group:
    """Every sub-command there is, `demo` and `sandbox` with them."""
    from bgconsole.cli.build import build_cli
    from bgconsole.cli.context import Context

    sandbox = {name: partial(_Sandbox, name) for name in _SANDBOX}
    return build_cli(Context(connect=_connect, log_names=_log_names), _open_console, sandbox)


def _connect(settings: Settings) -> Gateway:
    from bgconsole.gateway.aws.session import connect

    return connect(
        profile=settings.profile or None,
        region=settings.region or None,
        endpoint_url=settings.endpoint_url or None,
        environ=os.environ,
        metric=settings.metric,
        docker_host=settings.docker_host,
    )


def _log_names(settings: Settings) -> LogNames:
    from bgconsole.gateway.log_names import AwslogsNames

    # botocore, which awslogs leaves the region to, does not read AWS_REGION.
    region = settings.region or os.environ.get("AWS_REGION", "")
    return AwslogsNames(settings.profile, region, settings.endpoint_url)


def _open_console(settings: Settings) -> int:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        click.echo(
            "bgconsole: the console needs a terminal; `bgconsole status` prints the same facts",
            err=True,
        )
        return 2
    from bgconsole.ui.app import Console
    from bgconsole.ui.memory import collect_calmly, share_arenas

    share_arenas()
    console = Console(wiring(settings))
    collect_calmly()
    result = console.run()
    if result == "demo":
        return run(command_line(), ["demo"], paths)
    return EXIT_BUG if result is None else 0


def wiring(settings: Settings) -> Wiring:
    """All that the console is made of, as these settings say; `Console(wiring(settings)).run()`."""
    from bgconsole.config import last
    from bgconsole.domain.probe_version import version_rule
    from bgconsole.gateway.awslogs import run_awslogs
    from bgconsole.gateway.shells import Shells
    from bgconsole.operations.audit import AuditLog
    from bgconsole.operations.moments import moments
    from bgconsole.operations.runner import Runner
    from bgconsole.operations.spec import Risk
    from bgconsole.ui.wiring import Wiring
    from bgconsole.watch.asking import Asker
    from bgconsole.watch.overview import OverviewWatcher
    from bgconsole.watch.probe import Probe
    from bgconsole.watch.watcher import Watcher

    files = paths()
    here = _Here(settings)

    def ours(snapshot: Snapshot) -> tuple[Moment, ...]:
        try:
            return tuple(moments(AuditLog(files.audit).records(), snapshot))
        except OSError as error:
            raise ConfigurationError(
                "The audit log cannot be read", f"{files.audit}: {error.strerror}"
            ) from error

    def note(record: Mapping[str, object]) -> None:
        with suppress(OSError):
            AuditLog(files.audit).append(record)

    def save(name: str, text: str) -> str:
        file = files.exports / name
        try:
            write_private(file, text)
        except OSError as error:
            raise ConfigurationError("Nothing was saved", f"{file}: {error.strerror}") from error
        return str(file)

    def watch_logs(place: Place, group: str, stream: str = "") -> str:
        return run_awslogs(place, group, stream, endpoint_url=here.settings.endpoint_url)

    def watch(
        gateway: Gateway,
        ref: ServiceRef,
        on_snapshot: Callable[[Snapshot], None],
        on_lines: Callable[[LogBatch], None],
    ) -> Watcher:
        return Watcher(
            gateway,
            ref,
            clock=utc_now,
            random=Random(),  # noqa: S311 - jitter, not a secret
            on_snapshot=on_snapshot,
            on_lines=on_lines,
        )

    def probe(on_record: Callable[[ProbeRecord], None]) -> Probe:
        return Probe(
            Asker(version_rule(settings.probe_version), clock=utc_now),
            on_record=on_record,
            clock=utc_now,
            url=settings.probe_url,
            path=settings.probe_path,
            interval=settings.probe_interval,
        )

    def overlook(
        home: Gateway, areas: tuple[Area, ...], on_overview: Callable[[Overview], None]
    ) -> OverviewWatcher:
        wanted = here.settings
        return OverviewWatcher(
            home,
            areas,
            connect=lambda region: _connect(replace(wanted, region=region)),
            clock=utc_now,
            random=Random(),  # noqa: S311 - jitter, not a secret
            on_overview=on_overview,
        )

    def runner(gateway: Gateway, ref: ServiceRef) -> Runner:
        return Runner(
            gateway,
            audit=AuditLog(files.audit),
            clock=utc_now,
            surface="console",
            risks={name: Risk(level) for name, level in here.settings.risk.items()},
            defaults=here.settings.params,
            read_only=here.settings.why_read_only(ref),
            no_stacks=here.why_no_stacks,
            locks=files.locks,
        )

    return Wiring(
        connect=lambda: _connect(settings),
        watch=watch,
        runner=runner,
        overlook=overlook,
        probe=probe if settings.probe else None,
        clock=lambda: datetime.now().astimezone(),
        cluster=settings.cluster,
        service=settings.service,
        areas=here.areas,
        recall=lambda place: last.recall(files.last, place),
        remember=lambda place, ref: last.remember(files.last, place, ref),
        why_read_only=here.why_read_only,
        why_no_stacks=here.why_no_stacks,
        keymap=settings.keymap,
        theme=settings.theme,
        attention=settings.attention,
        browse=_browse if _has_browser(os.environ) else None,
        elsewhere=here,
        write_crash_log=lambda report: write_crash_report(report, files),
        ours=ours,
        shells=Shells(os.environ),
        note=note,
        save=save,
        log_lines=int(settings.log_lines),
        watch_logs=watch_logs,
        log_names=lambda: _log_names(here.settings),
    )


class _Here:
    """The settings in force: another profile brings its own, read-only and risks included."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def why_read_only(self, ref: ServiceRef) -> str:
        """As the settings in force say."""
        return self.settings.why_read_only(ref)

    def why_no_stacks(self, names: tuple[str, ...]) -> str:
        """Why stacks may only be looked at, as the configuration of now says."""
        return self.settings.why_no_stacks(names)

    def areas(self, home: str) -> tuple[Area, ...]:
        """The clusters that the settings in force name."""
        return self.settings.areas(home)

    def profiles(self) -> tuple[str, ...]:
        """Those of the shared configuration."""
        from bgconsole.gateway.aws.session import profiles

        return profiles()

    def regions(self) -> tuple[str, ...]:
        """Those that ECS is in."""
        from bgconsole.gateway.aws.session import regions

        return regions()

    def connect(self, *, profile: str = "", region: str = "") -> Gateway:
        """Another profile (in its own region) or another region; `--read-only` stays."""
        before = self.settings
        if profile:
            flagged = "flag" in before.origins.get("read_only", "")
            flags = {"profile": profile, "read_only": flagged and before.read_only}
            wanted = load(flags, os.environ, paths())
        else:
            wanted = replace(before, region=region)
        gateway = _connect(wanted)
        self.settings = wanted
        return gateway


class _Sandbox(click.Command):
    """A command of the sandbox, loaded only when it is called: the extra may not be there."""

    def __init__(self, name: str) -> None:
        helps = {
            "sandbox": "Serve a local AWS account, or run a command inside one.",
            "demo": "Open the console on a fresh sandbox: no cloud account, no Docker engine.",
        }
        super().__init__(name, help=helps[name], short_help=helps[name], add_help_option=False)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """As the real command would."""
        return self._real().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the real command."""
        return ctx.command.invoke(ctx)

    def _real(self) -> click.Command:
        try:
            from bgconsole.sandbox import command
        except ImportError:
            click.echo(EXTRA_MISSING, err=True)
            sys.exit(2)
        found: click.Command = getattr(command, str(self.name))
        return found


def _has_browser(environ: Mapping[str, str]) -> bool:
    """Whether a window may open where the user sits: not over ssh, not without a display.

    Without a display Python's `webbrowser` would start a text browser on the console's terminal.
    """
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return False
    displays = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or bool(displays)


def _browse(page: str) -> None:
    import webbrowser

    webbrowser.open(page)


def utc_now() -> datetime:
    """The one clock of everything that is not shown."""
    return datetime.now(UTC)
