"""`bgconsole watch`: every story ends with the right code, and says each thing as it happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bgconsole.domain.errors import AccessDenied, ExpiredCredentials, Throttled
from bgconsole.domain.services import Hook, RevisionCount
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from tests import codedeploy_worlds, values, worlds
from tests.unit.cli.conftest import Ended, Terminal
from tests.values import BAD, MEOW, REF

Change = Callable[[ScriptedWorld], None]


def nothing(world: ScriptedWorld) -> None:
    """Time passes."""


def badly(world: ScriptedWorld) -> None:
    worlds.settle(world, well=False)


def changed(**fields: Any) -> Change:
    """The newest service deployment gets these fields."""

    def change(world: ScriptedWorld) -> None:
        newest, *older = world.history[REF]
        world.history[REF] = (replace(newest, updated_at=world.now, **fields), *older)

    return change


def redeploy(world: ScriptedWorld) -> None:
    scripted_gateway(world).changes.update(REF, force=True)


def stop(world: ScriptedWorld) -> None:
    scripted_gateway(world).changes.stop_deployment(world.history[REF][0].arn)


def then(*changes: Change) -> Change:
    """One change a wait; the last one is repeated."""
    left = list(changes)

    def change(world: ScriptedWorld) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(world)

    return change


def watch(terminal: Terminal, world: ScriptedWorld, *changes: Change, flags: str = "") -> Ended:
    terminal.world = world
    terminal.at_wait = then(*changes, nothing)
    return terminal("watch", *flags.split())


def test_a_rolling_success(terminal: Terminal) -> None:
    ended = watch(terminal, worlds.deploying(), nothing, worlds.settle)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith("2026-03-01T14:00:00Z  ◐ verdict     DEPLOYING  revision 1 → 2: 2/4")
    assert any("◆ milestone   deployment finished" in line for line in lines)
    assert any("● verdict     STEADY  Revision 2 serves 100 %" in line for line in lines)
    assert "● end" in lines[-1]
    assert "Revision 2 is deployed. Revision 2 serves 100 %: 4/4 healthy." in lines[-1]


def to(make: Callable[[], ScriptedWorld]) -> Change:
    """The world becomes this one."""
    return lambda world: world.become(make())


def by_codedeploy(world: ScriptedWorld, **fields: Any) -> None:
    """CodeDeploy's deployment gets these fields."""
    made = world.codedeployments["d-NEW"]
    world.codedeployments["d-NEW"] = replace(made, **fields)


def hooks_run() -> ScriptedWorld:
    """The old task set is gone, and CodeDeploy still works: AfterAllowTraffic may yet fail."""
    return codedeploy_worlds.ended(status="InProgress", completed_at=None)


def test_codedeploys_deployment_ends_when_it_says_so_not_when_the_old_task_set_is_gone(
    terminal: Terminal,
) -> None:
    shifted = to(lambda: codedeploy_worlds.under_way(100))
    done = to(codedeploy_worlds.ended)
    for begin in (codedeploy_worlds.under_way, hooks_run):
        stages = (shifted, to(hooks_run), nothing, nothing, done)
        ended = watch(terminal, begin(), *stages)
        assert (ended.code, ended.err) == (0, ""), ended.out
        before, _, end = ended.out.rpartition("d-NEW has succeeded")
        assert "◆ milestone   traffic shifted" in before and "end" not in before
        assert "● end" in end and "Revision 2 is deployed." in end


def test_codedeploys_deployment_that_a_hook_fails_after_the_old_task_set_is_gone(
    terminal: Terminal,
) -> None:
    failed = {"status": "Failed", "problem": "One or more hooks failed"}
    ended = watch(terminal, hooks_run(), nothing, lambda world: by_codedeploy(world, **failed))
    assert ended.code == 1
    assert "d-NEW failed (One or more hooks failed)" in ended.out.splitlines()[-1]


def test_codedeploys_deployment_that_is_taken_back(terminal: Terminal) -> None:
    world = codedeploy_worlds.under_way()
    stop = lambda world: scripted_gateway(world).codedeploy.stop("d-NEW")  # noqa: E731
    ended = watch(terminal, world, nothing, stop, nothing, codedeploy_worlds.settle)
    assert ended.code == 1
    assert "d-BACK takes it back" in ended.out
    assert "Revision 1 is live." in ended.out.splitlines()[-1]


def test_codedeploy_that_may_not_be_read_is_followed_by_its_task_sets(terminal: Terminal) -> None:
    world = codedeploy_worlds.under_way()
    world.fail("codedeploy.deployment", AccessDenied("No", action="codedeploy:GetDeployment"))
    shifted = to(lambda: codedeploy_worlds.under_way(100))
    ended = watch(terminal, world, nothing, shifted, to(codedeploy_worlds.ended))
    assert "SUPERSEDED" not in ended.out
    assert "Revision 2 is deployed." in ended.out.splitlines()[-1]


