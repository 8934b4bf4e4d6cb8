"""The one sentence: never green on nothing, and what is bad is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bgconsole.domain.errors import AccessDenied, ExpiredCredentials, NotThere, Throttled
from bgconsole.domain.metrics import Metrics
from bgconsole.domain.services import ServiceEvent
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Part, Snapshot, Source
from bgconsole.domain.verdict import Progress, Verdict, verdict
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.once import read
from tests import worlds
from tests.worlds import NOW, REF


def judged(world: ScriptedWorld) -> Verdict:
    """The world's verdict at its own time."""
    return verdict(read(scripted_gateway(world), REF, lambda: NOW), NOW)


def test_steady_names_revision_and_health() -> None:
    found = judged(worlds.steady())
    assert (found.severity, found.word) == (Severity.GOOD, "STEADY")
    assert found.sentence == "Revision 2 serves 100 %: 4/4 healthy"
    assert found.way_back is not None
    assert found.way_back.to == "1"


def test_deploying_says_from_to_and_who_serves() -> None:
    found = judged(worlds.deploying())
    assert found.severity is Severity.BUSY
    assert "revision 1 → 2: 2/4 new tasks healthy" in found.sentence
    assert "Both serve: revision 1 (4 tasks) and 2 (2)" in found.sentence
    assert found.progress is not None
    assert 0 < found.progress.done < found.progress.of


def test_a_crash_loop_names_cause_breaker_and_who_still_serves() -> None:
    world = worlds.crash_looping()
    task = next(t for t in world.tasks[REF] if t.stopped)
    line = world.logs[worlds.LOG_GROUP][-1]
    words = "ActiveRecord::StatementInvalid (PG::UndefinedColumn: ERROR:  column posts.summary)"
    stream = f"ecs/{worlds.CONTAINER}/{task.id}"
    world.logs[worlds.LOG_GROUP].append(
        replace(line, stream=stream, message=words, event_id="z" * 56)
    )
    found = judged(world)
    assert (found.severity, found.word) == (Severity.BAD, "FAILING")
    assert 'revision 3 is not coming up: 2 tasks exited 1 ("' in found.sentence
    assert "PG::UndefinedColumn" in found.sentence
    assert found.evidence == ("circuit breaker at 2 of 3",)
    assert "Revision 2 serves 100 %: 4/4 healthy" in found.sentence
    assert found.way_back is not None
    assert found.way_back.to == "2"


def test_a_breaker_roll_back_is_red_and_later_calm() -> None:
    world = worlds.rolled_back()
    found = judged(world)
    assert (found.severity, found.word) == (Severity.BAD, "ROLLED BACK")
    assert "revision 3 was rolled back by the circuit breaker at 13:57" in found.sentence
    assert "3 tasks exited 1" in found.sentence
    later = NOW + timedelta(hours=2)
    calm = verdict(read(scripted_gateway(world), REF, lambda: later), later)
    assert (calm.severity, calm.word) == (Severity.GOOD, "STEADY")
    assert any("rolled back by the circuit breaker" in line for line in calm.evidence)


def test_a_roll_back_by_hand_is_not_red() -> None:
    world = worlds.rolled_back()
    newest, *rest = world.history[REF]
    by_hand = replace(newest, rollback_reason="", status_reason="Stopped by user.")
    world.history[REF] = (by_hand, *rest)
    found = judged(world)
    assert found.severity is Severity.GOOD
    assert any("was rolled back by hand" in line for line in found.evidence)


def test_no_load_balancer_runs_and_does_not_serve() -> None:
    found = judged(worlds.no_load_balancer())
    assert found.severity is Severity.GOOD
    assert found.sentence.startswith("Revision 2 runs: 2/2 healthy")


def test_a_worker_that_nothing_checks_runs_but_is_not_proven() -> None:
    world = worlds.no_load_balancer()
    found = judged(world)
    assert found.severity is Severity.GOOD
    assert found.sentence.endswith("running, not proven (nothing checks its tasks)")
    world.metrics = Metrics(own=((NOW - timedelta(minutes=2), 12.0),), own_name="JobsDone")
    proven = judged(world)
    assert proven.sentence == "Revision 2 runs: 2/2 healthy"
    assert proven.evidence == ("JobsDone 12 at 13:58",)
    world.metrics = Metrics()
    world.tasks[REF] = tuple(replace(task, health="HEALTHY") for task in world.tasks[REF])
    assert judged(world).sentence == "Revision 2 runs: 2/2 healthy"


