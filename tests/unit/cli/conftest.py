"""The command line over a scripted world."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from bgconsole.cli.build import build_cli
from bgconsole.cli.context import Context
from bgconsole.cli.failure import run
from bgconsole.config.paths import Paths
from bgconsole.config.settings import Settings
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from tests import worlds


@dataclass(frozen=True)
class Ended:
    """How one call of the program ended."""

    code: int
    out: str
    err: str


@dataclass
class Terminal:
    """Somebody who types commands."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    world: ScriptedWorld = field(default_factory=worlds.steady)
    environ: dict[str, str] = field(default_factory=dict)
    typed: str | None = None
    """What is typed at the prompts; None where there is no terminal."""
    at_prompt: Callable[[ScriptedWorld], None] = lambda _: None
    """What happens to the world while somebody reads the first question."""
    opened: list[Settings] = field(default_factory=list)
    at_wait: Callable[[ScriptedWorld], None] = worlds.settle
    connect: Callable[[Settings], Gateway] | None = None

    @property
    def paths(self) -> Paths:
        return Paths(
            self.folder / "config.yml", self.folder / "bgconsole.yml", self.folder / "state"
        )

    def __call__(self, *arguments: str) -> Ended:
        context = Context(
            connect=self.connect or (lambda _: scripted_gateway(self.world)),
            clock=lambda: self.world.now,
            environ=self.environ,
            paths=lambda: self.paths,
            interactive=lambda: self.typed is not None,
            wait=self._wait,
        )
        self.monkeypatch.setattr(sys, "stdin", _Keyboard(self))
        self.capture.readouterr()
        code = run(build_cli(context, self._console), arguments, lambda: self.paths)
        out, err = self.capture.readouterr()
        assert "Traceback" not in err
        return Ended(code, out, err)

    def _wait(self, cancelled: threading.Event, seconds: float) -> bool:
        self.world.now += timedelta(seconds=seconds)
        self.at_wait(self.world)
        return cancelled.is_set()

    def _console(self, settings: Settings) -> int:
        self.opened.append(settings)
        return 0


class _Keyboard(io.StringIO):
    """What is typed, and what happens meanwhile."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(terminal.typed or "")
        self._terminal = terminal

    def readline(self, size: int | None = -1, /) -> str:
        if self.tell() == 0:
            self._terminal.at_prompt(self._terminal.world)
        return super().readline(size)


@pytest.fixture
def terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    return Terminal(tmp_path, capsys, monkeypatch)
