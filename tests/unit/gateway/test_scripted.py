"""The scripted gateway keeps its promises: faults, holds, effects, and what it remembers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bgconsole.domain.errors import GatewayError, NotThere, Throttled
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.scripted import EVERY, scripted_gateway
from tests import worlds
from tests.values import CLUSTER, CONTAINER, MEOW, POSTS, REF


def test_a_fault_hits_its_call_alone_and_as_often_as_told() -> None:
    world = worlds.steady()
    gateway = scripted_gateway(world)
    world.fail("services.tasks", Throttled("Throttled"), times=2)
    for _ in range(2):
        with pytest.raises(Throttled):
            gateway.services.tasks(REF)
    assert len(gateway.services.tasks(REF)) == 4
    assert world.count("services.tasks") == 3


def test_every_call_can_fail_until_it_is_healed() -> None:
    world = worlds.steady()
    gateway = scripted_gateway(world)
    world.fail(EVERY, lambda: GatewayError("Gone"))
    with pytest.raises(GatewayError, match="Gone"):
        gateway.identities.whoami()
    world.heal()
    assert gateway.identities.whoami().account == "123456789012"


def test_a_held_call_waits_until_it_is_let_go() -> None:
    world = worlds.steady()
    gateway = scripted_gateway(world)
    with ThreadPoolExecutor(1) as pool, world.held("stacks.stacks") as hold:
        answer = pool.submit(gateway.stacks.stacks)
        assert hold.arrived.wait(5)
        assert not answer.done()
        hold.release.set()
        assert [stack.name for stack in answer.result(5)] == ["democluster", "demodb", "demorepo"]


def test_changes_come_one_a_call() -> None:
    world = worlds.deploying()
    gateway = scripted_gateway(world)
    world.after("services.describe", lambda w: None, worlds.settle)
    assert len(gateway.services.describe(REF).deployments) == 2
    assert len(gateway.services.describe(REF).deployments) == 1


def test_a_forced_redeploy_stands_beside_the_old_deployment_and_settles() -> None:
    world = worlds.steady()
    gateway = scripted_gateway(world)
    answer = gateway.changes.update(REF, force=True)
    service = gateway.services.describe(REF)
    assert [d.status for d in service.deployments] == ["PRIMARY", "ACTIVE"]
    assert service.deployments[0].id == answer.deployment
    assert service.task_definition == MEOW.definition_arn
    worlds.settle(world)
    assert gateway.services.service_deployments(REF)[0].status == "SUCCESSFUL"
    assert {t.started_by for t in gateway.services.tasks(REF)} == {answer.deployment}
    assert [call.arguments["force"] for call in world.writes] == [True]


def test_a_pinned_copy_can_be_deployed_and_runs_its_digest() -> None:
    world = worlds.steady()
    gateway = scripted_gateway(world)
    reference = POSTS.image.image.rpartition(":")[0] + "@" + POSTS.digest
    made = gateway.changes.register_pinned(POSTS.definition_arn, {CONTAINER: reference})
    assert made.created.endswith(":3")
    gateway.changes.update(REF, task_definition=made.created)
    worlds.settle(world)
    assert {t.containers[0].digest for t in gateway.services.tasks(REF)} == {POSTS.digest}


def test_a_stop_asks_for_the_roll_back_and_settles_on_the_source() -> None:
    world = worlds.crash_looping()
    gateway = scripted_gateway(world)
    gateway.changes.stop_deployment(world.history[REF][0].arn)
    assert world.history[REF][0].status == "ROLLBACK_REQUESTED"
    worlds.settle(world)
    assert world.history[REF][0].status == "ROLLBACK_SUCCESSFUL"
    assert gateway.services.describe(REF).task_definition == MEOW.definition_arn


@pytest.mark.parametrize("name", worlds.BUILDERS)
def test_every_world_is_whole(name: str) -> None:
    """What one part names, another part knows."""
    world = worlds.BUILDERS[name]()
    gateway = scripted_gateway(world)
    service = gateway.services.describe(REF)
    history = gateway.services.service_deployments(REF)
    tasks = gateway.services.tasks(REF)
    numbers = {r.number for r in gateway.services.revisions(tuple(world.revisions))}
    assert {d.number for d in service.deployments} <= numbers
    assert {d.target.number for d in history} <= numbers
    assert {t.task_definition for t in tasks} <= set(world.definitions)
    addresses = {t.address for t in tasks if t.address}
    for group in gateway.targets.balancing(service).groups:
        assert {t.address for t in group.targets} == addresses
        assert group.arn in service.target_groups
    for task in tasks:
        gateway.services.task_definition(task.task_definition)


def test_worlds_share_nothing() -> None:
    first, second = worlds.steady(), worlds.steady()
    first.services[REF] = replace(first.services[REF], desired=1)
    first.logs.clear()
    assert second.services[REF].desired == 4
    assert second.logs


def test_what_is_not_there_says_so() -> None:
    gateway = scripted_gateway(worlds.steady())
    with pytest.raises(NotThere, match="No such cluster"):
        gateway.services.services("elsewhere")
    with pytest.raises(NotThere, match="No such service"):
        gateway.services.describe(ServiceRef(CLUSTER, "other"))
