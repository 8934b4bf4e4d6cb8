"""One operation on several services: one plan, one word, one after the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bgconsole.domain.change_set import Change
from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.scripted import ScriptedWorld
from tests import fleet, worlds
from tests.unit.cli.conftest import Terminal
from tests.values import CLUSTER, REF

OTHER = ServiceRef(CLUSTER, "other")
NAMED = ("--service", REF.name, "--service", OTHER.name)


@pytest.fixture
def two(terminal: Terminal) -> Terminal:
    """A terminal on two services that could both go back."""
    world = terminal.world
    fleet.adopt(world, worlds.steady(), OTHER.name)
    fleet.of_each(world)
    terminal.at_wait = fleet.settle
    return terminal


def changed(world: ScriptedWorld) -> list[object]:
    return [call.arguments["ref"] for call in world.writes]


def test_both_go_back_in_the_order_shown(two: Terminal) -> None:
    shown = two("rollback", *NAMED, "--dry-run")
    assert shown.code == 0
    order = [line for line in shown.out.splitlines() if line.startswith("Roll back")]
    assert order == [
        "Roll back democluster-service from revision 2 to 1",
        "Roll back other from revision 2 to 1",
    ]
    assert two.world.writes == []
    ended = two("rollback", *NAMED, "--confirm", "1,1")
    assert ended.code == 0, ended.err
    assert changed(two.world) == [REF, OTHER]
    assert ended.out.count("now   revision 1 · 1f3c2aa · sha256:9d1d599a") == 2


@pytest.mark.parametrize("word", ["1", "1,2", "1 1"])
def test_every_target_is_typed(two: Terminal, word: str) -> None:
    ended = two("rollback", *NAMED, "--confirm", word)
    assert ended.code == 3
    assert "This is confirmed with --confirm 1,1" in ended.err
    assert two.world.writes == []


def test_the_first_failure_ends_it(two: Terminal) -> None:
    two.world.fail("changes.update", AccessDenied("No", action="ecs:UpdateService"))
    ended = two("rollback", *NAMED, "--confirm", "1,1")
    assert ended.code == 4
    assert "Not begun: other." in ended.err
    assert changed(two.world) == [REF]


def test_where_one_has_no_way_back_none_is_touched(two: Terminal) -> None:
    two.world.history[OTHER] = ()
    ended = two("rollback", *NAMED, "--confirm", "1,1")
    assert ended.code == 3
    assert "no record of earlier deployments" in ended.err
    assert two.world.writes == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("rollback", *NAMED, "--to", "1"), 3, "a revision of one service"),
        (("rollback", "--service", "other", "--service", "other"), 2, "named twice"),
        (("status", *NAMED), 2, "One --service"),
        ((*NAMED, "rollback"), 2, "One --service"),
    ],
)
def test_what_several_cannot_be(
    two: Terminal, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ended = two(*arguments)
    assert ended.code == code
    assert words in ended.err


@pytest.mark.parametrize(
    ("answer", "code"), [(("--dry-run",), 0), (("--confirm", "wrong"), 3), ((), 3)]
)
def test_what_was_drafted_for_them_is_taken_back(
    two: Terminal, answer: tuple[str, ...], code: int
) -> None:
    """Each through a stack of its own, of which one is asked for after the other."""
    world = two.world
    for ref, name in ((REF, "democluster"), (OTHER, "otherstack")):
        stack = replace(world.stacks["democluster"], name=name, arn=f"arn:stack/{name}")
        world.stacks[name] = replace(stack, parameters=(("DockerImage", "web:1"),))
        service = world.services[ref] = replace(world.services[ref], stack=name)
        world.drafts[name] = (
            Change("change", "Service", "AWS::ECS::Service", physical_id=service.arn),
        )
    two.environ["BGCONSOLE_DEPLOY_THROUGH"] = "stack"
    ended = two("rollback", *NAMED, *answer)
    assert ended.code == code, ended.err
    assert world.count("stack_changes.draft") == 2
    assert world.count("stack_changes.execute") == 0
    assert world.change_sets == {}


def test_one_that_cannot_be_done_takes_the_drafts_of_those_before_it_back(two: Terminal) -> None:
    world = two.world
    stack = replace(world.stacks["democluster"], parameters=(("DockerImage", "web:1"),))
    world.stacks["democluster"] = stack
    world.drafts["democluster"] = (Change("change", "Service", "AWS::ECS::Service"),)
    world.history[OTHER] = ()
    assert two("rollback", *NAMED, "--through", "stack", "--confirm", "1,1").code == 3
    assert world.count("stack_changes.draft") == 1
    assert world.change_sets == {}


def test_redeploying_both_takes_a_yes(two: Terminal) -> None:
    assert two("force-redeploy", *NAMED, "--yes").code == 0
    assert changed(two.world) == [REF, OTHER]
