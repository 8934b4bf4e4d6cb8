"""What is done, once confirmed: re-check, steps, following, proof, record."""

from __future__ import annotations

import errno
import json
import os
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import pytest

from bgconsole.domain.errors import (
    AccessDenied,
    ExpiredCredentials,
    Refused,
    Throttled,
    Unreachable,
)
from bgconsole.domain.services import Task
from bgconsole.gateway.scripted import Call, ScriptedWorld, scripted_gateway
from bgconsole.operations.lock import only_one
from bgconsole.operations.outcome import PlanChanged
from tests import values, worlds
from tests.unit.operations.conftest import MakeDesk
from tests.unit.operations.test_plans import F, R, moved_tag
from tests.values import BAD, MEOW, POSTS, REF


def nothing(world: ScriptedWorld) -> None:
    """Time passes."""


def badly(world: ScriptedWorld) -> None:
    worlds.settle(world, well=False)


def test_a_roll_back_ends_with_the_old_digest_read_back_from_its_tasks(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    somebody.waits = [nothing, worlds.settle]
    outcome = somebody.run(somebody.proposed(R))
    assert outcome.ok
    assert outcome.exit_code == 0
    assert len(outcome.receipt) <= 8
    text = "\n".join(outcome.receipt)
    assert "was   revision 2 · 8be01c9 · sha256:77ab10c2" in text
    assert "now   revision 1 · 1f3c2aa · sha256:9d1d599a, as read back from all 4" in text
    assert "done in 4 s" in text
    told = [each.text for each in somebody.told]
    assert any(words.endswith("0/4 run · 4 old tasks still run") for words in told), told
    assert "only new tasks serve" in told
    assert "11111111-0000-4000-8000-000000000001" in text
    assert [call.name for call in world.writes] == ["changes.update"]
    assert somebody.events == ["started", "submitted", "finished"]
    started, submitted, finished = somebody.audit.records()
    assert started["who"] == "arn:aws:iam::123456789012:user/ops"
    assert started["before"] == "revision 2 · 8be01c9 · sha256:77ab10c2"
    assert submitted["request_id"] == "11111111-0000-4000-8000-000000000001"
    assert finished["after"] == "revision 1 · 1f3c2aa · sha256:9d1d599a (4)"


def test_what_users_noticed_is_on_the_receipt_within_eight_lines(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    begun = somebody.world.now

    def noticed(since: datetime) -> str:
        assert since == begun, "counted from the key"
        return "last bad answer 12 s after the key (HTTP 502), 7 of 388 requests failed since"

    for settle in (worlds.settle, badly):
        begun = somebody.world.now
        somebody.waits = [settle]
        proposal = somebody.proposed(R if settle is worlds.settle else F)
        *_, last = somebody.runner.run(proposal, threading.Event(), noticed)
        assert last.outcome is not None
        assert "site  last bad answer 12 s after the key" in "\n".join(last.outcome.receipt)
        assert len(last.outcome.receipt) <= 8
        assert last.outcome.deployment == somebody.world.services[REF].deployments[0].id


def test_a_pinned_roll_back_deploys_the_digest_that_ran(desk: MakeDesk) -> None:
    world = worlds.steady()
    moved_tag(world, POSTS)
    somebody = desk(world)
    outcome = somebody.run(somebody.proposed(R))
    assert outcome.ok, outcome
    register, update = world.writes
    assert register.name == "changes.register_pinned"
    assert str(update.arguments["task_definition"]).endswith(":3")
    running = [c.digest for task in world.tasks[REF] for c in task.containers]
    assert running == [POSTS.digest] * 4
    assert "revision 3" in outcome.receipt[2]
    assert "sha256:9d1d599a" in outcome.receipt[2]


def test_stopping_a_deployment_ends_on_its_source(desk: MakeDesk) -> None:
    somebody = desk(worlds.crash_looping())
    outcome = somebody.run(somebody.proposed(R))
    assert outcome.ok, outcome
    assert outcome.sentence == "Revision 2 is back."


def test_a_deployment_that_finishes_first_is_no_roll_back(desk: MakeDesk) -> None:
    world = worlds.deploying()
    somebody = desk(world)
    proposal = somebody.proposed(R)

    def finished(changed: ScriptedWorld) -> None:
        newest, *older = changed.history[REF]
        changed.history[REF] = (replace(newest, status="SUCCESSFUL"), *older)

    somebody.waits = [finished]
    outcome = somebody.run(proposal)
    assert not outcome.ok
    assert outcome.exit_code == 1
    assert "finished before it could be stopped" in outcome.sentence


def test_a_breaker_roll_back_is_a_failed_deploy(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    somebody.waits = [badly]
    outcome = somebody.run(somebody.proposed(F))
    assert (outcome.ok, outcome.exit_code, outcome.title) == (False, 1, "Failed")
    assert "rolled back" in outcome.sentence
    assert somebody.events[-1] == "failed"


def test_another_deployment_in_between_is_said_so(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)

    def somebody_else(changed: ScriptedWorld) -> None:
        scripted_gateway(changed).changes.update(REF, force=True)

    somebody.waits = [somebody_else]
    outcome = somebody.run(somebody.proposed(R))
    assert outcome.title == "Superseded"
    assert outcome.exit_code == 1
    assert outcome.sentence.startswith("SUPERSEDED")


def test_running_tasks_that_disagree_with_ecs_are_believed(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)

    def settled_wrongly(changed: ScriptedWorld) -> None:
        newest = changed.history[REF][0]
        if newest.status == "IN_PROGRESS":
            worlds.settle(changed)
        tasks: tuple[Task, ...] = tuple(values.task(MEOW, i) for i in range(4))
        changed.tasks[REF] = tasks

    somebody.waits = [settled_wrongly]
    outcome = somebody.run(somebody.proposed(R))
    assert outcome.title == "Not what was wanted"
    assert "4 of 4 running tasks run revision 2 · sha256:77ab10c2" in outcome.sentence
    assert outcome.exit_code == 1


def test_the_world_changed_between_confirming_and_doing(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    proposal = somebody.proposed(R)
    moved_tag(world, POSTS)
    with pytest.raises(PlanChanged) as caught:
        somebody.run(proposal)
    assert caught.value.changed == ("by",)
    assert caught.value.proposal.plan.steps[0].makes
    assert world.writes == []
    assert somebody.events == ["refused"]
    assert somebody.run(caught.value.proposal).ok, "one key more"


def test_ages_and_checks_do_not_change_a_plan(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    proposal = somebody.proposed(R)
    world.now += timedelta(hours=3)
    assert somebody.run(proposal).ok


def test_a_deployment_that_began_meanwhile_refuses_a_redeploy(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    proposal = somebody.proposed(F)
    world.become(worlds.deploying())
    with pytest.raises(Refused, match="under way"):
        somebody.run(proposal)
    assert world.writes == []


def test_expired_credentials_while_following_are_not_a_failure(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)

    def expire(changed: ScriptedWorld) -> None:
        changed.fail("services.describe", ExpiredCredentials("The credentials have expired"))

    somebody.waits = [expire]
    outcome = somebody.run(somebody.proposed(R))
    assert outcome.exit_code == 4
    assert outcome.sentence.startswith(
        "Submitted (request id 11111111-0000-4000-8000-000000000001), AWS goes on, not followed"
    )
    assert outcome.receipt[-1].startswith("left  See how it ends: `bgconsole status`. ")
    assert somebody.events[-1] == "left"


def test_throttling_and_silence_while_following_only_slow_it(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    proposal = somebody.proposed(R)
    seconds: list[float] = []

    def trouble(changed: ScriptedWorld) -> None:
        step = len(seconds)
        seconds.append(changed.now.timestamp())
        if step == 0:
            changed.fail("services.describe", Throttled("AWS says: slow down"), times=2)
            changed.fail("services.tasks", Unreachable("No answer"), times=1)
        if step == 4:
            worlds.settle(changed)

    somebody.waits = [trouble]
    assert somebody.run(proposal).ok
    waits = [b - a for a, b in pairwise(seconds)]
    assert waits[:2] == [4.0, 8.0], "each silent look doubles the wait"
    told = [each.text for each in somebody.told]
    assert sum("slow down" in text for text in told) == 1
    assert "AWS answers again" in told


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AccessDenied("No", action="ecs:UpdateService"), 4),
        (Throttled("AWS says: slow down"), 1),
        (ExpiredCredentials("The credentials have expired"), 4),
    ],
)
def test_a_refused_write_leaves_what_serves(desk: MakeDesk, error: Exception, code: int) -> None:
    world = worlds.steady()
    somebody = desk(world)
    world.fail("changes.update", error)  # type: ignore[arg-type]
    outcome = somebody.run(somebody.proposed(R))
    assert (outcome.ok, outcome.exit_code) == (False, code)
    assert "What serves was not changed" in outcome.sentence
    assert somebody.events == ["started", "failed"]


def test_a_failure_after_registering_names_what_was_made(desk: MakeDesk) -> None:
    world = worlds.steady()
    moved_tag(world, POSTS)
    world.fail("changes.update", AccessDenied("No", action="ecs:UpdateService"))
    somebody = desk(world)
    outcome = somebody.run(somebody.proposed(R))
    assert "Made before it: arn:aws:ecs" in outcome.sentence


def test_a_write_without_an_answer_is_looked_for_and_never_repeated(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    proposal = somebody.proposed(R)
    answered = world.effects["changes.update"]

    def arrives(changed: ScriptedWorld, call: Call) -> None:
        answered(changed, call)
        raise Unreachable("No answer")

    world.effects["changes.update"] = arrives
    outcome = somebody.run(proposal)
    assert outcome.ok
    assert any("AWS shows that it arrived" in each.text for each in somebody.told)
    assert len(world.writes) == 1


def test_a_write_that_never_arrived_is_said_to_be_unknown(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.fail("changes.update", Unreachable("No answer"))
    somebody = desk(world)
    somebody.waits = [nothing]
    outcome = somebody.run(somebody.proposed(R))
    assert outcome.exit_code == 1
    assert "not repeated, and AWS shows no effect" in outcome.sentence
    assert len(world.writes) == 1


def test_a_write_that_cannot_even_be_looked_for_is_not_said_to_have_had_no_effect(
    desk: MakeDesk,
) -> None:
    world = worlds.steady()
    somebody = desk(world)
    proposal = somebody.proposed(R)

    def dies(changed: ScriptedWorld, _: Call) -> None:
        changed.fail("*", Unreachable("No answer"))
        raise Unreachable("No answer")

    world.effects["changes.update"] = dies
    began = world.now
    somebody.waits = [nothing]
    outcome = somebody.run(proposal)
    assert outcome.exit_code == 1
    assert "not repeated, and AWS could not be asked (No answer)" in outcome.sentence
    assert timedelta(minutes=10) <= world.now - began < timedelta(minutes=11)
    assert len(world.writes) == 1


def test_stopped_before_the_write_nothing_is_done(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    cancelled = threading.Event()
    cancelled.set()
    outcome = somebody.run(somebody.proposed(R), cancelled)
    assert outcome.exit_code == 130
    assert world.writes == []


def test_stopped_after_it_only_the_following_ends(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    cancelled = threading.Event()
    somebody.waits = [lambda _: cancelled.set()]
    outcome = somebody.run(somebody.proposed(R), cancelled)
    assert outcome.exit_code == 130
    assert outcome.title == "Submitted, not followed"
    assert "now   not read back: it was left before its end" in outcome.receipt
    assert somebody.events == ["started", "submitted", "left"]


def test_a_console_that_is_closed_leaves_a_record(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    running = somebody.runner.run(somebody.proposed(R), threading.Event())
    next(each for each in running if each.kind == "step done")
    running.close()  # type: ignore[attr-defined]
    assert somebody.events == ["started", "submitted", "left"]


def test_giving_up_is_no_failure_of_the_deployment(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    somebody.settings["give_up_after"] = timedelta(seconds=30)
    somebody.waits = [nothing]
    outcome = somebody.run(somebody.proposed(R))
    assert outcome.exit_code == 5
    assert "AWS goes on" in outcome.sentence
    assert "now   not read back: the wait ended before it did" in outcome.receipt


def test_two_consoles_do_not_work_on_one_service(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    proposal = somebody.proposed(R)
    service = f"{values.ACCOUNT}//{values.REGION}/{REF}"
    with (
        only_one(somebody.folder / "locks", service, "a test"),
        pytest.raises(Refused, match="a test"),
    ):
        somebody.run(proposal)

    def while_following(changed: ScriptedWorld) -> None:
        with only_one(somebody.folder / "locks", service, "a roll back from elsewhere"):
            worlds.settle(changed)

    somebody.waits = [while_following]
    assert somebody.run(proposal).ok


def test_an_audit_log_that_cannot_be_written_does_not_keep_the_old_version_away(
    desk: MakeDesk,
) -> None:
    somebody = desk(worlds.steady())
    (somebody.folder / "state").write_text("a file where the folder should be")
    outcome = somebody.run(somebody.proposed(R))
    assert outcome.ok
    assert "Not all of this is in the audit log (" in outcome.receipt[-1]
    assert "Errno" not in outcome.receipt[-1] and str(somebody.folder) in outcome.receipt[-1]


@pytest.mark.parametrize("blocked", ["locks", "locks full"])
def test_a_lock_that_cannot_be_had_does_not_keep_the_old_version_away(
    desk: MakeDesk, blocked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody = desk(worlds.steady())
    if blocked == "locks":
        (somebody.folder / "locks").write_text("a file where the folder should be")
    else:
        monkeypatch.setattr("bgconsole.operations.lock.private_file", full)
    outcome = somebody.run(somebody.proposed(R))
    assert outcome.ok
    assert somebody.told[0].kind == "note"
    assert somebody.told[0].text.startswith("Not locked against other consoles on this machine (")
    assert "Not locked against other consoles" in outcome.receipt[-1]
    assert "Not locked" in str(next(iter(somebody.audit.records()))["unlocked"])


def full(file: Path, flags: int) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))


def test_a_full_disk_keeps_the_holders_name_away_not_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(descriptor: int, data: bytes) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", write)
    with (
        only_one(tmp_path, "a service", "a test"),
        pytest.raises(Refused, match="a service"),
        only_one(tmp_path, "a service", "another"),
    ):
        pytest.fail("the lock was given twice")


def test_an_attempt_that_could_not_start_is_on_record(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)
    proposal = somebody.proposed(R)
    world.fail("services.describe", Unreachable("No answer from AWS"))
    with pytest.raises(Unreachable):
        somebody.run(proposal)
    (record,) = somebody.audit.records()
    assert record["event"] == "not started"
    assert "No answer from AWS" in str(record["error"])


def test_the_reason_of_failing_tasks_is_told(desk: MakeDesk) -> None:
    world = worlds.steady()
    somebody = desk(world)

    def crash(changed: ScriptedWorld) -> None:
        number = changed.history[REF][0].target.number
        worlds.settle(changed, well=False)
        broken = replace(values.crashed(BAD, 0), started_by=f"ecs-svc/{number}")
        changed.tasks[REF] = (*changed.tasks[REF], broken)

    somebody.waits = [crash]
    outcome = somebody.run(somebody.proposed(F))
    assert "1 of its tasks stopped: exit 1" in outcome.sentence


def test_no_secret_enters_the_audit_log(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    somebody.audit.append(
        {
            "event": "x",
            "url": "postgres://app:s3cr3t-canary@db/app",
            "DATABASE_PASSWORD": "s3cr3t-canary",
            "deep": [{"token": "s3cr3t-canary"}, "password=s3cr3t-canary"],
        }
    )
    text = somebody.audit.path.read_text()
    assert "canary" not in text
    assert json.loads(text)["url"] == "postgres://app:•••@db/app"