def test_a_crash_loop_that_the_breaker_takes_back(terminal: Terminal) -> None:
    going_back = changed(
        status="ROLLBACK_IN_PROGRESS",
        rollback_reason=values.BREAKER_WORDS,
        breaker=values.CircuitBreaker("TRIGGERED", 3, 3),
    )
    ended = watch(terminal, worlds.crash_looping(), nothing, going_back, badly)
    assert ended.code == 1
    assert "revision 3: circuit breaker at 3/3, triggered" in ended.out
    assert "◆ milestone   ECS rolls it back" in ended.out
    assert "✖ end         The deployment failed and was rolled back" in ended.out
    assert "2 of its tasks stopped: exit 1" in ended.out


def test_a_way_back_that_ends_between_two_looks_is_told_all_the_same(terminal: Terminal) -> None:
    ended = watch(terminal, worlds.crash_looping(), badly)
    assert ended.code == 1
    assert "◆ milestone   ECS rolls it back" in ended.out


def test_one_that_is_stopped_by_hand(terminal: Terminal) -> None:
    ended = watch(terminal, worlds.deploying(), stop, badly)
    assert ended.code == 1
    assert "a roll back was asked for" in ended.out
    assert "Revision 1 is live." in ended.out


def test_one_that_is_stopped_without_a_roll_back(terminal: Terminal) -> None:
    ended = watch(terminal, worlds.deploying(), changed(status="STOPPED"))
    assert ended.code == 1
    assert "The deployment was stopped" in ended.out


def test_set_to_no_tasks_it_ends_as_it_was_asked(terminal: Terminal) -> None:
    world = worlds.deploying()
    service = world.services[REF]
    none = tuple(replace(d, desired=0, running=0, pending=0) for d in service.deployments)
    world.services[REF] = replace(service, desired=0, running=0, pending=0, deployments=none)
    world.tasks[REF] = ()
    ended = watch(terminal, world, worlds.settle)
    assert ended.code == 0, ended
    assert "nothing runs, as asked" in ended.out


def test_without_a_load_balancer_it_runs_and_is_not_said_to_serve(terminal: Terminal) -> None:
    world = worlds.deploying()
    world.services[REF] = replace(world.services[REF], load_balancing=())
    del world.balancing[REF]
    ended = watch(terminal, world, worlds.settle)
    assert ended.code == 0, ended
    assert "Revision 2 runs: 4/4 healthy" in ended.out.splitlines()[-1]
    assert "serves" not in ended.out


def test_somebody_elses_deployment_in_its_place(terminal: Terminal) -> None:
    ended = watch(terminal, worlds.deploying(), nothing, redeploy, worlds.settle)
    assert ended.code == 1
    assert "SUPERSEDED: another deployment to revision 2" in ended.out


def test_the_stages_of_two_groups_and_the_shift_as_a_milestone_of_its_own(
    terminal: Terminal,
) -> None:
    hook = Hook("ecs-pause-1", "PAUSE", "AWAITING_ACTION", "", None, "ROLLBACK")
    world = worlds.deploying()
    world.services[REF] = replace(world.services[REF], strategy="BLUE_GREEN")
    changed(strategy="BLUE_GREEN", lifecycle_stage="SCALE_UP")(world)
    whole = RevisionCount(MEOW.revision_arn, 4, 4, 0, 100, 100)
    ended = watch(
        terminal,
        world,
        changed(lifecycle_stage="POST_TEST_TRAFFIC_SHIFT", hooks=(hook,)),
        changed(lifecycle_stage="PRODUCTION_TRAFFIC_SHIFT", hooks=()),
        changed(lifecycle_stage="BAKE_TIME", target=whole),
        nothing,
        worlds.settle,
    )
    assert ended.code == 0, ended
    told = [line.partition("Z  ")[2] for line in ended.out.splitlines()]
    order = [
        "· stage       revision 2: stage scale up",
        "▲ hook        revision 2: pause at post-test waits for somebody",
        "▲ verdict     WAITING FOR YOU",
        "· stage       revision 2: stage production",
        "◆ milestone   traffic shifted",
        "● verdict     STEADY",
        "◆ milestone   deployment finished",
        "● end",
    ]
    at = [next(n for n, line in enumerate(told) if line.startswith(each)) for each in order]
    assert at == sorted(at), ended.out
    assert ended.out.count("traffic shifted\n") == 1


