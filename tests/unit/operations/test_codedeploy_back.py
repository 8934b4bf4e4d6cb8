"""The way back of a service that CodeDeploy deploys: stopped, followed, or named."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bgconsole.domain.codedeploy import CodeDeployment
from bgconsole.domain.errors import (
    AccessDenied,
    ExpiredCredentials,
    GatewayError,
    Refused,
    Rejected,
    Throttled,
    Unreachable,
)
from bgconsole.gateway.port import Submitted
from bgconsole.gateway.scripted import Call, ScriptedWorld
from bgconsole.operations.codedeploy_back import UNTRIED
from bgconsole.operations.outcome import PlanChanged
from bgconsole.operations.spec import Risk
from tests import codedeploy_worlds as worlds
from tests.unit.operations.conftest import Desk, MakeDesk, states
from tests.values import MEOW, POSTS, REF

R = "service.rollback"
DENIED = AccessDenied("AccessDenied", "needs it", action="codedeploy:GetDeployment")


def at_work(desk: MakeDesk, world: ScriptedWorld) -> Desk:
    made = desk(world)
    made.waits = [worlds.settle]
    return made


def test_the_plan_stops_codedeploys_deployment_and_says_that_it_is_untried(desk: MakeDesk) -> None:
    proposal = at_work(desk, worlds.under_way()).proposed(R)
    plan = proposal.plan
    assert proposal.risk is Risk.DANGEROUS
    assert plan.confirm == "1"
    assert [(f.label, f.value) for f in plan.facts] == [
        ("from", f"revision 2 · 8be01c9 · {MEOW.digest[:15]}"),
        ("to", f"revision 1 · 1f3c2aa · {POSTS.digest[:15]}"),
        ("by", "CodeDeploy stops d-NEW and rolls it back"),
    ]
    checks = states(plan)
    assert checks[UNTRIED] == "warning"
    assert "Stubber" in UNTRIED
    assert checks["4/4 old tasks still run"] == "ok"
    assert any(words.startswith(("migrations since", "no migration")) for words in checks)
    assert plan.steps[0].command == (
        "aws deploy stop-deployment --deployment-id d-NEW --auto-rollback-enabled "
        "--region us-east-1 --profile demo"
    )
    assert [step.effect for step in plan.steps] == ["serves", "looks"]


def test_it_is_stopped_once_and_followed_until_the_old_tasks_serve_alone(desk: MakeDesk) -> None:
    world = worlds.under_way()
    made = at_work(desk, world)
    outcome = made.run(made.proposed(R))
    assert outcome.ok, outcome
    assert [call.name for call in world.writes] == ["codedeploy.stop"]
    told = [each.text for each in made.told]
    assert "d-NEW is stopped" in told
    assert "d-BACK takes it back" in told
    assert "d-BACK has taken it back" in told
    assert outcome.sentence == "Revision 1 is back."
    assert outcome.deployment == world.services[REF].task_sets[0].id
    assert any("all 4 running tasks" in line and "revision 1" in line for line in outcome.receipt)
    assert made.events == ["started", "submitted", "finished"]


@pytest.mark.parametrize("status", ["Queued", "Created", "Ready", "Baking", "SomethingNew"])
def test_whatever_is_not_an_end_can_be_stopped(desk: MakeDesk, status: str) -> None:
    made = at_work(desk, worlds.under_way(status=status))
    assert made.run(made.proposed(R)).ok


def test_after_the_shift_it_still_goes_back(desk: MakeDesk) -> None:
    made = at_work(desk, worlds.under_way(100))
    proposal = made.proposed(R)
    assert any("has shifted the traffic" in note for note in proposal.plan.notes)
    assert made.run(proposal).ok


def test_only_its_own_old_revision_can_be_named_while_it_runs(desk: MakeDesk) -> None:
    made = at_work(desk, worlds.under_way())
    assert made.proposed(R, to="1").plan.confirm == "1"
    assert "revision 1 and no other" in made.refused(R, to="7").reason


def test_old_tasks_that_are_gone_are_told(desk: MakeDesk) -> None:
    world = worlds.under_way()
    service = world.services[REF]
    new, old = service.task_sets
    world.services[REF] = replace(service, task_sets=(new, replace(old, running=1)))
    checks = states(at_work(desk, world).proposed(R).plan)
    assert checks["1/4 old tasks still run: the others must start again"] == "warning"
    world.services[REF] = replace(service, task_sets=(new,))
    assert "nothing that it could go back to" in at_work(desk, world).refused(R).reason


def command_of(made: Desk, **params: str) -> list[str]:
    return shlex.split(made.refused(R, **params).command)


def test_after_its_end_the_command_is_named_and_nothing_is_done(desk: MakeDesk) -> None:
    world = worlds.ended()
    made = at_work(desk, world)
    no = made.refused(R)
    assert "only a new deployment goes back" in no.reason
    assert "makes one to revision 1; the console does not run it" in no.reason
    words = command_of(made)
    assert words[:3] == ["aws", "deploy", "create-deployment"]
    given = dict(zip(words[3::2], words[4::2], strict=True))
    assert given["--application-name"] == "web"
    assert given["--deployment-group-name"] == "web-group"
    assert given["--deployment-config-name"] == "CodeDeployDefault.ECSCanary10Percent5Minutes"
    assert json.loads(given["--revision"])["appSpecContent"]["content"] == worlds.SPEC
    assert given["--region"] == "us-east-1"
    assert world.writes == []


def test_for_a_revision_that_is_named_an_appspec_is_written(desk: MakeDesk) -> None:
    made = at_work(desk, worlds.ended())
    assert "without hooks" in made.refused(R, to="7").reason
    words = command_of(made, to="7")
    revision = json.loads(words[words.index("--revision") + 1])
    spec = json.loads(revision["appSpecContent"]["content"])
    properties = spec["Resources"][0]["TargetService"]["Properties"]
    assert properties["TaskDefinition"] == POSTS.definition_arn.removesuffix("1") + "7"
    assert properties["LoadBalancerInfo"]["ContainerPort"] == 3000


@pytest.mark.parametrize(
    "changes",
    [
        {"previous": None},
        {"previous": replace(worlds.PREVIOUS, document="")},
        {
            "previous": replace(
                worlds.PREVIOUS,
                document=worlds.PREVIOUS.document.replace(
                    POSTS.definition_arn, MEOW.definition_arn
                ),
            )
        },
        {"status": "Failed"},
    ],
    ids=["unknown", "without its content", "the same as live", "failed"],
)
def test_where_it_cannot_be_known_what_was_before_the_list_is_named(
    desk: MakeDesk, changes: dict[str, Any]
) -> None:
    made = at_work(desk, worlds.ended(**changes))
    assert command_of(made)[:3] == ["aws", "deploy", "list-deployments"]


def test_one_that_is_taken_back_already_is_left_alone(desk: MakeDesk) -> None:
    world = worlds.under_way()
    made = at_work(desk, world)
    made.gateway.codedeploy.stop("d-NEW")
    assert "under way already" in made.refused(R).reason
    assert len(world.writes) == 1


def test_what_cannot_be_read_is_not_stopped_and_its_command_is_named(desk: MakeDesk) -> None:
    world = worlds.under_way()
    world.fail("codedeploy.deployment", DENIED)
    made = at_work(desk, world)
    no = made.refused(R)
    assert "could not be read" in no.reason
    assert shlex.split(no.command)[:5] == [
        *("aws", "deploy", "stop-deployment", "--deployment-id", "d-NEW")
    ]
    service = world.services[REF]
    bare = tuple(replace(one, external_id="") for one in service.task_sets)
    world.services[REF] = replace(service, task_sets=bare)
    assert "no task set of the service names" in made.refused(R).reason


def test_what_ended_after_it_was_confirmed_is_not_stopped(desk: MakeDesk) -> None:
    world = worlds.under_way()
    made = at_work(desk, world)
    proposal = made.proposed(R)
    world.codedeployments["d-NEW"] = replace(world.codedeployments["d-NEW"], status="Succeeded")
    with pytest.raises(Refused) as caught:
        made.run(proposal)
    assert "aws deploy create-deployment" in str(caught.value.hint)
    assert world.writes == []


def test_another_deployment_is_another_plan(desk: MakeDesk) -> None:
    world = worlds.under_way()
    made = at_work(desk, world)
    proposal = made.proposed(R)
    service = world.services[REF]
    new, old = service.task_sets
    world.services[REF] = replace(service, task_sets=(replace(new, external_id="d-2"), old))
    world.codedeployments["d-2"] = replace(world.codedeployments["d-NEW"], id="d-2")
    with pytest.raises(PlanChanged) as caught:
        made.run(proposal)
    assert caught.value.changed == ("by",)
    assert world.writes == []


def fails(kind: GatewayError) -> Callable[[ScriptedWorld, Call], Submitted | None]:
    def effect(world: ScriptedWorld, call: Call) -> Submitted | None:
        raise kind

    return effect


def test_a_refused_stop_is_a_failure_with_its_request_id(desk: MakeDesk) -> None:
    world = worlds.under_way()
    error = Rejected("AWS refuses", "It is complete", code="x", request_id="req-9")
    world.effects["codedeploy.stop"] = fails(error)
    made = at_work(desk, world)
    outcome = made.run(made.proposed(R))
    assert not outcome.ok
    assert "What serves was not changed" in outcome.sentence
    assert "req-9" in outcome.sentence


@pytest.mark.parametrize("arrived", [True, False])
def test_a_lost_answer_is_looked_up_and_never_sent_again(desk: MakeDesk, arrived: bool) -> None:
    world = worlds.under_way()
    stop = world.effects["codedeploy.stop"]

    def lost(world: ScriptedWorld, call: Call) -> Submitted | None:
        if arrived:
            stop(world, call)
        raise Unreachable("No answer", "codedeploy:StopDeployment")

    world.effects["codedeploy.stop"] = lost
    made = at_work(desk, world)
    outcome = made.run(made.proposed(R))
    assert outcome.ok is arrived
    assert len(world.writes) == 1
    if not arrived:
        assert "Whether the call arrived is not known" in outcome.sentence


def finished(world: ScriptedWorld, **changes: Any) -> None:
    found = world.codedeployments["d-NEW"]
    world.codedeployments["d-NEW"] = replace(found, **changes)


def back(status: str) -> CodeDeployment:
    return CodeDeployment("d-BACK", status, problem="no room.")


ENDS: list[tuple[dict[str, Any], str, str]] = [
    ({"status": "Succeeded"}, "Failed", "finished before it could be stopped"),
    ({"back": back("Failed")}, "Failed", "which was to take it back, failed (no room)"),
    ({"back": back("Stopped")}, "Failed", "which was to take it back, was stopped (no room)"),
    (
        {"back": back("Succeeded")},
        "Not what was wanted",
        "d-BACK took it back, but revision 1 is not whole again: ECS still says that revision 2",
    ),
    (
        {"back": None, "back_id": "", "back_words": "It cannot."},
        "Not what was wanted",
        "was stopped: It cannot, but revision 1 is not whole again",
    ),
]


@pytest.mark.parametrize(("changes", "title", "words"), ENDS)
def test_an_end_that_is_not_good_is_told_as_it_is(
    desk: MakeDesk, changes: dict[str, Any], title: str, words: str
) -> None:
    made = at_work(desk, worlds.under_way(100))
    made.waits = [lambda world: finished(world, **changes)]
    outcome = made.run(made.proposed(R))
    assert (outcome.ok, outcome.title) == (False, title)
    assert words in outcome.sentence


def test_stopped_before_any_shift_nothing_need_go_back(desk: MakeDesk) -> None:
    made = at_work(desk, worlds.under_way())
    made.waits = [lambda world: finished(world, back=None, back_id="")]
    outcome = made.run(made.proposed(R))
    assert outcome.ok
    assert outcome.sentence == "Revision 1 is back. 4 tasks of the other revision still run."
    assert outcome.deployment == ""


def test_throttling_only_slows_the_following(desk: MakeDesk) -> None:
    world = worlds.under_way()
    made = at_work(desk, world)
    proposal = made.proposed(R)

    def slow(world: ScriptedWorld) -> None:
        world.fail("codedeploy.deployment", Throttled("Throttled", "slow down"), times=2)
        made.waits = [lambda _: None, lambda _: None, worlds.settle]

    made.waits = [slow]
    outcome = made.run(proposal)
    assert outcome.ok, outcome
    assert any("asking again more slowly" in each.text for each in made.told)


def test_credentials_that_end_leave_it_submitted(desk: MakeDesk) -> None:
    world = worlds.under_way()
    made = at_work(desk, world)
    made.waits = [
        lambda world: world.fail("codedeploy.deployment", ExpiredCredentials("expired", "key"))
    ]
    outcome = made.run(made.proposed(R))
    assert (outcome.ok, outcome.title, outcome.exit_code) == (False, "Submitted, not followed", 4)
    assert "request id request-1" in outcome.sentence


def test_leaving_and_giving_up_never_stop_codedeploy(desk: MakeDesk) -> None:
    cancelled = threading.Event()
    made = at_work(desk, worlds.under_way())
    made.waits = [lambda _: cancelled.set()]
    outcome = made.run(made.proposed(R), cancelled)
    assert outcome.exit_code == 130
    assert "AWS goes on" in outcome.sentence
    made = at_work(desk, worlds.under_way())
    made.waits = [lambda _: None]
    made.settings["give_up_after"] = timedelta(seconds=10)
    assert made.run(made.proposed(R)).exit_code == 5


def test_read_only_stops_nothing(desk: MakeDesk) -> None:
    made = at_work(desk, worlds.under_way())
    made.settings["read_only"] = True
    assert "read-only" in made.refused(R).reason


def test_its_stack_is_another_matter(desk: MakeDesk) -> None:
    made = at_work(desk, worlds.under_way())
    assert "cancel-update STACK" in made.refused(R, through="stack").reason


def test_what_codedeploy_quotes_is_masked(desk: MakeDesk) -> None:
    problem = "hook said DATABASE_URL=postgres://app:geheim@db/x"
    no = at_work(desk, worlds.ended(status="Failed", problem=problem)).refused(R)
    assert "hook said" in no.reason
    assert "geheim" not in no.reason


def test_an_appspec_with_a_secret_is_not_shown_and_no_half_command_named(desk: MakeDesk) -> None:
    document = worlds.PREVIOUS.document.replace("Properties", "postgres://app:geheim@db/x")
    previous = replace(worlds.PREVIOUS, document=document)
    no = at_work(desk, worlds.ended(previous=previous)).refused(R)
    assert "looks like a secret" in no.reason
    assert "list-deployments" in no.command
    assert "geheim" not in no.reason + no.command


def test_one_that_has_begun_without_a_task_set_is_named_not_the_one_before(desk: MakeDesk) -> None:
    begun = CodeDeployment("d-3", "Created")
    made = at_work(desk, worlds.ended(another=begun))
    no = made.refused(R)
    assert "d-3 has begun" in no.reason
    assert shlex.split(no.command)[:5] == [
        "aws",
        "deploy",
        "stop-deployment",
        "--deployment-id",
        "d-3",
    ]
    made = at_work(desk, worlds.ended(another=replace(begun, takes_back="d-2")))
    no = made.refused(R)
    assert "a roll back is under way already" in no.reason
    assert no.command == ""