def test_a_worker_whose_tasks_keep_ending_is_not_steady() -> None:
    world = worlds.no_load_balancer()
    live = world.tasks[REF][0]
    gone = tuple(
        replace(
            live,
            arn=f"{live.arn[:-1]}{number}",
            last_status="STOPPED",
            desired_status="STOPPED",
            stopped_at=NOW - timedelta(minutes=number),
            stop_code="EssentialContainerExited",
            stopped_reason="Essential container in task exited",
            containers=tuple(replace(c, exit_code=1) for c in live.containers),
        )
        for number in range(1, 4)
    )
    world.tasks[REF] += gone
    found = judged(world)
    assert (found.severity, found.word) == (Severity.WAITING, "RESTARTING")
    assert found.sentence == "Revision 2 runs: 2/2 healthy, but in 15 min 3 tasks exited 1"


def test_scaled_to_zero_is_said_not_judged() -> None:
    world = worlds.steady()
    service = world.services[REF]
    world.services[REF] = replace(service, desired=0, running=0)
    world.tasks[REF] = ()
    assert judged(world).word == "SCALED TO 0"


def test_nothing_healthy_is_down() -> None:
    world = worlds.steady()
    balancing = world.balancing[REF]
    group = balancing.groups[0]
    ill = tuple(
        replace(t, state="unhealthy", description="Health checks failed with these codes: [503]")
        for t in group.targets
    )
    world.balancing[REF] = replace(balancing, groups=(replace(group, targets=ill),))
    found = judged(world)
    assert (found.severity, found.word) == (Severity.BAD, "DOWN")
    assert "0/4" in found.sentence
    assert "[503]" in found.sentence


def without_healthy_targets(world: ScriptedWorld) -> ScriptedWorld:
    balancing = world.balancing[REF]
    world.balancing[REF] = replace(
        balancing, groups=tuple(replace(group, targets=()) for group in balancing.groups)
    )
    return world


@pytest.mark.parametrize("make", [worlds.crash_looping, worlds.deploying])
def test_a_deployment_under_which_nobody_serves_is_down_first(
    make: Callable[[], ScriptedWorld],
) -> None:
    before, found = judged(make()), judged(without_healthy_targets(make()))
    assert before.word in ("FAILING", "DEPLOYING")
    assert (found.severity, found.word) == (Severity.BAD, "DOWN")
    first, what = found.sentence.split(". ", 1)
    assert first == "Nothing serves: 0 healthy targets behind the listener"
    assert what.startswith(("Revision 3 is not coming up: ", "Revision 1 → 2: "))
    assert "Nothing serves" not in what


def test_a_service_that_never_served_is_not_down_while_it_is_first_deployed() -> None:
    world = without_healthy_targets(worlds.deploying())
    service = world.services[REF]
    world.services[REF] = replace(service, deployments=service.deployments[:1])
    first = world.history[REF][0]
    world.history[REF] = (replace(first, sources=()),)
    new = service.task_definition
    world.tasks[REF] = tuple(t for t in world.tasks[REF] if t.task_definition == new)
    assert judged(world).word == "DEPLOYING"


def test_a_placement_failure_is_named() -> None:
    world = worlds.deploying()
    service = world.services[REF]
    said = f"(service {REF.name}) was unable to place a task. Reason: no capacity [/foo]."
    world.services[REF] = replace(service, events=(ServiceEvent("e1", NOW, said), *service.events))
    found = judged(world)
    assert found.severity is Severity.BAD
    assert "was unable to place a task. Reason: no capacity [/foo]." in found.sentence


DENIED = AccessDenied("access denied", "needs x:Y", action="x:Y")


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("service", "services.describe"),
        ("deployments", "services.service_deployments"),
        ("tasks", "services.tasks"),
        ("targets", "targets.balancing"),
    ],
)
@pytest.mark.parametrize("world", [worlds.steady, worlds.deploying])
def test_never_green_while_a_source_fails(source: Source, call: str, world: object) -> None:
    made = world()  # type: ignore[operator]
    made.fail(call, DENIED)
    found = judged(made)
    assert found.severity is Severity.UNKNOWN
    assert "access denied" in " ".join((found.sentence, *found.evidence)).lower()


def test_what_cannot_be_read_is_not_said_to_be_read_later() -> None:
    world = worlds.steady()
    world.fail("targets.balancing", DENIED)
    found = judged(world)
    assert found.sentence == (
        "revision 2 runs 4/4 tasks, as ECS counts; their health cannot be read"
    )
    waiting = read(scripted_gateway(worlds.steady()), REF, lambda: NOW)
    unread = verdict(replace(waiting, targets=Part()), NOW)
    assert unread.sentence.endswith("their health is not read yet")


def test_the_bad_that_was_seen_stays_said_while_another_source_fails() -> None:
    world = worlds.crash_looping()
    world.fail("targets.balancing", Throttled("throttled"))
    found = judged(world)
    assert found.severity is Severity.BAD
    assert any("throttled since 14:00:00" in line for line in found.evidence)