def test_rolled_back_while_it_bakes(terminal: Terminal) -> None:
    world = worlds.deploying()
    world.services[REF] = replace(world.services[REF], strategy="BLUE_GREEN")
    whole = RevisionCount(MEOW.revision_arn, 4, 4, 0, 100, 100)
    changed(strategy="BLUE_GREEN", lifecycle_stage="BAKE_TIME", target=whole)(world)
    ended = watch(terminal, world, nothing, stop, badly)
    assert ended.code == 1
    assert "◆ milestone   traffic shifted" in ended.out
    assert "The deployment failed and was rolled back" in ended.out


def test_a_timeout_ends_the_watching_not_the_deployment(terminal: Terminal) -> None:
    ended = watch(terminal, worlds.deploying(), nothing, flags="--timeout 30s")
    assert ended.code == 5
    assert "? end" in ended.out
    assert "AWS goes on" in ended.out
    assert terminal.world.writes == []


def test_ctrl_c(terminal: Terminal) -> None:
    def interrupt(_: ScriptedWorld) -> None:
        raise KeyboardInterrupt

    ended = watch(terminal, worlds.deploying(), interrupt)
    assert ended.code == 130
    assert "Interrupted." in ended.err


@pytest.mark.parametrize(
    ("world", "code", "words"),
    [
        (worlds.steady, 0, "Nothing is under way. STEADY: Revision 2 serves 100 %"),
        (worlds.rolled_back, 1, "the last deployment of revision 3 ended as rollback successful"),
        (worlds.no_load_balancer, 0, "Nothing is under way. STEADY: Revision 2 runs"),
    ],
)
def test_where_nothing_is_under_way_the_state_is_judged(
    terminal: Terminal, world: Callable[[], ScriptedWorld], code: int, words: str
) -> None:
    ended = watch(terminal, world())
    assert ended.code == code
    assert words in ended.out.splitlines()[-1]


def test_steady_but_ill_is_no_success(terminal: Terminal) -> None:
    world = worlds.steady()
    balancing = world.balancing[REF]
    (group,) = balancing.groups
    ill = replace(group, targets=tuple(replace(t, state="unhealthy") for t in group.targets))
    world.balancing[REF] = replace(balancing, groups=(ill,))
    ended = watch(terminal, world)
    assert ended.code == 1
    assert "Nothing is under way. DOWN" in ended.out


def test_done_by_ecss_word_but_never_healthy_is_no_success(terminal: Terminal) -> None:
    def settle_ill(world: ScriptedWorld) -> None:
        worlds.settle(world)
        balancing = world.balancing[REF]
        (group,) = balancing.groups
        ill = replace(group, targets=tuple(replace(t, state="unhealthy") for t in group.targets))
        world.balancing[REF] = replace(balancing, groups=(ill,))

    ended = watch(terminal, worlds.deploying(), settle_ill)
    assert ended.code == 1
    assert "Revision 2 is deployed. But DOWN" in ended.out


def test_targets_that_are_healthy_a_little_later_are_waited_for(terminal: Terminal) -> None:
    def settle_slowly(world: ScriptedWorld) -> None:
        worlds.settle(world)
        balancing = world.balancing[REF]
        (group,) = balancing.groups
        late = replace(group, targets=tuple(replace(t, state="initial") for t in group.targets))
        world.balancing[REF] = replace(balancing, groups=(late,))

    ended = watch(terminal, worlds.deploying(), settle_slowly, nothing, worlds.settle)
    assert ended.code == 0, ended


def test_waiting_for_one_that_is_begun_later(terminal: Terminal) -> None:
    flags = "--wait-for-start"
    ended = watch(terminal, worlds.steady(), nothing, redeploy, nothing, worlds.settle, flags=flags)
    assert ended.code == 0, ended
    assert "waiting until a deployment begins" in ended.out
    assert "Revision 2 is deployed." in ended.out


def test_one_that_begins_and_ends_between_two_looks_is_not_missed(terminal: Terminal) -> None:
    def both(world: ScriptedWorld) -> None:
        redeploy(world)
        worlds.settle(world, well=False)

    ended = watch(terminal, worlds.steady(), both, flags="--wait-for-start")
    assert ended.code == 1
    assert "was rolled back" in ended.out


def test_nothing_that_begins_is_given_up(terminal: Terminal) -> None:
    ended = watch(terminal, worlds.steady(), nothing, flags="--wait-for-start --timeout 1m")
    assert ended.code == 5
    assert "No deployment has begun" in ended.out


def test_while_it_waits_throttling_only_slows(terminal: Terminal) -> None:
    def throttled(world: ScriptedWorld) -> None:
        world.fail("services.describe", Throttled("AWS says: slow down"), times=1)

    ended = watch(
        terminal,
        worlds.steady(),
        throttled,
        nothing,
        nothing,
        nothing,
        redeploy,
        worlds.settle,
        flags="--wait-for-start",
    )
    assert ended.code == 0, ended
    assert "AWS says: slow down: asking again" in ended.out
    assert "AWS answers again" in ended.out


