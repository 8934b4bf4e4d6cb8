"""A line keeps its side when ECS has forgotten its task."""

from __future__ import annotations

from dataclasses import replace

from bgconsole.domain.join import Side
from bgconsole.domain.log_sides import LogSides
from bgconsole.domain.snapshot import Part, Tasks
from tests import scenes
from tests.worlds import NOW


def test_a_forgotten_task_keeps_its_side() -> None:
    snapshot = scenes.SCENES["canary"]()
    known = LogSides()
    assert known.learn(snapshot)
    assert not known.learn(snapshot)
    old = next(task for task, side in known.known.items() if side is Side.OLD)
    tasks = snapshot.tasks.value
    assert tasks is not None
    left = tuple(task for task in tasks.tasks if task.id != old)
    without = replace(snapshot, tasks=Part(replace(tasks, tasks=left), NOW))
    assert isinstance(without.tasks.value, Tasks)
    known.learn(without)
    assert known.of(old) is Side.OLD
    assert known.of("never-seen") is Side.UNKNOWN
    assert known.of("") is Side.UNKNOWN


def test_after_a_roll_back_the_failed_tasks_stay_new_until_the_next_deployment() -> None:
    deploying, back = scenes.SCENES["crash_looping"](), scenes.SCENES["rolled_back"]()
    known = LogSides()
    known.learn(deploying)
    failed = {task for task, side in known.known.items() if side is Side.NEW}
    live = {task for task, side in known.known.items() if side is Side.OLD}
    assert failed
    assert live
    known.learn(back)
    assert {known.of(task) for task in failed} == {Side.NEW}
    assert {known.of(task) for task in live} == {Side.SOLE}
    known.learn(scenes.SCENES["canary"]())
    assert {known.of(task) for task in failed} == {Side.UNKNOWN}
