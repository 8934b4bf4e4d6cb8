"""What a person sees: the main screen and every pane, in every state, as pictures.

After a wanted change: `pytest tests/pictures --snapshot-update`, then look at them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from bgconsole.domain.snapshot import Part, Snapshot
from bgconsole.domain.stacks import Stack
from bgconsole.domain.targets import Balancing, Route, TargetGroup
from bgconsole.ui.panes.log_lines import LogLines
from bgconsole.ui.panes.logs import LogsPane
from bgconsole.ui.panes.pane import Pane
from bgconsole.ui.panes.stacks import StacksPane
from bgconsole.ui.panes.targets import TargetsPane
from bgconsole.ui.panes.tasks import TasksPane
from bgconsole.watch.batch import LogBatch
from tests import scenes
from tests.scenes import Host
from tests.values import NOW

Compare = Callable[..., bool]
SIZES = [(80, 24), (120, 36), (160, 45)]
PANES: list[type[Pane]] = [TasksPane, TargetsPane, StacksPane]


def heard(
    *batches: LogBatch, press: tuple[str, ...] = ()
) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Hand log lines over and wait until they are painted; then press keys."""

    async def before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        for pane in pilot.app.screen.query(LogsPane):
            for each in batches:
                pane.add(each)
                await painted(pilot)
        await pilot.press(*press)
        await painted(pilot)

    return before


async def painted(pilot: Pilot[Any]) -> None:
    """Until no log line waits any more."""
    await pilot.pause()
    for lines in pilot.app.screen.query(LogLines):
        while lines.busy:
            await pilot.pause(0.02)
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", scenes.SCENES)
def test_screen(snap_compare: Compare, scene: str, size: tuple[int, int]) -> None:
    taken = scenes.SCENES[scene]()
    batches = () if scene == "waiting" else (scenes.talk(taken),)
    probe = None if scene == "waiting" else scenes.probed(*scenes.CALM)
    app = Host(shown=taken, probe=probe)
    assert snap_compare(app, terminal_size=size, run_before=heard(*batches))


@pytest.mark.parametrize("pane", PANES)
@pytest.mark.parametrize("scene", ["waiting", "steady", "deploying", "crash_looping", "stale"])
def test_pane(snap_compare: Compare, pane: type[Pane], scene: str) -> None:
    app = Host(pane, shown=scenes.SCENES[scene]())
    assert snap_compare(app, terminal_size=(120, 16), run_before=heard())


def test_stacks_that_move_and_fail(snap_compare: Compare) -> None:
    app = Host(StacksPane, shown=_stacks())
    assert snap_compare(app, terminal_size=(100, 12), run_before=heard())


def test_two_groups_share_the_traffic(snap_compare: Compare) -> None:
    app = Host(TargetsPane, shown=_two_groups())
    assert snap_compare(app, terminal_size=(100, 16), run_before=heard())


def test_paused_logs(snap_compare: Compare) -> None:
    taken = scenes.deploying()
    more = scenes.batch([scenes.line(n, "more of the same") for n in range(2000, 2042)])

    async def before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        pane = pilot.app.screen.query_one(LogsPane)
        pane.add(scenes.talk(taken))
        await painted(pilot)
        pane.focus()
        await pilot.press("k", "k", "k")
        pane.add(more)
        await painted(pilot)

    app = Host(LogsPane, shown=taken)
    assert snap_compare(app, terminal_size=(120, 14), run_before=before)


def test_hostile_logs(snap_compare: Compare) -> None:
    texts = (
        "[/foo] [@click=app.quit]press me[/] [bold red]loud",
        "\x1b]2;PWNED\x07\x1b[2J\x1b[31mred?\x1bc \x9b1m",
        "nul \x00 bell \x07 back\b\b\b over\rwritten",
        "表表表表 wide, e\u0301e\u0301 combined, 👍👍 pictured, \u202edesrever",
        "x" * 100_000,
        "E, [2026-03-01T13:59:58.1 #1] ERROR -- : boom\n  from a.rb:1:in `x'\n  from b.rb:2",
    )
    lines = scenes.batch(scenes.line(n, text, "ab" * 16) for n, text in enumerate(texts))
    app = Host(LogsPane, shown=scenes.steady())
    assert snap_compare(app, terminal_size=(100, 14), run_before=heard(lines))


def test_no_logs(snap_compare: Compare) -> None:
    note = scenes.batch([], note="the container logs to splunk, which is not read here")
    app = Host(LogsPane, shown=scenes.steady())
    assert snap_compare(app, terminal_size=(100, 8), run_before=heard(note))


def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    taken = scenes.crash_looping()
    app = Host(shown=taken)
    assert snap_compare(app, terminal_size=(120, 36), run_before=heard(scenes.talk(taken)))


def test_light(snap_compare: Compare) -> None:
    taken = scenes.crash_looping()
    app = Host(shown=taken)
    app.theme = "bgconsole-light"
    assert snap_compare(app, terminal_size=(120, 36), run_before=heard(scenes.talk(taken)))


def _stacks() -> Snapshot:
    def stack(name: str, status: str, reason: str = "", **ago: float) -> Stack:
        return Stack(name, f"arn:{name}", status, reason, NOW - timedelta(**ago))

    return replace(
        scenes.steady(),
        stacks=Part(
            (
                stack("demorepo", "CREATE_COMPLETE", days=3),
                stack("demodb", "UPDATE_ROLLBACK_COMPLETE", "DBInstance: AlreadyExists", hours=2),
                stack("democluster", "UPDATE_IN_PROGRESS", minutes=4.2),
                stack("demopipeline", "REVIEW_IN_PROGRESS", seconds=12),
            ),
            NOW,
        ),
    )


def _two_groups() -> Snapshot:
    taken = scenes.deploying()
    balancing = taken.targets.value
    assert balancing
    (group,) = balancing.groups

    def named(name: str, production: float, test: float, number: int) -> TargetGroup:
        routes = tuple(
            Route("l", "r", 80, "HTTP", 1, share, test=is_test)
            for share, is_test in ((production, False), (test, True))
        )
        targets = group.targets[number::2]
        return replace(group, arn=name, name=name, targets=targets, routes=routes)

    groups = (named("democluster-blue", 90, 0, 0), named("democluster-green", 10, 100, 1))
    return replace(taken, targets=Part(Balancing(groups), NOW))