@pytest.mark.parametrize("call", ["services.describe", "services.tasks"])
def test_credentials_that_end_are_exit_code_4(terminal: Terminal, call: str) -> None:
    def expire(world: ScriptedWorld) -> None:
        world.fail(call, ExpiredCredentials("The credentials have expired"))
        worlds.settle(world)

    ended = watch(terminal, worlds.deploying(), expire)
    assert ended.code == 4
    assert "The credentials have expired" in ended.err


@pytest.mark.parametrize("call", ["targets.balancing", "services.tasks"])
def test_what_may_not_be_read_is_never_a_success(terminal: Terminal, call: str) -> None:
    world = worlds.deploying()
    world.fail(call, AccessDenied("AWS denies", action="x:Y"))
    ended = watch(terminal, world, worlds.settle)
    assert ended.code == 4
    assert "? end" in ended.out
    assert "is not proved" in ended.out
    assert "AWS denies" in ended.err


def test_without_records_the_deployments_themselves_tell(terminal: Terminal) -> None:
    world = worlds.deploying()
    world.fail("services.service_deployments", AccessDenied("AWS denies", action="ecs:List"))
    ended = watch(terminal, world, nothing, worlds.settle)
    assert ended.code == 4, "who serves is known, but not whether ECS calls it a success"
    assert "Revision 2 is deployed." in ended.out


def test_a_record_that_is_not_listed_yet(terminal: Terminal) -> None:
    world = worlds.steady()
    redeploy(world)
    newest, *older = world.history[REF]
    world.history[REF] = tuple(older)

    def listed(changed_world: ScriptedWorld) -> None:
        changed_world.history[REF] = (newest, *older)

    ended = watch(terminal, world, listed, nothing, worlds.settle)
    assert ended.code == 0, ended
    assert "Revision 2 is deployed." in ended.out


def test_rolled_back_while_the_last_tasks_are_leaving(terminal: Terminal) -> None:
    world = worlds.rolled_back()
    service = world.services[REF]
    leaving = values.deployment(BAD, tasks=0, running=1, primary=False)
    world.services[REF] = replace(service, deployments=(*service.deployments, leaving))

    def left(changed_world: ScriptedWorld) -> None:
        changed_world.services[REF] = service

    ended = watch(terminal, world, nothing, left)
    assert ended.code == 1
    assert "The deployment failed and was rolled back" in ended.out


def test_json_is_one_object_a_line(terminal: Terminal) -> None:
    ended = watch(terminal, worlds.deploying(), worlds.settle, flags="--json")
    assert ended.code == 0
    told = [json.loads(line) for line in ended.out.splitlines()]
    assert {each["kind"] for each in told} >= {"verdict", "milestone", "end"}
    assert told[0] == {
        "at": "2026-03-01T14:00:00+00:00",
        "kind": "verdict",
        "severity": "busy",
        "words": told[0]["words"],
    }
    assert (told[-1]["result"], told[-1]["exit_code"]) == ("good", 0)


@pytest.mark.parametrize("flags", ["--timeout soon", "--timeout -5m", "--wach"])
def test_usage(terminal: Terminal, flags: str) -> None:
    assert watch(terminal, worlds.steady(), flags=flags).code == 2


def test_a_service_that_is_not_there(terminal: Terminal) -> None:
    terminal.at_wait = nothing
    assert terminal("--cluster", REF.cluster, "--service", "nope", "watch").code == 1


def test_it_asks_no_more_than_the_console_does(terminal: Terminal) -> None:
    """Each source within its pace; identity and images not at each look."""
    world = worlds.deploying()
    ended = watch(terminal, world, flags="--timeout 2m")
    assert ended.code == 5
    assert world.count("identities.whoami") == 1
    assert world.count("images.images") <= 4
    assert world.count("stacks.stacks") <= 5
    assert world.count("services.tasks") <= 42


def test_nothing_is_changed(terminal: Terminal) -> None:
    watch(terminal, worlds.deploying(), worlds.settle)
    assert terminal.world.writes == []


def test_the_stages_of_the_way_back_are_no_shift(terminal: Terminal) -> None:
    world = worlds.deploying()
    world.services[REF] = replace(world.services[REF], strategy="BLUE_GREEN")
    back = {"strategy": "BLUE_GREEN", "status": "ROLLBACK_IN_PROGRESS"}
    ended = watch(terminal, world, changed(lifecycle_stage="CLEAN_UP", **back), badly)
    assert ended.code == 1
    assert "traffic shifted" not in ended.out
