"""Which side a task is on, and how it is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bgconsole.domain.join import NO_CHECK, Side, sides
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.once import read
from tests import worlds
from tests.worlds import NOW, REF


def seen(world: ScriptedWorld) -> Snapshot:
    """The world as one snapshot."""
    return read(scripted_gateway(world), REF, lambda: NOW)


def test_at_rest_there_is_one_side() -> None:
    both = sides(seen(worlds.steady()))
    assert both.old is None
    assert both.new is not None
    assert both.new.side is Side.SOLE
    assert (both.new.revision, both.new.tag, both.new.healthy) == ("2", "8be01c9", 4)
    assert {row.zone for row in both.new.rows} == {"us-east-1a", "us-east-1b"}


def test_deploying_has_old_and_new_by_deployment_number() -> None:
    both = sides(seen(worlds.deploying()))
    assert both.old is not None
    assert both.new is not None
    assert (both.old.revision, both.new.revision) == ("1", "2")
    assert {row.revision for row in both.old.rows} == {"1"}
    assert {row.revision for row in both.new.rows} == {"2"}
    assert both.new.healthy == 2
    assert both.of_task(both.new.rows[0].id) is Side.NEW
    assert both.of_task("f" * 32) is Side.UNKNOWN


def test_a_redeploy_of_the_same_definition_is_told_apart() -> None:
    world = worlds.deploying()
    service = world.services[REF]
    same = service.deployments[0].task_definition
    world.services[REF] = replace(
        service, deployments=tuple(replace(d, task_definition=same) for d in service.deployments)
    )
    both = sides(seen(world))
    assert both.old is not None
    assert both.new is not None
    assert both.old.revision == both.new.revision == "2"
    assert len(both.old.rows) == len(both.new.rows) == 4


def test_without_a_record_the_primary_is_new() -> None:
    world = worlds.deploying()
    world.history[REF] = ()
    both = sides(seen(world))
    assert both.old is not None
    assert both.new is not None
    assert (both.old.revision, both.new.revision) == ("1", "2")


def test_while_it_is_rolled_back_the_failed_revision_stays_new() -> None:
    world = worlds.crash_looping()
    service = world.services[REF]
    bad, good = service.deployments
    world.services[REF] = replace(
        service, deployments=(replace(good, status="PRIMARY"), replace(bad, status="ACTIVE"))
    )
    world.history[REF] = tuple(
        replace(d, status="ROLLBACK_IN_PROGRESS") if d.ongoing else d for d in world.history[REF]
    )
    both = sides(seen(world))
    assert both.old is not None
    assert both.new is not None
    assert (both.old.revision, both.new.revision) == ("2", "3")


def test_stopped_tasks_say_how_they_ended() -> None:
    both = sides(seen(worlds.crash_looping()))
    assert both.new is not None
    assert [row.ending for row in both.new.failed] == ["exit 1", "exit 1"]


@pytest.mark.parametrize("health", ["HEALTHY", "UNHEALTHY"])
def test_without_a_load_balancer_the_container_check_counts(health: str) -> None:
    world = worlds.no_load_balancer()
    world.tasks[REF] = tuple(replace(task, health=health) for task in world.tasks[REF])
    both = sides(seen(world))
    assert both.new is not None
    assert {row.health for row in both.new.rows} == {health.lower()}
    assert both.new.healthy == (2 if health == "HEALTHY" else 0)


def test_without_any_check_a_running_task_counts_as_well() -> None:
    world = worlds.no_load_balancer()
    world.tasks[REF] = tuple(replace(task, health="UNKNOWN") for task in world.tasks[REF])
    both = sides(seen(world))
    assert both.new is not None
    assert {row.health for row in both.new.rows} == {NO_CHECK}
    assert both.new.healthy == 2


def test_health_that_was_not_read_is_not_known() -> None:
    snapshot = replace(seen(worlds.steady()), targets=Snapshot(REF, worlds.steady().place).targets)
    both = sides(snapshot)
    assert both.new is not None
    assert {row.health for row in both.new.rows} == {"not known"}
    assert both.new.healthy == 0
