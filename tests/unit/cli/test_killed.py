"""A console that was killed while it deployed: all is found again, and nothing is done twice.

Killed means that nobody tidies up or writes an end, as SIGKILL and SIGHUP do; the lock goes with
the process. `tests/e2e/test_killed.py` does it to a real one.
"""

from __future__ import annotations

import re

import pytest

from tests import wire
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.operation_rows import ROWS
from tests.unit.cli.test_every_operation import Stage
from tests.unit.operations.test_deploy import BUILT
from tests.values import REF
from tests.wire import After

[DEPLOY] = [row for row in ROWS if row.name == "deploy-build-and-migrate"]


class Killed(BaseException):
    """The end of the process."""


@pytest.fixture
def stage(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("botocore.endpoint.time", wire.SLEEPS)
    return Stage(DEPLOY, terminal)


@pytest.mark.parametrize("took", [False, True], ids=["before-it-took-effect", "after-it"])
@pytest.mark.parametrize("number", range(len(DEPLOY.sends)), ids=DEPLOY.sends)
def test_it_is_found_again_at_each_step(stage: Stage, number: int, took: bool) -> None:
    with pytest.raises(Killed):
        stage.spoilt(number, After(Killed()) if took else Killed())
    stage.wire.spoil = lambda *_: None
    stage.unlocked()
    assert stage.events[-1] == ("submitted" if number > 1 else "started"), "no end on record"
    told = stage.terminal("audit", "--last")
    assert "it still runs, or its console was killed" in told.err
    assert "started" in told.out

    done = list(stage.took)
    if "UpdateService" in done:
        refused(stage, "A deployment is under way")
        assert stage.terminal("watch").code == 0
    elif "RunTask" in done:
        if not stage.terminal.world.runs[0].stopped:
            words = refused(stage, "A migration runs: ")
            follow = re.search(r"bgconsole (migrate --follow \w+)", words)
            assert follow, words
            assert stage.terminal(*follow[1].split()).code == 0
        made = re.search(r"→ \S+:task-definition/[\w-]+:(\d+)", stage.terminal("audit").out)
        assert made
        update = ("deploy", "--from", "update", "--revision", made[1], "--confirm", made[1])
        assert stage.terminal(*update).code == 0
    else:
        again = stage.confirmed()
        assert again.code == 0, again.err
    assert stage.took.count("RunTask") == stage.took.count("UpdateService") == 1
    running = {c.digest for task in stage.terminal.world.tasks[REF] for c in task.containers}
    assert running == {BUILT}


def refused(stage: Stage, words: str) -> str:
    """Typed again it is not done twice; what it says instead."""
    again = stage.confirmed()
    assert again.code == 3, again.err
    assert words in again.err
    return again.err
