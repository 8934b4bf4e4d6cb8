"""A runner over a scripted world whose clock moves when somebody waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.operations.audit import AuditLog
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.operations.outcome import Outcome, Progress
from bgconsole.operations.runner import Runner
from bgconsole.operations.spec import No, Plan, Proposal
from bgconsole.watch.once import read
from tests import worlds
from tests.values import REF

Change = Callable[[ScriptedWorld], None]


@dataclass
class Desk:
    """Somebody at work on one world."""

    world: ScriptedWorld
    folder: Path
    waits: list[Change] = field(default_factory=list)
    """What happens at each wait; the last one is repeated."""
    told: list[Progress] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def gateway(self) -> Gateway:
        return scripted_gateway(self.world)

    @property
    def audit(self) -> AuditLog:
        return AuditLog(self.folder / "state" / "audit.jsonl")

    @property
    def runner(self) -> Runner:
        return Runner(
            self.gateway,
            audit=self.audit,
            clock=lambda: self.world.now,
            surface="cli",
            wait=self.wait,
            new_id=lambda: "run-1",
            locks=self.folder / "locks",
            **self.settings,
        )

    def wait(self, cancelled: threading.Event, seconds: float) -> bool:
        self.world.now += timedelta(seconds=seconds)
        change = self.waits.pop(0) if len(self.waits) > 1 else self.waits[0]
        change(self.world)
        return cancelled.is_set()

    def snapshot(self) -> Snapshot:
        return read(self.gateway, REF, lambda: self.world.now)

    def proposed(self, operation: str, **params: str) -> Proposal:
        """The plan with its evidence."""
        first = self.runner.propose(OPERATIONS[operation], self.snapshot(), params)
        assert isinstance(first, Proposal), first
        second = self.runner.gather(first)
        assert isinstance(second, Proposal), second
        third = self.runner.look_aside(second)
        assert isinstance(third, Proposal), third
        return third

    def refused(self, operation: str, **params: str) -> No:
        """Why there is no plan, at once or after the look-ups."""
        first = self.runner.propose(OPERATIONS[operation], self.snapshot(), params)
        no = first if isinstance(first, No) else self.runner.gather(first)
        assert isinstance(no, No), no
        return no

    def run(self, proposal: Proposal, cancelled: threading.Event | None = None) -> Outcome:
        """Carry it out; what was told is kept."""
        self.told = list(self.runner.run(proposal, cancelled or threading.Event()))
        outcome = self.told[-1].outcome
        assert outcome is not None
        assert sum(1 for each in self.told if each.kind == "end") == 1
        return outcome

    @property
    def events(self) -> list[str]:
        return [str(record["event"]) for record in self.audit.records()]


@pytest.fixture
def desk(tmp_path: Path) -> Callable[[ScriptedWorld], Desk]:
    def make(world: ScriptedWorld) -> Desk:
        return Desk(world, tmp_path, waits=[worlds.settle])

    return make


MakeDesk = Callable[[ScriptedWorld], Desk]


def states(plan: Plan) -> dict[str, str]:
    """The checks of a plan: words to state."""
    return {check.words: check.state for check in plan.checks}
