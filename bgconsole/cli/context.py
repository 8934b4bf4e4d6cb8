"""What the command line is given: everything that reaches outside it, wired by `main`."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from bgconsole.config.paths import Paths, paths
from bgconsole.config.settings import Settings, load
from bgconsole.gateway.shells import Shells

if TYPE_CHECKING:
    from bgconsole.gateway.port import Gateway, LogNames


@dataclass(frozen=True, slots=True)
class Context:
    """The outside of the command line; tests pass their own."""

    connect: Callable[[Settings], Gateway]
    """Makes a gateway; nothing is sent yet."""
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    paths: Callable[[], Paths] = paths
    interactive: Callable[[], bool] = field(
        default=lambda: sys.stdin.isatty() and sys.stderr.isatty()
    )
    """Whether there is somebody to ask."""
    shells: Shells = field(default_factory=lambda: Shells(os.environ))
    """Programs that somebody types into."""
    wait: Callable[[threading.Event, float], bool] = threading.Event.wait
    log_names: Callable[[Settings], LogNames] | None = None
    """Gives the names of log groups and streams; None in tests that need none."""


@dataclass(slots=True)
class Invocation:
    """One call of the program: the context, and the global flags given so far."""

    context: Context
    flags: dict[str, Any] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    """Every service that was named; the settings have the last one."""

    def of(self, service: str) -> Invocation:
        """The same about one service."""
        return Invocation(self.context, {**self.flags, "service": service}, (service,))

    @property
    def settings(self) -> Settings:
        """The settings with the flags in them.

        Raises:
            ConfigurationError: something in them is wrong.
        """
        return load(self.flags, self.context.environ, self.context.paths())

    def connect(self) -> Gateway:
        """A gateway as the settings say."""
        return self.context.connect(self.settings)


pass_invocation = click.make_pass_decorator(Invocation)