def test_sources_that_fail_alike_are_told_once() -> None:
    world = worlds.crash_looping()
    for call in ("services.service_deployments", "services.tasks", "targets.balancing"):
        world.fail(call, Throttled("throttled"))
    found = judged(world)
    told = " · ".join((found.sentence, *found.evidence))
    assert told.count("throttled") == 1
    assert "deployment history, tasks, target health: throttled since 14:00:00" in told


def test_credentials_that_ended_come_with_what_brings_new_ones() -> None:
    renew = "Run `aws sso login --profile prod`"
    world = worlds.steady()
    for call in ("services.tasks", "targets.balancing"):
        world.fail(call, ExpiredCredentials("Credentials expired", "prod", renew))
    found = judged(world)
    assert f"tasks, target health: Credentials expired since 14:00:00. {renew}" in " · ".join(
        (found.sentence, *found.evidence)
    )


def test_a_redeploy_that_fails_has_another_name_than_what_serves() -> None:
    world = worlds.crash_looping()
    service = world.services[REF]
    old = service.deployments[-1].task_definition
    world.services[REF] = replace(
        service, deployments=tuple(replace(d, task_definition=old) for d in service.deployments)
    )
    world.revisions = {
        arn: replace(revision, task_definition=old, images=())
        for arn, revision in world.revisions.items()
    }
    world.tasks[REF] = tuple(
        t if t.task_definition == old else replace(t, task_definition=old, containers=())
        for t in world.tasks[REF]
    )
    sentence = judged(world).sentence
    assert sentence.startswith("the redeploy of revision 2 is not coming up"), sentence
    assert "Revision 2 serves 100 %" in sentence
    newest, *rest = world.history[REF]
    world.history[REF] = (replace(newest, status="ROLLBACK_SUCCESSFUL"), *rest)
    sentence = judged(world).sentence
    assert sentence.startswith("the redeploy of revision 2 was taken back by hand: "), sentence


def test_what_is_cut_ends_in_one_sign() -> None:
    world = worlds.crash_looping()
    world.tasks[REF] = tuple(
        replace(task, containers=(), stopped_reason=f"Reason{'x' * 300}") if task.stopped else task
        for task in world.tasks[REF]
    )
    assert "… Revision 2 serves" in judged(world).sentence


def test_old_tasks_that_left_before_new_ones_are_well_are_no_progress() -> None:
    world = worlds.crash_looping()
    assert judged(world).progress == Progress(0, 8, "0/4 healthy · 4 old still to go")
    world.tasks[REF] = tuple(task for task in world.tasks[REF] if task.stopped)
    lost = judged(world).progress
    assert lost == Progress(0, 8, "0/4 healthy")


def test_old_data_without_a_failure_is_doubted() -> None:
    snapshot = replace(read(scripted_gateway(worlds.steady()), REF, lambda: NOW), interval=2.0)
    assert verdict(snapshot, NOW + timedelta(seconds=5)).severity is Severity.GOOD
    later = verdict(snapshot, NOW + timedelta(seconds=60))
    assert later.severity is Severity.UNKNOWN
    assert "last read 1 min ago" in later.sentence


def test_before_the_first_answer_and_without_a_service() -> None:
    assert verdict(Snapshot(REF, worlds.steady().place), NOW).word == "CONNECTING"
    world = worlds.steady()
    world.fail("services.describe", NotThere("no such service", str(REF)))
    assert judged(world).word == "NOT THERE"


def test_the_same_revision_with_another_image_is_told_by_its_digest() -> None:
    world = worlds.crash_looping()
    service = world.services[REF]
    bad = service.deployments[0]
    world.services[REF] = replace(
        service,
        deployments=(
            bad,
            *(replace(d, task_definition=bad.task_definition) for d in service.deployments[1:]),
        ),
    )
    assert "revision 3 (0ff1ce00) is not coming up" in judged(world).sentence


def test_what_is_bad_and_stale_tells_who_served_as_last_seen() -> None:
    world = worlds.rolled_back()
    world.fail("targets.balancing", Throttled("throttled"))
    snapshot = replace(
        read(scripted_gateway(worlds.rolled_back()), REF, lambda: NOW),
        targets=read(scripted_gateway(world), REF, lambda: NOW).targets,
    )
    assert "Last seen: " in verdict(snapshot, NOW).sentence


def test_scaled_to_0_after_a_roll_back_is_not_the_roll_back() -> None:
    world = worlds.rolled_back()
    world.services[REF] = replace(world.services[REF], desired=0, running=0)
    world.tasks[REF] = tuple(task for task in world.tasks[REF] if task.stopped)
    assert judged(world).word == "SCALED TO 0"
